"""What instructors write of students by other names than their ids, and tables of sections."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from autograder.course import Extension, load
from autograder.gradebook.called import Called
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.manual_marks import ManualError, read_manual
from autograder.gradebook.override_lines import Line, OverrideError, OverrideReader
from autograder.gradebook.people import Identity, called_in, keep_people
from autograder.gradebook.roster import RosterError
from autograder.gradebook.submission import Submission
from autograder.grading.choice import Choice, ChoiceError, among, chosen
from autograder.grading.inputs import read_inputs
from autograder.report.by_roster import with_ids
from autograder.report.class_csv import gradebook_csv
from autograder.report.gather import gather
from autograder.report.history import history_lines
from autograder.report.late_days import requested_days
from autograder.report.showing import show_class

LOADED = load(Path(__file__).resolve().parents[2])
DUE = datetime(2026, 10, 12, 22, tzinfo=UTC)
ROSTER = """id;name;section;aliases;canvas id
ada;Ada Byron;A;al-1;501
jane1;Jane Doe;A;;502
jane2;Jane Doe;B;jd-2;503
zoe;Zoë Zed;B;;504
"""


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    """A class that came before its roster: ada was byronada_501 then."""
    (tmp_path / "roster.csv").write_text(ROSTER)
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("none", "digits", "salt", {})
        students = ("ada", "jane1", "jane2", "zoe")
        book.add_submissions(
            [Submission(one, {"a.py": one.encode()}, received=DUE) for one in students], 1
        )
        keep_people(book, "w", [Identity("ada", 1, "byronada", "Canvas 501")], [])
        yield book


WHO = [
    *(
        ("ada", "ada"),
        ("ADA", "ada"),
        ("al-1", "ada"),
        ("Canvas 501", "ada"),
        ("Byron, Ada", "ada"),
    ),
    *(("byronada_501", "ada"), ("JD-2", "jane2"), ("Zoë Zed", "zoe"), ("Jane Doe", None)),
    *(("nobody", None), ("", None)),
]


@pytest.mark.parametrize(("text", "id"), WHO)
def test_a_student_is_meant_by_whatever_names_them_alone(book, text, id) -> None:
    assert called_in(book, LOADED.weeks).who(text) == id


def test_why_nobody_is_meant() -> None:
    called = Called({"ada", "bob"}, None, [("Bob", "bob"), ("Bob", "ada")])
    assert called.problem("Bob") == "'Bob' may be ada or bob; give the id"
    assert called.problem("adda") == "no student 'adda' in the gradebook; did you mean 'ada'?"


def test_marks_and_overrides_take_aliases_and_ids_of_before(book, tmp_path) -> None:
    called = called_in(book, LOADED.weeks)
    path = tmp_path / "manual.csv"
    path.write_text(
        "student,item,points\nbyronada_501,week1.written_linear,1\nJD-2,week1.written_linear,0\n"
    )
    read = read_manual(path, LOADED, called)
    assert [mark.student for mark in read.marks] == ["ada", "jane2"]
    path.write_text("student,item,points\nal-1,week1.written_mse,1\nada,week1.written_mse,1\n")
    with pytest.raises(ManualError, match="were on line 2 already"):
        read_manual(path, LOADED, called)
    reader = OverrideReader(LOADED, book)
    lines = [Line(who, "total", "+1", "why", "me") for who in ("al-1", "byronada_501", "zoë zed")]
    assert [one.student for one in reader.read(lines, "test")] == ["ada", "ada", "zoe"]
    with pytest.raises(OverrideError, match="'Jane Doe' may be jane1 or jane2; give the id"):
        reader.read([Line("Jane Doe", "total", "+1", "why", "me")], "test")


def test_extensions_and_requests_take_aliases(book, tmp_path) -> None:
    weeks = tuple(one.model_copy(update={"due": DUE - timedelta(days=3)}) for one in LOADED.weeks)
    own = (Extension(student="al-1", week="week1", due=DUE + timedelta(days=1)),)
    rule = LOADED.handing_in.model_copy(
        update={"late_days": 3, "late_days_spent": "on request", "late": ((0, 1.0), (4, 0.0))}
    )
    requests = [{"student": "JD-2", "week": "week1", "days": 2}]
    course = LOADED.model_copy(
        update={"weeks": weeks, "extensions": own, "handing_in": rule}
        | {"more": {"late_days": requests}}
    )
    roster = called_in(book, LOADED.weeks)._roster
    assert requested_days(with_ids(course, roster)) == {"jane2": {1: 2}}
    by_id = {report.score.student: report for report in gather(course, book)}
    assert {who: one.handed_in[0].late.days for who, one in by_id.items()} == {
        "ada": 0,
        "jane1": 3,
        "jane2": 3,
        "zoe": 3,
    }
    assert by_id["jane2"].handed_in[0].days == 2
    inputs = read_inputs(course, tmp_path / "gradebook.sqlite", {}, roster=roster)
    assert not [one for one in inputs.remarks if "no effect" in one]


def test_a_section_is_a_column_and_a_table(book, tmp_path) -> None:
    reports = gather(LOADED, book)
    rows = list(csv.DictReader(io.StringIO(gradebook_csv(LOADED, reports))))
    assert [(row["student"], row["section"]) for row in rows] == [
        *(("ada", "A"), ("jane1", "A"), ("jane2", "B"), ("zoe", "B"))
    ]
    said = io.StringIO()
    show_class(Console(file=said, width=120), LOADED, tmp_path, "b")
    assert "Section b: 2 of 4 students" in said.getvalue()
    assert "zoe" in said.getvalue()
    assert "jane1" not in said.getvalue()
    with pytest.raises(RosterError, match="There are: A, B"):
        show_class(Console(file=said), LOADED, tmp_path, "C")
    assert list(history_lines(LOADED, tmp_path, "al-1")) == []
    (tmp_path / "roster.csv").unlink()
    assert "section" not in gradebook_csv(LOADED, gather(LOADED, book)).partition("\n")[0]


def test_a_section_is_a_choice(book) -> None:
    roster = called_in(book, LOADED.weeks)._roster
    there = set(roster.people)
    every = {1: [Submission(one) for one in sorted(there)]}

    def picked(*students: str, section: str | None) -> list[str]:
        choice = among(Choice(students, section=section), there, roster)
        return [one.student for each in chosen(every, choice, book).values() for one in each]

    assert picked(section="a") == ["ada", "jane1"]
    assert picked("JD-2", "al-1", section="B") == ["jane2"]
    assert picked("al-1", section="B") == []
    assert str(Choice(section="A")) == "of section A"
    with pytest.raises(RosterError, match="no section of the roster is called 'C'"):
        picked(section="C")
    with pytest.raises(ChoiceError, match="no submission is of 'nobody'"):
        picked("nobody", section="A")
