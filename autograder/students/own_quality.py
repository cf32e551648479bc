"""What grading says of code quality, said by `check`: ruff's findings, and missing docstrings."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.course import Course, Week
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.text.quality import documentation, findings_in, message, ruff_command, share_of
from autograder.text.syntax import syntax_tree

SECONDS = 20.0
NO_RUFF = "ruff, which grading asks as well, is not installed here: `pip install ruff`."


def plan(course: Course, week: Week, gaps: Mapping[str, list[list[str]]]) -> list[PlannedCheck]:
    """Return a check for each module that has gaps of what everybody has to do.

    `gaps` maps items to the places of their gaps: file and definition.
    """
    item = f"{week.id}.quality"
    if item not in {one.id for one in course.items(week.number)}:
        return []
    optional = {
        one.id for part in course.components for one in part.items if part.extra or one.beyond
    }
    asked = {file for task, places in gaps.items() if task not in optional for file, _ in places}
    names = [name for name in week.sources if name in asked and name != week.student_tests]
    return [
        PlannedCheck(f"quality::{name}", item, f"{name} is clean and documented") for name in names
    ]


def measure(
    checks: Sequence[PlannedCheck], files: Mapping[str, bytes], begun: Mapping[str, bool]
) -> list[CheckResult]:
    """Return what is said of each module; one that has not been begun is not attempted."""
    names = {check.id.partition("::")[2]: check.id for check in checks}
    there = {name: files[name] for name in names if name in files and begun.get(name, True)}
    found = _findings(there)
    return [
        _judge(check, name, there.get(name), None if found is None else found.get(name, []))
        for name, check in names.items()
    ]


def _judge(check: str, name: str, source: bytes | None, found: Sequence[str] | None) -> CheckResult:
    if source is None:
        return CheckResult(check, Verdict.NOT_ATTEMPTED, message=f"{name} is not begun yet.")
    tree = syntax_tree(source)
    if tree is None:
        return CheckResult(check, Verdict.WRONG, message=f"{name} is not valid Python.")
    documented, missing = documentation(tree)
    credit = round(FULL_CREDIT * share_of(len(found or ()), documented))
    said = message(list(found or ()), missing)
    if found is None and credit < FULL_CREDIT:
        said = f"{said} ({NO_RUFF})"
    verdict = Verdict.PASS if credit == FULL_CREDIT else Verdict.WRONG
    return CheckResult(check, verdict, credit, said)


def _findings(files: Mapping[str, bytes]) -> dict[str, list[str]] | None:
    """Return ruff's findings by file; None where it can't be run."""
    files = {name: text for name, text in files.items() if syntax_tree(text) is not None}
    with tempfile.TemporaryDirectory(prefix="check-") as folder:
        for name, content in files.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_bytes(content)
        with contextlib.suppress(OSError, ValueError, subprocess.TimeoutExpired):
            done = subprocess.run(
                ruff_command(folder), capture_output=True, timeout=SECONDS, check=False
            )
            return findings_in(done.stdout, folder, files)
    return None
