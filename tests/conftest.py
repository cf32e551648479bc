"""What tests share: the confinement that works on this machine, and a small course."""

from __future__ import annotations

import os
import re
import signal
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

# Before anything imports numpy: several test processes with several BLAS threads each are slow.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from autograder.course import Week, load  # noqa: E402
from autograder.sandbox import Confinement, Unconfined  # noqa: E402
from autograder.sandbox.choose import NotConfinedError, choose, rungs  # noqa: E402
from autograder.sandbox.runtime import installed  # noqa: E402
from tests import proofs  # noqa: E402

# What a shell starts in the background ignores Ctrl-C, and so would the programs that tests stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent

# Timings decide no test: hypothesis fails an example that took 200 ms on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


PACKAGES = tuple({name for week in load(ROOT).weeks for name in week.packages})


def need_packages(week: Week) -> None:
    """Skip where what a week's code imports is not installed, and say what is missing."""
    missing = [name for name in week.packages if not installed(name)]
    if missing:
        tier = "requirements-torch.txt"
        pytest.skip(f"{week.name} needs {', '.join(missing)}, not installed here ({tier})")


@lru_cache(maxsize=1)
def _chosen() -> Confinement | NotConfinedError:
    try:
        return choose(0, PACKAGES)
    except NotConfinedError as error:
        return error


