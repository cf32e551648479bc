"""The ledger of pushes: their states, their files' fingerprints, and the days they count for.

It is an SQLite file beside the gradebook. A push is recorded before any work on it, and each step
when it is done, so a service that was killed continues where it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from autograder.errors import RecordError
from autograder.gradebook.private import private_database
from autograder.integrations.push.spool import Arrival

FILE = "pushes.sqlite"
LOCK_SECONDS = 30.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS pushes (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    student TEXT NOT NULL,
    repository TEXT NOT NULL,
    branch TEXT NOT NULL,
    old TEXT NOT NULL,
    "commit" TEXT NOT NULL,
    received TEXT NOT NULL,
    day_limit INTEGER NOT NULL,
    state TEXT NOT NULL,
    counted TEXT,
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS by_student ON pushes (student, state);
CREATE TABLE IF NOT EXISTS handed_in (
    push INTEGER NOT NULL REFERENCES pushes,
    week INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    documents TEXT NOT NULL,
    PRIMARY KEY (push, week)
);
CREATE TABLE IF NOT EXISTS released (
    push INTEGER NOT NULL REFERENCES pushes,
    counted TEXT NOT NULL,
    at TEXT NOT NULL
);
"""


class PushState(StrEnum):
    """The state of a push."""

    ARRIVED = "arrived"
    WAITING = "waiting"
    HELD = "held until another day"
    RUNNING = "running"
    DONE = "graded"
    SUPERSEDED = "superseded"
    REFUSED = "not taken"
    FAILED = "failed by the grader"


OPEN_STATES = (PushState.ARRIVED, PushState.WAITING, PushState.HELD, PushState.RUNNING)


class LedgerError(RecordError):
    """The ledger can't be used; the message says why and what to do."""


@dataclass(frozen=True)
class Push:
    """One push of the graded branch. `day_limit` is the number of gradings per day, 0: no limit.

    `counted` is the day for which it counts as a grading, None where it counts for none. A push
    that the grader failed on counts until an instructor releases it: else failing it would be a way
    around the limit.
    """

    number: int
    id: str
    student: str
    repository: Path
    branch: str
    old: str
    commit: str
    received: datetime
    day_limit: int
    state: PushState
    counted: str | None
    attempts: int

    @property
    def counted_day(self) -> date | None:
        """The day for which it counts."""
        return date.fromisoformat(self.counted) if self.counted else None

    @property
    def short(self) -> str:
        """The abbreviated hash of the commit."""
        return self.commit[:7]


Fingerprints = Mapping[int, tuple[str, str]]
"""Fingerprints of a push's modules and documents, by week number."""


