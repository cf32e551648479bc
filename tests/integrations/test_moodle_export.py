"""Grades in files of Moodle's, imported by Moodle's own rules."""

from __future__ import annotations

import csv
import io
from datetime import datetime

import pytest

from autograder.integrations.gradebooks.fill_column import FillReport
from autograder.integrations.gradebooks.matching import Known
from autograder.integrations.gradebooks.moodle import COMMENT_PREFIX, fill_moodle
from autograder.integrations.gradebooks.points_column import PartPoints, Pending
from autograder.tables.sheet import Sheet, SheetError
from tests.moodle import DATE, Course, Worksheet

PEOPLE = [
    (101, "Jane Doe", "s-11", "jane@uni.example"),
    (102, "J\u00f6rg O'Neil", "s-12", "joerg@uni.example"),
    (103, "Wei Zhang", "s-13", "wei@uni.example"),
    (104, "Wei Zhang", "s-14", "wei.zhang@uni.example"),
]
MARKED = datetime(2026, 10, 1, 9, 30)
HEADER = ["Identifier", "Full name", "ID number", "Email address", "Status", "Grade"]
HEADER += ["Maximum Grade", "Grade can be changed", "Last modified (submission)"]
HEADER += ["Last modified (grade)", "Feedback comments"]


def assignment(**more) -> Worksheet:
    grades = {number: (None, None, "") for number, *_ in PEOPLE}
    return Worksheet(25.0, {**grades, 101: (3.0, MARKED, "By a person.")}, **more)


def worksheet(sign: str = ".", blind: bool = False, maximum: str = "25.00") -> bytes:
    rows = [HEADER]
    for number, name, id, email in PEOPLE:
        grade, when, comment = assignment().grades[number]
        rows.append(
            [
                f"Participant {number}",
                name,
                id,
                email,
                "Submitted for grading - ",
                "" if grade is None else f"{grade:.2f}".replace(".", sign),
                maximum.replace(".", sign),
                "Yes",
                "Monday, 28 September 2026, 11:59 PM",
                when.strftime(DATE) if when else "-",
                comment,
            ]
        )
    if blind:
        rows = [[row[0], *row[4:]] for row in rows]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_MINIMAL).writerows(rows)
    return out.getvalue().encode()


def fill(content: bytes, points: dict[str, PartPoints], **how) -> tuple[bytes, FillReport]:
    sheet = Sheet("moodle.csv", content)
    pending = how.pop("pending", Pending.LEAVE)
    filled = fill_moodle(sheet, points, pending, **how)
    return sheet.content, filled


def of(points: int, most: int = 2500, **more) -> PartPoints:
    return PartPoints(points, most, **more)


@pytest.mark.parametrize("sign", [".", ","])
def test_moodle_takes_exactly_the_new_grades_and_comments(sign) -> None:
    content = worksheet(sign)
    moodle = assignment(decimal=sign)
    assert moodle.changes(content) == {}
    points = {"Jane_Doe": of(1950), "J\u00f6rg_O_Neil": of(0), "Wei_Zhang_104": of(2500)}
    new, filled = fill(content, points)
    assert moodle.changes(new) == {
        101: (19.5, None),
        102: (0.0, f"{COMMENT_PREFIX}0 of 25 points."),
        104: (25.0, f"{COMMENT_PREFIX}25 of 25 points."),
    }
    assert filled.columns == {"Grade": sorted(points)}
    assert "A person's comment was kept: Jane_Doe" in filled.remarks
    assert "In the file, and without results here: Wei Zhang" in filled.remarks


def test_nothing_but_grades_and_comments_changes_and_dates_stay() -> None:
    new, _ = fill(worksheet(), {"s-12": of(100)})
    assert new == worksheet().replace(
        b'grading - ,,25.00,Yes,"Monday, 28 September 2026, 11:59 PM",-,\nParticipant 103',
        b'grading - ,1,25.00,Yes,"Monday, 28 September 2026, 11:59 PM",-,'
        b"Autograder: 1 of 25 points.\nParticipant 103",
    )
    assert new != worksheet()


def test_a_grade_that_was_changed_in_moodle_meanwhile_is_not_taken() -> None:
    new, _ = fill(worksheet(), {"Jane_Doe": of(1950)})
    moodle = assignment()
    moodle.grades[101] = (4.0, datetime(2026, 10, 2), "By a person.")
    assert moodle.changes(new) == {}


def test_a_comment_of_ours_is_replaced_when_points_change() -> None:
    first, _ = fill(worksheet(), {"s-12": of(100)})
    second, filled = fill(
        first, {"s-12": of(200, late=True, pending=("a",))}, pending=Pending.SO_FAR
    )
    said = (
        f"{COMMENT_PREFIX}2 of 25 points, after the deduction for late work so far; "
        "some are still to come."
    )
    assert assignment().changes(second) == {102: (2.0, said)}
    assert not any("kept" in remark for remark in filled.remarks)


