"""manual.csv gives marks: every bad line is named, and then nothing is taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course import Course, load
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.manual_marks import ManualError
from autograder.gradebook.submission import Submission
from autograder.records import ManualMark

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def course() -> Course:
    return load(ROOT)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("bubblewrap", "digits", "", {})
        book.add_submissions([Submission("ada"), Submission("ben")], 1)
        yield book


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    return tmp_path / "manual.csv"


def write(path: Path, *lines: str, header: str = "student,item,points,comment") -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_marks_are_read(book: Gradebook, course: Course, manual: Path) -> None:
    write(
        manual,
        "ada,week1.written_linear,1.5,Nice",
        'ada,week1.written_mse,1,"Clear, and short:',
        'well done"',
        "",
        "ben, week1.written_linear ,0,",
        "ben,week1.written_cross_entropy,1.25",
        ",,,",
    )
    assert book.import_manual(manual, course) == 4
    assert book.marks("ada") == [
        ManualMark("ada", "week1.written_linear", 150, "Nice"),
        ManualMark("ada", "week1.written_mse", 100, "Clear, and short:\nwell done"),
    ]
    assert [mark.points for mark in book.marks("ben")] == [125, 0]
    assert book.marks("nobody") == []


def test_items_of_every_week_that_are_marked_by_hand_are_taken(
    book: Gradebook, course: Course, manual: Path
) -> None:
    by_hand = [item for item in course.items() if item.kind == "manual"]
    assert {item.week for item in by_hand} >= {1, 2, 3, 4, 10}
    lines = [f"ada,{item.id},{item.points / 100:.2f},all of it" for item in by_hand]
    assert book.import_manual(write(manual, *lines), course) == len(by_hand)
    assert sum(mark.points for mark in book.marks("ada")) == sum(item.points for item in by_hand)


def test_marks_from_a_spreadsheet_with_a_byte_order_mark(
    book: Gradebook, course: Course, manual: Path
) -> None:
    text = "Student,Item,Points,Comment\r\nada,week1.written_mse,1,\u00e4\r\n"
    manual.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert book.import_manual(manual, course) == 1
    assert book.marks("ada")[0].comment == "\u00e4"


@pytest.mark.parametrize(
    "content",
    [
        b"student;item;points;comment\nada;week1.written_mse;0,5;sch\xc3\xb6n\n",
        b'\xef\xbb\xbfstudent,item,points,comment\r\nada,week1.written_mse,"0,5",sch\xc3\xb6n\r\n',
        b"student,item,points,comment\nada,week1.written_mse,0.5,sch\xf6n\n",
        b"sep=;\nstudent;item;points;comment\nada;week1.written_mse;0,5;sch\xf6n\n",
        b"student,item,points,comment,,\nada,week1.written_mse,0.50,sch\xc3\xb6n,,\n",
        b"Points,Name,Item,Student,Comment\n.5,Ada,week1.written_mse,ada,sch\xc3\xb6n\n",
        "student\titem\tpoints\tcomment\nada\tweek1.written_mse\t0,5\tsch\u00f6n\n".encode(
            "utf-16"
        ),
    ],
    ids=["semicolons", "comma", "latin-1", "sep", "trailing", "columns", "utf-16"],
)
def test_marks_as_spreadsheets_save_them(
    book: Gradebook, course: Course, manual: Path, content: bytes
) -> None:
    manual.write_bytes(content)
    assert book.import_manual(manual, course) == 1
    assert book.marks("ada") == [ManualMark("ada", "week1.written_mse", 50, "sch\u00f6n")]


def test_a_later_import_replaces_and_blank_points_withdraw(
    book: Gradebook, course: Course, manual: Path
) -> None:
    lines = ["ada,week1.written_linear,1,", "ada,week1.written_mse,1,"]
    book.import_manual(write(manual, *lines, "ben,week1.written_mse,1,"), course)
    book.import_manual(
        write(manual, "ada,week1.written_linear,2,", "ada,week1.written_mse,,"), course
    )
    assert book.marks("ada") == [ManualMark("ada", "week1.written_linear", 200)]
    assert len(book.marks("ben")) == 1


def test_every_bad_line_is_reported_and_nothing_is_imported(
    book: Gradebook, course: Course, manual: Path
) -> None:
    write(
        manual,
        "ada,week1.written_linear,1,fine",
        "eve,week1.written_linear,1,",
        "ada,week1.written_magic,1,",
        "ada,week1.linear,1,",
        "ada,week1.written_mse,2.01,",
        "ada,week1.written_mse,much,",
        'ada,week1.written_tanh,1,"two',
        'lines"',
        "ada,week1.written_linear,2,",
        "ada,week1.written_relu,1.234,",
        "ada",
        "\x1b[2J,week1.written_mse,-1,a",
    )
    with pytest.raises(ManualError) as caught:
        book.import_manual(manual, course)
    problems = [problem.partition(" (the line is ")[0] for problem in caught.value.problems]
    assert problems == [
        "line 3: no student 'eve' in the gradebook",
        "line 4: no item 'week1.written_magic' in the rubric; did you mean 'week1.written_mse' or "
        "'week1.written_tanh' or 'week1.written_linear'?",
        "line 5: week1.linear is graded automatically, not by hand; see `autograder override`",
        "line 6: week1.written_mse has 1 points, not 2.01",
        "line 7: ada and week1.written_mse were on line 6 already",
        "line 7: 'much' is not a number such as 3 or 1.5",
        "line 10: ada and week1.written_linear were on line 2 already",
        "line 11: 1.234 has more than two decimals",
        "line 12: no item '' in the rubric",
        "line 13: no student '\\x1b[2J' in the gradebook",
        "line 13: -1 is not between 0 and 10000 points; `autograder override` takes points away",
    ]
    assert caught.value.problems[5].endswith(
        """ (the line is "ada,week1.written_mse,much,", read as student 'ada', item """
        """'week1.written_mse', points 'much', comment '')"""
    )
    assert str(manual) in str(caught.value)
    assert book.marks("ada") == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty. It needs a header such as student,item,points"),
        (b"ada,week1.written_mse,1,\n", "line 1: the header must be student,item,points,comment"),
        (b"student;item;punkte\n", "has no points. It is .* with semicolons between them"),
        (b"student,item,points\nada,week1.written_mse,1,5\n", "a decimal comma, .* needs quotes"),
        (b"PK\x03\x04", "is an Excel or OpenDocument workbook"),
        (b'student,item,points,comment\nada,week1.written_mse,1,"open\n', "line 2: "),
    ],
)
def test_a_file_of_another_form_is_refused(
    book: Gradebook, course: Course, manual: Path, content: bytes, says: str
) -> None:
    manual.write_bytes(content)
    with pytest.raises(ManualError, match=says):
        book.import_manual(manual, course)


def test_a_missing_file_is_refused(book: Gradebook, course: Course, tmp_path: Path) -> None:
    with pytest.raises(ManualError, match="can't be read: No such file"):
        book.import_manual(tmp_path / "manual.csv", course)
