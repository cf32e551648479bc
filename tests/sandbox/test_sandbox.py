"""What a sandbox keeps from student code, seen from inside, and how a weak one is found out."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.sandbox import Limits, Sandbox
from autograder.sandbox.client import Channel
from autograder.sandbox.limits import alive
from autograder.sandbox.process import SPARE_THREADS
from autograder.suite.hidden.sandbox_host import SandboxHost

ROOT = Path(__file__).resolve().parents[2]
LOOK = b"""
import importlib, os, sys

def imports(name, *paths):
    sys.path[:0] = paths
    try:
        importlib.import_module(name)
        return True
    except ImportError:
        return False

def reads(path):
    try:
        with open(path, "rb") as file:
            return file.read(4096).decode(errors="replace")
    except OSError:
        return None

def writes(path):
    try:
        with open(path, "w") as file:
            file.write("x")
        return True
    except OSError:
        return False

def lists(path):
    try:
        return os.listdir(path)
    except OSError:
        return []

def environment():
    return dict(os.environ)

def home():
    return os.environ["HOME"]
"""


@pytest.fixture
def inside(rung):
    """The module LOOK in a sandbox of each rung."""
    host = SandboxHost(rung, {"look.py": LOOK}, Limits())
    yield host.start(0).look
    host.close()


def test_numpy_and_the_standard_library_can_be_imported(inside):
    assert inside.imports("numpy.linalg")
    assert inside.imports("statistics")


@pytest.mark.parametrize(
    "name", ["torch", "scipy", "pydantic", "pytest", "msgpack", "autograder", "channel", "data"]
)
def test_nothing_else_can_be_imported(inside, name):
    """Also not where student code knows the places of this machine."""
    assert not inside.imports(name, *[path for path in sys.path if path], str(ROOT))


@pytest.mark.parametrize(
    "path",
    [
        str(ROOT / "assignments" / "grading.toml"),
        str(ROOT / "solutions" / "week1_backprop" / "neural_net.py"),
        "/etc/passwd",
        "/etc/shadow",
    ],
)
def test_files_of_the_host_are_not_there(inside, path):
    assert inside.reads(path) is None


@pytest.mark.parametrize("pid", ["1", "2", "self"])
@pytest.mark.parametrize("name", ["cmdline", "environ", "mountinfo", "maps", "mem", "root"])
def test_nothing_of_the_host_can_be_read_in_proc(confinement, pid, name):
    """Neither paths of this machine nor the memory of what started the sandbox."""
    host = SandboxHost(confinement, {"look.py": LOOK}, Limits())
    try:
        assert host.start(0).look.reads(f"/proc/{pid}/{name}") is None
    finally:
        host.close()


def test_the_environment_is_empty_but_for_what_a_worker_needs(inside):
    assert not set(inside.environment()) & {"PATH", "USER", "SUDO_USER", "PYTEST_CURRENT_TEST"}


@pytest.mark.parametrize("place", ["/x", "/runtime/x", "/grader/x", "/dev/x", "/dev/shm/../x"])
def test_only_the_scratch_folder_can_be_written(inside, place):
    assert inside.writes(f"{inside.home()}/x")
    assert not inside.writes(place)
    assert not inside.writes(f"{inside.home()}/../submission/x")


def test_processes_of_others_cannot_be_looked_at(inside):
    for name in ("environ", "maps", "fd", "cmdline"):
        place = f"/proc/{os.getpid()}/{name}"
        assert not inside.reads(place)
        assert not inside.lists(place)


def test_student_code_runs_as_nobody_of_this_machine(rung):
    """Not as root, also seen from outside; an ordinary user's sandbox has that user's id."""
    sandbox = Sandbox(rung, {"look.py": LOOK}, Limits())
    supervisors = 0 if rung.rung in "AB" else 1  # what starts C's worker waits outside of it
    try:
        sandbox.fresh(0).request("import", "look", seconds=10)
        inside = sandbox.processes()[supervisors:]
        lines = [Path(f"/proc/{pid}/status").read_text() for pid in inside]
    finally:
        sandbox.close()
    real = {line.split()[1] for text in lines for line in text.splitlines() if line[:4] == "Uid:"}
    assert real == {str(rung.own_uid if os.geteuid() == 0 else os.geteuid())}


def test_a_closed_sandbox_leaks_nothing_into_the_next(rung):
    for content in ("first", "second"):
        host = SandboxHost(rung, {"look.py": LOOK}, Limits())
        look = host.start(0).look
        place = f"{look.home()}/x"
        assert look.reads(place) is None, content
        assert look.writes(place)
        host.close()
        assert not os.path.exists(place)


def test_the_memory_of_all_processes_together_is_limited(rung):
    """Each stays below the limit of one process; together they don't."""
    source = b"""
import os, time
def grow():
    for _ in range(4):
        if os.fork() == 0:
            block = bytearray(os.urandom(1 << 20)) * 150
            time.sleep(60)
    time.sleep(60)
"""
    limits = Limits(memory_mb=400, training_memory_mb=400, request_seconds=20)
    host = SandboxHost(rung, {"many.py": source}, limits)
    try:
        module = host.start(0).many
        with pytest.raises(Fault) as caught:
            module.grow()
    finally:
        host.close()
    assert caught.value.verdict is Verdict.MEMORY


