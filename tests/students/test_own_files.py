"""A student's own modules beside the assignment's files: checked, and handed in."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from autograder.course import load
from autograder.intake.reading import take_in
from autograder.students import check
from autograder.students.hand_in import write_archive
from autograder.students.public_run import Files, PublicRun, Shipped, read_files
from autograder.students.screen import Screen

ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT)
WEEK = COURSE.week(1)
OWN = {
    "neural_net.py": "import utils\nfrom mylib import (\n    part,\n)\n",
    "utils.py": "x = 1\n",
    "mylib/__init__.py": "from .deep import y\n",
    "mylib/part.py": "z = 3\n",
    "mylib/deep.py": "y = 2\n",
}
OTHERS = {"scratch.py": "raise SystemExit\n", "tests/test_mine.py": "", "other/utils.py": ""}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in {**OWN, **OTHERS}.items():
        path = tmp_path / "assignments" / WEEK.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_check_runs_with_the_helpers_that_are_imported(tree: Path) -> None:
    found = read_files(tree, WEEK).modules
    assert found == {name: text.encode() for name, text in OWN.items()}


def test_what_is_handed_in_has_them_and_is_taken_as_it_was_checked(tree: Path) -> None:
    (tree / "class").mkdir()
    remarks = write_archive(COURSE, tree, 1, tree / "class" / "ann.zip")
    assert not any("utils" in remark for remark in remarks)
    with zipfile.ZipFile(tree / "class" / "ann.zip") as archive:
        assert set(archive.namelist()) == {f"{WEEK.folder}/{name}" for name in OWN}
    (taken,) = take_in(tree / "class", [WEEK])[1]
    assert taken.files == read_files(tree, WEEK).modules


def test_a_broken_helper_is_named(tree: Path) -> None:
    (tree / "assignments" / WEEK.folder / "utils.py").write_text("x = (\n")
    remarks = write_archive(COURSE, tree, 1, tree / "ann.zip")
    assert any(remark.startswith("utils.py, line 1 is not valid Python") for remark in remarks)


@pytest.mark.parametrize(("version", "told"), [((3, 8), True), ((4, 0), False), ((), False)])
def test_an_older_python_that_grades_is_told(version: tuple[int, ...], told: bool) -> None:
    shipped = Shipped(0, {}, {}, {}, python=version)
    done = PublicRun(COURSE, WEEK, Files({}), shipped, [], [], {})
    printed = io.StringIO()
    check.print_run(Screen(printed), done)
    assert ("Python 3.8 grades, older than yours" in printed.getvalue()) is told
