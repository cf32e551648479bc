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
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from autograder.course import Course
from autograder.gradebook.author import author_here
from autograder.gradebook.called import Called
from autograder.gradebook.editions import Editions
from autograder.gradebook.flags import Flag
from autograder.gradebook.graded_files import keep_files
from autograder.gradebook.heartbeat import Heartbeat, RunningJob, heartbeat_of, heartbeat_row
from autograder.gradebook.manual_marks import KeptMark, ManualMarks, read_manual
from autograder.gradebook.marked_answers import (
    MARKED_ANSWERS,
    answer_of,
    answer_rows,
    to_take_over,
)
from autograder.gradebook.opening import (
    Connection,
    GradebookError,
    connect,
    give_back_space,
    in_memory,
    is_refusal,
    is_writable,
    nothing_new_left,
    snapshot,
)
from autograder.gradebook.overrides import Override, put_rows, rows_of
from autograder.gradebook.replaced import Recording, Replaced, keep_replaced, read_replaced
from autograder.gradebook.rows import flag_row, result_of, result_row, storable
from autograder.gradebook.schema import APPLICATION_ID, SCHEMA, SCHEMA_VERSION, UPGRADES
from autograder.gradebook.shared_rows import keep_plan, keep_receipt, keep_text, text_of
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
HANDED_IN = "submissions JOIN receipts ON receipts.id = receipt"

STANDINGS = f"""SELECT submissions.student, submissions.week,
        receipts.fingerprint != :empty AS has_files,
        coalesce(jobs.state = 'finished', 0) AS is_finished, coalesce(jobs.run, 0) AS run,
        coalesce(jobs.seconds, 0) AS seconds,
        (SELECT count(*) FROM results WHERE job = jobs.id) AS results,
        (SELECT count(*) FROM results WHERE job = jobs.id AND verdict = 'infra') AS failures
    FROM {HANDED_IN} LEFT JOIN jobs ON jobs.id = (
        SELECT id FROM jobs AS own WHERE own.student = submissions.student
            AND own.week = submissions.week AND own.part = 'suite'
            AND own.fingerprint = receipts.fingerprint ORDER BY turn DESC LIMIT 1)"""
GIVEN_UP = f"""DELETE FROM jobs WHERE state = 'planned' AND part = 'suite'
    AND run IN (SELECT id FROM runs WHERE started < :before)
    AND NOT EXISTS (SELECT 1 FROM results WHERE job = jobs.id)
    AND NOT EXISTS (SELECT 1 FROM flags WHERE job = jobs.id)
    AND (turn < (SELECT max(turn) FROM jobs AS own WHERE own.student = jobs.student
            AND own.week = jobs.week AND own.part = 'suite' AND own.fingerprint = jobs.fingerprint)
        OR fingerprint != (SELECT fingerprint FROM {HANDED_IN} WHERE student = jobs.student
            AND week = jobs.week ORDER BY run DESC LIMIT 1))"""
KEPT_DAYS = 7
"""No run takes longer: what it planned before may have been given up."""