BOMB = b"""
import os, threading, time

def forks():
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            if os.fork() == 0:
                os.setsid()
        except OSError:
            time.sleep(0.001)

def threads():
    for _ in range(500):
        threading.Thread(target=time.sleep, args=(20,)).start()
    return "all of them"
"""


@pytest.mark.parametrize("kind", ["forks", "threads"])
def test_processes_and_threads_are_limited_and_gone_after_the_end(rung, kind):
    limits = Limits(processes=16, request_seconds=1.5)
    sandbox = Sandbox(rung, {"bomb.py": BOMB}, limits)
    try:
        channel = sandbox.fresh(0)
        _, module = channel.request("import", "bomb", seconds=10)
        _, function = channel.request("get", module, kind, seconds=10)
        assert _ended(channel, function) in ("processes", "memory", "timeout", "violation")
        inside = sandbox.processes()
        threads = sum(len(os.listdir(f"/proc/{pid}/task")) for pid in inside if alive(pid))
        assert threads <= limits.processes + SPARE_THREADS
    finally:
        sandbox.close()
    assert not [pid for pid in inside if alive(pid)]


def _ended(channel: Channel, function: Any) -> str:
    """Call a function that should not come to its end; return how it ended."""
    try:
        done, said = channel.request("call", function, [], {}, seconds=1.5)
    except Fault as fault:
        return fault.verdict
    return "passed" if done else said["kind"]


FILLS = b"""
import os

def fills(megabytes):
    home = os.environ["HOME"]
    for number in range(megabytes):
        with open(f"{home}/{number}", "wb") as file:
            file.write(bytes(1 << 20))
    return megabytes

def digs():
    os.chdir(os.environ["HOME"])
    for _ in range(2000):
        os.mkdir("deeper")
        os.chdir("deeper")
    return True
"""


def test_what_student_code_writes_is_limited(rung):
    host = SandboxHost(rung, {"fills.py": FILLS}, Limits(file_mb=8))
    try:
        module = host.start(0).fills
        assert module.fills(8) == 8
        with pytest.raises(Fault) as caught:
            module.fills(2000)
    finally:
        host.close()
    assert caught.value.verdict in (Verdict.RAISED, Verdict.OUTPUT), caught.value


def test_folders_too_deep_for_a_path_are_removed_too(rung):
    host = SandboxHost(rung, {"fills.py": FILLS, "look.py": LOOK}, Limits())
    try:
        student = host.start(0)
        home = student.look.home()
        with contextlib.suppress(Fault):  # where its size is watched, no end can be seen of it
            student.fills.digs()
    finally:
        host.close()
    assert not os.path.exists(home)
