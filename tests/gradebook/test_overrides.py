"""Overrides are events: read whole or not at all, added once, folded in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course import load
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.override_lines import OverrideError, OverrideReader
from autograder.gradebook.overrides import Act, Override, Scope, decisions, read_act
from autograder.gradebook.submission import Submission
from autograder.records import FULL_CREDIT, PlannedCheck

COURSE = load(Path(__file__).resolve().parents[2])
CHECKS = [
    PlannedCheck("hidden/test_linear.py::test_a", "week1.linear", "A"),
    PlannedCheck("hidden/test_linear.py::test_b", "week1.linear", "B"),
    PlannedCheck("hidden/test_relu.py::test_a", "week1.relu", "A"),
]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("none", "digits", "salt", {})
        for student in ("ada", "bob"):
            one = Submission(student, {"a.py": student.encode()})
            book.add_submission(one, 1)
            book.plan(GradingJob(student, student, 1, one.fingerprint, "none"), CHECKS)
        yield book


def read(book: Gradebook, path: Path, text: str | bytes) -> list[Override]:
    """Read a file and keep what is new in it."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    new = OverrideReader(COURSE, book).read_file(path, "prof")
    book.add_overrides(new)
    return new


def in_force(book: Gradebook, student: str = "ada") -> dict[str, list[str]]:
    each = decisions(book.overrides(student)).values()
    return {one.target: [event.says for event in one.events] for one in each}


HEAD = "student,item,points,reason,author\n"


def test_every_kind_of_line_is_kept_with_time_author_and_reason(book, tmp_path):
    read(
        book,
        tmp_path / "overrides.csv",
        f"{HEAD}ada,week1.linear,4,the test was wrong,Dr. X\nada,week1.relu,-0.5,copied,\n"
        "ada,hidden/test_linear.py::test_b,50%,half right,\nada,week2,excused,ill,\n"
        'ada,week1,+2,"helped others, a lot",\nada,total,take 1.5,late note,\n',
    )
    events = book.overrides()
    assert [(one.target, one.scope, one.says) for one in events] == [
        ("week1.linear", Scope.ITEM, "4"),
        ("week1.relu", Scope.ITEM, "-0.5"),
        ("week1/hidden/test_linear.py::test_b", Scope.CHECK, "50%"),
        ("week2", Scope.WEEK, "excused"),
        ("week1", Scope.WEEK, "+2"),
        ("total", Scope.TOTAL, "-1.5"),
    ]
    assert [one.author for one in events] == ["Dr. X", *["prof"] * 5]
    assert events[4].reason == "helped others, a lot"
    assert all(one.made.endswith("+00:00") for one in events)
    assert events[0].handed_in
    assert not events[-1].handed_in


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "adda,week1.linear,4,why,",
            "no student 'adda' in the gradebook; did you mean 'ada'?",
        ),
        (
            "ada,week1.liner,4,why,",
            "no item, check, week or phase 'week1.liner' (near: week1.linear",
        ),
        ("ada,week1.linear,4.5,why,", "week1.linear has 4 points, so 4.5 is too much"),
        ("ada,week1.linear,4,,", "the reason is missing"),
        ("ada,week1.linear,four,why,", "'four' is not a number"),
        ("ada,week1.linear,,why,", "'' is not a number"),
        ("ada,total,95,why,", "'95' does not say whether to add or to take"),
        ("ada,total,excused,why,", "only items, weeks and phases can be excused"),
        ("ada,test_a::nothing,pass,why,", "no check 'test_a::nothing' was graded here yet"),
        ("ada,test_a::test_a,pass,why,", "no check"),
        ("ada,test_linear.py::test_a,2,why,", "'2' is none of pass, fail, 50%"),
        ("ada,test_linear.py::test_a,101%,why,", "none of pass, fail, 50%"),
        ("ada,week1.linear,1e3,why,", "is too much"),
    ],
)
def test_one_wrong_line_changes_nothing(book, tmp_path, line, says):
    with pytest.raises(OverrideError) as caught:
        read(book, tmp_path / "o.csv", f"{HEAD}{line}\nbob,week1.relu,1,fine,\n")
    assert says in str(caught.value)
    assert len(caught.value.problems) == 1
    assert book.overrides() == []


