"""Editions: what counted for each student and item whenever reports were written, and by what.

Each has its number, time and author. An edition holds only what differs from the one before, so
nothing of an earlier one is ever replaced.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from autograder.gradebook.author import author_here
from autograder.gradebook.manual_marks import KeptMark
from autograder.gradebook.rows import storable
from autograder.gradebook.shared_rows import keep_text, text_of

Key = tuple[str, str]
"""A student and an item."""


@dataclass(frozen=True)
class Basis:
    """The job that an item's points come from: the files it examined, and what else it was run by.

    `suite` is a digest of all that its results depend on besides the files; None where that was not
    kept.
    """

    job: str
    files: str
    suite: str | None


@dataclass(frozen=True)
class Counted:
    """What counts for one student and item, in hundredths of points, and where it comes from.

    `points` are None where nothing was graded yet, `final` are those after the deduction for
    lateness, of which `kept` is the share that stays; `reason` says what is still to come. `mark`
    is the mark by hand, `override` names in words the overrides in force, "" where there are none.
    """

    points: int | None
    final: int | None
    most: int
    kept: int
    reason: str = ""
    basis: Basis | None = None
    mark: KeptMark | None = None
    override: str = ""


@dataclass(frozen=True)
class Edition:
    """One edition: its number, when it was made (ISO 8601, UTC), by whom and by which command."""

    number: int
    made: str
    author: str
    command: str
    run: int | None


Contents = dict[Key, Counted]
NOW = """SELECT student, item, max(edition) AS edition, points, final, most, kept, reason, job,
        mark, override FROM counted WHERE edition <= :edition
        AND student = coalesce(:student, student) GROUP BY student, item"""
"""The last row of each up to an edition: with max(), SQLite takes the other columns from it."""


class Editions:
    """The editions of a gradebook."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        writing: Callable[[], AbstractContextManager[None]],
        run: Callable[[], int | None],
    ) -> None:
        self._db = connection
        self._writing = writing
        self._run = run
        self._bases: dict[int, Basis | None] = {}

    def all(self) -> list[Edition]:
        """Return all editions, the first one first."""
        rows = self._db.execute(
            "SELECT id AS number, made, author, command, run FROM editions ORDER BY id"
        )
        return [Edition(**dict(row)) for row in rows]

    def last(self) -> Edition | None:
        """Return the last edition, None where there is none yet."""
        every = self.all()
        return every[-1] if every else None

    def contents(self, number: int, student: str | None = None) -> Contents:
        """Return what counted in an edition, for everybody or for one student."""
        marks = self._marks()
        found = {}
        for row in self._db.execute(NOW, {"edition": number, "student": student}):
            counted = self._counted(row, marks)
            if counted is not None:
                found[row["student"], row["item"]] = counted
        return found

    def steps(self, student: str) -> list[tuple[int, dict[str, Counted | None]]]:
        """Return what changed of a student in each edition, by its number, the first one first.

        None stands for an item that was taken out of the rubric.
        """
        marks = self._marks(student)
        found: dict[int, dict[str, Counted | None]] = {}
        query = "SELECT * FROM counted WHERE student = ? ORDER BY edition"
        for row in self._db.execute(query, (student,)):
            found.setdefault(row["edition"], {})[row["item"]] = self._counted(row, marks)
        return list(found.items())

    def _counted(self, row: sqlite3.Row, marks: Mapping[int, KeptMark]) -> Counted | None:
        if row["most"] is None:
            return None
        return Counted(
            *(row["points"], row["final"], row["most"], row["kept"], row["reason"]),
            basis=self._basis(row["job"]),
            mark=None if row["mark"] is None else marks[row["mark"]],
            override=row["override"],
        )

    def _marks(self, student: str | None = None) -> dict[int, KeptMark]:
        """Return the marks of a student, or of everybody, by their numbers."""
        query = """SELECT id AS number, student, item, points, comment, given, author FROM marks
            WHERE student = coalesce(?, student)"""
        rows = self._db.execute(query, (student,))
        return {row["number"]: KeptMark(**dict(row)) for row in rows}

    def rubric(self, number: int) -> dict[str, int]:
        """Return the points of the rubric's items as an edition was made, in hundredths."""
        row = self._db.execute("SELECT rubric FROM editions WHERE id = ?", (number,)).fetchone()
        return {} if row is None else dict(json.loads(text_of(self._db, row[0])))

    def basis(self, key: str) -> Basis | None:
        """Return a job as what points come from; None where there is no such job."""
        query = "SELECT id FROM jobs WHERE key = ?"
        row = self._db.execute(query, (key,)).fetchone()
        return None if row is None else self._basis(row[0])

    def _basis(self, number: int | None) -> Basis | None:
        if number is None:
            return None
        if number not in self._bases:
            query = "SELECT key, fingerprint, dependencies FROM jobs WHERE id = ?"
            row = self._db.execute(query, (number,)).fetchone()
            self._bases[number] = None if row is None else Basis(*row)
        return self._bases[number]

    def parts(self, suite: str | None) -> dict[str, str] | None:
        """Return what the results of jobs with this `Basis.suite` depend on, by name."""
        query = "SELECT parts FROM dependencies WHERE digest = ?"
        row = self._db.execute(query, (suite,)).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def all_parts(self) -> dict[str | None, dict[str, str]]:
        """Return all that `parts` can be asked for, for when the gradebook is closed."""
        rows = self._db.execute("SELECT digest, parts FROM dependencies")
        return {row["digest"]: dict(json.loads(row["parts"])) for row in rows}

    def keep(
        self, command: str, rubric: Mapping[str, int], now: Contents, whole: bool = True
    ) -> Edition | None:
        """Keep what counts now as a new edition, and return it.

        Where it is not `whole`, whoever is not in `now` stays as in the last one; nothing is kept,
        and None returned, where that is the same.
        """
        with self._writing():
            last = self.last()
            before = self.contents(last.number) if last else {}
            stays = set() if whole else {key for key in before if key[0] not in _students(now)}
            gone = before.keys() - now.keys() - stays
            changed = {key: one for key, one in now.items() if before.get(key) != one}
            points = keep_text(self._db, json.dumps(dict(rubric)))
            if last and not (whole or changed):
                return None
            number = self._new(command, points)
            rows = [(*key, number, *self._row(one)) for key, one in changed.items()]
            nothing = (None, None, None, 0, "", None, None, "")
            rows += [(*key, number, *nothing) for key in sorted(gone)]
            statement = "INSERT INTO counted VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            self._db.executemany(statement, rows)
        return self.last()

    def _new(self, command: str, rubric: int) -> int:
        made = datetime.now(UTC).isoformat(timespec="seconds")
        values = (made, storable(author_here()), command, self._run(), rubric)
        columns = "(made, author, command, run, rubric)"
        statement = f"INSERT INTO editions {columns} VALUES (?, ?, ?, ?, ?)"
        number = self._db.execute(statement, values).lastrowid
        assert number is not None
        return number

    def _row(self, one: Counted) -> tuple[int | str | None, ...]:
        job = None
        if one.basis is not None:
            query = "SELECT id FROM jobs WHERE key = ?"
            job = self._db.execute(query, (one.basis.job,)).fetchone()[0]
        mark = one.mark.number if one.mark else None
        return (
            *(one.points, one.final, one.most, one.kept, one.reason),
            *(job, mark, storable(one.override)),
        )


def _students(now: Iterable[Key]) -> set[str]:
    return {student for student, _ in now}