@pytest.mark.parametrize("id", ["s-12", "S-12", "joerg@uni.example", "joerg", "J\u00f6rg_O_Neil"])
def test_a_student_is_known_by_what_names_them(id) -> None:
    assert set(assignment().changes(fill(worksheet(), {id: of(100)})[0])) == {102}


def test_where_marking_is_blind_the_participants_number_is_all_there_is() -> None:
    new, _ = fill(worksheet(blind=True), {"Participant_103": of(100)})
    assert assignment().changes(new) == {103: (1.0, f"{COMMENT_PREFIX}1 of 25 points.")}


@pytest.mark.parametrize("id", ["Wei_Zhang", "Jane_Doe_102", "102", "Doe", "nobody"])
def test_nobody_is_guessed(id) -> None:
    new, filled = fill(worksheet(), {id: of(100)})
    assert new == worksheet()
    assert any(id in remark for remark in filled.remarks)


def test_points_are_scaled_and_never_above_the_maximum() -> None:
    new, filled = fill(worksheet(maximum="10.00"), {"s-12": of(1250), "s-13": of(2600)})
    moodle = assignment()
    moodle.maximum = 10.0
    assert moodle.changes(new) == {
        102: (5.0, f"{COMMENT_PREFIX}12.5 of 25 points, here 5 of 10."),
        103: (10.0, f"{COMMENT_PREFIX}26 of 25 points, here 10.4 of 10."),
    }
    assert "Grade: points are scaled, 25 here are 10 there" in filled.remarks
    assert "Grade: more than there is to get, cut off: s-13" in filled.remarks


def test_what_is_pending_or_locked_is_left_and_named() -> None:
    content = worksheet().replace(b",25.00,Yes,", b",25.00,No,", 1)
    new, filled = fill(content, {"Jane_Doe": of(100), "s-12": of(100, pending=("x",))})
    assert new == content
    assert "Grade: left as it was: locked in Moodle: Jane_Doe" in filled.remarks
    assert any("not graded completely" in one and one.endswith("s-12") for one in filled.remarks)


GERMAN = {
    "Identifier,Full name,": "ID,Vollst\u00e4ndiger Name,",
    "ID number,Email address,": "ID-Nummer,E-Mail-Adresse,",
    "Grade,Maximum Grade,": "Bewertung,Bestwertung,",
    "Grade can be changed,": "Bewertung kann ge\u00e4ndert werden,",
    "Last modified (submission)": "Zuletzt ge\u00e4ndert (Abgabe)",
    "Last modified (grade)": "Zuletzt ge\u00e4ndert (Bewertung)",
    "Feedback comments": "Feedback als Kommentar",
    "Participant ": "Teilnehmer/in",
    ",Yes,": ",Ja,",
}
"""Moodle's words for the parts of a worksheet, in the order in which they stand there."""


def translated(content: bytes, back: bool = False) -> bytes:
    text = content.decode()
    for english, german in GERMAN.items():
        text = text.replace(german, english) if back else text.replace(english, german)
    return text.encode()


def test_a_worksheet_in_another_language_is_known_by_its_form() -> None:
    content = translated(worksheet(","))
    points = {
        "Jane_Doe": of(1950),
        "J\u00f6rg_O_Neil": of(0),
        "Wei_Zhang_104": of(2500),
        "s-13": of(5),
    }
    new, filled = fill(content, points)
    expected, _ = fill(worksheet(","), points)
    assert translated(new, back=True) == expected
    assert "'Bewertung' is filled in, out of 'Bestwertung'" in filled.remarks[0]


def test_what_is_locked_is_known_in_another_language_or_refused() -> None:
    content = translated(worksheet()).replace(b",Ja,", b",Nein,", 1)
    new, filled = fill(content, {"Jane_Doe": of(100)})
    assert new == content
    assert "Bewertung: left as it was: locked in Moodle: Jane_Doe" in filled.remarks
    with pytest.raises(SheetError, match="not clear which of them says that a grade is locked"):
        fill(content.replace(b",Nein,", b",Nimmer,"), {"Jane_Doe": of(100)})


def test_a_worksheet_whose_columns_are_not_clear_is_refused() -> None:
    content = translated(worksheet(maximum="Gut"))
    with pytest.raises(SheetError, match="not clear which column has the maximum grade"):
        fill(content, {"Jane_Doe": of(100)})


