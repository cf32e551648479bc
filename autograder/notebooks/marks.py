"""Marks that were given in nbgrader's formgrader, read from its gradebook without writing to it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from autograder.atomic import write_text
from autograder.course import Course
from autograder.notebooks.source import grade_id
from autograder.records import ManualMark

DATABASE = "nbgrader/gradebook.db"
TAKEN = "nbgrader/taken.json"
"""The marks that were taken over last time: only what changed since then is news."""

QUERY = """
    SELECT student.id, base_cell.name, grade.manual_score, grade.extra_credit,
        comment.manual_comment
    FROM grade
    JOIN base_cell ON grade.cell_id = base_cell.id
    JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
    JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
    JOIN student ON submitted_assignment.student_id = student.id
    LEFT JOIN comment ON comment.notebook_id = submitted_notebook.id AND comment.cell_id IN
        (SELECT id FROM base_cell AS solution WHERE solution.name = base_cell.name
            AND solution.notebook_id = base_cell.notebook_id)
    WHERE grade.manual_score IS NOT NULL AND NOT grade.needs_manual_grade
    ORDER BY student.id, base_cell.name"""


class MarksError(Exception):
    """nbgrader's gradebook can't be read: which, and why."""


@dataclass(frozen=True)
class News:
    """What changed in the formgrader since the last time, and what to tell about it."""

    marks: tuple[ManualMark, ...]
    remarks: tuple[str, ...]


def read_marks(out: Path, course: Course) -> list[ManualMark]:
    """Return the marks in nbgrader's gradebook below `out`; none where there is no such file.

    A mark beyond what an item is worth counts as all of it. Raises MarksError for a file that is
    no gradebook of nbgrader's.
    """
    path = out / DATABASE
    if not path.is_file():
        return []
    items = {grade_id(item.id): item for item in course.items() if item.kind == "manual"}
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute(QUERY).fetchall()
    except sqlite3.Error as error:
        problem = f"{path} can't be read as nbgrader's gradebook: {error}"
        raise MarksError(f"{problem}. Move it away; `make formgrader` makes it anew.") from error
    marks = []
    for student, cell, score, extra, comment in rows:
        item = items.get(cell)
        if item is not None:
            points = round(100 * (score + (extra or 0.0)))
            points = max(0, min(points, item.points))
            marks.append(ManualMark(student, item.id, points, comment or ""))
    return marks


def news(out: Path, course: Course, students: set[str]) -> News:
    """Return the marks that are other ones than those taken over last time.

    So the later of two marks counts, whether it came from the formgrader or from manual.csv.
    """
    before = _taken(out)
    fresh = [mark for mark in read_marks(out, course) if before.get(_key(mark)) != _value(mark)]
    known = [mark for mark in fresh if mark.student in students]
    strangers = sorted({mark.student for mark in fresh} - students)
    remarks = []
    if strangers:
        named = ", ".join(strangers[:3])
        remarks.append(f"The formgrader has marks of students not in the gradebook: {named}")
    return News(tuple(known), tuple(remarks))


def take_over(out: Path, marks: tuple[ManualMark, ...]) -> None:
    """Note that these marks are in our gradebook now."""
    taken = _taken(out) | {_key(mark): _value(mark) for mark in marks}
    write_text(out / TAKEN, json.dumps(taken, indent=1, sort_keys=True) + "\n")


def _taken(out: Path) -> dict[str, list[object]]:
    path = out / TAKEN
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def _key(mark: ManualMark) -> str:
    return f"{mark.student}\n{mark.item}"


def _value(mark: ManualMark) -> list[object]:
    return [mark.points, mark.comment]
