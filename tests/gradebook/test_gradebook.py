"""The gradebook keeps what was measured, through crashes and resubmissions."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from textwrap import dedent

import pytest

from autograder.gradebook.flags import Flag
from autograder.gradebook.journal import Gradebook, GradebookError, GradingJob
from autograder.gradebook.schema import APPLICATION_ID, SCHEMA_VERSION
from autograder.gradebook.submission import Submission
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from tests.gradebook.earlier import write_earlier

ROOT = Path(__file__).resolve().parents[2]
CHECKS = [
    PlannedCheck("t::b", "week1.linear", "The second by name comes first"),
    PlannedCheck("t::a", "week1.linear", "The first by name", weight=3),
]
ADA = Submission("ada", {"a.py": b"1"}, ("Missing: b.py.",))
RESULTS = [
    CheckResult("t::a", Verdict.PASS, FULL_CREDIT, "", 0.25),
    CheckResult(
        "t::b", Verdict.WRONG, 10, "off by one", 0.5, "some-id", "Count again.", {"at": [1, 2.5]}
    ),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / "gradebook.sqlite"


@pytest.fixture
def book(path: Path) -> Iterator[Gradebook]:
    book = Gradebook.open(path)
    start(book)
    yield book
    book.close()


def start(book: Gradebook) -> int:
    return book.start_run("bubblewrap", "digits", "the salt", {"numpy": "2.4.6"})


def job_of(submission: Submission, key: str = "key", week: int = 1) -> GradingJob:
    return GradingJob(key, submission.student, week, submission.fingerprint, "bubblewrap")


def hand_in(book: Gradebook, submission: Submission = ADA, key: str = "key") -> None:
    book.add_submission(submission, 1)
    book.plan(job_of(submission, key), CHECKS)


def test_all_fields_come_back_from_the_disk(path: Path) -> None:
    with Gradebook.open(path) as book:
        start(book)
        hand_in(book)
        book.record("key", RESULTS, 1.5)
        book.finish_run()
    with Gradebook.open(path) as book:
        assert book.students() == ["ada"]
        assert book.weeks("ada") == [1]
        receipt = book.submission("ada", 1)
        assert receipt is not None
        assert receipt.notices == ADA.notices
        assert receipt.refusal is None
        assert receipt.fingerprint == ADA.fingerprint
        assert book.job("ada", 1) == replace(job_of(ADA), state="finished", seconds=1.5)
        assert book.planned("ada", 1) == CHECKS
        assert book.results("ada", 1) == [RESULTS[1], RESULTS[0]], "in the order of the plan"
        (run,) = book.runs()
        assert (run["confinement"], run["data"]) == ("bubblewrap", "digits")
        assert run["versions"] == {"numpy": "2.4.6"}
        assert run["finished"] >= run["started"]


FLAGS = [
    Flag("loops-over-batch", "\ud800 263 lines", "week1.linear", "neural_net.py:57"),
    Flag("imports", "import ctypes"),
]


def test_flags_come_back_from_the_disk_and_are_replaced_with_the_results(path: Path) -> None:
    with Gradebook.open(path) as book:
        start(book)
        hand_in(book)
        book.record("key", RESULTS, 1.5, FLAGS)
    with Gradebook.open(path) as book:
        first, second = book.flags("ada", 1)
        assert first == replace(FLAGS[0], evidence="\\ud800 263 lines")
        assert second == FLAGS[1]
        assert book.flags("ada", 1, "training") == book.flags("ben", 1) == []
        assert book.results("ada", 1) == [RESULTS[1], RESULTS[0]]
        book.record("key", RESULTS, 1.5, FLAGS[1:])
        assert book.flags("ada", 1) == FLAGS[1:]
        unstorable = Flag("a", "b", place=object())  # type: ignore[arg-type]
        with pytest.raises(AttributeError):
            book.record("key", RESULTS[:1], 9.0, [unstorable])
        assert book.flags("ada", 1) == FLAGS[1:]
        assert book.job("ada", 1).seconds == 1.5


def test_the_salt_itself_is_not_kept(path: Path) -> None:
    with Gradebook.open(path) as book:
        start(book)
        first = book.runs()[0]["salt_digest"]
        book.start_run("bubblewrap", "digits", "another salt", {})
        assert book.runs()[1]["salt_digest"] != first
    files = path.parent.iterdir()
    assert all(b"the salt" not in file.read_bytes() for file in files)


def test_a_job_is_finished_with_every_record_and_no_infra(book: Gradebook) -> None:
    hand_in(book)
    assert not book.finished("key")
    book.record("key", RESULTS[:1], 0.1)
    assert not book.finished("key")
    book.record("key", [CheckResult("t::b", Verdict.INFRA, message="worker lost")], 0.1)
    assert not book.finished("key")
    book.record("key", [RESULTS[1]], 0.2)
    assert book.finished("key")
    assert book.results("ada", 1) == [RESULTS[1], RESULTS[0]]
    assert not book.finished("another key")


def test_what_was_not_planned_is_not_recorded(book: Gradebook) -> None:
    hand_in(book)
    stray = CheckResult("t::forged", Verdict.PASS, FULL_CREDIT)
    with pytest.raises(GradebookError, match="never planned"):
        book.record("key", [*RESULTS, stray], 1.0)
    assert book.results("ada", 1) == [], "nothing of the transaction stays"
    with pytest.raises(GradebookError, match="there is no job 'other'"):
        book.record("other", [], 1.0)


def test_planning_again_keeps_the_results(book: Gradebook) -> None:
    hand_in(book)
    book.record("key", RESULTS, 1.0)
    start(book)
    hand_in(book)
    assert book.finished("key")
    assert len(book.results("ada", 1)) == 2


def test_another_plan_needs_another_key(book: Gradebook) -> None:
    hand_in(book)
    with pytest.raises(GradebookError, match="the key must change"):
        book.plan(job_of(ADA), CHECKS[:1])
    with pytest.raises(GradebookError, match="the key must change"):
        book.plan(replace(job_of(ADA), student="ben"), CHECKS)
    with pytest.raises(GradebookError, match="names a check twice"):
        book.plan(job_of(ADA, "other"), [CHECKS[0], CHECKS[0]])
    assert book.planned("ada", 1) == CHECKS


def test_a_title_reaches_what_is_planned_already(book: Gradebook) -> None:
    """A title is a test's docstring: it is no part of the key, and nothing is run for it."""
    hand_in(book)
    book.record("key", RESULTS, 1.0)
    retold = [replace(check, title=f"{check.title}, in other words") for check in CHECKS]
    book.plan(job_of(ADA), retold)
    assert book.planned("ada", 1) == retold
    assert book.finished("key")
    with pytest.raises(GradebookError, match="the key must change"):
        book.plan(job_of(ADA), [replace(CHECKS[0], weight=7), *CHECKS[1:]])
    assert book.planned("ada", 1) == retold