def test_a_gradebook_in_another_language_is_filled_in_where_it_is_told() -> None:
    content = gradebook()
    words = {b"First name,Last name": b"Vorname,Nachname", b"Email address": b"E-Mail-Adresse"}
    words |= {b"ID number": b"Matrikel", b"(Real)": b"(Punkte)"}
    for english, german in words.items():
        content = content.replace(english, german)
    new, _ = fill(content, {"Jane_Doe": of(1950)}, column="Assignment: Week 1 (Punkte)")
    assert new.count(b",jane@uni.example,19.5,Autograder: 19.5 of 25 points.,") == 1
    with pytest.raises(SheetError, match=r"It has these: 'Assignment: Week 1 \(Punkte\)'"):
        fill(content, {"Jane_Doe": of(1950)})
    with pytest.raises(SheetError, match="holds no points"):
        fill(content, {"Jane_Doe": of(1950)}, column="E-Mail-Adresse")


REAL, SAID = "Assignment: Week 1 (Real)", "Assignment: Week 1 (Feedback)"


def gradebook(value: str = "-", last: str = "Last name") -> bytes:
    rows = [["First name", last, "ID number", "Email address", REAL, SAID]]
    rows[0].append("Last downloaded from this course")
    for _, name, id, email in PEOPLE:
        rows.append([*name.split(" "), id, email, value, "", "1790000000"])
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def course(**more) -> Course:
    return Course({email for *_, email in PEOPLE}, {}, **more)


@pytest.mark.parametrize("last", ["Last name", "Surname"])
def test_the_gradebooks_import_takes_points_and_comments(last) -> None:
    assert course().changes(gradebook(last=last), REAL) == {}
    points = {"Jane_Doe": of(1950), "wei": of(100)}
    new, _ = fill(gradebook(last=last), points, column=REAL)
    assert course().changes(new, REAL, SAID) == {
        "jane@uni.example": (19.5, f"{COMMENT_PREFIX}19.5 of 25 points."),
        "wei@uni.example": (1.0, f"{COMMENT_PREFIX}1 of 25 points."),
    }
    assert new.count(b"1790000000\r\n") == 4


def test_points_are_scaled_to_what_the_column_takes_if_that_is_said() -> None:
    new, _ = fill(gradebook(), {"s-12": of(2600)}, column=REAL, out_of=10_000)
    assert course().changes(new, REAL, SAID)["joerg@uni.example"][0] == 100.0


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (worksheet().replace(b"Maximum Grade", b"Scale"), {}, "no column 'Maximum grade'"),
        (worksheet().replace(b"Grade,Maximum", b"Mark,Maximum"), {}, "no column 'Grade'"),
        (worksheet().replace(b"modified (grade)", b"x"), {}, "no column 'Last modified (grade)'"),
        (worksheet().replace(b"pant 102", b"pant 101"), {}, "'Participant 101' is there twice"),
        (worksheet(maximum="Good"), {}, "has to be one number"),
        (worksheet(), {"column": "Grade"}, "leave --column and --out-of away"),
        (gradebook(), {}, "say --column. It has these: 'Assignment: Week 1 (Real)'"),
        (gradebook(), {"column": "Week 9"}, "no column 'Week 9'. It has these: 'Assignment"),
        (gradebook(), {"column": "Email address"}, "holds no points"),
        (gradebook().replace(b"s-12", b"s-11"), {"column": REAL}, "'s-11' is there twice"),
        (b"Name,Punkte\nJane,3\n", {}, "neither 'Identifier' nor 'Email address'"),
    ],
)
def test_a_file_or_a_column_that_does_not_fit_is_one_sentence(content, options, said) -> None:
    with pytest.raises(SheetError) as caught:
        fill(content, {"Jane_Doe": of(100)}, **options)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_student_is_known_by_the_roster_and_by_the_number_that_moodle_gave() -> None:
    known = {
        "w1": Known(("w1", "Participant 103")),
        "w2": Known(("w2", "wei.zhang@uni.example"), ("Wei Zhang",)),
        "nobody": Known(("Participant 999", "101"), ("Nobody",)),
        "joe": Known((), ("J\u00f6rg O'Neil",)),
    }
    points = {"w1": of(100), "w2": of(200), "nobody": of(300), "joe": of(400), "Wei_Zhang": of(0)}
    new, filled = fill(worksheet(), points, known=known)
    taken = {number: grade for number, (grade, _) in assignment().changes(new).items()}
    assert taken == {102: 4.0, 103: 1.0, 104: 2.0}
    assert "Graded here, and without a row in the file: nobody" in filled.remarks
    unclear = "Not clear who it is, so left alone: Wei_Zhang: the rows on lines 4, 5 are all of"
    assert any(remark.startswith(unclear) for remark in filled.remarks)
