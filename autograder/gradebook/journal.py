"""The gradebook: an SQLite journal of submissions, plans, results, flags and marks.

One process writes at a time. Every method that writes is one transaction: when it returns, all of
it is on disk; when it is interrupted, nothing is.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
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
from autograder.gradebook.heartbeat import Heartbeat, RunningJob, heartbeat_of, heartbeat_row
from autograder.gradebook.manual_marks import read_manual
from autograder.gradebook.opening import (
    Connection,
    GradebookError,
    connect,
    in_memory,
    is_refusal,
    is_writable,
    nothing_new_left,
    snapshot,
)
from autograder.gradebook.rows import flag_row, result_of, result_row, storable
from autograder.gradebook.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION, UPGRADES
from autograder.gradebook.submission import Submission
from autograder.records import CheckResult, ManualMark, PlannedCheck, Verdict

SUITE, TRAINING = PARTS = ("suite", "training")
"""The parts of grading a submission: the suite, and the training job."""


@dataclass(frozen=True)
class GradingJob:
    """The grading of one submission: its key changes with everything that could change its results.

    `week` is the week's number; `part` is one of PARTS, or the caller's own for results that are
    not scored. `state` is "planned" or "finished"; `seconds` is the duration of the last recording.
    Both are set by the gradebook.
    """

    key: str
    student: str
    week: int
    fingerprint: str
    confinement: str
    part: str = SUITE
    state: str = "planned"
    seconds: float = 0.0


EMPTY_FINGERPRINT = Submission("").fingerprint
JOB = "key, student, week, fingerprint, confinement, part, state, seconds"
RECEIPT = """student, week, fingerprint, notices, refusal, documents, received,
    commit_hash AS "commit\""""

STANDINGS = """SELECT submissions.student, submissions.week,
        submissions.fingerprint != :empty AS has_files,
        coalesce(jobs.state = 'finished', 0) AS is_finished, coalesce(jobs.run, 0) AS run,
        coalesce(jobs.seconds, 0) AS seconds,
        (SELECT count(*) FROM results WHERE job = jobs.key) AS results,
        (SELECT count(*) FROM results WHERE job = jobs.key AND verdict = 'infra') AS failures
    FROM submissions LEFT JOIN jobs ON jobs.key = (
        SELECT key FROM jobs AS own WHERE own.student = submissions.student
            AND own.week = submissions.week AND own.part = 'suite'
            AND own.fingerprint = submissions.fingerprint ORDER BY turn DESC LIMIT 1)"""
LATEST = """submissions.run = (SELECT max(own.run) FROM submissions AS own
    WHERE own.student = submissions.student AND own.week = submissions.week)"""


@dataclass(frozen=True)
class Receipt:
    """A submission as the gradebook keeps it: without the files.

    `documents` maps the names of the documents to the SHA-256 of their contents. `received` is the
    hand-in time, as ISO 8601 in UTC, `commit` the commit's hash; each is None where unknown.
    """

    student: str
    week: int
    fingerprint: str
    notices: tuple[str, ...]
    refusal: str | None
    documents: Mapping[str, str]
    received: str | None = None
    commit: str | None = None


@dataclass(frozen=True)
class Standing:
    """How far the grading of a submission by its week's suite has come.

    `run` is the number of the run that planned its job or last recorded results of it, 0 where
    there is no job; `results` is their number, `failures` that of the grader's own. `seconds` is
    the duration of the last recording.
    """

    student: str
    week: int
    has_files: bool
    is_finished: bool
    run: int
    seconds: float
    results: int
    failures: int


