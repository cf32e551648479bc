"""Overrides: what a person changes of one student's points, as events that are only ever added.

An event names a target: an item, a check, a week, a phase, or "total". What counts follows from a
target's events in their order. A number of points (a verdict, for a check) or "excused" takes the
place of all before it; +N and -N come on top of that, and one takes the place of an earlier one
with the same reason; "undo" takes everything back.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from autograder.course.points import format_points, parse_points
from autograder.gradebook.rows import storable
from autograder.records import FULL_CREDIT

TOTAL = "total"

OVERRIDES = """CREATE TABLE overrides (
        id INTEGER PRIMARY KEY, made TEXT NOT NULL, student TEXT NOT NULL, target TEXT NOT NULL,
        scope TEXT NOT NULL, act TEXT NOT NULL, amount INTEGER NOT NULL, reason TEXT NOT NULL,
        author TEXT NOT NULL, origin TEXT NOT NULL, handed_in TEXT NOT NULL)"""
COLUMNS = "student, target, scope, act, amount, reason, author, origin, handed_in"


class Scope(StrEnum):
    """What a target is."""

    ITEM = "item"
    CHECK = "check"
    WEEK = "week"
    PHASE = "phase"
    TOTAL = "total"


class Act(StrEnum):
    """What an override does to its target."""

    SET = "set"
    CHANGE = "change"
    EXCUSE = "excuse"
    UNDO = "undo"


@dataclass(frozen=True)
class Override:
    """One event. `amount` is in hundredths of a point, for a check its credit, 0..FULL_CREDIT.

    `author` gave it, and `reason` is what the student reads. `origin` says where it came from, a
    file or the command; `handed_in` is a digest of what the student had handed in of the week then
    ("" where that says nothing). `number` and `made`, its time in UTC, are set by the gradebook.
    """

    student: str
    target: str
    scope: Scope
    act: Act
    amount: int
    reason: str
    author: str
    origin: str = "command"
    handed_in: str = ""
    number: int = 0
    made: str = ""

    @property
    def says(self) -> str:
        """What it does, as in the file: "4", "+1.5", "-2", "50%", "excused" or "undo"."""
        if self.act in (Act.EXCUSE, Act.UNDO):
            return {Act.EXCUSE: "excused", Act.UNDO: "undo"}[self.act]
        if self.scope is Scope.CHECK:
            words = {0: "fail", FULL_CREDIT: "pass"}
            return words.get(self.amount) or f"{format_points(self.amount)}%"
        sign = "+" if self.act is Act.CHANGE and self.amount >= 0 else ""
        return sign + signed_points(self.amount)

    @property
    def same_as(self) -> tuple[Act, int, str]:
        """What two lines of a file have in common that say the same of one target."""
        return self.act, self.amount, self.reason


@dataclass(frozen=True)
class Decision:
    """What counts for a target: the event that sets or excuses it, if any, and what is on top."""

    target: str
    scope: Scope
    base: Override | None
    changes: tuple[Override, ...]

    @property
    def events(self) -> tuple[Override, ...]:
        """The events in force, in their order."""
        return (*((self.base,) if self.base else ()), *self.changes)

    @property
    def is_excused(self) -> bool:
        """Whether the target counts neither for nor against the student."""
        return self.base is not None and self.base.act is Act.EXCUSE

    @property
    def change(self) -> int:
        """The sum of what is added and taken, in hundredths."""
        return sum(one.amount for one in self.changes)


def decisions(events: Iterable[Override]) -> dict[str, Decision]:
    """Return what counts of one student's events, by target."""
    by_target: dict[str, list[Override]] = defaultdict(list)
    for event in events:
        by_target[event.target].append(event)
    folded = (_fold(target, each) for target, each in by_target.items())
    return {one.target: one for one in folded if one.events}


def _fold(target: str, events: Sequence[Override]) -> Decision:
    base: Override | None = None
    changes: dict[str, Override] = {}
    for event in events:
        if event.act is Act.CHANGE:
            changes[event.reason] = event
        else:
            base, changes = (None if event.act is Act.UNDO else event), {}
    left = tuple(one for one in changes.values() if one.amount)
    return Decision(target, events[0].scope, base, left)


