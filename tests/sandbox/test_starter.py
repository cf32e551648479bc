"""Root's process split in two: the examiner is root no more, and gets sandboxes all the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.grading.operations import operation
from autograder.sandbox.starter import FIRST_EXAMINER

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give up")

BEGIN = """
import json, os, signal, sys, time
from autograder.sandbox import Limits, Sandbox
from autograder.sandbox.choose import choose
from autograder.sandbox.launch import Folder, Launch
from autograder.sandbox.starter import FIRST_EXAMINER, separate
from autograder.suite.hidden.sandbox_host import SandboxHost

confinement = separate(lambda: choose(7), 7)
"""


def run(code: str) -> str:
    """Run code after BEGIN in a process of its own; return what it printed."""
    command = [sys.executable, "-c", BEGIN + code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_examiner_is_another_user_for_good(confinement):
    assert (
        run("""
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
print(os.getresuid() == (FIRST_EXAMINER + 7,) * 3, os.getgroups(), status["CapPrm"].strip(),
      status["NoNewPrivs"].strip())
try:
    os.setuid(0)
except PermissionError:
    print("stays")
""")
        == "True [] 0000000000000004 1\nstays"
    )


def test_it_reads_what_is_roots_and_writes_none_of_it(confinement, tmp_path):
    private = tmp_path / "solutions"
    private.mkdir(mode=0o700)
    (private / "file").write_text("read")
    code = f"""
print(open({str(private / "file")!r}).read())
for path in ({str(private / "file")!r}, {str(private / "new")!r}):
    try:
        open(path, "w")
    except PermissionError:
        print("refused")
"""
    assert run(code) == "read\nrefused\nrefused"


def test_student_code_runs_and_is_limited_as_ever(confinement):
    code = """
source = b"import numpy as np\\ndef grow(n):\\n    return len(bytearray(n << 20))\\n"
host = SandboxHost(confinement, {"m.py": source}, Limits(memory_mb=300))
print(host.start(0).m.grow(8) >> 20, confinement.rung)
try:
    host.start(0).m.grow(2000)
except Exception as fault:
    print(fault.verdict)
host.close()
"""
    assert run(code) == f"8 {confinement.rung}\nmemory"


def test_a_sandbox_gets_no_folder_of_the_host(confinement):
    code = """
from dataclasses import replace
launch = Launch({}, Limits(), 0, 1, folders=(Folder("/etc", "/etc"),))
try:
    confinement.start(launch)
except OSError as error:
    print(error)
try:
    confinement.ask("start", {"files": [], "limits": {}, "tests": None, "with_pytest": False,
                              "packages": [], "folders": ["/etc"]})
except OSError as error:
    print("refused")
try:
    confinement.ask("shell", 1)
except OSError:
    print("refused")
"""
    assert run(code).splitlines() == [
        "a sandbox of this kind gets no folders, GPUs or scripts",
        "refused",
        "refused",
    ]


def test_nothing_is_left_when_the_examiner_is_killed(confinement):
    code = """
sandbox = Sandbox(confinement, {"m.py": b""}, Limits())
print(json.dumps(sandbox.processes()), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    command = [sys.executable, "-c", BEGIN + code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    import json

    from autograder.sandbox.running import wait_until_gone

    assert wait_until_gone(json.loads(done.stdout), 5.0)


@operation("text")
def user_here() -> str:
    """Return the user of this process of a pool."""
    return str(os.geteuid())


def test_the_pool_that_grades_is_not_root(confinement):
    from autograder.grading.operations import describe
    from autograder.grading.pool import open_pool
    from autograder.grading.setting import Setting

    with open_pool(Setting(ROOT, {1: None}), 1) as pool:
        pool.submit(describe, 1).result()
        assert pool.submit(user_here).result() == str(FIRST_EXAMINER)


def test_root_without_the_right_to_read_everything_has_it_not_afterwards_either():
    """As in a container, whose root has few rights."""
    code = """
import ctypes, os, struct
from autograder.sandbox.starter import CAPABILITY_VERSION, DAC_READ_SEARCH, _give_up_root

libc = ctypes.CDLL(None, use_errno=True)
header = struct.pack("<Ii", CAPABILITY_VERSION, 0)
rest = 0x1FF & ~(1 << DAC_READ_SEARCH)
assert libc.capset(header, struct.pack("<6I", rest, rest, 0, 0, 0, 0)) == 0
_give_up_root(63_299)
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
rights = [int(status[name], 16) for name in ("CapPrm", "CapAmb", "NoNewPrivs")]
print(os.getuid(), *rights)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "63299 0 0 1", done.stderr
