"""Sandboxes that are forked from a template: nothing is shared, nothing kept, nothing reached."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict

import pytest

from autograder.channel.remote import Remote
from autograder.sandbox import (
    Bubblewrap,
    Confinement,
    InfraError,
    Limits,
    Sandbox,
    bubblewrap,
    starter,
)
from autograder.sandbox.choose import choose
from autograder.sandbox.confinement_check import leaks
from autograder.sandbox.launch import memory_file
from autograder.sandbox.limits import children

LIMITS = Limits(request_seconds=10.0, test_seconds=20.0)
CODE = b'''
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
kept = []

def leaves(name):
    """Leave something at every place that can be written, and in memory."""
    for place in ("/scratch", "/dev/shm"):
        with open(f"{place}/{name}", "w") as file:
            file.write("here")
    kept.append(socket.socket(socket.AF_UNIX))
    kept[0].bind("\\0" + name)
    kept[0].listen()
    return True

def finds(name):
    found = [place for place in ("/scratch", "/dev/shm") if os.path.exists(f"{place}/{name}")]
    try:
        socket.socket(socket.AF_UNIX).connect("\\0" + name)
        found.append("socket")
    except OSError:
        pass
    return found + ["memory"] * bool(kept)

def writes(path):
    try:
        open(path, "w").close()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "written"

def processes():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())

def privileges():
    """Return the capabilities in the bounding set, and the locked securebits."""
    bounding = [n for n in range(64) if libc.prctl(23, n, 0, 0, 0) == 1]
    return [bounding, libc.prctl(27, 0, 0, 0, 0)]

def everywhere(number):
    """Signal all that can be signalled."""
    try:
        os.kill(-1, number)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "sent"
'''


@pytest.fixture
def forking(confinement: Confinement) -> Confinement:
    """The confinement of this machine, where it forks sandboxes."""
    if "forked" in confinement.layers:
        return confinement
    if confinement.rung in "AB":
        try:
            found = leaks(Bubblewrap(9, cgroups=confinement.rung == "A"))
        except (InfraError, OSError) as error:
            pytest.skip(f"sandboxes can't be forked here: {error}")
        assert found == [], "they can be forked here, and are not, since this is open in them"
    pytest.skip(f"sandboxes are not forked here: {confinement.name}")


@contextlib.contextmanager
def opened(confinement: Confinement, code: bytes = CODE, **options) -> Iterator[Sandbox]:
    sandbox = Sandbox(confinement, {"code.py": code, "deep/er.py": b"x = 1\n"}, LIMITS, **options)
    try:
        yield sandbox
    finally:
        sandbox.close()


def call(sandbox: Sandbox, function: str, *arguments):
    ask = Remote(sandbox.fresh(0), 10.0, 20.0, None, lambda file, line: None)
    return ask("call", ask("get", ask("import", "code"), function), list(arguments), {})


def test_sandboxes_side_by_side_share_nothing(forking):
    with opened(forking) as first, opened(forking) as second:
        assert call(first, "leaves", "mark")
        assert call(second, "finds", "mark") == []


def test_nothing_is_left_for_the_next_sandbox(forking):
    with opened(forking) as first:
        assert call(first, "leaves", "mark")
    with opened(forking) as second:
        assert call(second, "finds", "mark") == []


def test_what_lies_in_the_sandbox_can_be_read_and_not_changed(forking):
    with opened(forking) as sandbox:
        for path in ("/submission/code.py", "/submission/new", "/new", "/proc/sys/kernel/hostname"):
            assert call(sandbox, "writes", path) in ("EACCES", "EROFS", "EPERM"), path
        assert call(sandbox, "writes", "/scratch/new") == "written"


def test_no_privilege_is_left_and_none_can_come_back(forking):
    with opened(forking) as sandbox:
        bounding, securebits = call(sandbox, "privileges")
    assert bounding == []
    assert securebits == 0xEF


def test_neither_the_template_nor_another_sandbox_is_seen(forking):
    with opened(forking) as first, opened(forking) as second:
        for sandbox in (first, second, first):
            # The second worker is forked while the first one works already, and each call takes
            # the next worker, so that the numbers of these two grow.
            until = time.monotonic() + 10.0
            while len(seen := call(sandbox, "processes")) < 4 and time.monotonic() < until:
                time.sleep(0.02)
            assert len(seen) == 4  # its first one, the parent, two workers
            assert seen[:2] == [1, 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_everybody_ends_its_own_sandbox_at_most(forking, number):
    with opened(forking) as victim, opened(forking) as other:
        with contextlib.suppress(Exception):
            call(victim, "everywhere", int(number))
        assert call(other, "finds", "mark") == []
    with opened(forking) as later:
        assert call(later, "finds", "mark") == []


def test_all_processes_end_with_the_sandbox(forking):
    with opened(forking) as sandbox:
        until = time.monotonic() + 10.0
        while len(call(sandbox, "processes")) < 4 and time.monotonic() < until:
            time.sleep(0.02)
        pids = sandbox.processes()
        assert len(pids) == 4
    assert [pid for pid in pids if _runs_here(pid)] == []


def _runs_here(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_template_that_was_killed_is_replaced(forking):
    with opened(forking):
        pass
    [template, *_] = forking._templates.values()
    os.kill(template._process.pid, signal.SIGKILL)
    template._process.wait()
    with opened(forking) as sandbox:
        assert call(sandbox, "finds", "mark") == []


def test_sandboxes_end_with_their_template(forking):
    with opened(forking) as sandbox:
        pids = sandbox.processes()
        for template in list(forking._templates.values()):
            template.close()
        until = time.monotonic() + 10
        while any(map(_runs_here, pids)) and time.monotonic() < until:
            time.sleep(0.01)
        assert [pid for pid in pids if _runs_here(pid)] == []


def test_a_sandbox_for_students_tests_has_pytest_and_no_other_has(forking):
    tests = b"import pytest\n\ndef test_it():\n    assert pytest.approx(1.0) == 1.0\n"
    options = {"tests": "test_it.py", "with_pytest": True}
    sandbox = Sandbox(forking, {"test_it.py": tests}, LIMITS, **options)
    try:
        assert sandbox.import_modules(0)
        _, bits = sandbox.fresh(0).request("run", {}, ["test_it"], seconds=10.0)
    finally:
        sandbox.close()
    assert bits == [True]
    with opened(
        forking,
        b"try:\n    import pytest\nexcept ImportError:\n    pytest = None\n"
        b"def has():\n    return pytest is not None\n",
    ) as other:
        assert call(other, "has") is False


def test_where_no_template_can_be_made_each_sandbox_is_made_anew(forking, monkeypatch):
    monkeypatch.setattr(bubblewrap, "CAPABILITIES_OF_A_TEMPLATE", ())
    with pytest.raises(InfraError, match="forked from ended"):
        Sandbox(Bubblewrap(9), {}, LIMITS)
    found = choose(9)
    assert "forked" not in found.layers
    assert found.rung == forking.rung
    with opened(found) as sandbox:
        assert call(sandbox, "finds", "mark") == []


def test_a_sandbox_that_is_made_anew_is_as_tight(forking):
    plain = Bubblewrap(9, cgroups=forking.rung == "A", forked=False)
    assert leaks(plain) == []


def test_no_descriptor_stays_open_after_many(forking):
    with opened(forking):
        pass
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with opened(forking) as sandbox:
            call(sandbox, "finds", "mark")
    assert len(os.listdir("/proc/self/fd")) == before
    [template] = [one for one in forking._templates.values() if one.runs][-1:]
    [init] = children(template._process.pid)
    [process] = children(init)
    until = time.monotonic() + 10
    while children(process) and time.monotonic() < until:  # it is told, and reaps them
        time.sleep(0.01)
    assert children(process) == []


NOTES = b'''
import fcntl, os

def leaves_notes(text):
    """Leave something wherever only a flag, a time or a mode could be changed."""
    fcntl.fcntl(0, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND)
    fcntl.fcntl(0, 10, 42)  # F_SETSIG
    for path in PLACES:
        try:
            os.utime(path, ns=(text, text))
            os.chmod(path, 0o700)
        except OSError:
            pass
    return True

PLACES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
          "/dev/pts", "/dev/pts/ptmx", "/dev/shm", "/scratch", "/proc", "/submission", "/"]

def notes():
    found = [fcntl.fcntl(0, fcntl.F_GETFL), fcntl.fcntl(0, 11)]
    for path in PLACES:
        try:
            status = os.stat(path)
            found.append([path, status.st_mtime_ns, status.st_mode])
        except OSError:
            found.append([path])
    return found
'''


def test_no_note_is_left_in_flags_times_and_modes(forking):
    with opened(forking, NOTES) as first:
        assert call(first, "leaves_notes", 1_234_567_890)
    with opened(forking, NOTES) as second:
        found = call(second, "notes")
    assert found[:2] == [os.O_RDONLY | 0o100000, 0]
    assert not any(1_234_567_890 in each for each in found[2:])


def test_a_template_that_answers_late_is_given_up(forking):
    """Its answer would be taken for that of the next sandbox, which then had no limits."""
    with opened(forking):
        pass
    [template] = [one for one in forking._templates.values() if one.runs][:1]
    [init] = children(template._process.pid)
    [process] = children(init)
    template._socket.settimeout(0.3)
    os.kill(process, signal.SIGSTOP)
    with pytest.raises(InfraError):
        Sandbox(forking, {}, LIMITS)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGCONT)
    with opened(forking) as sandbox:
        assert call(sandbox, "finds", "mark") == []
        assert len(sandbox.processes()) == 4


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has examiners that ask a starter")
@pytest.mark.parametrize(
    "change",
    [
        {"files": [["a\0--share-net", 1]]},
        {"files": [["../a.py", 1]]},
        {"files": [["a.py", 1 << 40]]},
        {"limits": {"file_mb": 0}},
        {"limits": {"memory_mb": 10**9}},
        {"tests": "a\0b"},
        {"packages": [3]},
    ],
    ids=str,
)
def test_a_starter_refuses_what_no_examiner_of_ours_asks_for(change):
    limits = {**asdict(LIMITS), **change.get("limits", {})}
    wanted = {
        "files": [],
        "week": {"names": [], "files": []},
        "tests": None,
        "with_pytest": "a",
        "packages": [],
        **change,
        "limits": limits,
    }
    content = memory_file(b"x = 1\n")
    try:
        with pytest.raises(ValueError, match=r"no name of a file|may not be|too many bytes"):
            starter._launch(wanted, [content, 1, 2])
    finally:
        os.close(content)
