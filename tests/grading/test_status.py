"""`autograder status`: a grading that runs, has ended, was stopped, or hangs."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.gradebook.heartbeat import RunningJob
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.opening import GradebookError
from autograder.gradebook.submission import Submission
from autograder.grading.lock import LOCK, RunningError, holder, only_grading
from autograder.grading.pace import Timed, seconds_left, what_took_longest
from autograder.grading.status import State, StatusError, as_json, lines, read_status
from autograder.records import CheckResult, PlannedCheck, Verdict

PLAN = [PlannedCheck("t::a", "week2.double", "Doubles.")]
STUDENTS = ("ada", "ben", "cyd", "eve")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def book(out: Path) -> Iterator[Gradebook]:
    """A run of week 2: Ada is graded, Ben's grading failed by our fault, Cyd's is running."""
    with Gradebook.open(out / "gradebook.sqlite") as book:
        begin(book)
        record(book, "ada", Verdict.PASS, 30.0)
        record(book, "ben", Verdict.INFRA, 0.0)
        book.beat(2, [RunningJob("cyd", 2, datetime.now(UTC) - timedelta(seconds=12))])
        yield book


def begin(book: Gradebook, students: tuple[str, ...] = STUDENTS) -> None:
    book.start_run("A", "none", "salt", {})
    submissions = [Submission(name, {"double.py": b"x = 1"}) for name in students]
    book.add_submissions(submissions, 2)
    for one in submissions:
        book.plan(GradingJob(f"key of {one.student}", one.student, 2, one.fingerprint, "A"), PLAN)


def record(book: Gradebook, student: str, verdict: Verdict, seconds: float) -> None:
    book.record(f"key of {student}", [CheckResult("t::a", verdict)], seconds)


def test_a_running_grading_says_how_far_it_is(small, book, out) -> None:
    with only_grading(out):
        status = read_status(out)
    assert status.state is State.RUNNING
    assert (status.total, status.done, status.left, len(status.running)) == (4, 2, 1, 1)
    assert status.seconds_left == 30.0, "two of 30 s each, two at a time"
    assert status.infra == (("ben", 2),)
    said = lines(status, courses.load(small))
    assert said[0] == f"A grading is running (process {os.getpid()} on {socket.gethostname()})."
    assert "last heard of" in said[1]
    assert said[2:5] == [
        "2 of 4 submissions have their results, 1 running, 1 waiting, about 30 s left.",
        "  week 2: 2 of 4 done, 1 running, 1 left, 1 with a failure of ours",
        "  running: cyd, week 2, 12 s",
    ]
    assert said[5:] == [
        "The gradebook has 4 students.",
        "A failure of ours, tried again by `grade --only infra`: ben week 2.",
    ]


def test_programs_get_the_same(small, book, out) -> None:
    with only_grading(out):
        told = json.loads(as_json(read_status(out), courses.load(small)))
    assert told["state"] == "running"
    assert told["process"] == {"pid": os.getpid(), "host": socket.gethostname()}
    assert (told["total"], told["done"], told["left"], told["seconds_left"]) == (4, 2, 1, 30.0)
    assert [(job["student"], job["week"]) for job in told["running"]] == [("cyd", "week2")]
    assert told["weeks"] == [
        {"week": "week2", "total": 4, "done": 2, "running": 1, "left": 1, "infra": 1}
    ]
    assert told["class"]["infra"] == [{"student": "ben", "week": "week2"}]
    assert len(told["class"]["unfinished"]) == 3
    assert datetime.fromisoformat(told["heard"]).tzinfo is not None


def test_one_that_was_stopped_is_told_from_one_that_came_to_its_end(small, book, out) -> None:
    course = courses.load(small)
    status = read_status(out)
    assert status.state is State.STOPPED
    assert lines(status, course)[0].endswith("the same command goes on.")
    assert "Not graded to the end: cyd week 2, eve week 2." in lines(status, course)
    book.finish_run()
    status = read_status(out)
    assert status.state is State.FINISHED
    assert ", ended " in lines(status, course)[1]
    with only_grading(out):
        assert read_status(out).state is State.REPORTING


def test_another_process_that_has_not_begun_its_run_is_beginning(book, out) -> None:
    book.finish_run()
    (out / LOCK).touch()
    with only_grading(out):
        (out / LOCK).write_text('{"pid": 1, "host": "elsewhere"}')
        assert read_status(out).state is State.BEGINNING


def test_one_that_has_been_silent_for_long_is_said_to_be(small, book, out) -> None:
    with only_grading(out):
        status = read_status(out)
    later = datetime.now(UTC) + timedelta(minutes=10)
    assert "that is long" in lines(status, courses.load(small), later)[1]


def test_a_run_after_a_failure_counts_only_what_it_did_itself(book, out) -> None:
    book.finish_run()
    begin(book, ("ada", "ben"))
    book.beat(2)
    with only_grading(out):
        status = read_status(out)
    assert (status.total, status.done) == (2, 1), "ben's failure is of the run before"


def test_a_gradebook_of_an_earlier_version_has_no_heartbeat(small, out) -> None:
    with Gradebook.open(out / "gradebook.sqlite") as book:
        begin(book)
        record(book, "ada", Verdict.PASS, 30.0)
        status = read_status(out)
    assert (status.state, status.heard, status.done) == (State.STOPPED, None, 1)
    assert lines(status, courses.load(small))


def test_folders_without_grades_are_refused(tmp_path: Path, out: Path) -> None:
    with pytest.raises(StatusError, match=r"^there is no folder .*/out\. Name the folder that"):
        read_status(out)
    out.mkdir()
    with pytest.raises(StatusError, match=r"out holds no grades: there is no .*gradebook\.sqlite"):
        read_status(out)
    (out / "gradebook.sqlite").write_bytes(b"something else, and long enough to be looked at" * 9)
    with pytest.raises(GradebookError, match="no gradebook"):
        read_status(out)
    (out / "gradebook.sqlite").unlink()
    Gradebook.open(out / "gradebook.sqlite").close()
    with pytest.raises(StatusError, match="nothing has been graded into"):
        read_status(out)
    assert sorted(path.name for path in out.iterdir()) == ["gradebook.sqlite"]


def _hammer(path: str, ended: multiprocessing.synchronize.Event) -> None:
    with Gradebook.open(Path(path)) as book:
        begin(book)
        while not ended.is_set():
            for student in STUDENTS:
                record(book, student, Verdict.PASS, 1.0)
                book.beat(1, [RunningJob(student, 2, datetime.now(UTC))])


def test_it_is_read_while_it_is_written(out: Path) -> None:
    """A writer that never rests: each look finds a whole state, and the writer waits for none."""
    context = multiprocessing.get_context("spawn")
    ended = context.Event()
    path = out / "gradebook.sqlite"
    writer = context.Process(target=_hammer, args=(str(path), ended))
    writer.start()
    try:
        seen = 0
        end = datetime.now(UTC) + timedelta(seconds=60)
        while seen < 40 and datetime.now(UTC) < end:
            try:
                status = read_status(out)
            except StatusError:
                continue  # it has not begun
            assert status.total in (0, 4)
            seen += status.total == 4
        assert seen == 40
    finally:
        ended.set()
        writer.join(30)
    assert writer.exitcode == 0


def test_one_grading_at_a_time(out: Path) -> None:
    out.mkdir()
    assert holder(out) is None
    with only_grading(out):
        assert holder(out).pid == os.getpid()
        with pytest.raises(RunningError, match=rf"by process {os.getpid()} on"), only_grading(out):
            pass
    assert holder(out) is None
    (out / LOCK).write_text("nonsense")
    with only_grading(out):
        assert holder(out).pid == os.getpid()


def test_the_time_left_is_unknown_before_a_job_of_each_week_ended() -> None:
    assert seconds_left({2: 6, 3: 2}, {2: 10.0, 3: 30.0}, 4) == 30.0
    assert seconds_left({2: 1}, {2: 10.0}, 4) == 10.0
    assert seconds_left({2: 6, 3: 2}, {2: 10.0}, 4) is None
    assert seconds_left({2: 6, 3: 0}, {2: 10.0}, 1) == 60.0
    assert seconds_left({}, {}, 1) == 0.0


def test_what_took_longest_is_named_as_text() -> None:
    timed = [Timed("a\x1b[31m", 2, 1.25), Timed("ben", 3, 70.0), Timed("none", 3, 0.0)]
    assert what_took_longest(timed, "week {}".format) == [
        "Took longest: ben, week 3: 70.0 s; a\\x1b[31m, week 2: 1.2 s",
        "Took in all: week 2: 1.2 s (1 submission); week 3: 70.0 s (1 submission)",
    ]
    assert what_took_longest([], str) == []
