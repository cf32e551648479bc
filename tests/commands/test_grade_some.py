"""`autograder grade` of some of a class, and reports that cover the whole class all the same."""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.gradebook.journal import Gradebook
from autograder.grading import class_run
from autograder.grading import run as grading
from autograder.grading.choice import Choice, ChoiceError, Only, choice_of, time_of
from autograder.grading.class_run import grade_submissions
from autograder.grading.operations import operation
from autograder.grading.setting import OurFaultError

ROOT = Path(__file__).resolve().parents[2]
Row = dict[str, str]
NAMES = ("ada", "ben", "eve")


@pytest.fixture(scope="module")
def right(small: Path) -> str:
    """The reference of week 2."""
    return (small / "solutions" / "week2_small" / "double.py").read_text()


@pytest.fixture
def submissions(right: str, tmp_path: Path) -> Path:
    """Ada, Ben and Eve hand in week 2, right."""
    return hand_in(tmp_path / "in", **dict.fromkeys(NAMES, right))


def hand_in(folder: Path, **students: str) -> Path:
    for name, source in students.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "double.py").write_text(source)
    return folder


def grade(root: Path, submissions: Path, out: Path, **others: object) -> None:
    grade_submissions(root, submissions, out, unconfined=True, jobs=2, **others)


def rows(out: Path) -> dict[str, Row]:
    with (out / "gradebook.csv").open(newline="") as stream:
        return {row["student"]: row for row in csv.DictReader(stream)}


def totals(out: Path) -> dict[str, str]:
    return {name: row["total"] for name, row in rows(out).items()}


@operation("examined")
def _lose_eve(submission, week):
    if submission.student == "eve":
        os.kill(os.getpid(), signal.SIGKILL)
    return grading.examine_submission(submission, week)


@operation("examined")
def _interrupted(submission, week):
    raise KeyboardInterrupt


# The whole class is in the reports.


def test_a_late_students_folder_leaves_the_others_in_every_report(
    small, right, submissions, tmp_path, capsys
) -> None:
    out = tmp_path / "out"
    grade(small, submissions, out)
    late = hand_in(tmp_path / "late", zoe=right.replace("2.0 * x", "x * x"))
    grade(small, late, out)
    assert totals(out) == {"ada": "20.00", "ben": "20.00", "eve": "20.00", "zoe": "8.00"}
    printed = capsys.readouterr().out
    assert "not among these submissions: ada, ben, eve. Another class belongs" in printed
    assert "class mean" in printed


def test_a_folder_without_a_students_files_takes_nothing_away(
    small, right, submissions, tmp_path, capsys
) -> None:
    """Also where its week is asked for: what is not handed in again stays handed in."""
    out = tmp_path / "out"
    grade(small, submissions, out)
    later = hand_in(tmp_path / "later", ben=right.replace("2.0 * x", "x * x"))
    (later / "ada").mkdir()
    (later / "ada" / "notes.txt").write_text("Nothing of week 2.")
    grade(small, later, out, week=2)
    assert totals(out) == {"ada": "20.00", "ben": "8.00", "eve": "20.00"}
    printed = capsys.readouterr().out
    assert "week 2: what 1 student(s) handed in earlier stays as it is" in printed
    assert "Points changed of 1 of 3 students" in printed
    assert "  ben: 20 -> 8: week2." in printed


def test_who_was_not_reached_has_blank_cells_and_no_zero(small, submissions, tmp_path) -> None:
    out = tmp_path / "out"
    grade(small, submissions, out, choice=Choice(students=("ada",)))
    assert totals(out) == {"ada": "20.00", "ben": "", "eve": ""}
    text = (out / "students" / "ben" / "feedback.md").read_text()
    assert "*Pending: not graded yet.*" in text


