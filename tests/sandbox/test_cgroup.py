"""Control groups: found, limited, counted and removed, in version 2 on paper and here for real."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.sandbox import cgroup


@pytest.fixture
def second_version(tmp_path) -> cgroup.Hierarchies:
    """A folder that looks like a hierarchy of version 2."""
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    for folder in (tmp_path, tmp_path / cgroup.PARENT):
        folder.mkdir(exist_ok=True)
        (folder / "cgroup.subtree_control").write_text("memory\n")
    return cgroup.Hierarchies(tmp_path, tmp_path)


def test_hierarchies_of_both_versions_are_found(second_version, tmp_path):
    mounts = tmp_path / "mountinfo"
    line = f"30 23 0:26 / {tmp_path} rw - cgroup2 cgroup2 rw,nsdelegate\n"
    mounts.write_text("22 1 8:1 / / rw - ext4 /dev/sda rw\n" + line)
    assert cgroup.find(str(mounts)) == second_version
    mounts.write_text(
        "31 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "32 24 0:28 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
    )
    found = cgroup.find(str(mounts))
    assert (str(found.memory), str(found.pids)) == ("/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids")


def test_a_group_of_version_2_gets_its_limits(second_version, tmp_path, monkeypatch):
    cgroup._hand_down(tmp_path, ["memory", "pids"])
    control = tmp_path / cgroup.PARENT / "cgroup.subtree_control"
    assert control.read_text() == "+pids"
    made = Path.mkdir

    def mkdir(self, *args, **options):
        made(self, *args, **options)
        (self / "memory.max").write_text("max")
        (self / "memory.swap.max").write_text("max")
        (self / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
        (self / "pids.events").write_text("max 7\n")
        (self / "cgroup.procs").write_text("")

    monkeypatch.setattr(Path, "mkdir", mkdir)
    group = cgroup.Group(64, 10, second_version)
    [folder] = (tmp_path / cgroup.PARENT).glob(f"{os.getpid()}-*")
    assert (folder / "memory.max").read_text() == str(64 << 20)
    assert (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "pids.max").read_text() == "10"
    assert group.events() == cgroup.Events(killed=2, refused=7)
    group.limit_memory(128)
    assert (folder / "memory.max").read_text() == str(128 << 20)
    group.add([os.getpid()])
    assert (folder / "cgroup.procs").read_text() == str(os.getpid())


def test_a_real_group_counts_limits_and_goes():
    problem = cgroup.available()
    if problem:
        pytest.skip(problem)
    group = cgroup.Group(64, 4)
    code = "import sys; sys.stdin.read(1); blocks = [bytearray(1 << 20) for _ in range(200)]"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    group.add([process.pid])
    process.communicate(b"x")
    assert process.returncode == -9
    assert group.events().killed == 1
    group.close()
    for top in cgroup.find().all:
        assert not list((top / cgroup.PARENT).glob(f"{os.getpid()}-*"))
