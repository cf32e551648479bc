"""Points in a gradebook of Canvas's, imported by Canvas's own rules."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from autograder.integrations.gradebooks.canvas import fill_canvas
from autograder.integrations.gradebooks.fill_column import FillReport
from autograder.integrations.gradebooks.matching import Known
from autograder.integrations.gradebooks.points_column import PartPoints, Pending
from autograder.tables.sheet import Sheet, SheetError
from tests.canvas import Canvas

WEEK, QUIZ = "Week 1: backprop, part a (901)", "Quiz (902)"
HEADER = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
STUDENTS = {
    11: ("Doe, Jane", "u11", "jdoe"),
    12: ("O'Neil-M\u00fcller, Pat", "u12", "pat@uni.example"),
    13: ("Zhang, Wei", "u13", "wzhang"),
    14: ("Zhang, Wei", "u14", "wzhang2"),
}


def canvas() -> Canvas:
    return Canvas(
        STUDENTS | {99: ("Student, Test", "", "4d8f")},
        {901: ("Week 1: backprop, part a", "25.00"), 902: ("Quiz", "10.00")},
        {(11, 901): "3.00", (11, 902): "7.00", (13, 902): "EX"},
    )


def exported(
    separator: str = ",",
    bom: bool = True,
    sign: str = ".",
    posting: bool = False,
    possible: str = "25.00",
) -> bytes:
    """What Canvas exports of that course."""
    computed = ["Assignments Current Score", "Final Score", "Final Grade"]
    rows = [[*HEADER, WEEK, QUIZ, *computed]]
    if posting:
        rows.append([""] * 5 + ["Manual Posting", "", "", "", ""])
    rows.append(["    Points Possible", "", "", "", "", possible, "10.00", *["(read only)"] * 3])
    for id, (name, sis, login) in STUDENTS.items():
        scores = [canvas().scores.get((id, column), "") for column in (901, 902)]
        rows.append([name, str(id), sis, login, "Section A", *scores, "93.10", "93.10", "A"])
    rows.append(["Student, Test", "99", "", "4d8f", "Section A", "", "", "", "", ""])
    rows = [[cell.replace(".00", f"{sign}00") for cell in row] for row in rows]
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return ("\ufeff" * bom + out.getvalue()).encode()


def fill(content: bytes, points: dict[str, PartPoints], **how) -> tuple[bytes, FillReport]:
    sheet = Sheet("exported.csv", content)
    wanted = [(how.get("assignment", WEEK), points)]
    filled = fill_canvas(sheet, wanted, how.get("pending", Pending.LEAVE))
    return sheet.content, filled


def of(points: int, most: int = 2500, **more) -> PartPoints:
    return PartPoints(points, most, **more)


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("bom", [True, False])
@pytest.mark.parametrize("posting", [True, False])
@pytest.mark.parametrize("sign", [".", ","])
def test_canvas_takes_exactly_the_new_points(separator, bom, posting, sign) -> None:
    content = exported(separator, bom, sign, posting)
    assert canvas().changes(content) == {}
    new, filled = fill(content, {"doejane_11": of(1950), "wzhang2": of(0), "u12": of(2500)})
    assert canvas().changes(new) == {
        ("jdoe", "Week 1: backprop, part a"): "19.5",
        ("wzhang2", "Week 1: backprop, part a"): "0",
        ("pat@uni.example", "Week 1: backprop, part a"): "25",
    }
    assert filled.columns == {WEEK: ["doejane_11", "u12", "wzhang2"]}


def test_only_the_cells_of_the_column_change() -> None:
    content = exported()
    new, _ = fill(content, {"jdoe": of(1225)})
    assert new == content.replace(b",3.00,7.00,", b",12.25,7.00,")
    same, _ = fill(content, {"jdoe": of(300)})
    assert canvas().changes(same) == {}


@pytest.mark.parametrize("title", ["Final Score", "Final Project", "Final"])
@pytest.mark.parametrize("name", ["{}", "{} (901)"])
def test_an_assignment_may_be_called_final(title, name) -> None:
    content = exported().replace(f'"{WEEK}"'.encode(), f"{title} (901)".encode())
    course = canvas()
    course.assignments[901] = (title, "25.00")
    new, _ = fill(content, {"jdoe": of(1225)}, assignment=name.format(title))
    assert course.changes(new) == {("jdoe", title): "12.25"}


@pytest.mark.parametrize("column", ["Final Grade", "Assignments Current Score"])
def test_what_canvas_computes_is_not_filled_in(column) -> None:
    with pytest.raises(SheetError, match="is read-only"):
        fill(exported(), {"jdoe": of(1225)}, assignment=column)


def test_a_submission_that_was_not_taken_is_not_graded() -> None:
    new, filled = fill(exported(), {"jdoe": of(0, not_taken=True), "u12": of(0)})
    assert canvas().changes(new) == {("pat@uni.example", "Week 1: backprop, part a"): "0"}
    [said] = [remark for remark in filled.remarks if "was not taken" in remark]
    assert said.endswith("so not graded (--not-taken zero fills in 0): jdoe")


@pytest.mark.parametrize("id", ["doejane_11", "JDoe", "u11", "11", "Doe_Jane", "jane_doe"])
def test_a_student_is_known_by_what_names_them(id) -> None:
    new, filled = fill(exported(), {id: of(100)})
    assert canvas().changes(new) == {("jdoe", "Week 1: backprop, part a"): "1"}
    assert not [remark for remark in filled.remarks if "without a row" in remark]


@pytest.mark.parametrize("id", ["oneilm\u00fcllerpat_12", "pat", "Pat_O_Neil-M\u00fcller"])
def test_names_of_all_kinds(id) -> None:
    assert fill(exported(), {id: of(100)})[1].columns[WEEK] == [id]


@pytest.mark.parametrize("id", ["smith_11", "doejane_12", "doejane", "111", "Test"])
def test_nobody_is_guessed(id) -> None:
    new, filled = fill(exported(), {id: of(100)})
    assert new == exported()
    assert f"Graded here, and without a row in the file: {id}" in filled.remarks


def test_namesakes_are_told_apart_by_their_numbers_or_left_alone() -> None:
    new, filled = fill(exported(), {"Wei_Zhang": of(100), "zhangwei_14": of(200)})
    assert canvas().changes(new) == {("wzhang2", "Week 1: backprop, part a"): "2"}
    [unclear] = [remark for remark in filled.remarks if remark.startswith("Not clear")]
    assert "Wei_Zhang: the rows on lines 5, 6" in unclear


def test_two_of_ours_for_one_row_are_both_left_alone() -> None:
    new, filled = fill(exported(), {"jdoe": of(100), "doejane_11": of(200)})
    assert new == exported()
    assert any("doejane_11, jdoe: the row on line 3 is of both" in one for one in filled.remarks)


def test_who_is_missing_on_either_side_is_named_and_the_test_student_is_not() -> None:
    _, filled = fill(exported(), {"jdoe": of(100), "nobody": of(100)})
    assert "Graded here, and without a row in the file: nobody" in filled.remarks
    [without] = [remark for remark in filled.remarks if remark.startswith("In the file")]
    assert without.endswith("O'Neil-M\u00fcller, Pat, Zhang, Wei, Zhang, Wei")


def test_points_are_scaled_to_the_points_possible_and_that_is_said() -> None:
    new, filled = fill(exported(possible="100.00"), {"jdoe": of(833)})
    course = canvas()
    course.assignments[901] = ("Week 1: backprop, part a", "100")
    assert course.changes(new) == {("jdoe", "Week 1: backprop, part a"): "33.32"}
    assert f"{WEEK}: points are scaled, 25 here are 100 there" in filled.remarks


@pytest.mark.parametrize("possible", ["0.00", ""])
def test_points_stay_points_where_there_is_nothing_to_scale_to(possible) -> None:
    new, filled = fill(exported(possible=possible), {"jdoe": of(833)})
    course = canvas()
    course.assignments[901] = ("Week 1: backprop, part a", possible)
    assert course.changes(new) == {("jdoe", "Week 1: backprop, part a"): "8.33"}
    assert not any("scaled" in remark for remark in filled.remarks)


def test_extra_credit_may_be_above_the_points_possible() -> None:
    new, _ = fill(exported(), {"jdoe": of(2700)})
    assert canvas().changes(new) == {("jdoe", "Week 1: backprop, part a"): "27"}


def test_what_is_pending_is_left_and_named_or_filled_in_so_far() -> None:
    points = {"jdoe": of(900, pending=("week1.quality",)), "u12": of(100)}
    new, filled = fill(exported(), points)
    assert canvas().changes(new) == {("pat@uni.example", "Week 1: backprop, part a"): "1"}
    assert any("not graded completely" in one and one.endswith("jdoe") for one in filled.remarks)
    new, _ = fill(exported(), points, pending=Pending.SO_FAR)
    assert canvas().changes(new)["jdoe", "Week 1: backprop, part a"] == "9"


def test_who_is_excused_or_not_assigned_is_left_and_named() -> None:
    new, filled = fill(exported(), {"u13": of(100)}, assignment="Quiz")
    assert new == exported()
    assert f"{QUIZ}: left as it was: excused in Canvas: u13" in filled.remarks
    content = exported().replace(b",3.00,7.00,", b",N/A,7.00,")
    new, filled = fill(content, {"jdoe": of(100)})
    assert new == content
    assert any("not assigned to them" in remark for remark in filled.remarks)


def test_several_columns_at_once() -> None:
    sheet = Sheet("exported.csv", exported())
    wanted = [(WEEK, {"jdoe": of(2500)}), ("Quiz", {"jdoe": of(250)})]
    filled = fill_canvas(sheet, wanted, Pending.LEAVE)
    assert canvas().changes(sheet.content) == {
        ("jdoe", "Week 1: backprop, part a"): "25",
        ("jdoe", "Quiz"): "1",
    }
    assert filled.columns == {WEEK: ["jdoe"], QUIZ: ["jdoe"]}
    with pytest.raises(SheetError, match="asked for twice"):
        fill_canvas(Sheet("e.csv", exported()), [(QUIZ, {}), ("Quiz", {})], Pending.LEAVE)


def test_last_and_first_names_in_columns_of_their_own() -> None:
    rows = [
        ["LastName", "FirstName", "ID", "SIS Login ID", "Section", QUIZ],
        ["Points Possible", "", "", "", "", "10"],
        ["Doe", "Jane", "11", "jdoe", "A", ""],
        ["Student", "Test", "99", "x", "A", ""],
    ]
    content = "".join(",".join(row) + "\n" for row in rows).encode()
    for id in ("doejane_11", "Jane_Doe", "jdoe"):
        new, filled = fill(content, {id: of(100, 1000)}, assignment="Quiz")
        assert canvas().changes(new) == {("jdoe", "Quiz"): "1"} | {}
        assert len(filled.remarks) == 0


@pytest.mark.parametrize(
    ("change", "assignment", "said"),
    [
        ((b"Section,", b"Group,"), WEEK, "no column 'Section'. Export the gradebook from Canvas"),
        ((b"Student,ID,", b"Student,No,"), WEEK, "no column 'ID'"),
        ((b"Points Possible", b"Points"), WEEK, "no row 'Points Possible'"),
        ((b",12,u12", b",11,u12"), WEEK, "the ID 11 is there twice"),
        ((b"", b""), "Week 2", "no column 'Week 2'. Its assignments: 'Week 1: backprop, part a"),
        ((b"", b""), "Section", "no column 'Section'. Its assignments"),
        ((b"", b""), "Final Score", "read-only"),
        ((b"", b""), "Assignments Current Score", "read-only"),
        ((b"Quiz (902)", b'"Week 1: backprop, part a (903)"'), WEEK[:-6], "with its number"),
    ],
)
def test_a_file_or_a_column_that_does_not_fit_is_one_sentence(change, assignment, said) -> None:
    content = exported().replace(*change) if change[0] else exported()
    with pytest.raises(SheetError) as caught:
        fill(content, {"jdoe": of(100)}, assignment=assignment)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_names_of_strangers_are_printed_safely(tmp_path: Path) -> None:
    content = exported().replace(b"Doe, Jane", "Evil\u202e, \x1b[31m::error::x".encode())
    _, filled = fill(content, {"u12": of(100)})
    assert all(remark.isprintable() for remark in filled.remarks)
    assert not any("::error::" in remark for remark in filled.remarks)


def test_a_student_is_known_by_canvass_number_and_by_the_roster() -> None:
    """The ids are in no cell, and Canvas's number is not taken for another system's."""
    known = {
        "x1": Known(("Canvas 11",)),
        "x2": Known(("x2",), ("O'Neil-M\u00fcller, Pat",)),
        "x3": Known(("Participant 14",)),
    }
    points = {student: PartPoints(2500, 2500) for student in known}
    sheet = Sheet("e.csv", exported())
    filled = fill_canvas(sheet, [(WEEK, points)], Pending.LEAVE, known)
    assert filled.columns == {WEEK: ["x1", "x2"]}
    changed = canvas().changes(sheet.content)
    assert {login: value for (login, _), value in changed.items()} == {
        "jdoe": "25",
        "pat@uni.example": "25",
    }
    assert "Graded here, and without a row in the file: x3" in filled.remarks
