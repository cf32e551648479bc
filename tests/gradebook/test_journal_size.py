"""What a class costs in disk grows with its students, and by little for each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from benchmarks import journal_size

CHECKS = [PlannedCheck(f"t::{n}", "week1.linear", f"Check number {n}") for n in range(200)]


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """Return a folder with the results of two students, of whom one failed half of all checks."""
    with Gradebook.open(tmp_path / "graded" / "gradebook.sqlite") as book:
        book.start_run("none", "digits", "salt", {})
        for student, failed in (("ada", 100), ("ben", 0)):
            one = Submission(student, {"a.py": student.encode()})
            book.add_submission(one, 1)
            book.plan(GradingJob(student, student, 1, one.fingerprint, "none"), CHECKS, {"a": "b"})
            wrong = [
                CheckResult(check.id, Verdict.WRONG, message=f"entry ({n}, 2): got 0.1234")
                for n, check in enumerate(CHECKS[:failed])
            ]
            right = [CheckResult(check.id, Verdict.PASS, FULL_CREDIT) for check in CHECKS[failed:]]
            book.record(student, wrong + right, 1.0)
    return tmp_path / "graded"


def figures(shown: str) -> list[dict[str, float]]:
    """Return each class's figures in all, by name, as the benchmark printed them."""
    classes = re.split(r"^(\d+) students .*$", shown, flags=re.MULTILINE)[1:]
    return [
        {"students": float(number)}
        | {name: float(value) for name, value in re.findall(r"^  (\S+ \S+) +(\S+)", rows, re.M)}
        for number, rows in zip(classes[::2], classes[1::2], strict=True)
    ]


def test_the_benchmark_measures_classes_of_any_size(
    graded: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_size, "apart", lambda phase, *arguments: phase(*arguments))
    journal_size.command_line(["--graded", str(graded), "--students", "40", "80"])
    small, large = figures(capsys.readouterr().out)
    assert (small["students"], large["students"]) == (40, 80)
    for name in ("journal MB", "results.json MB", "feedback.md MB"):
        assert 1.6 < large[name] / small[name] < 2.1, name
    assert 0 < large["journal MB"] / 80 < 0.02, "200 results in 20 KB"
    assert large["stopped KB/job"] < 1
    assert {"record s", "again s", "gather s", "write s", "reports MB", "status s"} <= large.keys()


def test_a_phase_is_measured_in_a_process_of_its_own(graded: Path) -> None:
    found = journal_size.apart(journal_size.looked_at, graded)
    assert found.keys() == {"status s", "status MB"}
    assert found["status s"] > 0