def test_what_a_job_depends_on_is_kept_beside_it(book: Gradebook) -> None:
    hand_in(book)
    assert book.dependencies("key") is None, "an earlier version kept none"
    book.plan(job_of(ADA), CHECKS, {"salt": "1"})
    assert book.dependencies("key") == {"salt": "1"}
    book.plan(job_of(ADA), CHECKS)
    assert book.dependencies("key") == {"salt": "1"}
    book.plan(job_of(ADA, "key 2"), CHECKS, {"salt": "2"})
    assert book.dependencies("key 2") == {"salt": "2"}
    assert [job.key for job in book.jobs(1)] == ["key 2", "key"]
    assert book.jobs(2) == book.jobs(1, "training") == []


@pytest.mark.parametrize("state", ["closed", "open", "killed"])
def test_a_copy_is_read_and_nothing_is_written(path: Path, state: str) -> None:
    with Gradebook.open(path) as book:
        start(book)
        hand_in(book)
        book.record("key", RESULTS, 1.0)
        if state == "killed":  # its journal was left behind
            left = {file.name: file.read_bytes() for file in path.parent.glob(f"{path.name}*")}
            assert len(left) == 3
        if state == "open":
            with Gradebook.copy_of(path) as copy:
                assert copy.results("ada", 1) == book.results("ada", 1)
                assert sorted(copy.students()) == ["ada"]
    if state == "killed":
        for name, content in left.items():
            (path.parent / name).write_bytes(content)
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with Gradebook.copy_of(path) as copy:
        assert copy.finished("key")
        copy.start_run("none", "none", "", {})
        copy.add_submission(Submission("ben"), 1)
    after = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    shared = f"{path.name}-shm"  # memory that readers and writers share; no data is in it
    assert {n: c for n, c in after.items() if n != shared} == {
        n: c for n, c in before.items() if n != shared
    }


