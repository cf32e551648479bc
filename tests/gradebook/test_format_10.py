"""Format 10 keeps what repeats once: nothing of format 9 is lost, and little space is needed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from autograder.gradebook import format_10, opening
from autograder.gradebook.journal import Gradebook, GradebookError, GradingJob
from autograder.gradebook.schema import SCHEMA_VERSION
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from tests.gradebook.earlier import write_earlier

PARTS = ("suite", "training")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "gradebook.sqlite"
    write_earlier(path)
    return path


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file as it is, and keep what is done to it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.row_factory = sqlite3.Row
        yield connection


def rows(connection: sqlite3.Connection, query: str, *values: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query, values)]


def by_job(connection: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """Return all that format 9 has of each job."""
    found = {}
    for job in rows(connection, "SELECT * FROM jobs ORDER BY turn DESC"):
        key = job["key"]
        query = "SELECT results.* FROM results JOIN planned USING (job, id) WHERE job = ?"
        found[key] = {
            "job": {name: job[name] for name in GradingJob.__dataclass_fields__},
            "planned": rows(
                connection,
                "SELECT id, item, title, weight FROM planned WHERE job = ? ORDER BY position",
                key,
            ),
            "results": rows(connection, f"{query} ORDER BY position", key),
            "flags": rows(
                connection,
                "SELECT rule, evidence, item, place FROM flags WHERE job = ? ORDER BY position",
                key,
            ),
            "parts": connection.execute(
                "SELECT parts FROM dependencies JOIN jobs ON dependencies = digest WHERE key = ?",
                (key,),
            ).fetchone(),
        }
    return found


def as_row(key: str, result: CheckResult) -> dict[str, Any]:
    """Return a result as format 9 kept it."""
    detail = json.dumps(result.detail)
    fields = {**vars(result), "job": key, "id": result.check, "detail": detail}
    fields.pop("check")
    return fields


def test_nothing_of_any_job_is_lost(path: Path) -> None:
    with raw(path) as old:
        before = by_job(old)
        students = [one["student"] for one in rows(old, "SELECT DISTINCT student FROM jobs")]
    assert len(before) == 8
    assert sum(len(one["results"]) for one in before.values()) > 200
    with Gradebook.open(path) as book:
        jobs = [job for week in range(1, 10) for part in PARTS for job in book.jobs(week, part)]
        assert {job.key for job in jobs} == before.keys()
        for job in jobs:
            old_job = before[job.key]
            assert vars(job) == old_job["job"]
            assert [vars(check) for check in book.planned_in(job)] == old_job["planned"]
            assert [as_row(job.key, one) for one in book.results_of(job)] == old_job["results"]
            assert [vars(flag) for flag in book.flags_of(job)] == old_job["flags"]
            parts = old_job["parts"]
            assert book.dependencies(job.key) == (json.loads(parts[0]) if parts else None)
        assert set(book.students()) == {*students, "cleo"}
        assert book.counting_job("ada", 1).key == "key", "the last one that is finished"


def test_submissions_runs_and_marks_are_the_same(path: Path) -> None:
    with raw(path) as old:
        submissions = rows(old, "SELECT * FROM submissions ORDER BY run")
        runs = rows(old, "SELECT * FROM runs ORDER BY id")
        marks = rows(old, "SELECT * FROM marks ORDER BY item")
        beat = rows(old, "SELECT * FROM heartbeats")
    latest = {(one["student"], one["week"]): one for one in submissions}
    with Gradebook.open(path) as book:
        nobody = {"author": ""}
        expected = [run | nobody for run in runs]
        assert [{**run, "versions": json.dumps(run["versions"])} for run in book.runs()] == expected
        found = [mark for student in book.students() for mark in book.marks(student)]
        assert [vars(mark) for mark in found] == marks
        assert [one["run"] for one in beat] == [book.last_heartbeat().run]
        for (student, week), one in latest.items():
            receipt = vars(book.submission(student, week))
            for name in ("student", "week", "fingerprint", "refusal", "received"):
                assert receipt[name] == one[name]
            assert receipt["commit"] == one["commit_hash"]
            assert list(receipt["notices"]) == json.loads(one["notices"])
            assert receipt["documents"] == json.loads(one["documents"])
            assert week in book.weeks(student)
    with raw(path) as new:
        query = """SELECT run, student, week, fingerprint, notices, refusal, documents, received,
            commit_hash FROM submissions JOIN receipts ON receipt = receipts.id ORDER BY run"""
        history = rows(new, query)
    plain = [{name: one[name] for name in history[0]} for one in submissions]
    assert sorted(map(str, history)) == sorted(map(str, plain)), "every run's, not the latest alone"


@pytest.mark.parametrize("version", range(1, 10))
def test_each_earlier_format_is_taken_along(tmp_path: Path, version: int) -> None:
    path = tmp_path / "gradebook.sqlite"
    write_earlier(path, version)
    with Gradebook.open(path) as book:
        assert len(book.students()) == 5
        job = next(job for job in book.jobs(1) if job.key == "key")
        assert [one.message for one in book.results_of(job)] == ["off by one", ""]
        assert len(book.flags_of(job)) == (2 if version > 3 else 0)
        assert book.dependencies("key") == ({"salt": "1"} if version > 7 else None)
        book.start_run("none", "none", "", {})
        book.record("key", [CheckResult("t::a", Verdict.PASS, FULL_CREDIT)], 9.0)
        assert book.finished("key")
    with raw(path) as new:
        assert new.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
        assert new.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert not new.execute("PRAGMA foreign_key_check").fetchall()
        assert not new.execute("SELECT * FROM strays").fetchall()


CORRUPT = (
    "UPDATE results SET verdict = 'perfect' WHERE job = 'key' AND id = 't::a'",
    "UPDATE results SET detail = '{' WHERE job = 'half'",
    "UPDATE results SET message = CAST(x'6fff' AS TEXT) WHERE job = 'infra' AND id = 't::b'",
    "INSERT INTO results VALUES ('no job', 'x', 'pass', 1, 'm', 0, NULL, NULL, '{}')",
    """INSERT INTO results
        VALUES ('key', 'no check', 'pass', 1, 'm' || char(0) || 'n', 0, NULL, NULL, '{}')""",
    "INSERT INTO planned VALUES ('no job', 0, 'x', 'i', 'title', 1)",
    "INSERT INTO flags VALUES ('no job', 0, 'rule', NULL, 'place', 'evidence')",
    "UPDATE jobs SET dependencies = 'gone' WHERE key = 'planned only'",
)


def test_corrupt_rows_are_moved_as_they_are(path: Path) -> None:
    """Whoever reads one is told as before, and nobody else notices."""
    write_earlier(path, 9, *CORRUPT)
    with Gradebook.open(path) as book:
        jobs = {job.key: job for week in (1, 2) for job in book.jobs(week)}
        with pytest.raises(ValueError, match="'perfect' is not a valid Verdict"):
            book.results_of(jobs["key"])
        with pytest.raises(json.JSONDecodeError):
            book.results_of(jobs["half"])
        with pytest.raises(sqlite3.OperationalError, match="Could not decode to UTF-8"):
            book.results_of(jobs["infra"])
        assert book.dependencies("planned only") is None
        assert "no job" not in jobs
        for student in [one for one in book.students() if one.startswith("s0")]:
            assert book.job(student, 1).state == "finished"
            assert len(book.results(student, 1)) == len(book.planned(student, 1))
    with raw(path) as new:
        strays = [(origin, json.loads(row)) for origin, row in new.execute("SELECT * FROM strays")]
    assert sorted(strays, key=str) == [
        ("flags", ["no job", 0, "rule", None, "place", "evidence"]),
        ("planned", ["no job", 0, "x", "i", "title", 1]),
        ("results", ["key", "no check", "pass", 1, "m\0n", 0, None, None, "{}"]),
        ("results", ["no job", "x", "pass", 1, "m", 0, None, None, "{}"]),
    ]


def test_a_damaged_file_is_left_alone(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40_000] = b"\xff" * 40_000
    path.write_bytes(content)
    with pytest.raises(GradebookError, match="damaged"):
        Gradebook.open(path)
    assert path.read_bytes() == content


def test_an_upgrade_that_is_interrupted_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw(path) as old:
        before = list(old.iterdump())

    def interrupted(connection: sqlite3.Connection) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(format_10, "_move_strays", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Gradebook.open(path)
    with raw(path) as old:
        assert list(old.iterdump()) == before
    monkeypatch.undo()
    with Gradebook.open(path) as book:
        assert len(book.jobs(1)) == 6


def more_jobs(times: int) -> list[str]:
    """Return statements that give the simulated students' jobs so many twins."""
    real = "student LIKE 's%' AND student NOT LIKE '%twin%'"
    jobs = f"""SELECT key || '{{0}}', run, student || '{{0}}', week, fingerprint, confinement,
        state, seconds, turn, part, dependencies FROM jobs WHERE {real}"""
    mine = f"WHERE job IN (SELECT key FROM jobs WHERE {real})"
    planned = "SELECT job || '{0}', position, id, item, title, weight FROM planned"
    results = """SELECT job || '{0}', id, verdict, credit, message, seconds, misconception, advice,
        detail FROM results"""
    selections = {"planned": f"{planned} {mine}", "results": f"{results} {mine}", "jobs": jobs}
    return [
        f"INSERT INTO {table} {select.format(f'twin {number}')}"
        for table, select in selections.items()
        for number in range(times)
    ]


def test_the_file_gets_shorter_by_what_it_repeated(tmp_path: Path) -> None:
    """VACUUM comes with the upgrade; while another process reads, it is left for later."""
    path = tmp_path / "gradebook.sqlite"
    write_earlier(path, 9, *more_jobs(20))
    before = path.stat().st_size
    with raw(path) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchone()
        Gradebook.open(path).close()
        assert reader.execute("SELECT count(*) FROM planned").fetchone()[0] > 1000
    with raw(path) as new:
        assert new.execute("PRAGMA freelist_count").fetchone()[0] > opening.FREE_PAGES
    Gradebook.open(path).close()
    with raw(path) as new:
        assert new.execute("PRAGMA freelist_count").fetchone()[0] == 0
        assert new.execute("SELECT count(*) FROM results").fetchone()[0] > 1000
    assert path.stat().st_size < before / 5
