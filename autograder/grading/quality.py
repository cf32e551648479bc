"""Graded checks of code quality: ruff's findings, and the share of documented definitions.

A module's quality counts only if a share of its checks pass, so that a well documented file without
working code earns no points.
"""

from __future__ import annotations

import ast
import json
import math
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from autograder.channel.faults import InfraError
from autograder.intake.imports import with_helpers
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.sandbox import own_time
from autograder.text.display import clean
from autograder.text.syntax import syntax_tree

RULES = "E,F,W,B,C4"
"""pycodestyle, pyflakes, likely bugs, roundabout comprehensions; lines of up to 100 characters."""

IGNORED = "B023,B905,F405"
"""Functions made in a loop, as those are that a gradient is measured of there, and `zip` without
`strict`: no bugs here. F405 says of every name behind a star import that ruff can't tell."""

STAR = re.compile(r"^line \d+: F403 `from (\.|\w+)")
"""A star import, which is a finding (once, F403) where it isn't one of the submission's own files:
these are judged too, and a small helper is read as a part of the file that imports it."""

FREE_FINDINGS = 2
FINDINGS_TO_ZERO = 12
"""Up to FREE_FINDINGS cost nothing; beyond, the lint half falls to 0 at FINDINGS_TO_ZERO."""

DOCUMENTED_FOR_FULL = 0.9
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
    excess = max(0, len(found) - FREE_FINDINGS) / (FINDINGS_TO_ZERO - FREE_FINDINGS)
    share = sum(documented) / len(documented)
    share = 0.5 * max(0.0, 1 - excess) + 0.5 * min(1.0, share / DOCUMENTED_FOR_FULL)
    credit = round(FULL_CREDIT * share)
    verdict = Verdict.PASS if credit == FULL_CREDIT else Verdict.WRONG
    return CheckResult(check, verdict, credit, _message(found, missing))


def _message(findings: list[str], missing: list[str]) -> str:
    parts = []
    if findings:
        shown = "; ".join(findings[:5]) + (" ..." if len(findings) > 5 else "")
        parts.append(f"ruff: {len(findings)} finding(s): {shown}.")
    if missing:
        names = ", ".join(clean(name, 60) for name in missing[:8])
        parts.append(f"Without a docstring: {names}.")
    return " ".join(parts)


def documentation(tree: ast.Module) -> tuple[float, list[str]]:
    """Return the documented share (0..1) of a module's public definitions, and the undocumented.

    Names that begin with an underscore need no docstring, nor do a property's setter and a method
    that a base class in the module documents.
    """
    nodes: list[tuple[str, ast.Module | ast.FunctionDef | ast.ClassDef]] = [("the module", tree)]
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            nodes.append((node.name, node))
            if isinstance(node, ast.ClassDef):
                nodes += [
                    (f"{node.name}.{part.name}", part)
                    for part in _methods(node)
                    if not _is_documented_elsewhere(part, node, classes)
                ]
    missing = [name for name, node in nodes if ast.get_docstring(node) is None]
    return 1 - len(missing) / len(nodes), missing


def _methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    """Return a class's public methods."""
    parts = (part for part in node.body if isinstance(part, ast.FunctionDef))
    return [part for part in parts if not part.name.startswith("_")]


def _is_documented_elsewhere(
    method: ast.FunctionDef, owner: ast.ClassDef, classes: Mapping[str, ast.ClassDef]
) -> bool:
    """Whether a method without a docstring is a setter, or overrides a documented one."""
    if ast.get_docstring(method) is not None:
        return False
    names = [ast.unparse(decorator) for decorator in method.decorator_list]
    if any(name.endswith((".setter", ".deleter")) for name in names):
        return True
    bases = [classes[name] for base in owner.bases if (name := ast.unparse(base)) in classes]
    inherited = [part for base in bases for part in _methods(base) if part.name == method.name]
    return any(ast.get_docstring(part) is not None for part in inherited)


@cache
def _ruff() -> list[str]:
    """Return how ruff is called: its program beside Python's, which starts faster than a module."""
    program = Path(sysconfig.get_path("scripts")) / "ruff"
    return [str(program)] if program.is_file() else [sys.executable, "-m", "ruff"]


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
        command = [*_ruff(), "check", "--isolated", "--no-cache", "--exit-zero"]
        command += ["--ignore-noqa", "--line-length", "100", "--select", RULES]
        command += ["--ignore", IGNORED]
        try:
            done = own_time.run(
                [*command, "--output-format", "json", folder], RUFF_TIMEOUT_SECONDS, cwd=folder
            )
        except subprocess.TimeoutExpired:
            return {name: ["ruff did not come to an end"] * FINDINGS_TO_ZERO for name in files}
        except OSError as error:
            raise InfraError(f"ruff could not be run: {error}") from error
    try:
        rows = json.loads(done.stdout)
    except ValueError:
        raise InfraError(f"ruff failed: {done.stderr[:300].decode(errors='replace')}") from None
    findings: dict[str, list[str]] = {name: [] for name in files}
    own = {".", *(name.partition("/")[0].removesuffix(".py") for name in files)}
    for row in rows:
        line = (row.get("location") or {}).get("row", 0)
        text = f"line {line}: {row.get('code') or 'syntax'} {clean(row.get('message'), 80)}"
        name = Path(row["filename"]).relative_to(Path(folder).resolve()).as_posix()
        star = STAR.match(text)
        if star is None or star[1] not in own:
            findings.setdefault(name, []).append(text)
    return findings