def test_the_last_finished_result_counts_until_there_is_a_newer_one(
    small, right, submissions, tmp_path, monkeypatch, capsys
) -> None:
    """A run that is stopped before its first job, of a class graded before by another suite."""
    out = tmp_path / "out"
    root = shutil.copytree(small, tmp_path / "course")
    grade(root, submissions, out)
    suite = root / "assignments" / "week2_small" / "hidden" / "test_suite.py"
    suite.write_text(
        suite.read_text().replace("rng.normal(size=size)", "rng.normal(size=size + 1)")
    )
    hand_in(submissions, ben=right.replace("2.0 * x", "x * x"))
    monkeypatch.setattr(class_run.Display, "report", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        grade(root, submissions, out)
    assert totals(out) == dict.fromkeys(NAMES, "20.00")
    for row in rows(out).values():
        assert set(row["pending"].split()) >= {"week2.double", "week2.count", "week2.quality"}
    text = (out / "students" / "ben" / "feedback.md").read_text()
    assert "**20 of 20 points so far.** They may change" in text
    assert "*Pending: these points are of an earlier grading" in text
    assert "Stopped. The reports hold what is finished" in capsys.readouterr().out
    monkeypatch.undo()
    grade(root, submissions, out)
    assert totals(out) == {"ada": "20.00", "ben": "8.00", "eve": "20.00"}
    assert not any(row["pending"] for row in rows(out).values())


# Only some.


def test_only_what_failed_by_our_fault_is_graded(
    small, submissions, tmp_path, monkeypatch, capsys
) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr(grading, "examine_submission", _lose_eve)
    with pytest.raises(OurFaultError, match=r"^1 submission\(s\) could not .*`--only infra`"):
        grade(small, submissions, out)
    monkeypatch.undo()
    (submissions / "ada" / "double.py").write_text("changed = True\n")
    capsys.readouterr()
    grade(small, submissions, out, choice=Choice(only=Only.INFRA), dry_run=True)
    said = capsys.readouterr().out
    assert "Only 1 of 3 submissions: those with a failure of ours in the last results.\n" in said
    assert "Week 2: 1 of 1 submission would run" in said
    assert "  1 begun before, without a whole result: eve\n" in said
    grade(small, submissions, out, choice=Choice(only=Only.INFRA))
    assert totals(out) == dict.fromkeys(NAMES, "20.00"), "ada's new files were not asked for"
    capsys.readouterr()
    grade(small, submissions, out, choice=Choice(only=Only.INFRA))
    assert "Only 0 of 3 submissions" in capsys.readouterr().out


def test_chosen_students_and_times_combine(small, right, submissions, tmp_path, capsys) -> None:
    out, noon = tmp_path / "out", datetime(2026, 10, 12, 12, tzinfo=UTC)
    notes = "student,received,commit\nada,2026-10-12T13:00:00+02:00,\nben,2026-10-12T12:00:00Z,\n"
    (submissions / "handed_in.csv").write_text(notes)
    grade(small, submissions, out, choice=Choice(since=noon))
    assert totals(out) == {"ada": "", "ben": "20.00", "eve": "20.00"}, "of eve nothing says when"
    grade(small, submissions, out, choice=Choice(("ada", "ben"), since=noon))
    assert totals(out)["ada"] == ""
    assert "Only 1 of 3 submissions: those of ada, ben, handed in or changed since 2026-10-12 12:00"


def test_what_the_gradebook_had_before_has_not_changed_since(
    small, right, submissions, tmp_path, capsys
) -> None:
    out = tmp_path / "out"
    grade(small, submissions, out)
    later = Choice(since=datetime.now(UTC) + timedelta(minutes=1))
    capsys.readouterr()
    grade(small, submissions, out, choice=later)
    assert "Only 0 of 3 submissions" in capsys.readouterr().out
    hand_in(submissions, ben=right + "\n# better\n", zoe=right)
    grade(small, submissions, out, choice=later, dry_run=True)
    said = capsys.readouterr().out
    assert "Only 2 of 4 submissions" in said
    assert "handed in anew with other files: ben" in said


def test_an_unknown_student_is_refused_with_the_nearest_name(small, submissions, tmp_path) -> None:
    says = r"^no submission is of 'adda' \(the nearest: ada\); no submission is of 'quux' \(nob"
    with pytest.raises(ChoiceError, match=says):
        grade(small, submissions, tmp_path / "out", choice=Choice(("adda", "ben", "quux")))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("only", "since", "says"),
    [
        ("lost", None, "--only 'lost' is no kind of submissions. Say one of these: infra."),
        (None, "monday", "--since 'monday' is no time. Say 2026-10-12T21:40:00+02:00, or a date."),
        (None, "2026-10-12T08:00", "--since '2026-10-12T08:00' does not say its time zone."),
    ],
)
def test_what_can_not_be_chosen_is_said(small, only, since, says) -> None:
    with pytest.raises(InputError) as refused:
        choice_of(small, (), only, since)
    assert str(refused.value).startswith(says)


