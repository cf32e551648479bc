"""by_hand.csv, filled in, is handed back as it is; a mark for a replaced answer is asked for."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course import load
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.submission import Submission
from autograder.integrations.formgrader import marks
from autograder.records import ManualMark
from autograder.report.asked_again import TO_BE_MARKED_AGAIN
from autograder.report.class_csv import by_hand_csv
from autograder.report.gather import gather

COURSE = load(Path(__file__).resolve().parents[2])
ITEM = "week1.written_mse"
NAME = "derivations.pdf"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("bubblewrap", "digits", "", {})
        hand_in(book, "first")
        book.add_submission(Submission("bob"), 1)
        yield book


def hand_in(book: Gradebook, content: str) -> None:
    book.start_run("bubblewrap", "digits", "", {})
    book.add_submission(Submission("ada", documents={NAME: content} if content else {}), 1)


def by_hand(book: Gradebook) -> dict[tuple[str, str], dict[str, str]]:
    rows = csv.DictReader(io.StringIO(by_hand_csv(COURSE, gather(COURSE, book))))
    return {(row["student"], row["item"]): row for row in rows}


def hand_back(book: Gradebook, path: Path, rows: dict[tuple[str, str], dict[str, str]]) -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, next(iter(rows.values())), delimiter=";")
    writer.writeheader()
    writer.writerows(rows.values())
    path.write_text(out.getvalue(), encoding="utf-8")
    book.import_manual(path, COURSE)


def standing(book: Gradebook) -> tuple[int, bool, str]:
    """Return ada's points of the item, whether it is pending, and why."""
    score = gather(COURSE, book, ["ada"])[0].score
    item = next(item for item in score.items if item.id == ITEM)
    return item.points, item.pending, item.reason


def test_a_table_that_was_filled_in_comes_back(book: Gradebook, tmp_path: Path) -> None:
    rows = by_hand(book)
    rows["ada", ITEM] |= {"points": "0,5", "comment": "=good"}
    hand_back(book, tmp_path / "by_hand.csv", rows)
    assert book.marks("ada") == [ManualMark("ada", ITEM, 50, "=good")]
    assert book.marks("bob") == []
    rows = by_hand(book)
    assert (rows["ada", ITEM]["points"], rows["ada", ITEM]["comment"]) == ("0.50", "'=good")
    hand_back(book, tmp_path / "by_hand.csv", rows)
    assert book.marks("ada") == [ManualMark("ada", ITEM, 50, "=good")]


def test_two_people_fill_in_a_copy_each(book: Gradebook, tmp_path: Path) -> None:
    first, second = by_hand(book), by_hand(book)
    first["ada", ITEM]["points"] = "1"
    second["bob", ITEM]["points"] = "0"
    hand_back(book, tmp_path / "first.csv", first)
    hand_back(book, tmp_path / "second.csv", second)
    assert [mark.points for who in ("ada", "bob") for mark in book.marks(who)] == [100, 0]


def test_a_long_comment_is_not_shortened_by_coming_back(book: Gradebook, tmp_path: Path) -> None:
    mark = ManualMark("ada", ITEM, 50, "two\nlines")
    book.put_marks([mark], answers=book.answers_now(COURSE, [mark]))
    hand_back(book, tmp_path / "by_hand.csv", by_hand(book))
    assert book.marks("ada") == [mark]


def test_a_replaced_answer_is_asked_for_again(book: Gradebook, tmp_path: Path) -> None:
    manual = tmp_path / "manual.csv"
    manual.write_text(f"student,item,points\nada,{ITEM},1\n", encoding="utf-8")
    book.import_manual(manual, COURSE)
    before = by_hand(book)
    assert standing(book) == (100, False, "")
    hand_in(book, "second")
    assert standing(book) == (100, True, TO_BE_MARKED_AGAIN)
    row = by_hand(book)["ada", ITEM]
    assert row["points"] == ""
    assert row["answer"] != before["ada", ITEM]["answer"]
    for path, rows in ((manual, None), (tmp_path / "old.csv", before)):
        # The mark of before, handed back once more, is no mark for this answer.
        if rows is None:
            book.import_manual(path, COURSE)
        else:
            hand_back(book, path, rows)
        assert standing(book)[1]
    rows = by_hand(book)
    rows["ada", ITEM]["points"] = "1"
    hand_back(book, tmp_path / "by_hand.csv", rows)
    assert standing(book) == (100, False, "")
    before["ada", ITEM]["points"] = "0"
    hand_back(book, tmp_path / "old.csv", before)  # a colleague's old copy
    assert standing(book) == (100, False, "")
    history = [(one.points, one.given is not None) for one in book.mark_history("ada")]
    assert history == [(100, True), (100, True)], "each answer was marked, by somebody, then"


def test_other_files_of_the_week_take_no_mark_away(book: Gradebook, tmp_path: Path) -> None:
    rows = by_hand(book)
    rows["ada", ITEM]["points"] = "1"
    hand_back(book, tmp_path / "by_hand.csv", rows)
    hand_in(book, "")
    assert standing(book) == (100, False, "")


def test_marks_that_stand_in_nbgrader_are_for_what_was_shown_there(
    book: Gradebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [ManualMark("ada", ITEM, 700, "more than there is"), ManualMark("bob", ITEM, 0)]
    monkeypatch.setattr(marks, "read_marks", lambda out, course: (given, []))
    ours = ManualMark("ada", ITEM, 100)
    book.put_marks([ours], answers=book.answers_now(COURSE, [ours]))
    hand_in(book, "second")
    assert standing(book)[1]
    for shown, waits in (({NAME: "first"}, True), ({NAME: "second"}, False)):
        marks.confirm_marks(COURSE, book, tmp_path, {("ada", 1): shown})
        assert standing(book) == (100, waits, TO_BE_MARKED_AGAIN if waits else "")
    assert book.marked_answers("bob") == {}
