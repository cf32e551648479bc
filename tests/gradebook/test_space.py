"""What repeats stands once in a gradebook, what a stopped run planned goes, and results stay."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.gradebook import opening
from autograder.gradebook.flags import Flag
from autograder.gradebook.journal import KEPT_DAYS, TRAINING, Gradebook, GradebookError, GradingJob
from autograder.gradebook.submission import Submission
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict

CHECKS = [PlannedCheck(f"t::{n}", "week1.linear", f"Check number {n}") for n in range(100)]
LONG = "expected an array of shape (3, 4), got (4, 3): " * 10
LATER = datetime.now(UTC) + timedelta(days=KEPT_DAYS + 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gradebook.sqlite"


@pytest.fixture
def book(path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(path) as book:
        start(book)
        yield book


def start(book: Gradebook) -> int:
    return book.start_run("rung", "digits", "salt", {})


def of(student: str, content: bytes = b"1") -> Submission:
    return Submission(student, {"a.py": content})


def job_of(submission: Submission, key: str, part: str = "suite") -> GradingJob:
    return GradingJob(key, submission.student, 1, submission.fingerprint, "rung", part)


def results(message: str = "", verdict: Verdict = Verdict.WRONG) -> list[CheckResult]:
    return [CheckResult(check.id, verdict, message=message) for check in CHECKS]


def count(path: Path, table: str) -> int:
    with closing(sqlite3.connect(path)) as raw:
        return int(raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def keys(book: Gradebook) -> list[str]:
    return sorted(job.key for job in book.jobs(1))


def test_a_plan_and_a_text_stand_once_for_a_class(path: Path, book: Gradebook) -> None:
    for number in range(20):
        one = of(f"s{number}", b"%d" % number)
        book.add_submission(one, 1)
        book.plan(job_of(one, f"key {number}"), CHECKS)
        book.record(f"key {number}", results(LONG), 1.0)
    assert count(path, "planned") == len(CHECKS)
    assert count(path, "texts") == 1
    assert book.results("s7", 1) == results(LONG)
    assert book.planned("s7", 1) == book.planned("s8", 1) == CHECKS


def test_a_run_in_which_nothing_changes_adds_a_line_for_each_submission(
    path: Path, book: Gradebook
) -> None:
    one = replace(of("ada"), notices=("A notice. " * 20,), documents={"notes.md": "ab" * 32})
    for _ in range(3):
        start(book)
        book.add_submission(one, 1)
        book.plan(job_of(one, "key"), CHECKS)
    assert (count(path, "submissions"), count(path, "receipts")) == (3, 1)
    assert (count(path, "jobs"), count(path, "planned")) == (1, len(CHECKS))
    receipt = book.submission("ada", 1)
    assert (receipt.notices, receipt.documents) == (one.notices, one.documents)


@pytest.mark.parametrize("text", ["", "short", LONG, "é" * 200, "\0" * 200, "\ud800" + LONG])
def test_a_text_comes_back_as_it_was(book: Gradebook, text: str) -> None:
    book.add_submission(of("ada"), 1)
    book.plan(job_of(of("ada"), "key"), CHECKS[:1])
    detail = {"said": text}
    one = CheckResult("t::0", Verdict.WRONG, 0, text, 0.5, "an-id", text, detail)
    book.record("key", [one], 1.0)
    shown = text.replace("\ud800", "\\ud800")
    assert book.results("ada", 1) == [replace(one, message=shown, advice=shown)]


def test_many_jobs_are_planned_at_once_or_none(book: Gradebook) -> None:
    known = of("s1")
    book.plan(job_of(known, "key 1"), CHECKS[:2])
    jobs = [job_of(of(f"s{number}"), f"key {number}") for number in range(3)]
    with pytest.raises(GradebookError, match=r"the job of s1 in week 1 .* the key must change"):
        book.plan_all(jobs, CHECKS)
    assert keys(book) == ["key 1"]
    book.plan_all(jobs, CHECKS[:2], {"salt": "1"})
    assert [job.key for job in book.jobs(1)] == ["key 2", "key 1", "key 0"], "in the order given"
    assert book.dependencies("key 1") == {"salt": "1"}


def test_what_a_stopped_run_planned_goes_after_a_week(path: Path, book: Gradebook) -> None:
    """Its files were handed in anew, or are graded by another suite: nobody will come to it."""
    first, second = of("ada"), of("ada", b"2")
    book.add_submission(first, 1)
    book.plan(job_of(first, "graded"), CHECKS)
    book.record("graded", results(), 1.0)
    book.plan(job_of(first, "stopped"), CHECKS[:50])
    book.add_submission(second, 1)
    book.plan(job_of(second, "of another suite"), CHECKS[:60])
    book.plan(job_of(second, "current"), CHECKS[:70])
    before = keys(book)
    book.tidy()
    assert keys(book) == before, "it may be running still"
    book.tidy(LATER)
    assert keys(book) == ["current", "graded"]
    assert count(path, "planned") == 170
    assert book.job("ada", 1).key == "current"
    assert book.counting_job("ada", 1).key == "graded"
    assert book.results_of(book.counting_job("ada", 1)) == results()


def test_results_flags_trainings_and_the_current_plan_stay(book: Gradebook) -> None:
    one, other = of("ada"), of("ada", b"2")
    book.add_submission(one, 1)
    for key, found, flags in (
        ("infra", [CheckResult("t::0", Verdict.INFRA)], []),
        ("half", results()[:50], []),
        ("flagged", [], [Flag("imports", "import ctypes")]),
        ("whole", results(), []),
    ):
        book.plan(job_of(one, key), CHECKS)
        book.record(key, found, 1.0, flags)
    book.plan(job_of(one, "training", TRAINING), CHECKS[:1])
    book.plan(job_of(one, "another training", TRAINING), CHECKS[:1])
    book.add_submission(other, 1)
    book.plan(job_of(other, "current"), CHECKS)
    book.tidy(LATER)
    assert keys(book) == ["current", "flagged", "half", "infra", "whole"]
    assert len(book.jobs(1, TRAINING)) == 2, "its folder may go on from where it was"


def test_what_a_later_run_has_taken_up_again_stays(book: Gradebook) -> None:
    """Its examiner may be at work on it while another run tidies up."""
    one = of("ada")
    book.add_submission(one, 1)
    book.plan(job_of(one, "key"), CHECKS)
    book._db.execute("UPDATE runs SET started = '2026-01-01T00:00:00+00:00'")
    start(book)
    book.plan(job_of(one, "key"), CHECKS)
    book.add_submission(of("ada", b"2"), 1)
    book.tidy()
    assert keys(book) == ["key"]
    book.record("key", results(), 1.0)
    assert book.finished("key")


def test_a_plan_that_all_jobs_left_goes_and_its_number_is_never_given_again(
    path: Path, book: Gradebook
) -> None:
    """A reader that remembers a plan by its number must never be told another."""
    one = of("ada")
    book.add_submission(one, 1)
    book.plan(job_of(one, "key"), CHECKS)
    with Gradebook.open(path) as reader:
        assert reader.planned("ada", 1) == CHECKS
        retold = [replace(check, title="In other words") for check in CHECKS]
        book.plan(job_of(one, "key"), retold)
        book.tidy()
        assert count(path, "plans") == 1
        assert reader.planned("ada", 1) == retold
        book.plan(job_of(one, "key"), CHECKS)
        assert reader.planned("ada", 1) == CHECKS


def full_and_emptied(book: Gradebook) -> None:
    """Fill a gradebook, and take most of it out again."""
    book.add_submission(of("ada"), 1)
    for number in range(40):
        checks = [replace(check, title=f"{LONG} {number}") for check in CHECKS]
        book.plan(job_of(of("ada"), f"key {number}"), checks)
    book.tidy(LATER)


def test_space_is_given_back(path: Path, book: Gradebook) -> None:
    full_and_emptied(book)
    assert book._value("PRAGMA freelist_count") == 0
    assert path.stat().st_size < 40 * 4096 + 100_000
    assert book.planned("ada", 1)[3].id == "t::3"


def test_space_is_not_given_back_while_anybody_reads(path: Path, book: Gradebook) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchone()
        full_and_emptied(book)
        assert book._value("PRAGMA freelist_count") > opening.FREE_PAGES
        assert reader.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
        reader.execute("COMMIT")
    book.tidy()
    assert book._value("PRAGMA freelist_count") == 0
    assert book._value("PRAGMA busy_timeout") == 1000 * opening.LOCK_SECONDS


def test_a_large_file_is_left_as_it_is(book: Gradebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "PAGES_AT_ONCE", 10)
    full_and_emptied(book)
    assert book._value("PRAGMA freelist_count") > opening.FREE_PAGES


def test_a_full_disk_leaves_the_space_for_another_time(
    path: Path, book: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = opening.Connection.execute

    def full(self: opening.Connection, *arguments: str) -> sqlite3.Cursor:
        if arguments[0] == "VACUUM":
            with opening.explained(path):
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
        return execute(self, *arguments)

    monkeypatch.setattr(opening.Connection, "execute", full)
    full_and_emptied(book)
    assert book._value("PRAGMA freelist_count") > opening.FREE_PAGES
    assert keys(book) == ["key 39"]


def test_others_write_while_a_gradebook_is_tidied(path: Path, book: Gradebook) -> None:
    said: list[BaseException] = []

    def write() -> None:
        try:
            with Gradebook.open(path) as other:
                start(other)
                for number in range(50):
                    one = of(f"s{number}")
                    other.add_submission(one, 1)
                    other.plan(job_of(one, f"s{number}"), CHECKS)
                    other.record(f"s{number}", results(LONG), 1.0)
        except BaseException as error:
            said.append(error)
            raise

    thread = threading.Thread(target=write)
    thread.start()
    while thread.is_alive():
        full_and_emptied(book)
    thread.join()
    assert not said
    assert [len(book.results(f"s{number}", 1)) for number in range(50)] == [len(CHECKS)] * 50


def test_full_credit_stays_full(book: Gradebook) -> None:
    book.add_submission(of("ada"), 1)
    book.plan(job_of(of("ada"), "key"), CHECKS)
    book.record("key", [CheckResult("t::5", Verdict.PASS, FULL_CREDIT, seconds=1 / 3)], 1.0)
    [one] = book.results("ada", 1)
    assert (one.check, one.credit, one.seconds) == ("t::5", FULL_CREDIT, 1 / 3)
