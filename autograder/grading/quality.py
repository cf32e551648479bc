"""Graded checks of code quality: ruff's findings, and the share of documented definitions.

A module's quality counts only if a share of its checks pass, so that a well documented file without
working code earns no points.
"""

from __future__ import annotations

import ast
import math
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.channel.faults import InfraError
from autograder.intake.imports import with_helpers
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.sandbox import own_time
from autograder.text.quality import (
    FINDINGS_TO_ZERO,
    documentation,
    findings_in,
    message,
    ruff_command,
    share_of,
)
from autograder.text.syntax import syntax_tree

WORKING_SHARE = 0.2
RUFF_TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Quality:
    """The quality checks of an assignment, one for each module.

    `items` maps a module's file name to the rubric items that its checks belong to, `homes` to the
    other files in which its names may stand: the first one that is there is judged instead of it.
    `modules` are all that the assignment asks for: who imports one of them has no helper in it.
    """

    item: str
    items: Mapping[str, Sequence[str]]
    homes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    modules: Sequence[str] = ()

    @property
    def plan(self) -> list[PlannedCheck]:
        return [
            PlannedCheck(f"quality::{name}", self.item, f"{name} is clean and documented")
            for name in self.items
        ]

    def measure(
        self, files: Mapping[str, bytes], plan: Sequence[PlannedCheck], results: list[CheckResult]
    ) -> list[CheckResult]:
        """Grade the modules. `plan` and `results` are the suite's, to tell which modules work."""
        passed = {result.check for result in results if result.verdict is Verdict.PASS}
        waits = {name: self._waits_for(name, plan, passed) for name in self.items}
        places = {name: self._place(name, files) for name in self.items}
        parts = {name: self._parts(place, files) for name, place in places.items()}
        judged = {name for one in parts.values() for name in one}
        trees = {name: syntax_tree(files[name]) for name in judged}
        # A file that Python can't parse may make ruff fail, also for the other files.
        wanted = {part for name, one in parts.items() if not waits[name] for part in one}
        findings = lint({name: files[name] for name in sorted(wanted) if trees[name]})
        return [_judge(name, parts[name], waits[name], trees, findings) for name in self.items]

    def _parts(self, place: str, files: Mapping[str, bytes]) -> list[str]:
        """Return the file that is judged, if it is there, and the helper modules it imports."""
        if place not in files:
            return []
        asked = {*self.items, *self.modules}
        helpers = {name: data for name, data in files.items() if name not in asked}
        found = with_helpers({place: files[place]}, lambda _, file: helpers.get(file))
        return [name for name in found if name == place or name in helpers]

    def _place(self, name: str, files: Mapping[str, bytes]) -> str:
        """Return the file that holds what a module asks for."""
        return next((file for file in (name, *self.homes.get(name, ())) if file in files), name)

    def _waits_for(self, name: str, plan: Sequence[PlannedCheck], passed: set[str]) -> str:
        """Say how many checks of a module have to pass before its quality counts; "" if it does."""
        checks = {planned.id for planned in plan if planned.item in self.items[name]}
        least, now = math.ceil(WORKING_SHARE * len(checks)), len(checks & passed)
        items = ", ".join(self.items[name])
        said = f"Counts once {least} of the {len(checks)} checks of {items} pass; {now} do so far."
        return said if now < least else ""


def _judge(
    module: str,
    files: Sequence[str],
    waits_for: str,
    trees: Mapping[str, ast.Module | None],
    findings: Mapping[str, list[str]],
) -> CheckResult:
    """Grade a module: the file that holds it and its helpers (none: it is missing).

    `waits_for` says why it doesn't count yet, if so; `trees` and `findings` are the syntax tree
    (None: invalid) of each file, and what ruff finds.
    """
    check = f"quality::{module}"
    if not files:
        return CheckResult(check, Verdict.NOT_ATTEMPTED, message=f"There is no {module}.")
    if waits_for:
        return CheckResult(check, Verdict.BLOCKED, message=waits_for)
    documented, found, missing = [], list[str](), list[str]()
    for name in files:
        tree = trees[name]
        if tree is None:
            return CheckResult(check, Verdict.WRONG, message=f"{name} is not valid Python.")
        share, without = documentation(tree)
        documented.append(share)
        where = "" if name == files[0] else f"{name}, "
        found += [f"{where}{one}" for one in findings[name]]
        missing += [f"{where}{one}" for one in without]
    credit = round(FULL_CREDIT * share_of(len(found), sum(documented) / len(documented)))
    verdict = Verdict.PASS if credit == FULL_CREDIT else Verdict.WRONG
    return CheckResult(check, verdict, credit, message(found, missing))


def lint(files: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Return ruff's findings for each file, as "line 12: F841 ...".

    `noqa` comments and the submission's own configuration are ignored. Raises InfraError
    where ruff can't be run.
    """
    if not files:
        return {}
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        try:
            done = own_time.run(ruff_command(folder), RUFF_TIMEOUT_SECONDS, cwd=folder)
        except subprocess.TimeoutExpired:
            return {name: ["ruff did not come to an end"] * FINDINGS_TO_ZERO for name in files}
        except OSError as error:
            raise InfraError(f"ruff could not be run: {error}") from error
    try:
        return findings_in(done.stdout, folder, files)
    except ValueError:
        raise InfraError(f"ruff failed: {done.stderr[:300].decode(errors='replace')}") from None
