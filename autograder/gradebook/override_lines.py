"""Reading overrides, from overrides.csv or one command; one wrong line refuses the whole file."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from autograder.course import Course
from autograder.course.points import format_points
from autograder.errors import InputError
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
from autograder.text.display import one_line

HEADER = ("student", "item", "points", "reason", "author")
ALIASES = {"comment": "reason", "why": "reason", "by": "author", "check": "item"}
REQUIRED = ("student", "item", "points", "reason")
NEAREST_SHOWN = 3


class OverrideError(InputError):
    """Overrides can't be used: `problems` names each wrong line."""

    def __init__(self, where: str, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{where}: nothing was changed; correct this and try again:\n{lines}")


@dataclass(frozen=True)
class Line:
    """One line as it was written: `place` says where."""

    place: str
    student: str
    target: str
    says: str
    reason: str
    author: str


class OverrideReader:
    """Makes events of lines, by what a course and its gradebook have.

    `students` are those who may be named beside the gradebook's.
    """

    def __init__(self, course: Course, book: Gradebook, students: Collection[str] = ()) -> None:
        self._course, self._book = course, book
        known = {*book.students(), *students}
        self._students = {one.casefold(): one for one in sorted(known)} | {
            one: one for one in known
        }
        self._items = {item.id: item for item in course.items()}
        self._checks: dict[str, set[str]] = {}

    def read_file(self, path: Path, author: str) -> list[Override]:
        """Return the events of a file that the gradebook does not have yet, in their order.

        `author` is who gave those lines that name none. Raises OverrideError with every bad line.
        """
        return not_known(
            self.read(list(read_lines(path, author)), path.name), self._book.overrides()
        )

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

        def wrong(text: str) -> None:
            problems.append(f"{line.place}: {text}" if line.place else text)

        student = self._students.get(line.student, self._students.get(line.student.casefold()))
        if student is None:
            near = get_close_matches(line.student.casefold(), self._students, NEAREST_SHOWN, 0.6)
            names = dict.fromkeys(self._students[one] for one in near)
            hint = f" (near: {', '.join(map(one_line, names))})" if names else ""
            wrong(f"no student '{one_line(line.student)}' in the gradebook{hint}")
        if not line.reason:
            wrong("the reason is missing: the student reads it")
        if not line.author:
            wrong("the author is missing")
        found = self._target(line.target)
        if isinstance(found, str):
            wrong(found)
            return None
        target, scope, week = found
        try:
            act, amount = read_act(line.says, scope)
        except ValueError as error:
            wrong(f"{one_line(line.target)}: {one_line(str(error), 200)}")
            return None
        item = self._items.get(target)
        if item is not None and abs(amount) > item.points:
            most = format_points(item.points)
            wrong(
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
        if "::" in name:
            return self._check(name)
        near = get_close_matches(name, [*self._items, TOTAL], NEAREST_SHOWN, 0.5)
        hint = f" (near: {', '.join(near)})" if near else ""
        return f"no item, check or week '{one_line(name)}'{hint}"

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


def read_lines(path: Path, author: str) -> Iterator[Line]:
    """Yield the lines of a file: student, item, points, reason and, if it likes, author.

    Columns may stand in any order, and others beside them. Raises OverrideError.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OverrideError(str(path), [f"it can't be read: {error.strerror}"]) from error
    text = _decoded(content).removeprefix("\ufeff")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    columns: dict[str, int] | None = None
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if columns is None:
                if cells and cells[0].casefold().startswith("sep="):
                    continue
                columns = _columns(cells, path)
            elif any(cells):
                found = {
                    name: cells[place] if place < len(cells) else ""
                    for name, place in columns.items()
                }
                yield Line(
                    place=f"line {rows.line_num}",
                    student=found["student"],
                    target=found["item"],
                    says=found["points"],
                    reason=found["reason"],
                    author=found.get("author") or author,
                )
    except csv.Error as error:
        raise OverrideError(str(path), [f"line {rows.line_num}: {error}"]) from error
    if columns is None:
        raise OverrideError(str(path), [f"it is empty; the header is {','.join(HEADER)}"])


def _columns(cells: list[str], path: Path) -> dict[str, int]:
    names = [ALIASES.get(cell.casefold(), cell.casefold()) for cell in cells]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        problem = f"line 1: the header must be {','.join(HEADER)}; {', '.join(missing)} is missing"
        raise OverrideError(str(path), [problem])
    return {name: names.index(name) for name in HEADER if name in names}


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _separator(text: str) -> str:
    """Return what separates the cells of the header."""
    for line in text.splitlines():
        if line.strip() and not line.casefold().startswith("sep="):
            return max(",;\t", key=line.count)
    return ","
