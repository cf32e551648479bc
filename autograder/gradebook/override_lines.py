"""Reading overrides, from overrides.csv or one command; one wrong line refuses the whole file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from autograder.course import Course
from autograder.course.points import format_points
from autograder.errors import InputError
from autograder.gradebook.called import Called
from autograder.gradebook.journal import PARTS, Gradebook, Receipt
from autograder.gradebook.overrides import (
    TOTAL,
    Act,
    Override,
    Scope,
    decisions,
    not_known,
    read_act,
)
from autograder.gradebook.people import called_in
from autograder.tables.formulas import unguarded
from autograder.tables.sheet import Sheet, SheetError, read_content
from autograder.tables.table import Table, TableLine, checked_lines
from autograder.text.display import one_line

HEADER = ("student", "item", "points", "reason", "author")
ALIASES = {"reason": ("comment", "why"), "author": ("by",), "item": ("check",)}
"""What else the columns may be called."""
REQUIRED = ("student", "item", "points", "reason")
_REMEDY = f"The header is {','.join(HEADER)}, with lines below it."
NEAREST_SHOWN = 3


class OverrideError(InputError):
    """Overrides can't be used: `problems` names each wrong line."""

    def __init__(self, where: str, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{where}: nothing was changed; correct this and try again:\n{lines}")


@dataclass(frozen=True)
class Line:
    """One line as it was written."""

    student: str
    target: str
    says: str
    reason: str
    author: str


class OverrideReader:
    """Makes events of lines, by what a course and its gradebook have.

    `students` are those who may be named; None: the gradebook's, by whatever they are called.
    """

    def __init__(self, course: Course, book: Gradebook, students: Called | None = None) -> None:
        self._course, self._book = course, book
        self._students = students or called_in(book, course.weeks)
        self._items = {item.id: item for item in course.items()}
        self._checks: dict[str, set[str]] = {}

    def read_file(self, path: Path, author: str) -> list[Override]:
        """Return the events of a file that the gradebook does not have yet, in their order.

        `author` is who gave those lines that name none. Raises OverrideError with every bad line.
        """
        table, names = _table(path)
        events: list[Override] = []

        def add(cells: TableLine) -> list[str]:
            said = {name: cells[own] for name, own in names.items()}
            line = Line(
                unguarded(said["student"]),
                said["item"],
                said["points"],
                unguarded(said["reason"]),
                unguarded(said["author"]) or author,
            )
            problems: list[str] = []
            event = self._event(line, problems)
            if event is not None and not problems:
                events.append(replace(event, origin="file"))
            return problems

        if problems := checked_lines(table, add):
            raise OverrideError(path.name, problems)
        return not_known(events, self._book.overrides())

    def read(self, lines: list[Line], where: str, origin: str = "file") -> list[Override]:
        """Return the events that lines make. Raises OverrideError with every bad line."""
        events: list[Override] = []
        problems: list[str] = []
        for line in lines:
            before = len(problems)
            event = self._event(line, problems)
            if len(problems) == before and event is not None:
                events.append(replace(event, origin=origin))
        if problems:
            raise OverrideError(where, problems)
        return events

    def demand_something_to_undo(self, event: Override) -> None:
        """Raise OverrideError where an undo has nothing to take back."""
        if event.act is Act.UNDO:
            in_force = decisions(self._book.overrides(event.student))
            if event.target not in in_force:
                named = f"{one_line(event.student)}, {event.target}"
                raise OverrideError("undo", [f"nothing of {named} was changed by a person"])

    def _event(self, line: Line, problems: list[str]) -> Override | None:
        """Return what a line says, or add what is wrong with it."""
        student = self._students.who(line.student)
        if student is None:
            problems.append(self._students.problem(line.student))
        if not line.reason:
            problems.append("the reason is missing: the student reads it")
        if not line.author:
            problems.append("the author is missing")
        found = self._target(line.target)
        if isinstance(found, str):
            problems.append(found)
            return None
        target, scope, week = found
        try:
            act, amount = read_act(line.says, scope)
        except ValueError as error:
            problems.append(f"{one_line(line.target)}: {one_line(str(error), 200)}")
            return None
        item = self._items.get(target)
        if item is not None and abs(amount) > item.points:
            most = format_points(item.points)
            problems.append(
                f"{target} has {most} points, so {line.says} is too much; what goes beyond an item "
                f"is given with '{TOTAL}' and +N"
            )
        if student is None:
            return None
        receipt = self._book.submission(student, week) if week is not None else None
        digest = files_digest(receipt)
        return Override(
            student, target, scope, act, amount, line.reason, line.author, handed_in=digest
        )

    def _target(self, text: str) -> tuple[str, Scope, int | None] | str:
        """Return a target's name, what it is, and its week's number; or what is wrong."""
        name = text.strip()
        if name.casefold() == TOTAL:
            return TOTAL, Scope.TOTAL, None
        if name in self._items:
            return name, Scope.ITEM, self._items[name].week
        for week in self._course.weeks:
            if name.casefold() in (week.id.casefold(), str(week.number), week.name.casefold()):
                return week.id, Scope.WEEK, week.number
        for phase in self._course.phases:
            if name.casefold() in (phase.id, phase.title.casefold()):
                return phase.id, Scope.PHASE, None
        if "::" in name:
            return self._check(name)
        phases = [phase.id for phase in self._course.phases]
        near = get_close_matches(name, [*self._items, *phases, TOTAL], NEAREST_SHOWN, 0.5)
        hint = f" (near: {', '.join(near)})" if near else ""
        return f"no item, check, week or phase '{one_line(name)}'{hint}"

    def _check(self, name: str) -> tuple[str, Scope, int | None] | str:
        """Find a check by its whole id, as in results.json, or by an end of it."""
        found = {
            id: week.number
            for week in self._course.weeks
            for id in self._checks_of(week.id, week.number)
            if id == name or id.endswith("/" + name)
        }
        if name in found:
            return name, Scope.CHECK, found[name]
        if len(found) == 1:
            [(id, week)] = found.items()
            return id, Scope.CHECK, week
        if found:
            return f"several checks are called '{one_line(name)}': {', '.join(sorted(found)[:3])}"
        return f"no check '{one_line(name, 120)}' was graded here yet; results.json has their ids"

    def _checks_of(self, week_id: str, number: int) -> set[str]:
        """Return the ids of the checks of all jobs of a week."""
        if week_id not in self._checks:
            self._checks[week_id] = {
                check.id
                for part in PARTS
                for job in self._book.jobs(number, part)
                for check in self._book.planned_in(job, f"{week_id}/")
            }
        return self._checks[week_id]


def files_digest(receipt: Receipt | None) -> str:
    """Return a digest of what was handed in: modules and documents; "" for nothing known."""
    if receipt is None:
        return ""
    said = json.dumps([receipt.fingerprint, sorted(receipt.documents.items())])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _table(path: Path) -> tuple[Table, dict[str, str]]:
    """Return the lines of a file, and the names that its columns have there by ours.

    Columns may stand in any order, and others beside them. Raises OverrideError.
    """
    try:
        content = read_content(path)
        header = Sheet(str(path), content, _REMEDY)
        names = {
            name: next(
                (one for one in (name, *ALIASES.get(name, ())) if header.column(one) is not None),
                name,
            )
            for name in HEADER
        }
        required = [names[name] for name in REQUIRED]
        return Table(str(path), content, required, [names["author"]]), names
    except SheetError as error:
        said = str(error).removeprefix(str(path)).lstrip(", :")
        said = said if said.startswith("line ") else f"it {said}"
        raise OverrideError(str(path), [said]) from error
