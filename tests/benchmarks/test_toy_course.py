"""The toy that grading is measured on is a course like others: right work passes, mistakes show."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.grading.examiner import Examiner
from benchmarks.lean_pytest import lean_pytest
from benchmarks.toy_course import make_class, plain_tests, write_course

FUNCTIONS = 4


@pytest.fixture(scope="module")
def examiner(tmp_path_factory, confinement):
    root = tmp_path_factory.mktemp("toy")
    write_course(root, FUNCTIONS)
    examiner = Examiner(root, 1, confinement, None)
    yield examiner
    examiner.close()


def test_it_is_graded_whole(examiner: Examiner) -> None:
    """One check for each function, and what every course has: the code's quality and the rules."""
    right, wrong = (
        {one.check: one for one in examiner.examine(files).results}
        for files in make_class(2, FUNCTIONS)
    )
    suite = [f"test_toy::test_f{number:02}" for number in range(1, FUNCTIONS + 1)]
    assert suite == [check for check in right if "::test_" in check]
    assert "quality::toy.py" in right
    assert {result.verdict for result in right.values()} == {"pass"}
    lost = {name: one for name, one in wrong.items() if one.verdict != "pass"}
    assert [(name, one.misconception) for name, one in lost.items()] == [
        ("test_toy::test_f02", "toy-f02-subtracts")
    ]


def test_pytest_finds_the_same(tmp_path: Path) -> None:
    for number, files in enumerate(make_class(2, FUNCTIONS)):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (folder / "test_toy.py").write_text(plain_tests(FUNCTIONS))
        assert lean_pytest(folder, [str(folder)]) == FUNCTIONS - number


def test_a_yardstick_that_runs_no_test_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="pytest ran no test"):
        lean_pytest(tmp_path, [str(tmp_path)])


def test_no_submission_is_like_another() -> None:
    made = [files["toy.py"] for files in make_class(6, FUNCTIONS)]
    assert len(set(made)) == 6
