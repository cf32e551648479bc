"""Results never lie among submissions, and an OUT that is moved meanwhile is named."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.opening import GradebookError, explained
from autograder.grading.class_run import grade_submissions
from autograder.grading.places import MovedError, demand_apart


@pytest.fixture
def right(small: Path) -> str:
    """The reference of week 2."""
    return (small / "solutions" / "week2_small" / "double.py").read_text()


@pytest.fixture
def submissions(right: str, tmp_path: Path) -> Path:
    folder = tmp_path / "the class"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "double.py").write_text(right)
    return folder


def everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("out", ["", "grades", "ada/grades", "grades/of/today"])
def test_results_among_the_submissions_are_refused(
    small: Path, submissions: Path, out: str
) -> None:
    before = everything(submissions)
    with pytest.raises(InputError, match=r"Name another folder with --out"):
        grade_submissions(small, submissions, submissions / out, unconfined=True)
    assert everything(submissions) == before


def test_a_link_into_the_submissions_is_no_way_around(submissions: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(submissions)
    with pytest.raises(InputError, match="is inside the submissions"):
        demand_apart(submissions, tmp_path / "link" / "grades")


def test_feedback_is_no_submission(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="where feedback is written"):
        demand_apart(tmp_path / "grades" / "students", tmp_path / "grades")


@pytest.mark.parametrize(
    ("given", "out"), [("in", "out"), ("in", "in2"), ("out/in", "out"), ("a/in", "a/out")]
)
def test_what_lies_apart_is_taken(tmp_path: Path, given: str, out: str) -> None:
    (tmp_path / given).mkdir(parents=True)
    demand_apart(tmp_path / given, tmp_path / out)
    archive = tmp_path / "class.zip"
    archive.touch()
    demand_apart(archive, tmp_path / out)


def test_an_out_that_is_moved_meanwhile_is_named_and_loses_nothing(
    small: Path, submissions: Path, tmp_path: Path
) -> None:
    out, moved = tmp_path / "the grades", tmp_path / "moved"

    def move(*given: object) -> None:
        os.rename(out, moved)

    with pytest.raises(MovedError, match="the grades was moved or replaced"):
        grade_submissions(small, submissions, out, unconfined=True, collect_marks=move)
    assert not out.exists(), "nothing new in the old place"
    with Gradebook.open(moved / "gradebook.sqlite") as gradebook:
        assert {str(one.verdict) for one in gradebook.results("ada", 2)} == {"pass"}
    grade_submissions(small, submissions, moved, unconfined=True)
    assert (moved / "gradebook.csv").is_file()


def test_what_sqlite_says_of_a_moved_gradebook_is_explained(tmp_path: Path) -> None:
    error = sqlite3.OperationalError("attempt to write a readonly database")
    error.sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED
    with pytest.raises(GradebookError, match="moved away while it was open"):  # noqa: SIM117
        with explained(tmp_path / "gradebook.sqlite"):
            raise error
