"""The gradebook: an SQLite journal of everything that was handed in, planned, measured and marked.

One process writes at a time. What a method has written when it returns is on disk, whole, whatever
happens next; a method that is interrupted has written nothing.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from autograder.course import Course
from autograder.gradebook.flags import Flag
from autograder.gradebook.manual_marks import read_manual
from autograder.gradebook.rows import flag_row, result_of, result_row, storable
from autograder.gradebook.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION, UPGRADES
from autograder.records import CheckResult, ManualMark, PlannedCheck, Submission, Verdict

LOCK_SECONDS = 30.0


SUITE, TRAINING = PARTS = ("suite", "training")
"""The jobs that a submission's points come from: the suite's, and that of the training job."""


class GradebookError(Exception):
    """The gradebook can't be used, or was asked for something that contradicts it."""


@dataclass(frozen=True)
class Job:
    """The grading of one submission: its key changes with whatever could change its results.

    `week` is the week's number, `part` one of PARTS, or of the caller's own for what is kept and
    not scored. `state` is "planned" or "finished"; `seconds` is what the last recording took. Both
    are set by the gradebook.
    """

    key: str
    student: str
    week: int
    fingerprint: str
    confinement: str
    part: str = SUITE
    state: str = "planned"
    seconds: float = 0.0


NOTHING = Submission("").fingerprint


@dataclass(frozen=True)
class Receipt:
    """What the gradebook keeps of a submission: everything but the files.

    `documents` maps the names of those that a person marks to the SHA-256 of their contents.
    `received` is when it was handed in, as ISO 8601 in UTC, `commit` its commit's hash; both are
    None where nothing said it.
    """

    student: str
    week: int
    fingerprint: str
    notices: tuple[str, ...]
    refusal: str | None
    documents: Mapping[str, str]
    received: str | None = None
    commit: str | None = None