MARKS_NOW = """SELECT max(id) AS number, student, item, points, comment, given, author FROM marks"""
"""The last line of each mark: with max(), SQLite takes the other columns from its row."""

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
        self._plans: dict[tuple[int, str], tuple[PlannedCheck, ...]] = {}
        self._texts = cache(partial(text_of, connection))

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
            give_back_space(book._db)
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
        except sqlite3.Error as error:
            book.close()
            problem = f"{path} can't be used as a gradebook: {error}"
            raise GradebookError(f"{problem}. Move it away, or choose another folder.") from error
        except BaseException:
            book.close()
            raise
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
            self._db.execute(MARKED_ANSWERS)
        self._db.execute("PRAGMA foreign_keys = ON")

    def _upgrade(self, version: int) -> int:
        """Upgrade the tables of an earlier format; return the format that they have now."""
        while version in UPGRADES:
            step = UPGRADES[version]
            if isinstance(step, str):
                self._db.execute(step)
            else:
                step(self._db)
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
        said = json.dumps(dict(versions), sort_keys=True)
        row = (_now(), confinement, data, digest, said, storable(author_here()))
        columns = "(started, confinement, data, salt_digest, versions, author)"
        with self._writing():
            cursor = self._db.execute(f"INSERT INTO runs {columns} VALUES (?, ?, ?, ?, ?, ?)", row)
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
        makes nobody late. The modules are kept beside the gradebook, in graded_files.py's store.
        """
        run = self._in_run()
        submissions = list(submissions)
        keep_files(self._db.path, submissions)
        with self._writing():
            for submission in submissions:
                received, commit = self._first_received(submission, week)
                values = (
                    *(submission.fingerprint, json.dumps(submission.notices)),
                    *(storable(submission.refusal), json.dumps(submission.documents)),
                    *(received, commit),
                )
                receipt = keep_receipt(self._db, values)
                self._db.execute(
                    "INSERT OR REPLACE INTO submissions VALUES (?, ?, ?, ?)",
                    (submission.student, week, run, receipt),
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
        """Fix what will be graded, before any of the student's code runs: see `plan_all`."""
        self.plan_all([job], checks, depends)

    def plan_all(
        self,
        jobs: Iterable[GradingJob],
        checks: Sequence[PlannedCheck],
        depends: Mapping[str, str] | None = None,
    ) -> None:
        """Fix what will be graded in jobs with the same checks, all at once.

        `depends` are the parts that the results will depend on besides the submission, by name
        (grading.fingerprint). A job that is known already keeps its results, gets the titles that
        its checks have now, and becomes the student's current one again. Raises GradebookError, and
        plans nothing, where the same key had other checks: a key must change with the suite.
        """
        rows = [(check.id, check.item, storable(check.title), check.weight) for check in checks]
        twice = len({check.id for check in checks}) < len(checks)
        with self._writing():
            last = self._value("SELECT coalesce(max(turn), 0) FROM jobs")
            parts = self._keep_dependencies(depends)
            plan = keep_plan(self._db, rows)
            for turn, job in enumerate(jobs, start=last + 1):
                if twice:
                    raise GradebookError(f"the plan of {job.student} names a check twice")
                self._plan_one(job, turn, plan, parts)

    def _plan_one(self, job: GradingJob, turn: int, plan: int, parts: str | None) -> None:
        query = "SELECT id, plan, student, week, fingerprint FROM jobs WHERE key = ?"
        known = self._db.execute(query, (job.key,)).fetchone()
        if known is None:
            values = (job.key, self._in_run(), job.student, job.week, job.fingerprint)
            self._db.execute(
                "INSERT INTO jobs VALUES (NULL, ?, ?, ?, ?, ?, ?, 'planned', 0, ?, ?, ?, ?)",
                (*values, job.confinement, turn, job.part, parts, plan),
            )
            return
        same = (known["student"], known["week"], known["fingerprint"])
        if same != (job.student, job.week, job.fingerprint) or not self._alike(known["plan"], plan):
            raise GradebookError(
                f"the job of {job.student} in week {job.week} was planned with other checks or for "
                "another submission under the same key; the key must change with them"
            )
        # The run of a job without results is the last that planned it: see `tidy`.
        self._db.execute(
            """UPDATE jobs SET turn = ?, plan = ?, dependencies = coalesce(?, dependencies),
                run = iif(EXISTS (SELECT 1 FROM results WHERE job = jobs.id), run, coalesce(?, run))
                WHERE id = ?""",
            (turn, plan, parts, self._run, known["id"]),
        )

    def _keep_dependencies(self, parts: Mapping[str, str] | None) -> str | None:
        """Keep what a job depends on, once for all jobs that depend on the same."""
        if parts is None:
            return None
        text = json.dumps(dict(parts), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._db.execute("INSERT OR IGNORE INTO dependencies VALUES (?, ?)", (digest, text))
        return digest

    def _alike(self, plan: int, other: int) -> bool:
        """Whether two plans are the same but for titles: these are tests' docstrings, which change
        no result."""
        query = "SELECT id, item, weight FROM planned WHERE plan = ? ORDER BY position"
        rows = (self._db.execute(query, (number,)).fetchall() for number in (plan, other))
        return plan == other or [*map(tuple, next(rows))] == [*map(tuple, next(rows))]

    def record(
        self,
        key: str,
        results: Iterable[CheckResult],
        seconds: float,
        flags: Sequence[Flag] = (),
    ) -> None:
        """Keep results of a job: they count in place of earlier results of the same checks.

        `flags` count in place of all flags of the job. What they replace is kept as well, with the
        time at which that was done: see `replaced_results`. The job is finished once every planned
        check has a record of which none is INFRA. Raises GradebookError, and keeps nothing, for a
        job or a check that was never planned.
        """
        with self._writing():
            job = self._db.execute("SELECT id, plan FROM jobs WHERE key = ?", (key,)).fetchone()
            if job is None:
                raise GradebookError(f"there is no job {key!r}")
            plan = self._plan(job["plan"])
            positions = {check.id: position for position, check in enumerate(plan)}
            keep = cache(partial(keep_text, self._db))
            rows = []
            for one in results:
                if one.check not in positions:
                    raise GradebookError(
                        f"the check {one.check!r} was never planned for job {key!r}"
                    )
                rows.append((job["id"], positions[one.check], *result_row(one, keep)))
            flag_rows = [flag_row(job["id"], position, flag) for position, flag in enumerate(flags)]
            keep_replaced(self._db, self._recording(job["id"], seconds), rows, flag_rows)
            self._db.executemany(
                "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
            self._db.execute("DELETE FROM flags WHERE job = ?", (job["id"],))
            self._db.executemany("INSERT INTO flags VALUES (?, ?, ?, ?, ?, ?)", flag_rows)
            query = "SELECT count(*) FROM results WHERE job = ? AND verdict != ?"
            finished = self._value(query, job["id"], str(Verdict.INFRA)) == len(plan)
            self._db.execute(
                "UPDATE jobs SET state = ?, seconds = ?, run = coalesce(?, run) WHERE id = ?",
                ("finished" if finished else "planned", seconds, self._run, job["id"]),
            )

    def _recording(self, job: int, seconds: float) -> Recording:
        """Keep that results of a job are recorded now."""
        values = (job, self._run, _now(), seconds)
        columns = "(job, run, recorded, seconds)"
        statement = f"INSERT INTO recordings {columns} VALUES (?, ?, ?, ?)"
        number = self._db.execute(statement, values).lastrowid
        assert number is not None
        return Recording(number, job)

    def tidy(self, now: datetime | None = None) -> None:
        """Take out what a stopped run planned and nobody will ever come to; give back its space.

        That is a plan older than KEPT_DAYS without a result, other than the current one of the
        student's latest submission. All results stay, and so does what may still be examined.
        """
        before = (now or datetime.now(UTC)) - timedelta(days=KEPT_DAYS)
        with self._writing():
            self._db.execute(GIVEN_UP, {"before": before.isoformat(timespec="seconds")})
            for table in ("planned WHERE plan", "plans WHERE id"):
                self._db.execute(f"DELETE FROM {table} NOT IN (SELECT plan FROM jobs)")
        give_back_space(self._db)

    def import_manual(self, path: Path, course: Course) -> int:
        """Import the marks of a manual.csv and return their number.

        A line replaces an earlier mark for the same student and item, and one with blank points
        withdraws it. Raises ManualError, and changes nothing, where any line is bad.
        """
        manual = read_manual(path, course, Called(self.students()))
        self.take_marks(manual, course)
        return len(manual.marks)

    def take_marks(self, given: ManualMarks, course: Course) -> None:
        """Keep the marks of a file, as far as it says anything new: see `to_take_over`."""
        students = {mark.student for mark in given.marks}
        old = {(one, mark.item): mark for one in students for mark in self.marks(one)}
        marked = {
            (one, item): answer
            for one in students
            for item, answer in self.marked_answers(one).items()
        }
        now = partial(self._answer, course)
        marks, answers = to_take_over(given, old, marked, now)
        self.put_marks(marks, given.unmarked, answers)

    def put_marks(
        self,
        marks: Sequence[ManualMark],
        unmarked: Sequence[tuple[str, str]] = (),
        answers: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """Keep marks, which count in place of earlier ones; withdraw those of `unmarked`.

        `answers` are the answers that they are for, by student and item, where that is known. All
        that were ever given stay, with time and author: see `mark_history`. A mark that is given
        once more as it is changes nothing, unless it is for another answer.
        """
        answers = answers or {}
        author = storable(author_here())
        with self._writing():
            now = {
                (row["student"], row["item"]): (row["points"], row["comment"])
                for row in self._db.execute(f"{MARKS_NOW} GROUP BY student, item")
            }
            query = "SELECT student, item, answer FROM marked_answers"
            marked = {
                (row["student"], row["item"]): row["answer"] for row in self._db.execute(query)
            }
            given: list[tuple[str, str, int | None, str | None]] = [
                (student, item, None, "")
                for student, item in unmarked
                if now.get((student, item), (None, ""))[0] is not None
            ]
            for mark in marks:
                key, kept = (mark.student, mark.item), (mark.points, storable(mark.comment))
                if now.get(key) != kept or answers.get(key) not in (None, marked.get(key)):
                    given.append((*key, *kept))
            self._db.executemany(
                "INSERT INTO marks VALUES (NULL, ?, ?, ?, ?, ?, ?)",
                [(*values, _now(), author) for values in given],
            )
            own = "DELETE FROM marked_answers WHERE student = ? AND item = ?"
            keys = [*unmarked, *((mark.student, mark.item) for mark in marks)]
            self._db.executemany(own, keys)
            for_answers = answer_rows(marks, answers)
            self._db.executemany("INSERT INTO marked_answers VALUES (?, ?, ?)", for_answers)

    def add_overrides(self, events: Iterable[Override]) -> None:
        """Keep what a person changed, behind all that was changed before; needs no run."""
        with self._writing():
            put_rows(self._db, _now(), events)

    def confirm_answers(self, answers: Mapping[tuple[str, str], str]) -> None:
        """Record for which answers marks are, by student and item; the marks stay."""
        rows = [(*key, answer) for key, answer in answers.items()]
        with self._writing():
            query = "INSERT OR REPLACE INTO marked_answers VALUES (?, ?, ?)"
            self._db.executemany(query, rows)

    def answers_now(
        self, course: Course, marks: Iterable[ManualMark]
    ) -> dict[tuple[str, str], str]:
        """Return the digests of the answers that are there now for what these marks are of."""
        keys = ((mark.student, mark.item) for mark in marks)
        return {key: self._answer(course, key) for key in keys}

    def _answer(self, course: Course, key: tuple[str, str]) -> str:
        """Return the digest of what a student, the first of `key`, handed in for an item.

        A submission that was not taken leaves the one whose results count.
        """
        item = course.item(key[1])
        latest = self.submission(key[0], item.week)
        if latest is not None and latest.refusal is not None:
            job = self.counting_job(key[0], item.week)
            latest = self.submission(key[0], item.week, job.fingerprint) if job else None
        return answer_of(course, item, latest.documents if latest else {})

    def _in_run(self) -> int:
        if self._run is None:
            raise GradebookError("start_run must come first")
        return self._run

    # Reading. For a student and a week, the latest submission and its latest job count.

    def students(self) -> list[str]:
        """Return the ids of all students with a submission, sorted."""
        query = "SELECT DISTINCT student FROM submissions ORDER BY student"
        return [row["student"] for row in self._db.execute(query)]

    def open_weeks(self) -> list[int]:
        """Return the numbers of the weeks for which anybody has a submission."""
        return [row["week"] for row in self._db.execute("SELECT DISTINCT week FROM submissions")]

    def marked_items(self) -> set[str]:
        """Return the ids of the items for which a person gave anybody a mark."""
        query = f"""SELECT DISTINCT item FROM ({MARKS_NOW} GROUP BY student, item)
            WHERE points IS NOT NULL AND student IN (SELECT student FROM submissions)"""
        return {row["item"] for row in self._db.execute(query)}

    def weeks(self, student: str) -> list[int]:
        """Return the numbers of the weeks for which a student has a submission."""
        query = "SELECT DISTINCT week FROM submissions WHERE student = ? ORDER BY week"
        return [row["week"] for row in self._db.execute(query, (student,))]

    def submission(self, student: str, week: int, fingerprint: str | None = None) -> Receipt | None:
        """Return the student's latest submission for a week, or the latest of these files."""
        query = f"""SELECT {RECEIPT} FROM {HANDED_IN} WHERE student = ? AND week = ?
            AND fingerprint = coalesce(?, fingerprint) ORDER BY run DESC LIMIT 1"""
        row = self._db.execute(query, (student, week, fingerprint)).fetchone()
        return None if row is None else _receipt(row)

    def submissions_before(self, when: datetime) -> dict[tuple[str, int], Receipt]:
        """Return the latest submissions, by student and week, of the runs begun before a time."""
        query = f"""SELECT {RECEIPT} FROM (SELECT student, week, receipt, max(run) FROM submissions
            JOIN runs ON run = runs.id WHERE started < ? GROUP BY student, week)
            JOIN receipts ON receipts.id = receipt"""
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
        """Return the job whose results count: the current one, once it is finished.

        Until then it is the last finished one: of the same files if there is any. So a run that is
        stopped, or in which the grader fails, takes nobody's points away. While nothing is
        finished, what there is of the current one counts. A submission that was not taken leaves
        the last that was. Of trainings, that of the files whose suite counts comes first.
        """
        latest = self.submission(student, week)
        if latest is None:
            return None
        files = latest.fingerprint
        if part != SUITE:
            suite = self.counting_job(student, week)
            files = suite.fingerprint if suite else files
        current = self._job_of(student, week, part, files)
        refused = latest.refusal is not None and files == latest.fingerprint
        if current and current.state == "finished" and not refused:
            return current
        which = ""
        if refused:
            which = f"""AND fingerprint != :empty AND fingerprint IN (SELECT fingerprint
                FROM {HANDED_IN} WHERE student = :student AND week = :week AND refusal IS NULL)"""
        query = f"""SELECT {JOB} FROM jobs WHERE student = :student AND week = :week
            AND part = :part AND state = 'finished' {which}
            ORDER BY fingerprint = :files DESC, turn DESC LIMIT 1"""
        values = {"student": student, "week": week, "part": part, "files": files}
        row = self._db.execute(query, {**values, "empty": EMPTY_FINGERPRINT}).fetchone()
        return current if row is None else GradingJob(**dict(row))

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

    def planned_in(self, job: GradingJob | None, under: str = "") -> list[PlannedCheck]:
        """Return the checks planned in a job, in order; `under` is put before their ids.

        Jobs with the same plan get the same objects.
        """
        number = self._value("SELECT plan FROM jobs WHERE key = ?", job.key) if job else None
        return [] if number is None else list(self._plan(number, under))

    def _plan(self, number: int, under: str = "") -> tuple[PlannedCheck, ...]:
        if (number, under) not in self._plans:
            query = "SELECT id, item, title, weight FROM planned WHERE plan = ? ORDER BY position"
            plan = [PlannedCheck(**dict(row)) for row in self._db.execute(query, (number,))]
            named = (replace(check, id=under + check.id) for check in plan)
            self._plans[number, under] = tuple(named if under else plan)
        return self._plans[number, under]

    def results(self, student: str, week: int, part: str = SUITE) -> list[CheckResult]:
        """Return the results of the current job, in the order of its plan."""
        return self.results_of(self.job(student, week, part))

    def results_of(self, job: GradingJob | None, under: str = "") -> list[CheckResult]:
        """Return the results of a job, in the order of its plan; `under` as in `planned_in`."""
        query = "SELECT * FROM results WHERE job = (SELECT id FROM jobs WHERE key = ?)"
        rows = self._db.execute(f"{query} ORDER BY position", (job.key,)) if job else ()
        plan = self.planned_in(job, under)
        return [result_of(row, plan[row["position"]].id, self._texts) for row in rows]

    def flags(self, student: str, week: int, part: str = SUITE) -> list[Flag]:
        """Return the flags of the current job, for a person to look at."""
        return self.flags_of(self.job(student, week, part))

    def flags_of(self, job: GradingJob | None) -> list[Flag]:
        """Return the flags of a job."""
        query = """SELECT rule, evidence, item, place FROM flags
            WHERE job = (SELECT id FROM jobs WHERE key = ?) ORDER BY position"""
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
        """Return the marks that a person gave a student, and that count."""
        return [one.mark for one in self.kept_marks(student) if one.mark]

    def kept_marks(self, student: str) -> list[KeptMark]:
        """Return the last mark of each item of a student, with time and author, by item."""
        query = f"{MARKS_NOW} WHERE student = ? GROUP BY item ORDER BY item"
        return [KeptMark(**dict(row)) for row in self._db.execute(query, (student,))]

    def mark_history(self, student: str) -> list[KeptMark]:
        """Return all marks that a student was ever given, the first one first."""
        query = """SELECT id AS number, student, item, points, comment, given, author FROM marks
            WHERE student = ? ORDER BY id"""
        return [KeptMark(**dict(row)) for row in self._db.execute(query, (student,))]

    def replaced_results(self, key: str) -> list[Replaced]:
        """Return the results of a job that later ones replaced, the first ones first."""
        row = self._db.execute("SELECT id, plan FROM jobs WHERE key = ?", (key,)).fetchone()
        if row is None:
            return []
        return read_replaced(self._db, row["id"], self._plan(row["plan"]), self._texts)

    @property
    def path(self) -> Path:
        """Where the gradebook lies; of a copy in memory, where what was copied does."""
        return self._db.path

    @property
    def editions(self) -> Editions:
        """What counted whenever reports were written."""
        return Editions(self._db, self._writing, lambda: self._run)

    def overrides(self, student: str | None = None) -> list[Override]:
        """Return all that was ever changed by a person, of a student or of everybody, in order."""
        return rows_of(self._db, student)

    def marked_answers(self, student: str) -> dict[str, str]:
        """Return the digests of the answers that a student's marks are for, by item."""
        query = "SELECT item, answer FROM marked_answers WHERE student = ?"
        return {row["item"]: row["answer"] for row in self._db.execute(query, (student,))}

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
