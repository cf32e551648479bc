"""Which answer a person marked: a mark for an answer that was replaced since is asked for again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

from autograder.course import Course, Item
from autograder.gradebook.looked_up import documents_for
from autograder.gradebook.manual_marks import ManualMarks
from autograder.records import ManualMark
from autograder.tables.formulas import guard_formula, unguarded

MARKED_ANSWERS = """CREATE TABLE IF NOT EXISTS marked_answers (
        student TEXT NOT NULL, item TEXT NOT NULL, answer TEXT NOT NULL,
        PRIMARY KEY (student, item)) WITHOUT ROWID"""
"""Beside `marks`: an earlier version reads those and leaves this table alone."""

Key = tuple[str, str]


def answer_of(course: Course, item: Item, documents: Mapping[str, str]) -> str:
    """Return a digest of the documents handed in for a manual item; "" where there is none.

    It begins with a letter and has no point in it, so no spreadsheet takes it for a number.
    """
    names = [name for name in documents_for(course, item) if name in documents]
    if not names:
        return ""
    text = "\n".join(f"{name} {documents[name]}" for name in sorted(names))
    return "v" + hashlib.sha256(text.encode()).hexdigest()[:12]


def replaced_since(marked: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    """Return the items of which another answer was marked than the one that is there now.

    Where none is there now, the mark stays: work on other files takes no marks away.
    """
    return {item for item, answer in marked.items() if now.get(item) and now[item] != answer}


def to_take_over(
    given: ManualMarks,
    old: Mapping[Key, ManualMark],
    marked: Mapping[Key, str],
    now: Callable[[Key], str],
) -> tuple[list[ManualMark], dict[Key, str]]:
    """Return the marks of a file that say anything new, and which answers they are for.

    `old` are the marks so far, `marked` the answers that they are for, `now` gives the answer that
    is there now. The same mark once more, from a file that doesn't say for which answer, is for the
    one that it was for. A mark for an earlier answer doesn't replace one for the present one.
    """
    marks, answers = [], {}
    for mark in given.marks:
        key = (mark.student, mark.item)
        said, before = given.answers.get(key), old.get(key)
        present = now(key)
        if before is not None:
            if _alike(before, mark) and said in (None, marked.get(key, present)):
                continue
            if said is not None and said != present == marked.get(key):
                continue
            if _alike(before, mark):
                mark = before  # the whole comment, of which the file has one line
        marks.append(mark)
        answers[key] = present if said is None else said
    return marks, answers


def _alike(one: ManualMark, other: ManualMark) -> bool:
    comments = {unguarded(guard_formula(mark.comment)) for mark in (one, other)}
    return one.points == other.points and len(comments) == 1


def answer_rows(marks: Iterable[ManualMark], answers: Mapping[Key, str]) -> list[tuple[str, ...]]:
    """Return the rows of the table for these marks."""
    keys = ((mark.student, mark.item) for mark in marks)
    return [(*key, answers[key]) for key in keys if key in answers]