def test_a_copy_of_no_gradebook_is_empty_and_makes_none(path: Path) -> None:
    with Gradebook.copy_of(path / "deep" / "gradebook.sqlite") as copy:
        assert copy.students() == []
    assert not path.exists()
    path.parent.mkdir(exist_ok=True)
    path.write_text("no gradebook at all " * 100)
    with pytest.raises(GradebookError, match=r"is no gradebook .*\. Move it away"):
        Gradebook.copy_of(path)


def test_a_copy_of_an_earlier_format_is_taken_along_in_memory_only(path: Path) -> None:
    write_earlier(path, 6)
    before = path.read_bytes()
    with Gradebook.copy_of(path) as copy:
        assert copy.finished("key")
        assert copy.dependencies("key") is None
    assert path.read_bytes() == before


def test_a_plan_that_fails_in_the_middle_leaves_no_job(book: Gradebook) -> None:
    book.add_submission(ADA, 1)
    bad = [CHECKS[0], replace(CHECKS[1], weight=None)]  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        book.plan(job_of(ADA), bad)
    assert book.job("ada", 1) is None
    book.plan(job_of(ADA), CHECKS)
    assert book.planned("ada", 1) == CHECKS


def test_a_resubmission_counts_and_the_history_stays(book: Gradebook) -> None:
    hand_in(book)
    book.record("key", RESULTS, 1.0)
    better = Submission("ada", {"a.py": b"2"})
    start(book)
    book.add_submission(better, 1)
    assert book.job("ada", 1) is None, "the old results are not the new submission's"
    assert book.results("ada", 1) == []
    book.plan(job_of(better, "key 2"), CHECKS)
    book.record("key 2", [RESULTS[0]], 1.0)
    assert book.results("ada", 1) == [RESULTS[0]]
    assert book.finished("key")
    start(book)
    hand_in(book)
    assert len(book.results("ada", 1)) == 2, "the first files again: their results count again"


def test_a_refused_resubmission_has_no_results(book: Gradebook) -> None:
    hand_in(book, Submission("ada"))
    book.record("key", RESULTS, 1.0)
    start(book)
    book.add_submission(Submission("ada", refusal="ada.zip is damaged"), 1)
    receipt = book.submission("ada", 1)
    assert receipt is not None
    assert receipt.refusal == "ada.zip is damaged"
    assert book.job("ada", 1) is None, "the empty folder's job is not the refused archive's"
    assert book.planned("ada", 1) == []
    refused = Submission("ada", refusal="ada.zip is damaged")
    book.plan(job_of(refused, "key 2"), CHECKS)
    book.record("key 2", [CheckResult(check.id, Verdict.NOT_ATTEMPTED) for check in CHECKS], 0.0)
    assert {result.verdict for result in book.results("ada", 1)} == {Verdict.NOT_ATTEMPTED}


def test_of_two_jobs_for_the_same_files_the_last_planned_counts(book: Gradebook) -> None:
    hand_in(book, key="old suite")
    book.record("old suite", RESULTS, 1.0)
    hand_in(book, key="new suite")
    assert book.job("ada", 1) == job_of(ADA, "new suite")
    assert book.results("ada", 1) == []
    hand_in(book, key="old suite")
    assert len(book.results("ada", 1)) == 2


def test_text_that_no_encoding_has_is_kept_as_escapes(book: Gradebook) -> None:
    hand_in(book)
    odd = CheckResult("t::a", Verdict.RAISED, message="bad \ud800 and \0 and \x1b", advice="\udfff")
    book.record("key", [odd], 0.0)
    (result,) = book.results("ada", 1)
    assert result.message == "bad \\ud800 and \0 and \x1b"
    assert result.advice == "\\udfff"


def test_writing_needs_a_run(path: Path) -> None:
    with Gradebook.open(path) as book:
        with pytest.raises(GradebookError, match="start_run must come first"):
            book.add_submission(ADA, 1)
        with pytest.raises(GradebookError, match="start_run must come first"):
            book.plan(job_of(ADA), CHECKS)