def test_days_begin_in_the_courses_zone() -> None:
    zone = UTC
    assert time_of("2026-10-12", zone) == datetime(2026, 10, 12, tzinfo=zone)
    assert time_of("2026-10-12T02:00+02:00", zone) == datetime(2026, 10, 12, tzinfo=zone)


# What is said meanwhile, and after.


def test_a_log_gets_lines_without_control_characters(
    small, submissions, tmp_path, capfd, monkeypatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    grade(small, submissions, tmp_path / "out")
    said = capfd.readouterr().out
    assert "graded 0 of 3 (week 2: 0 of 3), unknown time left\n" in said
    assert re.search(r"^graded 3 of 3 \(week 2: 3 of 3\) in \d+ s$", said, re.MULTILINE)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", said)
    longest, in_all = [line for line in said.splitlines() if line.startswith("Took")]
    assert re.fullmatch(r"Took longest: (\w{3}, week 2: \d+\.\d s(; )?){3}", longest)
    assert re.fullmatch(r"Took in all: week 2: \d+\.\d s \(3 submissions\)", in_all)


@pytest.fixture
def slow_class(small: Path, right: str, tmp_path: Path) -> Path:
    """Eight students whose code takes a second for each check; the program lies beside it."""
    root = tmp_path / "course"
    shutil.copytree(small, root)
    for name in ("autograder", "data"):
        ignored = shutil.ignore_patterns("cache", "__pycache__")
        shutil.copytree(ROOT / name, root / name, ignore=ignored)
    slow = right.replace("    return 2.0", "    import time; time.sleep(1)\n    return 2.0")
    hand_in(root / "in", **{f"s{number}": f"{slow}\n# {number}\n" for number in range(8)})
    return root


@pytest.fixture
def running(slow_class: Path) -> Iterator[subprocess.Popen[str]]:
    """A grading of the slow class into `out`, with its output in the file `log`."""
    command = [sys.executable, "-m", "autograder", "grade", "--submissions", "in", "--out", "out"]
    with (slow_class / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--unconfined", "--jobs", "2"],
            cwd=slow_class,
            env={**os.environ, "PYTHONPATH": str(slow_class), "COLUMNS": "100"},
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
        yield process
        if process.poll() is None:
            process.kill()
            process.wait()


def finished(out: Path) -> int:
    """Return how many jobs are finished, as another program may see it."""
    try:
        with Gradebook.copy_of(out / "gradebook.sqlite") as gradebook:
            return sum(one.is_finished for one in gradebook.standings())
    except sqlite3.Error as error:
        pytest.fail(f"a gradebook that is being written can't be read: {error}")


def wait_for(condition, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.1)


def test_kill_leaves_reports_of_what_is_finished(slow_class: Path, running) -> None:
    out = slow_class / "out"
    wait_for(lambda: finished(out) >= 2)
    told = status(slow_class, "--grades", "out").stdout
    assert f"A grading is running (process {running.pid} on " in told
    assert "running, " in told
    second = autograder(slow_class, "grade", "--submissions", "in", "--out", "out", "--unconfined")
    assert second.returncode == 2
    assert f"is being graded into already, by process {running.pid} on" in second.stderr
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 143
    told = totals(out)
    assert set(told) == {f"s{number}" for number in range(8)}
    assert set(told.values()) == {"20.00", ""}, "who was not reached has no zero"
    log = (slow_class / "log").read_text()
    assert "Took longest: s" in log
    assert "autograder: stopped. What was finished is kept" in log.splitlines()[-1]
    assert "the last one was stopped" in status(slow_class, "--grades", "out").stdout


def autograder(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "autograder", *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "400"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def status(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return autograder(root, "status", *arguments)
