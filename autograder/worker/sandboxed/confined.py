"""Confinement that a process applies to itself before it runs student code: Landlock, seccomp.

In a sandbox with namespaces Landlock is an additional layer: files inside that aren't needed, such
as /proc/self/mountinfo with its paths, can't be opened. Without namespaces this module is the whole
confinement: a supervisor remains outside and adopts all orphans among its descendants, so that
they can be found and killed. Its child changes from root to another user, if it is root, applies
Landlock (https://docs.kernel.org/userspace-api/landlock.html) and a seccomp filter to itself, and
becomes the worker. Neither can be removed again.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import signal
import struct
import sys
import time
from typing import Any, NoReturn

PR_SET_PDEATHSIG, PR_SET_SECCOMP = 1, 22
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
SECCOMP_MODE_FILTER = 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PATH_BENEATH = 1
ASK_VERSION = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
TRUNCATE, IOCTL_DEVICE = 1 << 14, 1 << 15
EVERYTHING = (1 << 13, 1 << 14, 1 << 15, 1 << 15, 1 << 16)
"""All rights to files of each version of Landlock, from 1 on, as a bit mask plus 1."""

TCP = 3
SCOPES = 3
"""The scopes that restrict abstract AF_UNIX sockets and signals to this confinement."""

LIST, READ, WRITE = "list", "read", "write"

_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Return the version of Landlock that this kernel offers, 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, _libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ASK_VERSION))


def main(program: str) -> NoReturn:
    """Supervise `channel.<program>`, run with SETTINGS in a process of its own.

    SETTINGS has, beside what the program takes, "confined": {"user": a number or null, "rules":
    [[kind, path], ...], "filter": hexadecimal}.
    """
    settings = json.loads(sys.argv[1])
    parent = os.getppid()
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)  # the grader ended before PDEATHSIG was set
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    pid = os.fork()
    if pid:
        os.close(settings["control"])
        _supervise(pid)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    # Opened now, since Landlock will forbid it.
    children = os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY | os.O_CLOEXEC)
    enter(**settings["confined"])
    module = importlib.import_module(f"{__package__}.{program}")
    vars(module)["children_file"] = children
    module.main()
    os._exit(0)


def _supervise(child: int) -> NoReturn:
    """Wait for the child's end, kill its remaining descendants, and exit with its status."""

    def end(*_: Any) -> None:
        _bury_all()
        os._exit(1)

    signal.signal(signal.SIGTERM, end)
    while True:
        pid, status = os.wait()
        if pid == child:
            _bury_all()
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _bury_all() -> None:
    """Kill all children, and the orphans adopted thereby, until none is left."""
    while True:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            children = [int(pid) for pid in file.read().split()]
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.0005)


def enter(user: int | None, rules: list[list[str]], filter: str) -> None:
    """Confine this process and all that it starts, for good. Raises OSError where that fails."""
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    os.setsid()
    os.umask(0o077)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    restrict_files([*rules, [LIST, f"/proc/{os.getpid()}"]])
    refuse_calls(bytes.fromhex(filter))


def restrict_files(rules: list[list[str]]) -> None:
    """Allow files below the rules' paths only, no TCP, and no signals to other processes.

    What the kernel's version of Landlock lacks is left out. Raises OSError without Landlock.
    """
    here = version()
    if not here:
        raise OSError(ctypes.get_errno(), "this kernel has no Landlock")
    known = EVERYTHING[min(here, len(EVERYTHING)) - 1] - 1
    size = 24 if here >= 6 else 16 if here >= 4 else 8
    attributes = struct.pack("<QQQ", known, TCP if here >= 4 else 0, SCOPES if here >= 6 else 0)
    ruleset = _call(CREATE_RULESET, attributes[:size], ctypes.c_size_t(size), 0)
    rights = {LIST: READ_DIR, READ: EXECUTE | READ_FILE | READ_DIR, WRITE: known & ~EXECUTE}
    for kind, path in rules:
        try:
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        allowed = rights[kind]
        if not os.path.isdir(path):
            allowed &= EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE
        rule = struct.pack("<Qi", allowed & known, handle)
        _call(ADD_RULE, ruleset, PATH_BENEATH, rule, 0)
        os.close(handle)
    _call(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def refuse_calls(code: bytes) -> None:
    """Install a seccomp filter: an array of struct sock_filter."""
    program = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(program))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header)


def _call(number: int, *arguments: Any) -> int:
    result = _libc.syscall(number, *arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"system call {number}: {os.strerror(error)}")
    return result


def prctl(option: int, *values: Any) -> None:
    longs = [value if type(value) is bytes else ctypes.c_ulong(value) for value in values]
    longs += [ctypes.c_ulong(0)] * (4 - len(longs))
    if _libc.prctl(option, *longs) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl {option}: {os.strerror(error)}")