def not_known(lines: Sequence[Override], kept: Sequence[Override]) -> list[Override]:
    """Return the lines of a file that the journal lacks, so that a file may be given again.

    For each student's target, a file goes on from where the journal ends: from all of its events,
    or from those that came from files, of which one may have been taken back by the command since.
    """
    known: dict[tuple[str, str], list[Override]] = defaultdict(list)
    for event in kept:
        known[event.student, event.target].append(event)
    given: dict[tuple[str, str], list[Override]] = defaultdict(list)
    for line in lines:
        given[line.student, line.target].append(line)
    new: set[int] = set()
    for key, each in given.items():
        here = [one.same_as for one in each]
        of_files = [one.same_as for one in known[key] if one.origin != "command"]
        every = [one.same_as for one in known[key]]
        done = max(_overlap(every, here), _overlap(of_files, here))
        new.update(id(one) for one in each[done:])
    return [line for line in lines if id(line) in new]


def _overlap(have: Sequence[object], given: Sequence[object]) -> int:
    """Return how many of the first things given are the last ones that are there."""
    most = min(len(have), len(given))
    return next((n for n in range(most, 0, -1) if have[-n:] == given[:n]), 0)


def read_act(text: str, scope: Scope) -> tuple[Act, int]:
    """Return what a cell says. Raises ValueError for what its target can't be given."""
    plain = text.strip().removeprefix("'").casefold()  # an apostrophe guards a spreadsheet's cell
    said = re.sub(r"\s+", " ", plain).replace("\N{MINUS SIGN}", "-").replace(",", ".")
    if said == "undo":
        return Act.UNDO, 0
    if said in ("excused", "excuse", "ex"):
        if scope in (Scope.ITEM, Scope.WEEK, Scope.PHASE):
            return Act.EXCUSE, 0
        remedy = "say pass or fail" if scope is Scope.CHECK else "excuse weeks, or +N and -N"
        raise ValueError(f"only items, weeks and phases can be excused: {remedy}")
    if scope is Scope.CHECK:
        return Act.SET, _credit(said)
    if match := re.fullmatch(r"(\+|-|add |take )\s*(.*)", said):
        amount = parse_points(match[2])
        return Act.CHANGE, amount if match[1] in ("+", "add ") else -amount
    if scope is not Scope.ITEM:
        raise ValueError(
            f"'{text}' does not say whether to add or to take: +5 or 'add 5', -5 or 'take 5'"
        )
    return Act.SET, parse_points(said)


def _credit(said: str) -> int:
    """Return the credit of a check: pass, fail, or a share of it such as 50%."""
    words = {"pass": FULL_CREDIT, "passed": FULL_CREDIT, "fail": 0, "failed": 0}
    if said in words:
        return words[said]
    if match := re.fullmatch(r"(\d+(?:\.\d{1,2})?) ?%", said):
        credit = parse_points(match[1])
        if credit <= FULL_CREDIT:
            return credit
    raise ValueError(f"'{said}' is none of pass, fail, 50% (a check has no points of its own)")


def signed_points(hundredths: int) -> str:
    """Return points for people to read, with a minus where they are fewer than none."""
    return ("-" if hundredths < 0 else "") + format_points(abs(hundredths))


def put_rows(connection: sqlite3.Connection, made: str, events: Iterable[Override]) -> None:
    """Add events, in the caller's transaction."""
    marks = ", ".join("?" * (len(COLUMNS.split(",")) + 1))
    connection.executemany(
        f"INSERT INTO overrides (made, {COLUMNS}) VALUES ({marks})",
        [
            (
                *(made, one.student, one.target, one.scope, one.act, one.amount),
                *(storable(one.reason), storable(one.author), one.origin, one.handed_in),
            )
            for one in events
        ],
    )


def rows_of(connection: sqlite3.Connection, student: str | None) -> list[Override]:
    """Return the events of a student, or of everybody, in their order."""
    query = f"""SELECT id AS number, made, {COLUMNS} FROM overrides
        WHERE student = coalesce(?, student) ORDER BY id"""
    return [
        Override(**{**dict(row), "scope": Scope(row["scope"]), "act": Act(row["act"])})
        for row in connection.execute(query, (student,))
    ]
