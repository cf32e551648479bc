"""How one student's points came about: every change, with its time, author and cause."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from autograder.course import Course
from autograder.course.points import format_points
from autograder.gradebook.editions import Contents
from autograder.gradebook.journal import Gradebook, GradebookError
from autograder.gradebook.manual_marks import KeptMark
from autograder.gradebook.people import called_in
from autograder.report.changes import Side, changes_between
from autograder.report.changes_words import items_by_cause, points_words
from autograder.report.comparing import GRADEBOOK, edition_line
from autograder.text.display import one_line


def history_lines(course: Course, grades: Path, student: str) -> Iterator[str]:
    """Yield what each report changed of a student's points, then all marks ever given.

    Raises GradebookError for a student whom the journal does not know.
    """
    with Gradebook.read(grades / GRADEBOOK) as gradebook:
        called = called_in(gradebook, course.weeks)
        meant = called.who(student)
        if meant is None:
            raise GradebookError(f"{grades / GRADEBOOK}: {called.problem(student)}.")
        student = meant
        editions = gradebook.editions
        before: Contents = {}
        for edition in editions.all():
            now = editions.contents(edition.number, student)
            sides = Side(before, editions.parts), Side(now, editions.parts)
            changes = changes_between(*sides)
            if changes:
                was, total = (side.totals.get(student, 0) for side in sides)
                points = f"{points_words(was)} -> {points_words(total)}"
                points += _by_phase(course, before, now)
                yield f"{edition_line(edition, course.handing_in.zone)}: {points}"
                yield from (f"        {words}" for words in items_by_cause(changes))
            before = now
        marks = gradebook.mark_history(student)
        if marks:
            yield "Marks by hand, the first one first:"
            yield from (f"  {_mark(one)}" for one in marks)


def _by_phase(course: Course, before: Contents, now: Contents) -> str:
    """Say in which phases points changed, where there are items of several."""
    said, there = [], 0
    for phase in course.phases:
        ids = {item.id for item in phase.items}
        was, total = (
            sum(one.final or 0 for (_, item), one in contents.items() if item in ids)
            for contents in (before, now)
        )
        there += any(item in ids for _, item in now)
        if was != total:
            said.append(f"{phase.title}: {points_words(was)} -> {points_words(total)}")
    return f" ({', '.join(said)})" if said and there > 1 else ""


def _mark(one: KeptMark) -> str:
    points = "withdrawn" if one.points is None else format_points(one.points)
    who = one.author or "an author that is not known"
    comment = f": {one_line(one.comment, 200)}" if one.comment else ""
    return f"{one.given or 'earlier'}  {one.item} {points}, by {one_line(who)}{comment}"