@lru_cache(maxsize=1)
def _rungs() -> dict[str, Confinement]:
    """Return the confinements that work here by their letters, best first.

    Each process of the tests has a slot of its own, that is a user: attacks use up a user's limits.
    """
    slot = 32 + int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0)
    return {confinement.rung: confinement for confinement in rungs(slot)}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make prove` says."""
    parser.addoption("--kept-proofs", action="store_true", help="run no test that .proofs/ has")


def pytest_configure(config: pytest.Config) -> None:
    """Leave out what is proved already, where that is asked for."""
    if config.getoption("kept_proofs"):
        config.pluginmanager.register(proofs.Proofs(config, _machine))


def _machine() -> str:
    """Return how student code can be confined on this machine."""
    return repr({letter: confinement.name for letter, confinement in _rungs().items()})


TOGETHER = (
    r"test_week_suites\.py.*\[(?:week\d+|project)",
    r"test_hostile_rungs\.py.*\[(?:best|[ABCD])-",
    r"test_analyses\.py.*\[week\d+",
    r"test_training_job\.py::.{12}",
    r"test_points\.py.*\[week\d+_\w+/",
    r"test_literal_submissions\.py.*\[(?:week\d+|project)",
)
"""Parts of long files: the tests of a part run in one process, beside another part of their file.

A week, a rung, or tests whose names begin alike.
"""


class ByFileAndPart(LoadFileScheduling):
    """Runs a file's tests in one process, since they share fixtures; of long files, a part's."""

    def _split_scope(self, nodeid: str) -> str:
        for pattern in TOGETHER:
            if part := re.search(pattern, nodeid):
                return part.group()
        return super()._split_scope(nodeid)


SLOWEST = (
    "test_readme.py",
    "test_week_suites.py",
    "test_every_benchmark.py",
    "test_points.py",
    "test_literal_submissions.py",
    "test_training_job.py",
    "test_analyses.py",
    "test_hostile_rungs.py",
    "test_pages_in_browser.py",
    "test_class_page.py",
    "test_separation.py",
    "test_formgrader.py",
    "test_release.py",
    "test_hostile.py",
    "test_second_look.py",
    "test_grade_command.py",
    "test_workflows.py",
    "test_simulate.py",
    "test_mutation.py",
    "test_sandbox.py",
    "test_report_injection.py",
)
"""The longest files: where they come last, one process works and the others wait."""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFileAndPart:
    """Share out the tests of `make test`, which runs a process per core, in their order."""
    config.option.loadscopereorder = False
    return ByFileAndPart(config, log)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Don't import a file in which `make prove` has no test: it would take half of its time."""
    if config.getoption("markexpr") != "prove" or not collection_path.match("test_*.py"):
        return None
    return None if "prove" in collection_path.read_text("utf-8") else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; the others keep their order."""
    places = {name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Choose before any test starts a thread: as root this changes what later threads see."""
    wanted = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if "confinement" in wanted:
        _chosen()
    if wanted & {"rung", "ladder"}:
        _rungs()


@pytest.fixture(scope="session")
def confinement() -> Confinement:
    """The confinement that hidden suites run in. CI must have one; elsewhere tests are skipped."""
    chosen = _chosen()
    if isinstance(chosen, NotConfinedError):
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must be able to confine student code: {chosen}")
        pytest.skip(str(chosen))
    return chosen


@pytest.fixture(scope="session")
def ladder() -> dict[str, Confinement]:
    """Every confinement that works here by its letter, best first, and the plain process as D."""
    found = _rungs()
    if not found and os.environ.get("CI") == "true":
        pytest.fail("CI must be able to confine student code")
    return found | {"D": Unconfined()}


@pytest.fixture(scope="session", params=["A", "B", "C"])
def rung(request: pytest.FixtureRequest) -> Confinement:
    """Each rung of the ladder that this machine has, one after the other."""
    found = _rungs()
    if not found and os.environ.get("CI") == "true":
        pytest.fail("CI must be able to confine student code")
    if request.param not in found:
        pytest.skip(f"this machine has no rung {request.param}: `autograder doctor` says why")
    return found[request.param]


# A course with weeks that the repository doesn't have: the machinery knows nothing of its own.

HEADER = '[course]\ntitle = "A small course"\n'
WEEK = """
[[week]]
number = {number}
id = "week{number}"
folder = "week{number}_small"
title = "Doubling"
modules = ["{module}.py"]
documents = [{documents}]

[week.limits]
request_seconds = 5
test_seconds = 20
training_seconds = 60
memory_mb = 1024
training_memory_mb = 1024
processes = 16
output_kb = 64
file_mb = 4
"""
MODULES = {2: "double", 3: "triple", 4: "quadruple"}
DOCUMENTS = {2: "", 3: '"sketch.png|sketch.md"', 4: ""}
SOLUTION = '''"""Doubles numbers."""

import numpy as np


def double(x: np.ndarray) -> np.ndarray:
    """Return 2 * x; float64 in, float64 out, the same shape."""
    # BEGIN SOLUTION week2.double
    return 2.0 * x
    # END SOLUTION


def count() -> int:
    """Return how often this was called in this process."""
    # BEGIN SOLUTION week2.count
    global calls
    calls += 1
    return calls
    # END SOLUTION


calls = 0
'''
SUITE = '''"""Hidden tests of a small course."""

import pytest

from autograder.suite import expect


@pytest.mark.item("week2.double")
@pytest.mark.parametrize("size", [1, 3])
def test_double(student, rng, size):
    """Every entry is doubled."""
    x = rng.normal(size=size)
    expect.close("double(x)", student.double.double(x), 2 * x)


@pytest.mark.item("week2.count")
@pytest.mark.parametrize("time", [1, 2])
def test_fresh(student, time):
    """Each test has a process of its own."""
    expect.equal("count()", student.double.count(), 1)
'''
CATALOGUE = """
[[misconception]]
id = "double-squares"
module = "double"
where = "double"
replace = "2.0 * x"
by = "x * x"
fails = ["week2.double"]
says = "You square the numbers."
"""
RUBRIC = {
    "autograd": (("week2.double", 12), ("week2.count", 6), ("week2.quality", 2)),
    "batch_norm": (("week3.triple", 5), ("week3.count", 2), ("week3.quality", 1)),
    "optimizers": (("week4.quadruple", 10),),
}
BY_HAND = {"batch_norm": ("week3.sketch", 2)}


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    """The repository of the small course: weeks 2 and 3 can be graded, week 4 is only announced."""
    root = tmp_path_factory.mktemp("course")
    weeks = [
        WEEK.format(number=number, module=module, documents=DOCUMENTS[number])
        for number, module in MODULES.items()
    ]
    files = {
        "assignments/course.toml": HEADER + "".join(weeks),
        "assignments/grading.toml": 'salt = "s"\n',
        "assignments/week2_small/hidden/test_suite.py": SUITE,
        "assignments/week3_small/hidden/test_suite.py": _triple(SUITE).replace("2 * x", "3 * x"),
        "solutions/week2_small/double.py": SOLUTION,
        "solutions/week2_small/misconceptions.toml": CATALOGUE,
        "solutions/week3_small/triple.py": _triple(SOLUTION),
        "solutions/week3_small/misconceptions.toml": _triple(CATALOGUE),
        "assignments/rubric.toml": _small_rubric(),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def _triple(text: str) -> str:
    """Turn a file of week 2 into the one of week 3, in which numbers are tripled."""
    return text.replace("double", "triple").replace("week2", "week3").replace("2.0", "3.0")


def _small_rubric() -> str:
    """The components of the real rubric's first phase, with items for the small course's weeks."""
    rubric = tomllib.loads((ROOT / "assignments" / "rubric.toml").read_text())
    (phase, *_) = rubric["phase"]
    text = [
        f'[[phase]]\nid = "{phase["id"]}"\ntitle = "{phase["title"]}"',
        f"total = {phase['total']}\nextra_credit = {phase['extra_credit']}",
    ]
    for part in phase["component"]:
        lines = ["[[phase.component]]", f'id = "{part["id"]}"', f'title = "{part["title"]}"']
        lines += [f"points = {part['points']}"]
        lines += ["extra = true"] if part.get("extra") else []
        items = [(*item, "auto") for item in RUBRIC.get(part["id"], ())]
        items += [(*BY_HAND[part["id"]], "manual")] if part["id"] in BY_HAND else []
        for name, points, kind in items:
            lines += ["[[phase.component.items]]", f'id = "{name}"', f'title = "{name}"']
            lines += [f"points = {points}", f"week = {name[4]}", f'kind = "{kind}"']
        text.append("\n".join(lines))
    return "\n\n".join(text) + "\n"