class Gradebook:
    """An open gradebook; a context manager that closes itself."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._run: int | None = None

    @classmethod
    def open(cls, path: Path) -> Gradebook:
        """Open a gradebook, or make an empty one with its folder.

        Raises GradebookError for a file that is no gradebook, one that a newer version wrote, and
        one that can't be opened or written or stays locked by another program; nothing new is left.
        """
        with nothing_new_left(path):
            book = cls._prepared(connect(path), path)
            # A file system without WAL keeps its own journal: slower, and just as safe.
            book._db.execute("PRAGMA journal_mode = WAL")
            book._db.execute("PRAGMA synchronous = FULL")
        return book

    @classmethod
    def read(cls, path: Path) -> Gradebook:
        """Open a gradebook to read it. What can't be written stays as it is.

        Raises GradebookError like `open`, and where there is none.
        """
        if not path.is_file():
            raise GradebookError(f"there is no {path}")
        if is_writable(path):
            try:
                return cls.open(path)
            except GradebookError as error:
                if not is_refusal(error):
                    raise
        return cls._prepared(snapshot(path), path)

    @classmethod
    def _prepared(cls, connection: Connection, path: Path) -> Gradebook:
        """Return the gradebook of a connection, with the tables of the present format."""
        book = cls(connection)
        try:
            connection.row_factory = sqlite3.Row
            book._prepare(path)
        except GradebookError:
            book.close()
            raise
        except sqlite3.Error as error:
            book.close()
            problem = f"{path} can't be used as a gradebook: {error}"
            raise GradebookError(f"{problem}. Move it away, or choose another folder.") from error
        return book

    @classmethod
    def copy_of(cls, path: Path) -> Gradebook:
        """Return a copy in memory of a gradebook, an empty one where there is none.

        Neither the file nor its folder is written to. Raises GradebookError as `open` does.
        """
        if path.exists():
            return cls._prepared(snapshot(path), path)
        return cls._prepared(in_memory(path), path)

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
        self._db.execute("PRAGMA foreign_keys = ON")

    def _upgrade(self, version: int) -> int:
        """Upgrade the tables of an earlier format; return the format that they have now."""
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
        """Run the body as one transaction: all of it is written, or nothing."""
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
        """Begin a run and return its number. Only a digest of the salt is kept."""
        digest = hashlib.sha256(salt.encode()).hexdigest()[:16]
        row = (_now(), confinement, data, digest, json.dumps(dict(versions), sort_keys=True))
        columns = "(started, confinement, data, salt_digest, versions)"
        with self._writing():
            cursor = self._db.execute(f"INSERT INTO runs {columns} VALUES (?, ?, ?, ?, ?)", row)
        self._run = cursor.lastrowid
        assert self._run is not None
        return self._run

    def finish_run(self) -> None:
        """Record that the current run has finished."""
        with self._writing():
            self._db.execute("UPDATE runs SET finished = ? WHERE id = ?", (_now(), self._in_run()))

    def beat(self, at_once: int, running: Iterable[RunningJob] = ()) -> None:
        """Record that the current run goes on in this process, and what it is examining now."""
        here = (os.getpid(), socket.gethostname())
        beat = Heartbeat(self._in_run(), *here, at_once, datetime.now(UTC), tuple(running))
        with self._writing():
            self._db.execute(
                "INSERT OR REPLACE INTO heartbeats VALUES (?, ?, ?, ?, ?, ?)", heartbeat_row(beat)
            )

    def add_submission(self, submission: Submission, week: int) -> None:
        """Keep a submission of this run; it replaces the student's earlier one."""
        self.add_submissions([submission], week)

    def add_submissions(self, submissions: Iterable[Submission], week: int) -> None:
        """Keep a whole class's submissions at once.

        Files that were handed in before keep their first hand-in time: pushing the same files again
        makes nobody late.
        """
        run = self._in_run()
        columns = (
            "(run, student, week, fingerprint, notices, refusal, documents, received, commit_hash)"
        )
        with self._writing():
            for submission in submissions:
                received, commit = self._first_received(submission, week)
                values = (
                    *(run, submission.student, week, submission.fingerprint),
                    *(json.dumps(submission.notices), storable(submission.refusal)),
                    *(json.dumps(submission.documents), received, commit),
                )
                self._db.execute(
                    f"INSERT OR REPLACE INTO submissions {columns} "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    values,
                )

    def _first_received(self, new: Submission, week: int) -> tuple[str | None, str | None]:
        """Return a submission's hand-in time and commit: the earlier ones, if its files are known.

        Times are kept in UTC, so that they sort as text.
        """
        received = new.received.astimezone(UTC).isoformat() if new.received else None
        old = self.submission(new.student, week)
        if old is None or (old.fingerprint, old.documents) != (new.fingerprint, new.documents):
            return received, new.commit
        if old.received and (received is None or old.received <= received):
            return old.received, old.commit
        return received, new.commit

    def plan(
        self,
        job: GradingJob,
        checks: Sequence[PlannedCheck],
        depends: Mapping[str, str] | None = None,
    ) -> None:
        """Fix what will be graded, before any of the student's code runs.

        `depends` are the parts that the results will depend on besides the submission, by name
        (grading.fingerprint). A job that is known already keeps its results, gets the titles that
        its checks have now, and becomes the student's current one again. Raises GradebookError
        where the same key had other checks: a key must change with the suite.
        """
        rows = [
            (job.key, position, check.id, check.item, storable(check.title), check.weight)
            for position, check in enumerate(checks)
        ]
        if len({check.id for check in checks}) < len(checks):
            raise GradebookError(f"the plan of {job.student} names a check twice")
        with self._writing():
            turn = self._value("SELECT coalesce(max(turn), 0) + 1 FROM jobs")
            parts = self._keep_dependencies(depends)
            if self._value("SELECT count(*) FROM jobs WHERE key = ?", job.key):
                self._compare_plan(job, rows)
                self._db.execute(
                    "UPDATE jobs SET turn = ?, dependencies = coalesce(?, dependencies) "
                    "WHERE key = ?",
                    (turn, parts, job.key),
                )
                self._db.executemany(
                    "UPDATE planned SET title = ? WHERE job = ? AND id = ? AND title != ?",
                    [(title, job.key, id, title) for _, _, id, _, title, _ in rows],
                )
                return
            values = (job.key, self._in_run(), job.student, job.week, job.fingerprint)
            self._db.execute(
                "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, 'planned', 0, ?, ?, ?)",
                (*values, job.confinement, turn, job.part, parts),
            )
            self._db.executemany("INSERT INTO planned VALUES (?, ?, ?, ?, ?, ?)", rows)

    def _keep_dependencies(self, parts: Mapping[str, str] | None) -> str | None:
        """Keep what a job depends on, once for all jobs that depend on the same."""
        if parts is None:
            return None
        text = json.dumps(dict(parts), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._db.execute("INSERT OR IGNORE INTO dependencies VALUES (?, ?)", (digest, text))
        return digest

    def _compare_plan(self, job: GradingJob, rows: list[tuple[Any, ...]]) -> None:
        """Raise GradebookError where a key comes with another plan than before. Titles may differ:
        they are a test's docstring, which changes no result."""
        rows = [(*row[:4], *row[5:]) for row in rows]
        query = "SELECT job, position, id, item, weight FROM planned WHERE job = ?"
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
        """Keep results of a job; they replace earlier results of the same checks.

        `flags` replace all flags of the job. The job is finished once every planned check has a
        record of which none is INFRA. Raises GradebookError, and keeps nothing, for a job or a
        check that was never planned.
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
            flag_rows = [flag_row(key, position, flag) for position, flag in enumerate(flags)]
            self._db.executemany("INSERT INTO flags VALUES (?, ?, ?, ?, ?, ?)", flag_rows)
            query = "SELECT count(*) FROM results WHERE job = ? AND verdict != ?"
            finished = self._value(query, key, str(Verdict.INFRA)) == len(planned)
            self._db.execute(
                "UPDATE jobs SET state = ?, seconds = ?, run = coalesce(?, run) WHERE key = ?",
                ("finished" if finished else "planned", seconds, self._run, key),
            )

    def import_manual(self, path: Path, course: Course) -> int:
        """Import the marks of a manual.csv and return their number.

        A line replaces an earlier mark for the same student and item, and one with blank points
        withdraws it. Raises ManualError, and changes nothing, where any line is bad.
        """
        manual = read_manual(path, course, set(self.students()))
        self.put_marks(manual.marks, manual.unmarked)
        return len(manual.marks)

    def put_marks(
        self, marks: Sequence[ManualMark], unmarked: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Keep marks, which replace earlier ones; delete those of `unmarked` (student, item)."""
        rows = [(mark.student, mark.item, mark.points, storable(mark.comment)) for mark in marks]
        with self._writing():
            self._db.executemany("DELETE FROM marks WHERE student = ? AND item = ?", unmarked)
            self._db.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?)", rows)

    def _in_run(self) -> int:
        if self._run is None:
            raise GradebookError("start_run must come first")
        return self._run

    # Reading. For a student and a week, the latest submission and its latest job count.

    def students(self) -> list[str]:
        """Return the ids of all students with a submission, sorted."""
        query = "SELECT DISTINCT student FROM submissions ORDER BY student"
        return [row["student"] for row in self._db.execute(query)]

    def weeks(self, student: str) -> list[int]:
        """Return the numbers of the weeks for which a student has a submission."""
        query = "SELECT DISTINCT week FROM submissions WHERE student = ? ORDER BY week"
        return [row["week"] for row in self._db.execute(query, (student,))]

    def submission(self, student: str, week: int, fingerprint: str | None = None) -> Receipt | None:
        """Return the student's latest submission for a week, or the latest of these files."""
        query = f"""SELECT {RECEIPT} FROM submissions WHERE student = ? AND week = ?
            AND fingerprint = coalesce(?, fingerprint) ORDER BY run DESC LIMIT 1"""
        row = self._db.execute(query, (student, week, fingerprint)).fetchone()
        return None if row is None else _receipt(row)

    def submissions_before(self, when: datetime) -> dict[tuple[str, int], Receipt]:
        """Return the latest submissions, by student and week, of the runs begun before a time."""
        query = f"""SELECT {RECEIPT} FROM (SELECT submissions.*, max(run) FROM submissions
            JOIN runs ON run = runs.id WHERE started < ? GROUP BY student, week)"""
        rows = self._db.execute(query, (when.astimezone(UTC).isoformat(timespec="seconds"),))
        return {(row["student"], row["week"]): _receipt(row) for row in rows}

    def has(self, student: str, week: int) -> bool:
        """Whether any file was taken from the student's latest submission for a week."""
        latest = self.submission(student, week)
        if latest is None or latest.refusal is not None:
            return False
        return latest.fingerprint != EMPTY_FINGERPRINT or bool(latest.documents)

    def job(self, student: str, week: int, part: str = SUITE) -> GradingJob | None:
        """Return the current job: the last one planned for the student's latest submission."""
        latest = self.submission(student, week)
        return None if latest is None else self._job_of(student, week, part, latest.fingerprint)

    def _job_of(self, student: str, week: int, part: str, fingerprint: str) -> GradingJob | None:
        """Return the last job planned for these files."""
        query = f"""SELECT {JOB} FROM jobs WHERE student = ? AND week = ? AND part = ?
            AND fingerprint = ? ORDER BY turn DESC LIMIT 1"""
        row = self._db.execute(query, (student, week, part, fingerprint)).fetchone()
        return None if row is None else GradingJob(**dict(row))

    def counting_job(self, student: str, week: int, part: str = SUITE) -> GradingJob | None:
        """Return the job whose results count.

        It is the current one. While nothing of that has been examined yet, it is the last finished
        one: of the same files if there is any. The training counts of those files whose suite does.
        """
        latest = self.submission(student, week)
        if latest is None or latest.refusal is not None:
            return self.job(student, week, part)
        files = latest.fingerprint
        if part != SUITE:
            suite = self.counting_job(student, week)
            files = suite.fingerprint if suite else files
        current = self._job_of(student, week, part, files)
        if current and (current.state == "finished" or self._has_results(current)):
            return current
        other_files = "" if part == SUITE else "AND fingerprint = :files"
        query = f"""SELECT {JOB} FROM jobs WHERE student = :student AND week = :week
            AND part = :part AND state = 'finished' {other_files}
            ORDER BY fingerprint = :files DESC, turn DESC LIMIT 1"""
        values = {"student": student, "week": week, "part": part, "files": files}
        row = self._db.execute(query, values).fetchone()
        return current if row is None else GradingJob(**dict(row))

    def _has_results(self, job: GradingJob) -> bool:
        return bool(self._value("SELECT count(*) FROM results WHERE job = ?", job.key))

    def jobs(self, week: int, part: str = SUITE) -> list[GradingJob]:
        """Return all jobs of a week that were ever planned, the current ones first."""
        query = f"SELECT {JOB} FROM jobs WHERE week = ? AND part = ? ORDER BY turn DESC"
        return [GradingJob(**dict(row)) for row in self._db.execute(query, (week, part))]

    def dependencies(self, key: str) -> dict[str, str] | None:
        """Return the parts that a job depends on; None where they were not kept."""
        query = """SELECT parts FROM jobs JOIN dependencies
            ON jobs.dependencies = dependencies.digest WHERE key = ?"""
        text = self._value(query, key)
        return None if text is None else json.loads(text)

    def finished(self, key: str) -> bool:
        """Whether a job has all its results and none of them is INFRA."""
        return bool(self._value("SELECT state FROM jobs WHERE key = ?", key) == "finished")

    def planned(self, student: str, week: int, part: str = SUITE) -> list[PlannedCheck]:
        """Return the checks planned in the current job, in order; none where there is no job."""
        return self.planned_in(self.job(student, week, part))

    def planned_in(self, job: GradingJob | None) -> list[PlannedCheck]:
        """Return the checks planned in a job, in order."""
        query = "SELECT id, item, title, weight FROM planned WHERE job = ? ORDER BY position"
        rows = self._db.execute(query, (job.key,)) if job else ()
        return [PlannedCheck(**dict(row)) for row in rows]

    def results(self, student: str, week: int, part: str = SUITE) -> list[CheckResult]:
        """Return the results of the current job, in the order of its plan."""
        return self.results_of(self.job(student, week, part))

    def results_of(self, job: GradingJob | None) -> list[CheckResult]:
        """Return the results of a job, in the order of its plan."""
        query = """SELECT results.* FROM results JOIN planned USING (job, id)
            WHERE job = ? ORDER BY position"""
        rows = self._db.execute(query, (job.key,)) if job else ()
        return [result_of(row) for row in rows]

    def flags(self, student: str, week: int, part: str = SUITE) -> list[Flag]:
        """Return the flags of the current job, for a person to look at."""
        return self.flags_of(self.job(student, week, part))

    def flags_of(self, job: GradingJob | None) -> list[Flag]:
        """Return the flags of a job."""
        query = "SELECT rule, evidence, item, place FROM flags WHERE job = ? ORDER BY position"
        rows = self._db.execute(query, (job.key,)) if job else ()
        return [Flag(**dict(row)) for row in rows]

    def standings(self, run: int | None = None) -> list[Standing]:
        """Return the standings of a run's submissions, or of everybody's latest ones."""
        which = LATEST if run is None else "submissions.run = :run"
        query = f"{STANDINGS} WHERE {which} ORDER BY submissions.week, submissions.student"
        rows = self._db.execute(query, {"empty": EMPTY_FINGERPRINT, "run": run})
        flags = ("has_files", "is_finished")
        return [Standing(**{**dict(row), **{key: bool(row[key]) for key in flags}}) for row in rows]

    def last_heartbeat(self) -> Heartbeat | None:
        """Return the last heartbeat of the last run that has any."""
        row = self._db.execute("SELECT * FROM heartbeats ORDER BY run DESC LIMIT 1").fetchone()
        return None if row is None else heartbeat_of(row)

    def marks(self, student: str) -> list[ManualMark]:
        """Return the marks that a person gave a student."""
        query = "SELECT student, item, points, comment FROM marks WHERE student = ? ORDER BY item"
        return [ManualMark(**dict(row)) for row in self._db.execute(query, (student,))]

    def runs(self) -> list[dict[str, Any]]:
        """Return all runs, the first one first, `versions` as a dictionary."""
        rows = self._db.execute("SELECT * FROM runs ORDER BY id")
        return [{**dict(row), "versions": json.loads(row["versions"])} for row in rows]


def _receipt(row: sqlite3.Row) -> Receipt:
    lists = {
        "notices": tuple(json.loads(row["notices"])),
        "documents": json.loads(row["documents"]),
    }
    return Receipt(**{**dict(row), **lists})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