def test_a_check_may_be_named_by_its_end_if_that_is_clear(book, tmp_path):
    [one] = read(book, tmp_path / "o.csv", f"{HEAD}ada,test_linear.py::test_a,pass,why,\n")
    assert (one.target, one.amount) == ("week1/hidden/test_linear.py::test_a", FULL_CREDIT)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffStudent;Item;Points;Comment\nada;week1.linear;1,5;why\n",
        "sep=;\nreason;student;extra;item;points\nwhy;ADA;x;week1.linear;1,5\n;;;;\n",
        "student\titem\tpoints\treason\nada\tweek1.linear\t1.5\twhy\n",
        "student,item,points,reason\r\nada,week1.linear,'1.5,why,,,\r\n",
    ],
    ids=["semicolons", "other columns", "tabs", "apostrophe and trailing commas"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_files_of_spreadsheets_are_read(book, tmp_path, text, encoding):
    [one] = read(book, tmp_path / "o.csv", text.encode(encoding))
    assert (one.student, one.target, one.amount, one.reason) == ("ada", "week1.linear", 150, "why")


@pytest.mark.parametrize("text", ["", "student,item,points\nada,week1.linear,1\n"])
def test_a_file_without_reasons_is_refused(book, tmp_path, text):
    with pytest.raises(OverrideError, match=r"[Tt]he header"):
        read(book, tmp_path / "o.csv", text)


FOUR, THREE = "ada,week1.linear,4,test wrong,\n", "ada,week1.linear,3,on second thought,\n"
BACK, MORE = "ada,week1.linear,undo,mistaken,\n", "ada,total,+5,found a mistake,\n"


def test_a_file_that_is_given_again_adds_nothing(book, tmp_path):
    path = tmp_path / "o.csv"
    assert len(read(book, path, HEAD + FOUR + MORE)) == 2
    assert read(book, path, HEAD + FOUR + MORE) == []
    assert len(read(book, path, HEAD + FOUR + MORE + BACK)) == 1
    assert read(book, path, HEAD + FOUR + MORE + BACK) == []
    assert in_force(book) == {"total": ["+5"]}
    assert len(read(book, path, HEAD + FOUR + MORE + BACK + FOUR)) == 1
    assert in_force(book)["week1.linear"] == ["4"]


def test_a_line_that_was_corrected_and_corrected_back_counts(book, tmp_path):
    path = tmp_path / "o.csv"
    for line, says in ((FOUR, "4"), (THREE, "3"), (FOUR, "4")):
        read(book, path, HEAD + line)
        assert in_force(book) == {"week1.linear": [says]}
    assert len(book.overrides()) == 3, "what was replaced is kept"


def test_what_the_command_took_back_stays_so_when_the_file_comes_again(book, tmp_path):
    path = tmp_path / "o.csv"
    [given] = read(book, path, HEAD + FOUR)
    book.add_overrides([replace(given, act=Act.UNDO, amount=0, reason="no", origin="command")])
    assert read(book, path, HEAD + FOUR) == []
    assert in_force(book) == {}


def test_what_is_added_adds_up_unless_it_has_the_same_reason(book, tmp_path):
    lines = "ada,total,+5,bonus,\nada,total,-2,late note,\nada,total,+3,bonus,\n"
    read(book, tmp_path / "o.csv", HEAD + lines)
    assert decisions(book.overrides("ada"))["total"].change == 100
    read(book, tmp_path / "p.csv", f"{HEAD}ada,total,undo,all of it,\n")
    assert in_force(book) == {}
    assert len(book.overrides("ada")) == 4


@pytest.mark.parametrize(
    ("text", "scope", "expected"),
    [
        ("4", Scope.ITEM, (Act.SET, 400)),
        (" +1,25 ", Scope.ITEM, (Act.CHANGE, 125)),
        ("\N{MINUS SIGN}2", Scope.TOTAL, (Act.CHANGE, -200)),
        ("Add 5", Scope.WEEK, (Act.CHANGE, 500)),
        ("EX", Scope.ITEM, (Act.EXCUSE, 0)),
        ("Undo", Scope.CHECK, (Act.UNDO, 0)),
        ("33.25 %", Scope.CHECK, (Act.SET, 3325)),
        ("FAIL", Scope.CHECK, (Act.SET, 0)),
    ],
)
def test_what_a_cell_may_say(text, scope, expected):
    assert read_act(text, scope) == expected


def test_an_undo_of_nothing_is_a_mistake(book):
    reader = OverrideReader(COURSE, book)
    event = Override("ada", "total", Scope.TOTAL, Act.UNDO, 0, "why", "prof")
    with pytest.raises(OverrideError, match="nothing of ada, total was changed"):
        reader.demand_something_to_undo(event)