def test_a_newer_format_is_refused_and_left_alone(path: Path) -> None:
    Gradebook.open(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(GradebookError, match=f"has the format {SCHEMA_VERSION + 1}.*another"):
        Gradebook.open(path)
    assert path.read_bytes() == before


def test_the_time_and_the_commit_of_a_submission_are_kept(path: Path) -> None:
    berlin = timezone(timedelta(hours=2))
    pushed = replace(ADA, received=datetime(2026, 10, 5, 23, 59, tzinfo=berlin), commit="abc123")
    with Gradebook.open(path) as book:
        start(book)
        book.add_submission(pushed, 1)
        receipt = book.submission("ada", 1)
    assert receipt.received == "2026-10-05T21:59:00+00:00"
    assert receipt.commit == "abc123"


def test_handing_in_the_same_files_again_makes_nobody_late(book: Gradebook) -> None:
    early, late = (datetime(2026, 10, day, tzinfo=UTC) for day in (5, 9))
    for received, commit, kept in (
        (early, "one", (early, "one")),
        (late, "two", (early, "one")),
        (None, None, (early, "one")),
    ):
        start(book)
        book.add_submission(replace(ADA, received=received, commit=commit), 1)
        receipt = book.submission("ada", 1)
        assert (receipt.received, receipt.commit) == (kept[0].isoformat(), kept[1])
    start(book)
    other = replace(ADA, documents={"notes.md": "digest"}, received=late, commit="three")
    book.add_submission(other, 1)
    assert book.submission("ada", 1).received == late.isoformat()


def test_a_gradebook_knows_whether_anything_was_handed_in(book: Gradebook) -> None:
    for submission, has in (
        (Submission("ada"), False),
        (ADA, True),
        (Submission("ada", documents={"notes.md": "digest"}), True),
        (Submission("ada", refusal="Damaged."), False),
    ):
        start(book)
        book.add_submission(submission, 1)
        assert book.has("ada", 1) is has
    assert not book.has("ada", 2)


def test_files_that_are_no_gradebook_are_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("Not a database at all, but long enough to look at. " * 50)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as raw:
        raw.execute("CREATE TABLE mine (id)")
    raw.close()
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(GradebookError, match=r"no gradebook|can't be used as a gradebook"):
            Gradebook.open(path)
        assert path.read_bytes() == before
    with pytest.raises(GradebookError, match=r"can't be opened|can't be used"):
        Gradebook.open(tmp_path)


def test_the_file_says_what_it_is(path: Path) -> None:
    Gradebook.open(path).close()
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()


WRITER = dedent("""
    import sys
    from pathlib import Path
    from autograder.gradebook.journal import Gradebook, GradingJob
    from autograder.intake.reading import Submission
    from autograder.records import CheckResult, PlannedCheck, Verdict

    book = Gradebook.open(Path(sys.argv[1]))
    book.start_run("none", "digits", "", {})
    for n in range(100_000):
        submission = Submission(f"s{n:06}", {"a.py": b"%d" % n})
        checks = [PlannedCheck(f"t::{m}", "week1.linear", "A check") for m in range(50)]
        book.add_submission(submission, 1)
        job = GradingJob(f"k{n}", submission.student, 1, submission.fingerprint, "none")
        book.plan(job, checks)
        print("planned", n, flush=True)
        book.record(f"k{n}", [CheckResult(c.id, Verdict.PASS, 10_000) for c in checks], 0.1)
        print("recorded", n, flush=True)
""")


@pytest.mark.parametrize("lines", [1, 2, 7, 40, 41])
def test_a_killed_writer_loses_nothing_that_it_recorded(path: Path, lines: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(lines)]
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.read().splitlines()
    assert writer.returncode == -signal.SIGKILL
    planned = [int(line.split()[1]) for line in said if line.startswith("planned")]
    recorded = [int(line.split()[1]) for line in said if line.startswith("recorded")]
    with Gradebook.open(path) as book:
        for n in planned:
            assert len(book.planned(f"s{n:06}", 1)) == 50
        for n in recorded:
            assert book.finished(f"k{n}")
            assert len(book.results(f"s{n:06}", 1)) == 50
        for student in book.students():
            assert len(book.results(student, 1)) in (0, 50), "a job's results are whole"
        start(book)
        hand_in(book)
        book.record("key", RESULTS, 1.0)
        assert book.finished("key")


def test_an_error_in_the_middle_leaves_the_book_usable(book: Gradebook) -> None:
    hand_in(book)
    unstorable = CheckResult("t::b", Verdict.PASS, detail={"x": object()})
    with pytest.raises(TypeError):
        book.record("key", [RESULTS[0], unstorable], 1.0)
    assert book.results("ada", 1) == []
    book.record("key", RESULTS, 1.0)
    assert book.finished("key")