class Gradebook:
    """An open gradebook; a context manager that closes itself."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._run: int | None = None

    @classmethod
    def open(cls, path: Path) -> Gradebook:
        """Open a gradebook, or make an empty one with its folder.

        Raises GradebookError for a file that is no gradebook, one that a newer version wrote, and
        one that can't be opened or stays locked by another program.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise GradebookError(f"{path} can't be opened: {error}") from error
        book = cls(connection)
        try:
            connection.row_factory = sqlite3.Row
            book._prepare(path)
        except sqlite3.Error as error:
            book.close()
            problem = f"{path} can't be used as a gradebook: {error}"
            raise GradebookError(f"{problem}. Move it away, or choose another folder.") from error
        except GradebookError:
            book.close()
            raise
        return book

    def _prepare(self, path: Path) -> None:
        with self._writing():
            application = self._value("PRAGMA application_id")
            version = self._value("PRAGMA user_version")
            if application == 0 and not self._value("SELECT count(*) FROM sqlite_master"):
                for statement in SCHEMA:
                    self._db.execute(statement)
            elif application != APPLICATION_ID:
                raise GradebookError(f"{path} is no gradebook; choose another folder.")
            else:
                version = self._upgrade(version)
            if application == APPLICATION_ID and version != SCHEMA_VERSION:
                raise GradebookError(
                    f"{path} has the format {version}, and this program knows {SCHEMA_VERSION}: "
                    "another version of it made this gradebook. Use that version, or grade into "
                    "another folder."
                )
        # A file system without WAL keeps its own journal: slower, and just as safe.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")

    def _upgrade(self, version: int) -> int:
        """Bring the tables of an earlier format up to this one; return the format they have."""
        while version in UPGRADES:
            self._db.execute(UPGRADES[version])
            version += 1
            self._db.execute(f"PRAGMA user_version = {version}")
        return version

    def close(self) -> None:
        """Close the file; everything is on disk already."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Everything in the body is written, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _value(self, query: str, *values: Any) -> Any:
        row = self._db.execute(query, values).fetchone()
        return None if row is None else row[0]

    # Writing, in the order of a run.

    def start_run(self, confinement: str, data: str, salt: str, versions: Mapping[str, str]) -> int:
        """Begin a run and return its number. Of the salt only a digest is kept."""
        digest = hashlib.sha256(salt.encode()).hexdigest()[:16]
        row = (_now(), confinement, data, digest, json.dumps(dict(versions), sort_keys=True))
        columns = "(started, confinement, data, salt_digest, versions)"
        with self._writing():
            cursor = self._db.execute(f"INSERT INTO runs {columns} VALUES (?, ?, ?, ?, ?)", row)
        self._run = cursor.lastrowid
        assert self._run is not None
        return self._run

    def finish_run(self) -> None:
        """Note that the present run came to its end."""
        with self._writing():
            self._db.execute("UPDATE runs SET finished = ? WHERE id = ?", (_now(), self._in_run()))

    def add_submission(self, submission: Submission, week: int) -> None:
        """Keep what was taken in during this run; it replaces the student's earlier one."""
        self.add_submissions([submission], week)

    def add_submissions(self, submissions: Iterable[Submission], week: int) -> None:
        """Keep a whole class at once.

        What has been handed in before keeps the time at which it first was: pushing the same files
        once more makes nobody late.
        """
        run = self._in_run()
        columns = (
            "(run, student, week, fingerprint, notices, refusal, documents, received, commit_hash)"
        )
        with self._writing():
            for s in submissions:
                received, commit = self._first_received(s, week)
                values = (
                    *(run, s.student, week, s.fingerprint, json.dumps(s.notices)),
                    *(storable(s.refusal), json.dumps(s.documents), received, commit),
                )
                self._db.execute(
                    f"INSERT OR REPLACE INTO submissions {columns} "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    values,
                )

    def _first_received(self, new: Submission, week: int) -> tuple[str | None, str | None]:
        """Return when a submission was handed in, and its commit: the earlier ones, if it is known.

        Times are kept in UTC, so that they sort as text.
        """
        received = new.received.astimezone(UTC).isoformat() if new.received else None
        old = self.submission(new.student, week)
        if old is None or (old.fingerprint, old.documents) != (new.fingerprint, new.documents):
            return received, new.commit
        if old.received and (received is None or old.received <= received):
            return old.received, old.commit
        return received, new.commit

    def plan(self, job: Job, checks: Sequence[PlannedCheck]) -> None:
        """Fix what will be graded, before any of the student's code runs.

        A job that is known already keeps its results and becomes the student's current one again.
        Raises GradebookError where the same key had other checks: a key must change with the suite.
        """
        rows = [
            (job.key, position, check.id, check.item, storable(check.title), check.weight)
            for position, check in enumerate(checks)
        ]
        if len({check.id for check in checks}) < len(checks):
            raise GradebookError(f"the plan of {job.student} names a check twice")
        with self._writing():
            turn = self._value("SELECT coalesce(max(turn), 0) + 1 FROM jobs")
            if self._value("SELECT count(*) FROM jobs WHERE key = ?", job.key):
                self._compare_plan(job, rows)
                self._db.execute("UPDATE jobs SET turn = ? WHERE key = ?", (turn, job.key))
                return
            values = (job.key, self._in_run(), job.student, job.week, job.fingerprint)
            self._db.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, 'planned', 0, ?, ?)",
                (*values, job.confinement, turn, job.part),
            )
            self._db.executemany("INSERT INTO planned VALUES (?, ?, ?, ?, ?, ?)", rows)

    def _compare_plan(self, job: Job, rows: list[tuple[Any, ...]]) -> None:
        query = "SELECT job, position, id, item, title, weight FROM planned WHERE job = ?"
        known = [tuple(row) for row in self._db.execute(f"{query} ORDER BY position", (job.key,))]
        owner = "SELECT student, week, fingerprint FROM jobs WHERE key = ?"
        same = tuple(self._db.execute(owner, (job.key,)).fetchone())
        if known != rows or same != (job.student, job.week, job.fingerprint):
            raise GradebookError(
                f"the job of {job.student} in week {job.week} was planned with other checks or for "
                "another submission under the same key; the key must change with them"
            )

    def record(
        self,
        key: str,
        results: Iterable[CheckResult],
        seconds: float,
        flags: Sequence[Flag] = (),
    ) -> None:
        """Keep results of a job; they replace earlier ones of the same checks.

        `flags` replace all flags that the job had.
        The job is finished once every planned check has a record of which none is INFRA. Raises
        GradebookError, and keeps nothing, for a job or a check that was never planned.
        """
        rows = [result_row(key, result) for result in results]
        with self._writing():
            if not self._value("SELECT count(*) FROM jobs WHERE key = ?", key):
                raise GradebookError(f"there is no job {key!r}")
            query = "SELECT id FROM planned WHERE job = ?"
            planned = {row["id"] for row in self._db.execute(query, (key,))}
            for row in rows:
                if row[1] not in planned:
                    raise GradebookError(f"the check {row[1]!r} was never planned for job {key!r}")
            self._db.executemany(
                "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            self._db.execute("DELETE FROM flags WHERE job = ?", (key,))
            noted = [flag_row(key, position, flag) for position, flag in enumerate(flags)]
            self._db.executemany("INSERT INTO flags VALUES (?, ?, ?, ?, ?, ?)", noted)
            done = "SELECT count(*) FROM results WHERE job = ? AND verdict != ?"
            finished = self._value(done, key, str(Verdict.INFRA)) == len(planned)
            self._db.execute(
                "UPDATE jobs SET state = ?, seconds = ?, run = coalesce(?, run) WHERE key = ?",
                ("finished" if finished else "planned", seconds, self._run, key),
            )

    def import_manual(self, path: Path, course: Course) -> int:
        """Take the marks of a manual.csv and return their number.

        A line replaces an earlier mark for the same student and item, and one with blank points
        withdraws it. Raises ManualError, and changes nothing, where any line is bad.
        """
        found = read_manual(path, course, set(self.students()))
        self.put_marks(found.marks, found.unmarked)
        return len(found.marks)

    def put_marks(
        self, marks: Sequence[ManualMark], unmarked: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Keep marks in the place of earlier ones; withdraw those of pairs of student and item."""
        rows = [(m.student, m.item, m.points, storable(m.comment)) for m in marks]
        with self._writing():
            self._db.executemany("DELETE FROM marks WHERE student = ? AND item = ?", unmarked)
            self._db.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?)", rows)

    def _in_run(self) -> int:
        if self._run is None:
            raise GradebookError("start_run must come first")
        return self._run

    # Reading. What counts for a student and a week is the latest submission and its latest job.

    def students(self) -> list[str]:
        """Return the ids of all who handed in anything, in order."""
        query = "SELECT DISTINCT student FROM submissions ORDER BY student"
        return [row["student"] for row in self._db.execute(query)]

    def weeks(self, student: str) -> list[int]:
        """Return the numbers of the weeks for which a student handed something in."""
        query = "SELECT DISTINCT week FROM submissions WHERE student = ? ORDER BY week"
        return [row["week"] for row in self._db.execute(query, (student,))]

    def submission(self, student: str, week: int) -> Receipt | None:
        """Return the student's latest submission for a week."""
        query = """SELECT student, week, fingerprint, notices, refusal, documents, received,
            commit_hash AS "commit" FROM submissions
            WHERE student = ? AND week = ? ORDER BY run DESC LIMIT 1"""
        row = self._db.execute(query, (student, week)).fetchone()
        if row is None:
            return None
        lists = {
            "notices": tuple(json.loads(row["notices"])),
            "documents": json.loads(row["documents"]),
        }
        return Receipt(**{**dict(row), **lists})

    def has(self, student: str, week: int) -> bool:
        """Whether any file was taken from the student's latest submission for a week."""
        latest = self.submission(student, week)
        if latest is None or latest.refusal is not None:
            return False
        return latest.fingerprint != NOTHING or bool(latest.documents)

    def job(self, student: str, week: int, part: str = SUITE) -> Job | None:
        """Return the current job: the last one planned for the student's latest submission."""
        latest = self.submission(student, week)
        if latest is None:
            return None
        columns = "key, student, week, fingerprint, confinement, part, state, seconds"
        query = f"""SELECT {columns} FROM jobs WHERE student = ? AND week = ? AND part = ?
            AND fingerprint = ? ORDER BY turn DESC LIMIT 1"""
        row = self._db.execute(query, (student, week, part, latest.fingerprint)).fetchone()
        return None if row is None else Job(**dict(row))

    def finished(self, key: str) -> bool:
        """Whether a job has all its results and none of them is INFRA."""
        return bool(self._value("SELECT state FROM jobs WHERE key = ?", key) == "finished")

    def planned(self, student: str, week: int, part: str = SUITE) -> list[PlannedCheck]:
        """Return the plan of the current job, in its order; empty where there is no job."""
        job = self.job(student, week, part)
        query = "SELECT id, item, title, weight FROM planned WHERE job = ? ORDER BY position"
        rows = self._db.execute(query, (job.key,)) if job else ()
        return [PlannedCheck(**dict(row)) for row in rows]

    def results(self, student: str, week: int, part: str = SUITE) -> list[CheckResult]:
        """Return what the current job measured, in the order of its plan."""
        job = self.job(student, week, part)
        query = """SELECT results.* FROM results JOIN planned USING (job, id)
            WHERE job = ? ORDER BY position"""
        rows = self._db.execute(query, (job.key,)) if job else ()
        return [result_of(row) for row in rows]

    def flags(self, student: str, week: int, part: str = SUITE) -> list[Flag]:
        """Return what a person should look at in the current job."""
        job = self.job(student, week, part)
        query = "SELECT rule, evidence, item, place FROM flags WHERE job = ? ORDER BY position"
        rows = self._db.execute(query, (job.key,)) if job else ()
        return [Flag(**dict(row)) for row in rows]

    def marks(self, student: str) -> list[ManualMark]:
        """Return the marks that a person gave a student."""
        query = "SELECT student, item, points, comment FROM marks WHERE student = ? ORDER BY item"
        return [ManualMark(**dict(row)) for row in self._db.execute(query, (student,))]

    def runs(self) -> list[dict[str, Any]]:
        """Return all runs, the first one first, `versions` as a dictionary."""
        rows = self._db.execute("SELECT * FROM runs ORDER BY id")
        return [{**dict(row), "versions": json.loads(row["versions"])} for row in rows]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
