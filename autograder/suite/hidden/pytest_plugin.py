"""A suite under plain pytest, in one process, without any confinement.

    pytest -p autograder.suite.hidden.pytest_plugin --student FOLDER SUITE

For authors of suites, who run it on the reference, and as the yardstick of the benchmarks. It must
not be used on code that isn't yours.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from autograder.suite.collected_test import seed_of
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GRADED_MARKERS
from autograder.suite.session import Grade
from autograder.suite.student import Student
from autograder.suite.week_worker import worker_beside


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--student", help="the folder with the modules to test")


def pytest_configure(config: pytest.Config) -> None:
    for marker in GRADED_MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture(scope="session")
def host(request: pytest.FixtureRequest) -> LocalHost:
    folder = request.config.getoption("--student")
    if folder is None:
        raise pytest.UsageError("say where the modules are: --student FOLDER")
    top = Path(folder)
    packages = [start.parent for start in top.glob("*/__init__.py")]
    paths = [*top.glob("*.py"), *(path for one in packages for path in one.rglob("*.py"))]
    return LocalHost({path.relative_to(top).as_posix(): path.read_bytes() for path in paths})


def _seed(request: pytest.FixtureRequest, side: str = "") -> int:
    return seed_of("", f"{Path(request.node.path).stem}::{request.node.name}", side)


@pytest.fixture
def student(request: pytest.FixtureRequest, host: LocalHost) -> Iterator[Student]:
    own = worker_beside(Path(request.node.path).parent)
    yield host.start(_seed(request, "|worker"), own=own)
    host.finish(None)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    return np.random.default_rng(_seed(request))


@pytest.fixture
def grade() -> Grade:
    return Grade()
