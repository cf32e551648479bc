"""pytest in a students' tree: the public tests get their `student`, own tests their week's modules.

The conftest.py at the top of the tree loads it, so that `pytest` and the test explorers of editors
work there and in any folder. A public test runs the code in a process of its own, with limits, as
`check` does; with --in-process, --pdb or a debugger attached it runs in the process of pytest, so
that breakpoints stop.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder import course as courses
from autograder.channel.faults import Fault
from autograder.course import Week
from autograder.records import FULL_CREDIT, Verdict
from autograder.students.host import StudentHost
from autograder.students.in_process import InProcessHost
from autograder.students.public_run import read_files
from autograder.students.week_modules import WeekModules
from autograder.suite.collected_test import planned, seed_of
from autograder.suite.session import MARKERS, Grade
from autograder.suite.student import Student
from autograder.suite.week_worker import worker_of

ROOT = Path(__file__).resolve().parents[2]
NAME = "course"
"""What the plugin is registered as."""

FRAME = re.compile(r"^ {2}(?P<file>\S[^:\n]*\.py):(?P<line>\d+)", re.M)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for debuggers."""
    parser.getgroup("course").addoption(
        "--in-process",
        action="store_true",
        help="run your code in this process, without limits, so that breakpoint() stops in it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register markers, and the plugin that holds what a session needs."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    config.pluginmanager.register(CourseTests(config), NAME)


class CourseTests:
    """What one session of pytest knows: the weeks, their hosts, whose modules are imported."""

    def __init__(self, config: pytest.Config):
        self._config = config
        self._weeks = {
            ROOT / "assignments" / week.folder: week for week in courses.load(ROOT).weeks
        }
        self._hosts: dict[str, StudentHost | InProcessHost] = {}
        self._modules = WeekModules()

    def folder_of(self, path: Path) -> Path | None:
        """Return the folder of the week that a file belongs to; None outside of weeks."""
        above = (folder for folder in (path, *path.parents) if folder in self._weeks)
        return next(above, None)

    def host(self, folder: Path) -> StudentHost | InProcessHost:
        """Return what runs a week's files; it is started once."""
        week = self._weeks[folder]
        if week.id not in self._hosts:
            files, own = read_files(ROOT, week).modules, worker_of(ROOT, week)
            if self._in_process:
                host: Any = InProcessHost(folder, files, week.modules, own)
            else:
                host = StudentHost(files, week.limits, week.modules, week.packages, own)
            self._hosts[week.id] = host
        return self._hosts[week.id]

    @property
    def _in_process(self) -> bool:
        options = self._config.option
        asked = options.in_process or getattr(options, "usepdb", False)
        return asked or getattr(options, "trace", False) or sys.gettrace() is not None

    # --- hooks ------------------------------------------------------------------------------

    def pytest_report_header(self) -> list[str]:
        """Say which weeks are left out."""
        return [
            f"{week.name} is left out: it needs {', '.join(missing)}, which `python check.py setup "
            "torch` installs"
            for week in self._weeks.values()
            if (missing := missing_packages(week))
        ]

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out the weeks whose packages are not installed."""
        folder = self.folder_of(collection_path)
        return True if folder and missing_packages(self._weeks[folder]) else None

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """Import a test file with its week's modules."""
        self._modules.switch(self.folder_of(collector.path))
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Run a test with its week's modules."""
        self._modules.switch(self.folder_of(item.path))
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> Iterator[None]:
        """Fail with what `check` would say, in place of a traceback through our files."""
        result = fault = None
        try:
            result = yield
        except Fault as caught:
            fault = pyfuncitem.stash[FAULT] = caught
        if fault is not None:
            pytest.fail(self._said(pyfuncitem, fault), pytrace=False)
        grade = pyfuncitem.funcargs.get("grade")
        if isinstance(grade, Grade) and grade.credit is not None and grade.credit < FULL_CREDIT:
            pytest.fail(grade.message, pytrace=False)
        return result

    def pytest_sessionfinish(self) -> None:
        """End the processes of the student's code."""
        self._modules.switch(None)
        for host in self._hosts.values():
            host.close()

    def _said(self, item: pytest.Function, fault: Fault) -> str:
        """Return a fault's message, with its lines as links to the student's files."""
        if fault.verdict is Verdict.NOT_ATTEMPTED:
            return f"not attempted: {fault.message}"
        folder = self.folder_of(item.path)
        start = f"{folder.relative_to(ROOT).as_posix()}/" if folder else ""
        message = FRAME.sub(rf"  {start}\g<file>:\g<line>", fault.message)
        check = planned(item)
        return f"{check.item}: {check.title}\n{message}"


FAULT = pytest.StashKey[Fault]()


def missing_packages(week: Week) -> list[str]:
    """Return the distributions that a week needs and that are not installed."""
    missing = []
    for name in week.packages:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    return missing


# --- fixtures -------------------------------------------------------------------------------


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Iterator[Student]:
    """The student's modules of the week in whose folder the test lies, in their initial state."""
    session: Any = request.config.pluginmanager.get_plugin(NAME)
    folder = session.folder_of(request.path)
    if folder is None:
        pytest.fail("`student` is for tests in a week's folder", pytrace=False)
    host, check = session.host(folder), planned(request.node)
    large = request.node.get_closest_marker("training") is not None
    own = worker_of(ROOT, session._weeks[folder])
    yield host.start(seed_of("", check.id, "|worker"), large=large, own=own)
    host.finish(request.node.stash.get(FAULT, None))
    if host.printed:
        sys.stdout.write(host.printed)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator whose seed follows from the test: the same numbers as in `check`."""
    return np.random.default_rng(seed_of("", planned(request.node).id))


@pytest.fixture
def grade() -> Grade:
    """Partial credit, which a test may give."""
    return Grade()


@pytest.fixture
def settings() -> None:
    """What hidden suites are set up with: nothing here."""
