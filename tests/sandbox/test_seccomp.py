"""The seccomp filter: each call that it lists is made, in each rung, and refused."""

from __future__ import annotations

import contextlib
import os
import platform
import tempfile
from pathlib import Path

import pytest

from autograder.channel.faults import Fault
from autograder.sandbox import Limits, seccomp
from autograder.suite.hidden.sandbox_host import SandboxHost

CALLS = b"""
import ctypes

call = ctypes.CDLL(None, use_errno=True).syscall

def answers(numbers, arguments):
    found = []
    for number in numbers:
        result = call(number, *[ctypes.c_long(value) for value in arguments])
        found.append([result, ctypes.get_errno()])
    return found
"""


@pytest.fixture
def calls(rung):
    host = SandboxHost(rung, {"calls.py": CALLS}, Limits())
    yield host.start(0).calls
    host.close()


def column() -> int:
    return ("x86_64", "aarch64").index(platform.machine())


EPERM, ENOSYS = 1, 38


def test_every_listed_call_is_refused(calls):
    names = [name for name, numbers in seccomp._CALLS.items() if numbers[column()] is not None]
    numbers = [seccomp._CALLS[name][column()] for name in names]
    answers = dict(zip(names, calls.answers(numbers, [-1, 0, 0, 0, 0, 0]), strict=True))
    assert answers == {name: [-1, EPERM] for name in names}


def test_other_processes_limits_and_priorities_are_out_of_reach(calls):
    for name, (*numbers, place) in seccomp._ON_OTHERS.items():
        arguments = [0, 0, 0, 0]
        arguments[place] = 1
        assert calls.answers([numbers[column()]], arguments) == [[-1, EPERM]], name


def test_no_socket_leads_out(calls, rung):
    number, pair = seccomp._SOCKET[column()], seccomp._SOCKETPAIR[column()]
    for family in range(2, 46):
        for one in (number, pair):
            assert calls.answers([one], [family, 1, 0, 0]) == [[-1, EPERM]], family
    [[result, _]] = calls.answers([number], [1, 1, 0])
    assert (result >= 0) == (rung.rung in "AB")


def test_no_new_namespace_and_no_typing_into_a_terminal(calls):
    clone, clone3, ioctl = (
        numbers[column()] for numbers in (seccomp._CLONE, seccomp._CLONE3, seccomp._IOCTL)
    )
    for bit in range(32):
        if seccomp.NAMESPACES >> bit & 1:
            assert calls.answers([clone], [1 << bit, 0, 0, 0, 0]) == [[-1, EPERM]], bit
    assert calls.answers([clone3], [0, 0]) == [[-1, ENOSYS]]
    for command in seccomp.LOCKS:
        [[result, _]] = calls.answers([seccomp._FCNTL[column()]], [99, command, 0])
        assert result == 0  # there is no descriptor 99: nothing was done
    for command in seccomp.NOTICES:
        assert calls.answers([seccomp._FCNTL[column()]], [99, command, 0]) == [[-1, EPERM]]
    for request in seccomp.TERMINAL:
        assert calls.answers([ioctl], [0, request, 0]) == [[-1, EPERM]]


HARM = b"""
import os

def harm(path):
    os.chmod(path, 0)
    os.utime(path, (1, 1))
    os.setxattr(path, "user.planted", b"x")
"""


def test_files_outside_stay_as_they_are(rung):
    """chmod and its like ask for no open file, so Landlock alone would let them pass."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        victim = Path(folder, "victim")
        victim.write_text("x")
        if rung.own_uid is not None:
            os.chown(victim, rung.own_uid, rung.own_uid)
        before = victim.stat()
        host = SandboxHost(rung, {"harm.py": HARM}, Limits())
        try:
            with contextlib.suppress(Fault):  # in a namespace it doesn't exist
                host.start(0).harm.harm(str(victim))
        finally:
            host.close()
        after = victim.stat()
        assert (after.st_mode, after.st_mtime) == (before.st_mode, before.st_mtime)
        assert os.listxattr(victim) == []


@pytest.mark.skipif(not seccomp.supported(), reason="no filter for this processor")
def test_a_filter_is_whole_instructions_and_ends_by_allowing():
    for namespaces in (True, False):
        code = seccomp.program(namespaces=namespaces)
        assert len(code) % 8 == 0
        assert int.from_bytes(code[-4:], "little") == seccomp.ALLOW
        assert len(code) // 8 < 4096  # what the kernel takes
