"""A student's own tests, tried on the student's own code with faults around it.

In grading they are tried on other programs: right ones, and ones with mistakes that nobody is
shown. Here the code is the student's, and a fault is one that is easily said: a factor, a sign,
what the first call has kept. Tests that notice them all look at the right places.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.course import Week
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.students.faults import read_faults
from autograder.students.process import ENVIRONMENT, ROOT
from autograder.text.test_functions import TestFunctions, find_tests

PROGRAM = f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
PROGRAM += "from autograder.students.fault_child import main; main()"

SECONDS = 60.0
"""Time limit of all runs together, in seconds, before a fault counts as endless; then once more."""

MOST_ENDLESS = 3
"""So many faults may come to no end before the rest is left out."""

MOST_SHOWN = 6
Passed = list[str] | None


def plan(item: str) -> list[PlannedCheck]:
    """Return the checks, as grading has them."""
    return [
        PlannedCheck("student_tests::own", item, "Your tests pass on your own code"),
        PlannedCheck("student_tests::faults", item, "Your tests notice faults put around it", 3),
    ]


def try_tests(
    item: str, week: Week, folder: Path, files: Mapping[str, bytes], begun: bool
) -> list[CheckResult]:
    """Run the student's own tests; `files` are the student's, `folder` that of the public tests.

    `begun` is whether the file of tests is another than the one that was shipped.
    """
    own, faults = (check.id for check in plan(item))
    tests = find_tests(files.get(week.student_tests or "", b""))
    if tests is None:
        message = f"{week.student_tests} is not valid Python."
        return [CheckResult(check, Verdict.WRONG, message=message) for check in (own, faults)]
    if not (begun and tests.written):
        ends = Verdict.NOT_ATTEMPTED
        message = "None of the tests is filled in yet."
        return [CheckResult(check, ends, message=message) for check in (own, faults)]
    known = read_faults(folder)
    passed = _run(week, files, tests, [None, *known])
    alone = passed[0] or []
    failing = [name for name in tests.written if name not in alone]
    tried = [
        (fault, any(name not in found for name in alone))
        for fault, found in zip(known, passed[1:], strict=True)
        if found is not None
    ]
    return [_own(own, tests, failing), _noticed(faults, alone, tried)]


def _own(check: str, tests: TestFunctions, failing: Sequence[str]) -> CheckResult:
    """Say which tests fail on the student's own code."""
    if not failing:
        return CheckResult(check, Verdict.PASS, FULL_CREDIT)
    share, fail = 1 - len(failing) / len(tests.written), "fails" if len(failing) == 1 else "fail"
    message = (
        f"{len(failing)} of your {len(tests.written)} tests {fail} on your own code, "
        f"{', '.join(failing[:MOST_SHOWN])}: either the test is wrong, or the code."
    )
    return CheckResult(check, Verdict.WRONG, round(FULL_CREDIT * share), message)


def _noticed(
    check: str, alone: Sequence[str], tried: Sequence[tuple[Mapping[str, Any], bool]]
) -> CheckResult:
    """Say how many faults the tests notice, and which they don't."""
    if not alone or not tried:
        message = "Counts once a test of yours passes on your own code."
        return CheckResult(check, Verdict.BLOCKED, message=message)
    missed = [fault["says"] for fault, noticed in tried if not noticed]
    message = f"Your tests notice {len(tried) - len(missed)} of {len(tried)}."
    if missed:
        message += " Not if " + "; nor if ".join(missed[:MOST_SHOWN])
        message += "." if len(missed) <= MOST_SHOWN else f"; nor {len(missed) - MOST_SHOWN} others."
    credit = round(FULL_CREDIT * (1 - len(missed) / len(tried)))
    return CheckResult(check, Verdict.WRONG if missed else Verdict.PASS, credit, message)


def _run(
    week: Week,
    files: Mapping[str, bytes],
    tests: TestFunctions,
    faults: Sequence[Mapping[str, Any] | None],
) -> list[Passed]:
    """Return the tests that pass with each fault; one that comes to no end passes none."""
    found: list[Passed] = []
    with tempfile.TemporaryDirectory(prefix="check-") as scratch:
        folder, results = Path(scratch) / "submission", Path(scratch) / "results"
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        settings = {
            "folder": str(folder),
            "modules": [_module(name) for name in files if name != week.student_tests],
            "tests": _module(week.student_tests or ""),
            "names": tests.written,
            "with_pytest": tests.needs_pytest,
            "results": str(results),
        }
        for _ in range(MOST_ENDLESS):
            _start({**settings, "faults": faults[len(found) :]}, scratch)
            lines = results.read_text("utf-8").splitlines() if results.is_file() else []
            found = [*found, *(json.loads(line) for line in lines)]
            if len(found) == len(faults):
                return found
            found.append([])  # the program ended, or was ended, in this one
            results.unlink(missing_ok=True)
    return [*found, *[None] * (len(faults) - len(found))][: len(faults)]


def _start(settings: Mapping[str, Any], scratch: str) -> None:
    """Run the program until it ends or its time is over; what it prints is thrown away."""
    try:
        subprocess.run(
            [sys.executable, "-s", "-P", "-B", "-c", PROGRAM, json.dumps(settings)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=scratch,
            env={**os.environ, **ENVIRONMENT},
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return


def _module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")
