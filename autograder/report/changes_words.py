"""Changes of points, said to whoever grades: lines for the terminal, and changes.csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo

from autograder.course.points import format_points
from autograder.gradebook.editions import Edition
from autograder.report.changes import Change, Side, by_student
from autograder.report.class_csv import guard_formula
from autograder.text.display import one_line

STUDENTS_NAMED = 12
ITEMS_NAMED = 3
CAUSES_NAMED = 8
HEADER = ("student", "item", "before", "after", "cause", "why", "total_before", "total_after")


def changes_csv(changes: Sequence[Change], before: Side, after: Side) -> str:
    """Return changes as CSV, a line for each student and item; blank points: not graded.

    `cause` has one of the causes of `Why`, several of them joined by " + ", and `why` what is known
    of each. `total_before` and `total_after` are the student's points in all.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER)
    totals = (before.totals, after.totals)
    for one in changes:
        cause = " + ".join(cause.why for cause in one.causes)
        why = "; ".join(cause.words for cause in one.causes if cause.words)
        points = (_cell(one.before), _cell(one.after))
        all_points = (_cell(each.get(one.student)) for each in totals)
        texts = (guard_formula(one.student), guard_formula(one.item))
        writer.writerow([*texts, *points, cause, guard_formula(why), *all_points])
    return buffer.getvalue()


def _cell(points: int | None) -> str:
    if points is None:
        return ""
    return f"{'-' * (points < 0)}{abs(points) // 100}.{abs(points) % 100:02d}"


def lines(
    changes: Sequence[Change], before: Side, after: Side, since: str, file: str = ""
) -> Iterator[str]:
    """Say how many students' points changed, from where to where, by which items and why.

    `since` says what the points were before: "in report 3". Students all of whose changes are first
    results are only counted. `file` names what holds every change.
    """
    students = by_student(changes)
    changed = {name: each for name, each in students.items() if not _all_first(each)}
    everybody = len({student for student, _ in after.contents})
    if not changes:
        yield f"No points differ from those {since}."
        return
    if changed:
        yield f"Points changed of {len(changed)} of {_people(everybody)}, against those {since}:"
        yield from _each(changed, before.totals, after.totals)
        yield from _causes(changed)
    new = [change for name, each in students.items() if name not in changed for change in each]
    if new:
        people, items = len({one.student for one in new}), len({one.item for one in new})
        yield f"Graded for the first time: {items} item{'s' * (items != 1)} of {_people(people)}."
    if file:
        yield f"Every change, with its cause: {file}"


def _all_first(changes: Sequence[Change]) -> bool:
    return all(change.is_first for change in changes)


def _people(number: int) -> str:
    return f"{number} student{'s' * (number != 1)}"


def _each(
    changed: Mapping[str, Sequence[Change]], before: Mapping[str, int], after: Mapping[str, int]
) -> Iterator[str]:
    """Name the students whose points changed most, and their items."""

    def size(student: str) -> tuple[int, str]:
        return -abs(after.get(student, 0) - before.get(student, 0)), student

    names = sorted(changed, key=size)
    for name in names[:STUDENTS_NAMED]:
        was, now = before.get(name, 0), after.get(name, 0)
        items = "; ".join(items_by_cause(changed[name]))
        yield f"  {one_line(name)}: {points_words(was)} -> {points_words(now)}: {items}"
    if len(names) > STUDENTS_NAMED:
        yield f"  and {_people(len(names) - STUDENTS_NAMED)} more"


def items_by_cause(changes: Sequence[Change]) -> Iterator[str]:
    """Yield a student's items by their causes."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(" + ".join(cause.why for cause in change.causes), []).append(change)
    for why, alike in groups.items():
        shown = ", ".join(
            f"{one_line(one.item)} {points_words(one.before)} -> {points_words(one.after)}"
            for one in alike[:ITEMS_NAMED]
        )
        rest = len(alike) - ITEMS_NAMED
        yield f"{shown}{f' and {rest} more' if rest > 0 else ''} ({why})"


def _causes(changed: Mapping[str, Sequence[Change]]) -> Iterator[str]:
    """Say of each cause whom it concerns."""
    who: dict[str, set[str]] = {}
    for name, changes in changed.items():
        for cause in (cause for change in changes for cause in change.causes):
            who.setdefault(str(cause), set()).add(name)
    ordered = sorted(who, key=lambda words: (-len(who[words]), words))
    yield "Why:"
    for words in ordered[:CAUSES_NAMED]:
        yield f"  {one_line(words, 200)}: {_people(len(who[words]))}"
    if len(ordered) > CAUSES_NAMED:
        yield f"  and {len(ordered) - CAUSES_NAMED} more causes"


def made_at(edition: Edition, zone: tzinfo) -> str:
    """Return when an edition was made, in a course's time zone."""
    return f"{datetime.fromisoformat(edition.made).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def points_words(points: int | None) -> str:
    """Return points, which may be negative, for people to read."""
    if points is None:
        return "not graded"
    return f"{'-' * (points < 0)}{format_points(abs(points))}"
