"""Notebooks as students really hand them in: each gets its verdict, and none stops the class."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import load
from autograder.gradebook import Gradebook
from autograder.grading import Setting, grade_class
from autograder.intake import read_class
from autograder.report import StudentReport, gather
from tests.notebook_class import CASES, PARTS, ROOT, write_class

COURSE = load(ROOT)


@pytest.fixture(scope="module")
def graded(tmp_path_factory, confinement) -> dict[str, StudentReport]:
    """The whole class, graded in one run."""
    folder = tmp_path_factory.mktemp("notebooks")
    write_class(folder / "class")
    taken = read_class(folder / "class", [COURSE.week(1)], COURSE.weeks).submissions
    with Gradebook.open(folder / "gradebook.sqlite") as gradebook:
        grade_class(
            COURSE, Setting(ROOT, {1: "digits"}), taken, gradebook, 1, lambda progress: None
        )
        return {report.score.student: report for report in gather(COURSE, gradebook)}


def test_nobody_is_missing(graded):
    assert set(graded) == set(CASES)
    assert len(CASES) >= 20


@pytest.mark.parametrize("name", CASES)
def test_each_gets_its_verdict_and_a_word(graded, name):
    case, report = CASES[name], graded[name]
    items = {item.id: item for item in report.score.items}
    assert report.refusals == ()
    for part in PARTS:
        item = items[f"week1.derive_{part}"]
        verdicts = {str(check.result.verdict) for check in item.checks}
        assert not item.pending
        if part in case.lost:
            assert case.lost[part] in verdicts, verdicts
            assert item.points < item.max_points
        else:
            assert verdicts == {"pass"}, [check.result.message for check in item.checks]
            assert item.points == item.max_points
    notices = " ".join(report.notices)
    assert case.says in notices, notices
    if not case.lost and not case.says:
        assert "derivations" not in notices.replace("Missing for week 1", ""), notices


def test_what_is_left_blank_says_where_it_is_missing(graded):
    """The message names the cell and the line, or the file and what is wrong with it."""

    def messages(name: str, part: str) -> str:
        items = {item.id: item for item in graded[name].score.items}
        checks = items[f"week1.derive_{part}"].checks
        return " ".join(check.result.message for check in checks)

    said = messages("cell-no-python", "relu")
    assert "of derivations.ipynb is not valid Python, line 6: '(' was never closed" in said
    assert "derivations.ipynb can't be read: it is empty" in messages("empty-file", "mse")


def test_a_person_marks_what_is_written(graded):
    for name, case in CASES.items():
        documents = graded[name].documents.get("week1.written_mse", ())
        expected = ("derivations.ipynb",) if case.file and case.file.endswith(".ipynb") else ()
        assert documents == expected


def test_a_photograph_takes_the_place_of_what_is_written(tmp_path: Path):
    student = tmp_path / "ada"
    student.mkdir()
    (student / "derivations.jpg").write_bytes(b"\xff\xd8\xff")
    (student / "derivations.ipynb").write_bytes(CASES["honest"].make())
    submission = read_class(tmp_path, [COURSE.week(1)]).submissions[1][0]
    assert set(submission.documents) == {"derivations.ipynb", "derivations.jpg"}
    assert set(submission.files) == {"derivations.py"}


def test_of_several_notebooks_the_one_with_the_right_name_counts(tmp_path: Path):
    student = tmp_path / "ada"
    student.mkdir()
    (student / "derivations (2).ipynb").write_bytes(CASES["empty-file"].make())
    (student / "derivations.ipynb").write_bytes(CASES["honest"].make())
    submission = read_class(tmp_path, [COURSE.week(1)]).submissions[1][0]
    assert b"can't be read" not in submission.files["derivations.py"]
    assert any("is there 2 times: took derivations.ipynb" in one for one in submission.notices)