class Ledger:
    """An open ledger. One service writes; others may read."""

    def __init__(self, path: Path):
        try:
            private_database(path)
        except OSError as error:
            raise LedgerError(f"{path} can't be opened: {error.strerror}.") from error
        try:
            self._db = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.executescript(SCHEMA)
        except sqlite3.Error as error:
            problem = f"{path} can't be used: {error}"
            raise LedgerError(f"{problem}. Move it away, and pushes start anew.") from error

    def close(self) -> None:
        """Close the file; everything is on disk already."""
        self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def add(
        self, arrival: Arrival, branch: str, old: str, commit: str, day_limit: int
    ) -> Push | None:
        """Record a push; return None where it is recorded already."""
        if self._one("SELECT * FROM pushes WHERE id = ?", arrival.id):
            return None
        values = (arrival.id, arrival.student, str(arrival.repository), branch, old, commit)
        received = arrival.received.isoformat(timespec="microseconds")
        with self._writing():
            self._db.execute(
                'INSERT INTO pushes (id, student, repository, branch, old, "commit", received, '
                "day_limit, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, received, day_limit, PushState.ARRIVED),
            )
        return self._one("SELECT * FROM pushes WHERE id = ?", arrival.id)

    def note_files(self, push: Push, files: Fingerprints) -> None:
        """Record the fingerprints of a push's files."""
        rows = [(push.number, week, *pair) for week, pair in files.items()]
        with self._writing():
            self._db.executemany("INSERT OR REPLACE INTO handed_in VALUES (?, ?, ?, ?)", rows)

    def set(self, push: Push, state: PushState, counted: date | None = None) -> Push:
        """Record a push's state, and the day that it counts for from now on."""
        day = counted.isoformat() if counted else None
        new_attempts = int(state is PushState.RUNNING)
        with self._writing():
            self._db.execute(
                "UPDATE pushes SET state = ?, counted = ?, attempts = attempts + ? "
                "WHERE number = ?",
                (state, day, new_attempts, push.number),
            )
        updated = self._one("SELECT * FROM pushes WHERE number = ?", push.number)
        assert updated is not None
        return updated

    def open_pushes(self) -> list[Push]:
        """Return the open pushes, the oldest first."""
        marks = ", ".join("?" * len(OPEN_STATES))
        query = f"SELECT * FROM pushes WHERE state IN ({marks}) ORDER BY received, number"
        return [_push(row) for row in self._db.execute(query, OPEN_STATES)]

    def counted_on(self, student: str, day: date) -> int:
        """Return the number of a student's gradings that count for a day."""
        query = "SELECT count(*) FROM pushes WHERE student = ? AND counted = ?"
        return int(self._db.execute(query, (student, day.isoformat())).fetchone()[0])

    def day_with_room(self, push: Push, days: Iterable[date]) -> date | None:
        """Return the first of these days on which the student has a grading left.

        One that this push was counted for is this push's.
        """
        for day in days:
            others = self.counted_on(push.student, day) - (push.counted_day == day)
            if not push.day_limit or others < push.day_limit:
                return day
        return None

    def counts(self, day: date) -> dict[str, int]:
        """Return the number of gradings that count for a day, by student."""
        query = "SELECT student, count(*) FROM pushes WHERE counted = ? GROUP BY student"
        return {row[0]: row[1] for row in self._db.execute(query, (day.isoformat(),))}

    def is_known(self, student: str, week: int, fingerprint: str, but: Push | None = None) -> bool:
        """Whether a counted grading of the student's, `but` one, was of the same files of a week.

        One that the grader failed on was none: it does not make the next one free.
        """
        query = """SELECT count(*) FROM pushes JOIN handed_in ON push = number WHERE student = ?
            AND week = ? AND fingerprint = ? AND counted IS NOT NULL AND state != ?
            AND number != ?"""
        values = (student, week, fingerprint, PushState.FAILED, but.number if but else 0)
        return bool(self._db.execute(query, values).fetchone()[0])

    def first(self, push: Push, week: int) -> tuple[datetime, str]:
        """Return the time and commit of the first push with the same files of a week.

        It may have been superseded, or held until another day: the files were in time all the same.
        """
        query = """SELECT received, "commit" FROM pushes JOIN handed_in AS one ON push = number
            WHERE student = ? AND EXISTS (SELECT 1 FROM handed_in AS this WHERE push = ?
            AND (this.week, this.fingerprint, this.documents)
            = (one.week, one.fingerprint, one.documents) AND week = ?)
            ORDER BY received, number LIMIT 1"""
        row = self._db.execute(query, (push.student, push.number, week)).fetchone()
        if row is None:
            return push.received, push.commit
        return datetime.fromisoformat(row["received"]), row["commit"]

    def latest(self, number: int = 20) -> list[Push]:
        """Return the latest pushes, the newest first."""
        query = "SELECT * FROM pushes ORDER BY received DESC, number DESC LIMIT ?"
        return [_push(row) for row in self._db.execute(query, (number,))]

    def newest_of_each(self) -> list[Push]:
        """Return each student's last push that was not refused."""
        query = """SELECT * FROM pushes WHERE number IN
            (SELECT max(number) FROM pushes WHERE state != ? GROUP BY student) ORDER BY number"""
        return [_push(row) for row in self._db.execute(query, (PushState.REFUSED,))]

    def newest_commits(self) -> dict[tuple[Path, str], str]:
        """Return the commit of the last push, by repository and branch."""
        query = """SELECT repository, branch, "commit" FROM pushes WHERE number IN
            (SELECT max(number) FROM pushes GROUP BY repository, branch)"""
        return {(Path(row[0]), row[1]): row[2] for row in self._db.execute(query)}

    def failed(self) -> list[Push]:
        """Return the pushes that the grader failed on and that count, the oldest first."""
        query = "SELECT * FROM pushes WHERE state = ? AND counted IS NOT NULL ORDER BY number"
        return [_push(row) for row in self._db.execute(query, (PushState.FAILED,))]

    def release(self, push: Push) -> None:
        """Queue a push as if it had just arrived, without a limit."""
        with self._writing():
            self._uncount(push)
            self._db.execute(
                "UPDATE pushes SET state = ?, day_limit = 0, attempts = 0 WHERE number = ?",
                (PushState.WAITING, push.number),
            )

    def uncount(self, push: Push) -> None:
        """Let a push that the grader failed on count for no day any more."""
        with self._writing():
            self._uncount(push)

    def _uncount(self, push: Push) -> None:
        """Take the day from a push, and write down that it was taken."""
        if push.counted is not None:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self._db.execute(
                "INSERT INTO released VALUES (?, ?, ?)", (push.number, push.counted, now)
            )
            self._db.execute("UPDATE pushes SET counted = NULL WHERE number = ?", (push.number,))

    def _one(self, query: str, *values: Any) -> Push | None:
        row = self._db.execute(query, values).fetchone()
        return None if row is None else _push(row)


def _push(row: sqlite3.Row) -> Push:
    values = dict(row)
    values["repository"] = Path(values["repository"])
    values["received"] = datetime.fromisoformat(values["received"]).astimezone(UTC)
    values["state"] = PushState(values["state"])
    return Push(**values)
