"""Marks given in nbgrader's formgrader, read from its gradebook without writing to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from autograder.course import Course, load
from autograder.course.points import format_points
from autograder.errors import RecordError
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.marked_answers import answer_of
from autograder.gradebook.private import PRIVATE
from autograder.records import ManualMark
from autograder.reference.percent_source import grade_id
from autograder.report.terminal import say
from autograder.text.files import write_text

DATABASE = "nbgrader/gradebook.db"
TAKEN_OVER = "nbgrader/taken.json"
"""The marks that were taken over last time: only changes since then are taken over."""

QUERY = """
    SELECT student.id, base_cell.name, grade.manual_score, grade.extra_credit,
        comment.manual_comment, grade.needs_manual_grade
    FROM grade
    JOIN base_cell ON grade.cell_id = base_cell.id
    JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
    JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
    JOIN student ON submitted_assignment.student_id = student.id
    LEFT JOIN comment ON comment.notebook_id = submitted_notebook.id AND comment.cell_id IN
        (SELECT id FROM base_cell AS solution WHERE solution.name = base_cell.name
            AND solution.notebook_id = base_cell.notebook_id)
    WHERE base_cell.type = 'GradeCell'
    ORDER BY student.id, base_cell.name"""


class MarksError(RecordError):
    """nbgrader's gradebook can't be read: which, and why."""


@dataclass(frozen=True)
class MarkChanges:
    """Changes in the formgrader since the last time, and remarks on them.

    `withdrawn` are the pairs of student and item whose mark was taken back there.
    """

    marks: tuple[ManualMark, ...]
    withdrawn: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]


def read_marks(out: Path, course: Course) -> tuple[list[ManualMark], list[tuple[str, str]]]:
    """Return the marks in nbgrader's gradebook below `out`, and the pairs that have none.

    An answer that waits to be marked again is in neither. A mark is returned as it was given, even
    above its item's points. Raises MarksError for a file that is no gradebook of nbgrader's.
    """
    path = out / DATABASE
    if not path.is_file():
        return [], []
    items = {grade_id(item.id): item for item in course.items() if item.kind == "manual"}
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute(QUERY).fetchall()
    except sqlite3.Error as error:
        problem = f"{path} can't be read as nbgrader's gradebook: {error}"
        raise MarksError(f"{problem}. Move it away; `make formgrader` makes it anew.") from error
    marks, unmarked = [], []
    for student, cell, score, extra, comment, waits in rows:
        item = items.get(cell)
        if item is None:
            continue
        if score is None:
            unmarked.append((student, item.id))
        elif not waits:
            points = max(0, round(100 * (score + (extra or 0.0))))
            marks.append(ManualMark(student, item.id, points, comment or ""))
    return marks, unmarked


def demand_marks(root: Path, out: Path) -> None:
    """Raise MarksError where nbgrader's gradebook below `out` can't be read, if there is one."""
    if (out / DATABASE).is_file():
        read_marks(out, load(root))


def changed_marks(
    out: Path, course: Course, ours: Mapping[str, Iterable[ManualMark]]
) -> MarkChanges:
    """Return the changes since marks were taken over last.

    So the later of two marks counts, whether it came from the formgrader or from manual.csv. `ours`
    has the marks of all students in our gradebook: one that was taken back in the formgrader is
    withdrawn where ours is still the one from there. A mark above its item's points counts as all
    of them, with a remark.
    """
    before = taken_over_before(out)
    given, unmarked = read_marks(out, course)
    max_points = {item.id: item.points for item in course.items()}
    remarks, changed = [], []
    for mark in given:
        capped = replace(mark, points=min(mark.points, max_points[mark.item]))
        if before.get((mark.student, mark.item)) == capped:
            continue
        changed.append(capped)
        if capped != mark and mark.student in ours:
            most = format_points(max_points[mark.item])
            remarks.append(
                f"{mark.student}, {mark.item}: {format_points(mark.points)} points were given, and "
                f"{most} is all that it is worth: {most} counts"
            )
    strangers = sorted({mark.student for mark in changed} - ours.keys())
    if strangers:
        named = ", ".join(strangers[:3])
        remarks.append(f"The formgrader has marks of students not in the gradebook: {named}")
    kept = {(mark.student, mark.item): mark for marks in ours.values() for mark in marks}
    withdrawn = [pair for pair in unmarked if pair in before and kept.get(pair) == before[pair]]
    known = tuple(mark for mark in changed if mark.student in ours)
    return MarkChanges(known, tuple(withdrawn), tuple(remarks))


def take_over(
    out: Path, marks: Iterable[ManualMark], withdrawn: Iterable[tuple[str, str]] = ()
) -> None:
    """Record that our gradebook and nbgrader's agree on these marks now."""
    agreed = taken_over_before(out) | {(mark.student, mark.item): mark for mark in marks}
    for pair in withdrawn:
        agreed.pop(pair, None)
    rows = [[m.student, m.item, m.points, m.comment] for _, m in sorted(agreed.items())]
    (out / TAKEN_OVER).parent.mkdir(parents=True, exist_ok=True)
    write_text(out / TAKEN_OVER, json.dumps(rows, indent=1) + "\n", PRIVATE)


def taken_over_before(out: Path) -> dict[tuple[str, str], ManualMark]:
    """Return the marks on which the two gradebooks agreed last, by student and item.

    There are none where nbgrader has no gradebook: then ours is the newer one.
    """
    path = out / TAKEN_OVER
    if not path.is_file() or not (out / DATABASE).is_file():
        return {}
    return {(row[0], row[1]): ManualMark(*row) for row in json.loads(path.read_text("utf-8"))}


def confirm_marks(
    course: Course,
    gradebook: Gradebook,
    out: Path,
    shown: Mapping[tuple[str, int], Mapping[str, str]],
) -> None:
    """Record that marks which stand in nbgrader are for the documents that were shown there.

    `shown` has their digests, by student and week. nbgrader asks again for the answers that have
    changed, so the others' marks are for the new documents too.
    """
    answers = {}
    given, _ = read_marks(out, course)
    for mark in given:
        item = course.item(mark.item)
        documents = shown.get((mark.student, item.week))
        ours = {one.item: one.points for one in gradebook.marks(mark.student)}
        if documents is not None and ours.get(item.id) == min(mark.points, item.points):
            answers[mark.student, item.id] = answer_of(course, item, documents)
    gradebook.confirm_answers(answers)


def collect_marks(console: Console, course: Course, gradebook: Gradebook, out: Path) -> None:
    """Take over the marks that were given in the formgrader since the last time."""
    ours = {student: gradebook.marks(student) for student in gradebook.students()}
    changes = changed_marks(out, course, ours)
    for remark in changes.remarks:
        say(console, remark, "yellow")
    if changes.marks or changes.withdrawn:
        answers = gradebook.answers_now(course, changes.marks)
        gradebook.put_marks(changes.marks, changes.withdrawn, answers)
        take_over(out, changes.marks, changes.withdrawn)
        back = f", {len(changes.withdrawn)} taken back" if changes.withdrawn else ""
        say(console, f"{len(changes.marks)} marks taken over from the formgrader{back}")
