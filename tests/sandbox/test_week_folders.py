"""A week's own drivers and probes in sandboxes: on every rung, for that week alone, read-only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.channel.faults import Fault, InfraError
from autograder.course import CourseError
from autograder.sandbox import Confinement, Limits
from autograder.sandbox.starter import _read
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.week_worker import NO_WORKER, WeekWorker, worker_beside, worker_of

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
LOOK = b'''
import importlib
import sys

def imports(name):
    """Tell whether a module can be imported."""
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True

def known():
    """Return the names of the grader's modules that are in sys.modules."""
    return [name for name in sys.modules if name.startswith(("autograder", "msgpack"))]

def place(function):
    return function.__globals__["__file__"]

def changes(path):
    try:
        with open(path, "ab") as file:
            file.write(b"# changed")
    except OSError:
        return False
    return True

def calls(function, x):
    return function(x)
'''
OWN = {
    "__init__.py": "from .rings import DRIVERS, PROBES\n",
    "rings.py": (
        "import sys\n"
        "def twice(x):\n    return 2 * x\n"
        "DRIVERS = {'twice': twice, 'place': lambda: __file__}\n"
        "PROBES = {'twice': twice}\n"
    ),
}


@pytest.fixture
def own(tmp_path: Path) -> WeekWorker:
    """The drivers and probes of a made-up week."""
    folder = tmp_path / "assignments/rings/worker"
    folder.mkdir(parents=True)
    for name, text in OWN.items():
        (folder / name).write_text(text)
    return WeekWorker(tmp_path / "assignments", ("rings/worker",))


@pytest.fixture
def rung_of(ladder: dict[str, Confinement]) -> Callable[[str], Confinement]:
    """Return a rung by its letter, the plain process as D; skip where this machine has none."""

    def rung_of(letter: str) -> Confinement:
        if letter not in ladder:
            pytest.skip(f"this machine has no rung {letter}: `autograder doctor` says why")
        return ladder[letter]

    return rung_of


@pytest.fixture(params=["A", "B", "C", "D", "here"])
def host(request, rung_of):
    """The module above on every rung of this machine, and in this process."""
    if request.param == "here":
        made = LocalHost({"look.py": LOOK})
    else:
        made = SandboxHost(rung_of(request.param), {"look.py": LOOK}, Limits())
    yield made
    made.finish(None)
    made.close()


def test_they_work_alike_everywhere(host, own):
    student = host.start(0, own=own)
    assert student.drive("twice", 4) == 8
    assert student.look.calls(student.probe("twice"), 5) == 10
    assert student.drive("text_of", "/nowhere") == "", "the engine's are there too"


def test_another_weeks_are_not_there(host, own):
    student = host.start(0, own=own)
    assert student.drive("twice", 1) == 2
    host.finish(None)
    student = host.start(0, own=worker_of(ROOT, COURSE.week(2)))
    with pytest.raises(Fault, match="there is no driver 'twice'"):
        student.drive("twice", 1)
    with pytest.raises(Fault, match="there is no probe 'swing'; there are: generator, graph_node"):
        student.probe("swing")
    host.finish(None)
    with pytest.raises(Fault, match="there is no driver 'chain'"):
        host.start(0).drive("chain", 1, 1)


@pytest.mark.parametrize("letter", ["A", "B", "C", "D"])
def test_student_code_can_neither_import_nor_change_them(rung_of, own, letter):
    rung = rung_of(letter)
    host = SandboxHost(rung, {"look.py": LOOK}, Limits())
    try:
        student = host.start(0, own=own)
        look = student.look
        assert student.drive("twice", 1) == 2
        for name in ("autograder.worker", "rings.worker", "rings", "worker", "week"):
            assert look.imports(name) is False, name
        assert look.known() == []
        place = student.drive("place")
        assert str(own.base) not in place, "no path of the host"
        if rung.confined:
            assert look.changes(place) is False
    finally:
        host.close()
    assert (own.base / "rings/worker/rings.py").read_text() == OWN["rings.py"]


def test_a_sandbox_says_what_is_wrong_with_them(confinement, own):
    (own.base / "rings/worker/__init__.py").write_text("DRIVERS = {}\n")
    host = SandboxHost(confinement, {"look.py": LOOK}, Limits())
    with pytest.raises(InfraError, match=r"assignments/rings/worker/__init__.py: PROBES: is miss"):
        host.start(0, own=own).module("look")
    host.close()


def test_the_course_says_where_they_are():
    first, third = (worker_of(ROOT, COURSE.week(number)) for number in (1, 3))
    assert first.names == ("week1_backprop/worker",), "its own, without a word in course.toml"
    assert third.names == ("week3_training/worker", "shared/schedules")
    assert set(third.folders.files) >= {"week3_training/worker/probes.py"}
    assert worker_beside(ROOT / "assignments/week3_training/hidden").names == third.names
    assert worker_beside(ROOT / "tests/suite") is NO_WORKER
    alone = COURSE.week(1).model_copy(update={"folder": "week_without"})
    assert worker_of(ROOT, alone).names == ()


def test_a_folder_that_is_not_there_names_the_key_in_course_toml():
    week = COURSE.week(1).model_copy(update={"worker": ("shared/nothing",)})
    with pytest.raises(CourseError) as raised:
        worker_of(ROOT, week)
    assert str(raised.value).startswith("assignments/course.toml: week1.worker: there is no folder")


@pytest.mark.parametrize(
    "name", ["week1_backprop", "week2_autograd/hidden", "week1_backprop/tests"]
)
def test_what_no_sandbox_may_hold_is_no_folder_of_drivers(name):
    week = COURSE.week(1).model_copy(update={"worker": (name,)})
    with pytest.raises(CourseError, match="would be mounted where student code runs"):
        worker_of(ROOT, week)


def test_what_is_wrong_in_a_folder_is_the_authors_to_mend(own):
    (own.base / "rings/worker/__init__.py").write_text("PROBES = {}\n")
    with pytest.raises(CourseError, match=r"rings/worker/__init__.py: DRIVERS: is missing"):
        _ = own.drivers


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x.py", "a/../../x.py", "", "a//b.py", "./a.py"]
)
def test_a_starter_writes_nothing_outside(tmp_path, name):
    content = tmp_path / "content"
    content.write_bytes(b"abc")
    with content.open("rb") as stream, pytest.raises(ValueError, match="no name of a file"):
        _read(stream, [(name, 3)])
    with content.open("rb") as stream:
        assert _read(stream, [("a/b.py", 2), ("c.py", 1)]) == {"a/b.py": b"ab", "c.py": b"c"}
