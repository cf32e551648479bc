"""What a sandbox keeps from student code, seen from inside, and how a weak one is found out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.sandbox import Limits, Sandbox, Unconfined, choose
from autograder.suite.hosts import SandboxHost

ROOT = Path(__file__).resolve().parent.parent
CLEAN = {
    "uid": 65534,
    "root": ["dev", "lib", "proc", "runtime", "scratch", "submission", "usr"],
    "interfaces": ["lo"],
    "connects": False,
    "writes_root": False,
    "writes_submission": False,
    "sees_others": False,
    "environment": "",
}
OPEN = {
    "uid": (0, "as root"),
    "root": ([*CLEAN["root"], "home"], "visible: /home"),
    "interfaces": (["eth0", "lo"], "a network"),
    "connects": (True, "a network"),
    "writes_root": (True, "can be written"),
    "writes_submission": (True, "can be written"),
    "sees_others": (True, "other processes"),
    "environment": ("HOME=/home/teacher\0", "environment"),
}
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

def environment():
    return dict(os.environ)
"""


@pytest.fixture
def inside(confinement):
    """The module LOOK in a sandbox."""
    host = SandboxHost(confinement, {"look.py": LOOK}, Limits())
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


def test_the_command_line_and_environment_say_nothing_of_the_host(inside):
    assert "/runtime/bin/python3" in inside.reads("/proc/2/cmdline")
    for pid in ("1", "2", "self"):
        said = inside.reads(f"/proc/{pid}/cmdline") + inside.reads(f"/proc/{pid}/environ")
        assert str(ROOT) not in said
        assert sys.prefix not in said
    assert not set(inside.environment()) & {"PATH", "USER", "SUDO_USER", "PYTEST_CURRENT_TEST"}


@pytest.mark.parametrize("place", ["/x", "/submission/x", "/runtime/x", "/grader/x", "/dev/x"])
def test_only_the_scratch_folder_can_be_written(inside, place):
    assert inside.writes("/scratch/x")
    assert not inside.writes(place)


def test_student_code_runs_as_nobody_of_this_machine(confinement):
    """Not as root, also seen from outside; an ordinary user's sandbox has that user's id."""
    sandbox = Sandbox(confinement, {"look.py": LOOK}, Limits())
    try:
        sandbox.fresh(0).request("import", "look", seconds=10)
        owners = {os.stat(f"/proc/{pid}").st_uid for pid in sandbox.processes()}
        lines = [Path(f"/proc/{pid}/status").read_text() for pid in sandbox.processes()]
    finally:
        sandbox.close()
    real = {line.split()[1] for text in lines for line in text.splitlines() if line[:4] == "Uid:"}
    assert "0" not in real, (owners, real)


def test_a_closed_sandbox_leaks_nothing_into_the_next(confinement):
    for content in ("first", "second"):
        host = SandboxHost(confinement, {"look.py": LOOK}, Limits())
        look = host.start(0).look
        assert look.reads("/scratch/x") is None, content
        assert look.writes("/scratch/x")
        host.close()


@pytest.mark.parametrize("what", OPEN)
def test_the_probe_finds_what_is_open(what):
    value, word = OPEN[what]
    assert choose._leaks(CLEAN) == []
    assert any(word in leak for leak in choose._leaks({**CLEAN, what: value}))


def test_the_probe_finds_a_plain_process_wanting():
    plain = Unconfined()
    try:
        leaks = " ".join(choose._leaks(choose._look(plain)))
    finally:
        plain.close()
    assert "visible: /" in leaks
    assert "other processes" in leaks


def test_a_leaking_confinement_is_refused(confinement, monkeypatch):
    monkeypatch.setattr(choose, "_look", lambda _: {**CLEAN, "connects": True})
    with pytest.raises(choose.NotConfinedError, match="there is a network"):
        choose.choose()


def test_without_bubblewrap_the_way_to_get_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(choose.NotConfinedError, match="apt-get install bubblewrap"):
        choose.choose()


def test_the_memory_of_all_processes_together_is_limited(confinement):
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
    host = SandboxHost(confinement, {"many.py": source}, limits)
    try:
        module = host.start(0).many
        with pytest.raises(Fault) as caught:
            module.grow()
    finally:
        host.close()
    assert caught.value.verdict is Verdict.MEMORY
