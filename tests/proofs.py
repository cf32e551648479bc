"""The tests of `make prove`, whose proofs are kept by content: what is proved is not run again.

A test with the marker `prove` belongs to that tier. Its proof is a file in .proofs/, named by a
digest of everything that the outcome depends on; it is written when the test passes, and only then.
docs/tests.md says what each kind of proof depends on, and why that is enough.
"""

from __future__ import annotations

import ast
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".proofs"
KEPT_SECONDS = 30 * 24 * 3600
"""A proof that was not used for so long is removed."""

SANDBOXED = [f"autograder/{room}" for room in ("channel", "sandbox", "wire", "worker")]
"""Rooms that are read as files or lie at the border: any test of a submission depends on them."""

GENERAL = ["pyproject.toml", "tests/conftest.py", "tests/proofs.py"]
NOT_IN_GIT = {".git", ".venv", ".proofs", "__pycache__", "cache"}


@dataclass(frozen=True)
class Reads:
    """What a test's outcome depends on: files and folders of the repository, and other facts."""

    paths: Iterable[str | Path]
    facts: Iterable[str] = ()


class Proofs:
    """The pytest plugin: leaves out what is proved already, and notes what is proved now.

    machine: called for what can be confined here and how, which takes a second to find out.
    """

    def __init__(self, config: pytest.Config, machine: Callable[[], str]):
        self._config = config
        self._machine = machine
        self._in_ci = os.environ.get("CI") == "true"
        self._fresh = self._in_ci or os.environ.get("PROVE_FRESH") == "1"
        self._keys: dict[str, str] = {}
        self._passed: dict[str, set[str]] = {}
        self._taken = 0

    @property
    def _is_worker(self) -> bool:
        return hasattr(self._config, "workerinput")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the tests whose proof is kept."""
        left, taken = [], []
        for item in items:
            mark = item.get_closest_marker("prove")
            if mark is None or self._in_ci:
                left.append(item)
                continue
            path = KEPT / key_of(item, mark, self._machine())
            self._keys[item.nodeid] = path.name
            (taken if path.exists() and not self._fresh else left).append(item)
        if taken:
            self._taken = len(taken)
            items[:] = left
            self._config.hook.pytest_deselected(items=taken)
            for item in taken:
                os.utime(KEPT / self._keys[item.nodeid])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep the proof of a test that passed in every phase; forget that of one that failed."""
        report = yield
        key = self._keys.get(item.nodeid)
        if key is not None:
            passed = self._passed.setdefault(item.nodeid, set())
            if report.passed:
                passed.add(report.when)
            if report.failed:
                (KEPT / key).unlink(missing_ok=True)
            elif report.when == "teardown" and passed == {"setup", "call", "teardown"}:
                _keep(key, item.nodeid)
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear from a process of pytest-xdist what it left out: all leave out the same."""
        self._taken = max(self._taken, getattr(node, "workeroutput", {}).get("proofs_taken", 0))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Nothing left to be proved is a success; what nobody has used for long is removed."""
        if self._is_worker:
            self._config.workeroutput["proofs_taken"] = self._taken
            return
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self._taken:
            session.exitstatus = pytest.ExitCode.OK
        for path in KEPT.glob("*"):
            if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                path.unlink(missing_ok=True)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._fresh:
            said = "every proof was made anew"
        else:
            said = f"{self._taken} proofs were taken from .proofs/ (PROVE_FRESH=1 makes them anew)"
        terminalreporter.write_line(said)


def _keep(key: str, nodeid: str) -> None:
    KEPT.mkdir(exist_ok=True)
    partial = KEPT / f"{key}.{os.getpid()}"
    partial.write_text(f"{nodeid}\n", "utf-8")
    partial.replace(KEPT / key)


# What a proof depends on


def key_of(item: pytest.Item, mark: pytest.Mark, machine: str) -> str:
    """Return the digest of all that the outcome of a test depends on."""
    reads = mark.kwargs.get("reads")
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    read = reads(**parameters) if reads else Reads(_all_but_tests())
    digest = hashlib.sha256()
    for fact in (item.nodeid, surroundings(), machine, *read.facts):
        digest.update(fact.encode() + b"\0")
    digest.update(_content(item.path, tuple(str(path) for path in read.paths)))
    return digest.hexdigest()[:40]


@cache
def surroundings() -> str:
    """Return what a run depends on that does not stand in the repository."""
    distributions = {(d.name, d.version) for d in metadata.distributions()}
    bwrap = shutil.which("bwrap")
    version = subprocess.run([bwrap, "--version"], capture_output=True).stdout if bwrap else b""
    processor = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next((line for line in lines if line.startswith("model name")), "")
    facts = (sys.version, platform.uname()[2:], processor, os.geteuid(), version)
    return repr((*facts, os.environ.get("COURSE_DATA"), sorted(distributions)))


@cache
def _content(test: Path, paths: tuple[str, ...]) -> bytes:
    files = files_of(test, paths)
    return repr([(str(path.relative_to(ROOT)), _digest(path)) for path in files]).encode()


def files_of(test: Path, paths: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the files in `paths` and everything that they or the test import, in order."""
    files: set[Path] = set()
    for path in (*paths, *GENERAL, *SANDBOXED):
        place = ROOT / path
        files.update(tree(place) if place.is_dir() else [place] if place.is_file() else [])
    reached, waiting = set(files), [test, *(path for path in files if path.suffix == ".py")]
    while waiting:
        path = waiting.pop()
        reached.add(path)
        waiting += imports_of(path) - reached
        reached |= imports_of(path)
    return tuple(sorted(reached))


@cache
def _all_but_tests() -> tuple[str, ...]:
    """Return the repository's files. Other tests are not among them, what they share is."""
    git = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = listed.stdout.split("\0")
    else:
        names = [str(path.relative_to(ROOT)) for path in tree(ROOT)]
    return tuple(
        name for name in names if name and not re.match(r"tests/(.*/)?test_\w+\.py$", name)
    )


@cache
def tree(folder: Path) -> tuple[Path, ...]:
    """Return the files below a folder that are no products of running something."""
    return tuple(
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not NOT_IN_GIT & set(path.relative_to(folder).parts)
    )


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def imports_of(path: Path) -> frozenset[Path]:
    """Return the repository's own files that a file names in an import, wherever it stands."""
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError:  # submissions that are wrong on purpose
        return frozenset()
    found = {file for name in _imported_names(tree, path) for file in _files_of_module(name)}
    return frozenset(found - {path})


def _imported_names(tree: ast.Module, path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


@cache
def _files_of_module(name: str) -> frozenset[Path]:
    """Return the files that importing a module runs: its own and those of the packages above."""
    parts = name.split(".")
    steps = [ROOT.joinpath(*parts[:length]) for length in range(1, len(parts) + 1)]
    files = (file for step in steps for file in (step.with_suffix(".py"), step / "__init__.py"))
    return frozenset(file for file in files if file.is_file())
