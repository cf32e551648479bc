"""The ladder of confinement: what the probe finds open, which rung is chosen, what doctor says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.sandbox import Unconfined, choose, doctor
from autograder.sandbox import confinement_check as probe
from autograder.sandbox.choose import Tried
from autograder.worker.sandboxed import confined

ROOT = Path(__file__).resolve().parents[2]
CLEAN = {
    "uid": 65534,
    "root": ["dev", "lib", "proc", "runtime", "scratch", "submission", "usr"],
    "secret": "",
    "writes": [],
    "devices": [],
    "network": False,
    "abstract": False,
    "path socket": False,
    "families": [],
    "signals": False,
    "processes": 4,
    "environment": "",
    "files": [],
    "status": {"no_new_privs": 1, "seccomp": 2, "capabilities": 0},
    "shm": 16 << 20,
    "calls": [],
}
OPEN = {
    "uid": (0, "as root"),
    "root": ([*CLEAN["root"], "home"], "visible: /home"),
    "secret": ("3f", "can be read"),
    "writes": (["/tmp"], "written in /tmp"),
    "devices": (["kvm"], "kvm"),
    "network": (True, "a network"),
    "abstract": (True, "sockets of other programs"),
    "path socket": (True, "sockets of other programs"),
    "families": (["VSOCK"], "VSOCK"),
    "signals": (True, "signalled"),
    "processes": (5, "other processes"),
    "environment": ("HOME=/home/teacher\0", "environment"),
    "files": ([10], "files of the launcher"),
    "status": ({"no_new_privs": 1, "seccomp": 0}, "no system call is refused"),
    "shm": (1 << 34, "no limit"),
    "calls": (["keyctl"], "the kernel answers keyctl"),
}
WHERE = {"secret": "/tmp/secret"}


@pytest.mark.parametrize("what", OPEN)
def test_the_probe_finds_what_is_open(what):
    assert set(OPEN) == set(CLEAN)
    value, word = OPEN[what]
    assert probe.judge(CLEAN, WHERE, namespaces=True) == []
    found = probe.judge({**CLEAN, what: value}, WHERE, namespaces=True)
    assert any(word in leak for leak in found), found


def test_without_namespaces_nothing_at_all_may_be_listed():
    found = probe.judge({**CLEAN, "root": ["usr"]}, WHERE, namespaces=False)
    assert found == ["visible: /usr", "other processes can be seen"]


def test_every_rung_of_this_machine_leaves_nothing_open(rung):
    assert probe.leaks(rung) == []


def test_the_probe_finds_a_plain_process_wanting():
    plain = Unconfined()
    try:
        found = " ".join(probe.leaks(plain))
    finally:
        plain.close()
    for word in ("visible: /", "can be read", "a network", "other processes can be seen"):
        assert word in found
    assert "the kernel answers" in found
    assert "no system call is refused" in found


def test_a_leaking_confinement_is_refused(confinement, monkeypatch):
    seen = {**CLEAN, "root": [], "processes": 0, "network": True}
    monkeypatch.setattr(probe, "look", lambda *_: seen)
    with pytest.raises(choose.NotConfinedError, match="there is a network"):
        choose.choose()


@pytest.mark.parametrize("rung", ["C"], indirect=True)
def test_without_bubblewrap_landlock_does(rung, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose.choose().rung == "C"
    with pytest.raises(choose.NotConfinedError, match="apt-get install bubblewrap"):
        choose.choose(packages=("torch",))


def test_the_best_rung_comes_first(confinement):
    found = choose.rungs()
    assert [one.rung for one in found] == sorted(one.rung for one in found)
    assert choose.choose().name == found[0].name


# The doctor.


def test_the_doctor_names_the_rung_its_layers_and_the_ladder(confinement, capsys):
    assert doctor.run()
    said = capsys.readouterr().out
    assert f"confined by rung {confinement.name}" in said
    for word in ("files", "network", "system calls", "memory", "The ladder", "D  a plain process"):
        assert word in said


def test_the_doctor_fails_where_hidden_suites_refuse(tmp_path):
    """In a real process that may make no namespace and no Landlock ruleset."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from autograder.worker.sandboxed import confined
from autograder.sandbox import choose, landlock
confined.version = lambda: 0
from autograder.commands.app import app
app()
"""
    env = {**os.environ, "PATH": str(tmp_path)}
    command = [sys.executable, "-c", code, "doctor"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "Hidden suites refuse" in done.stdout
    assert "sudo apt-get install bubblewrap" in done.stdout
    assert "no Landlock" in done.stdout


NO_NAMESPACES = """
import sys
sys.path.insert(0, {root!r})
from autograder.worker.sandboxed import confined
from autograder.sandbox import seccomp
# What Docker's own filter refuses to a container without privileges.
refused = ("unshare", "setns", "mount", "umount2", "pivot_root", "move_mount", "open_tree")
seccomp._CALLS = {{name: seccomp._CALLS[name] for name in refused}}
seccomp._ON_OTHERS = {{}}
seccomp._SOCKET = seccomp._SOCKETPAIR = (None, None)
filter = seccomp.program()
from importlib import reload
reload(seccomp)
confined.prctl(confined.PR_SET_NO_NEW_PRIVS, 1)
confined.refuse_calls(filter)
from autograder.commands.app import app
app()
"""


@pytest.mark.parametrize("rung", ["C"], indirect=True)
def test_where_no_namespace_can_be_made_rung_c_is_chosen(rung):
    """In a process under a filter like that of a container."""
    if os.geteuid() == 0 and not _everybody_reaches(sys.base_prefix):
        pytest.skip("the interpreter lies in root's home, which only a mount could show others")
    command = [sys.executable, "-c", NO_NAMESPACES.format(root=str(ROOT)), "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "confined by rung C" in done.stdout


def _everybody_reaches(path: str) -> bool:
    places = [Path(path), *Path(path).parents]
    return all(place.stat().st_mode & 0o001 for place in places)


@pytest.mark.parametrize(
    ("setting", "value", "command"),
    [
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (
            "kernel/unprivileged_userns_clone",
            "0",
            "sudo sysctl -w kernel.unprivileged_userns_clone=1",
        ),
        ("user/max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
    ],
)
def test_what_forbids_namespaces_is_told_with_its_command(tmp_path, setting, value, command):
    (tmp_path / setting).parent.mkdir()
    (tmp_path / setting).write_text(f"{value}\n")
    tried = [Tried("A", None, "x"), Tried("B", None, "x"), Tried("C", None, "x")]
    said = [remedy.command for remedy in doctor.remedies(tried, tmp_path)]
    assert said[0] == command
    assert len(said) == 2  # until the next start, and for good


def test_what_gives_rung_a_is_told(monkeypatch):
    tried = [Tried("A", None, "x"), Tried("B", object(), "")]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    [remedy] = doctor.remedies(tried)
    assert remedy.command.startswith("sudo make grade")


def test_landlock_is_as_new_as_the_probe_needs(rung):
    if rung.rung == "C" and rung.own_uid is None:
        assert confined.version() >= 6  # signals to other processes of the same user
