"""What a run is given is read and checked before anything is graded."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from autograder.course import Course, CourseError, Extension, load
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.manual_marks import ManualError
from autograder.gradebook.submission import Submission
from autograder.grading.class_run import grade_submissions
from autograder.grading.inputs import read_inputs

ROOT = Path(__file__).resolve().parents[2]
LOADED = load(ROOT)
DUE = datetime.fromisoformat("2026-10-19T23:59:00+02:00")
KNOWN = ["adaa_10001", "bobb_10002"]


def handed_in(*students: str, received: datetime | None = None) -> dict[int, list[Submission]]:
    return {1: [Submission(student, received=received) for student in students]}


def course(*extensions: Extension, **changes: object) -> Course:
    weeks = tuple(
        week.model_copy(update={"due": DUE}) if week.number == 1 else week for week in LOADED.weeks
    )
    return LOADED.model_copy(update={"weeks": weeks, "extensions": extensions, **changes})


def extension(student: str, due: datetime = DUE, week: str = "week1", **more: bool) -> Extension:
    return Extension(student=student, week=week, due=due, **more)


@pytest.mark.parametrize("student", ["Ada_10001", "ADAA_10001", "ada_1001", "10001"])
def test_an_extension_for_nobody_names_who_is_near(tmp_path: Path, student: str) -> None:
    with pytest.raises(CourseError, match="did you mean 'adaa_10001'") as caught:
        read_inputs(course(extension(student)), tmp_path / "none", handed_in(*KNOWN))
    assert caught.value.key == "extension#1.student"
    assert f"nobody handed in as '{student}'" in str(caught.value)


def test_every_extension_for_nobody_is_named(tmp_path: Path) -> None:
    three = course(extension("bobb_10002"), extension("zoe"), extension("yan"))
    with pytest.raises(CourseError, match=r"extension#2\.student: .*'zoe'; .*'yan'"):
        read_inputs(three, tmp_path / "none", handed_in(*KNOWN))
    read_inputs(three, tmp_path / "none", handed_in(*KNOWN), own_code=True)


def test_who_is_known_from_before_or_has_nothing_yet_may_have_one(tmp_path: Path) -> None:
    journal = tmp_path / "gradebook.sqlite"
    with Gradebook.open(journal) as book:
        book.start_run("bubblewrap", "digits", "", {})
        book.add_submission(Submission("zoe"), 1)
    chosen = course(extension("zoe"), extension("yan", nothing_yet=True))
    assert read_inputs(chosen, journal, handed_in(*KNOWN)).remarks == ()
    requests = [{"student": "eve", "week": "week1", "days": 1}]
    rule = LOADED.handing_in.model_copy(update={"late_days": 2, "late_days_spent": "on request"})
    with pytest.raises(CourseError, match=r"late_days#1\.student: nobody handed in as 'eve'"):
        read_inputs(
            course(handing_in=rule, more={"late_days": requests}), journal, handed_in(*KNOWN)
        )


def test_an_extension_makes_nobody_later_than_the_class(tmp_path: Path) -> None:
    earlier, later = DUE - timedelta(days=1), DUE + timedelta(days=1)
    chosen = course(
        extension("adaa_10001", earlier),
        extension("bobb_10002", later),
        extension("x", week="week2"),
    )
    week1, week2 = chosen.week(1), chosen.week(2)
    assert [chosen.due(who, week1) for who in KNOWN] == [DUE, later]
    assert chosen.due("x", week2) is None
    first, second = read_inputs(chosen, tmp_path / "none", handed_in(*KNOWN, "x")).remarks
    assert first == (
        "The extension of adaa_10001 to 2026-10-18 23:59 UTC+02:00 has no effect: week1 is due on "
        "2026-10-19 23:59 UTC+02:00 for everybody, and that counts."
    )
    assert "x" in second
    assert "week2 has no due date for everybody" in second


def test_a_later_time_of_the_same_files_is_named(tmp_path: Path) -> None:
    journal, later = tmp_path / "gradebook.sqlite", DUE + timedelta(days=1)
    with Gradebook.open(journal) as book:
        book.start_run("bubblewrap", "digits", "", {})
        book.add_submissions(handed_in(*KNOWN, received=DUE)[1], 1)
    assert read_inputs(LOADED, journal, handed_in("bobb_10002", received=DUE)).remarks == ()
    [said] = read_inputs(LOADED, journal, handed_in(*KNOWN, received=later)).remarks
    assert said.startswith("week 1: adaa_10001, bobb_10002 handed in the same files earlier")


def test_marks_that_are_wrong_stop_a_run_before_anything_is_written(tmp_path: Path) -> None:
    folder, out = tmp_path / "the class", tmp_path / "out"
    (folder / "ada").mkdir(parents=True)
    (folder / "ada/losses.py").write_text("")
    manual = tmp_path / "marks.csv"
    manual.write_text("student;item;points\nada;week1.written_mse;0,5\nbob;week1.written_mse;1\n")
    with pytest.raises(ManualError, match=r"line 3: no student 'bob'"):
        grade_submissions(ROOT, folder, out, manual=manual, unconfined=True)
    assert not out.exists()
