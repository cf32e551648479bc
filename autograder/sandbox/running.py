"""The processes of a running sandbox: its first process, its cgroup if any, and their end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from autograder.sandbox.cgroup import Events, Group
from autograder.sandbox.limits import alive, children, folder_bytes, tree
from autograder.sandbox.own_time import OwnTime

CLOSE_SECONDS = 5.0
"""Maximum wait in seconds for killed processes to disappear, which takes milliseconds."""


class Running(Protocol):
    """A sandbox started by this process, or by another one on its behalf."""

    pid: int
    ours: int
    """How many processes, from its first one on, are ours and have as much memory as a worker."""

    def poll(self) -> int | None:
        """Return the exit status of the first process; None while it runs."""

    def admit(self) -> None:
        """Move all its processes into its cgroup, before any of them runs student code."""

    def limit_memory(self, megabytes: int) -> None:
        """Set the memory limit of all processes together, in MiB; no effect without a cgroup."""

    def events(self) -> Events:
        """Return the kernel's counts up to now; zeros without a cgroup."""

    def written(self) -> int:
        """Return the bytes that its files take; 0 if the sandbox itself limits them."""

    def kill(self) -> None:
        """Kill all its processes with SIGKILL and wait for their end."""


class Started:
    """A sandbox that this process has started.

    `has_init`: the first process's only child is the init of a pid namespace with all others.
    `folder`: the writable folder, if the sandbox itself doesn't limit its size. `tidy` is called
    once, after the last process has ended.
    """

    ours = 0

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        group: Group | None = None,
        has_init: bool = False,
        folder: str | None = None,
        tidy: Callable[[], None] = lambda: None,
    ):
        self.pid = process.pid
        self._process, self._group, self._has_init = process, group, has_init
        self._folder, self._tidy = folder, tidy
        self._over = False

    def poll(self) -> int | None:
        return self._process.poll()

    def admit(self) -> None:
        if self._group is not None:
            self._group.add(tree(self.pid))

    def limit_memory(self, megabytes: int) -> None:
        if self._group is not None:
            self._group.limit_memory(megabytes)

    def events(self) -> Events:
        return Events() if self._group is None else self._group.events()

    def written(self) -> int:
        return 0 if self._folder is None else folder_bytes(self._folder)

    def kill(self) -> None:
        if self._over:
            return
        self._over = True
        if self._has_init:
            _kill_namespace(self.pid)
        else:
            _kill_tree(self.pid)
        self._process.wait()
        if self._group is not None:
            self._group.close()
        self._tidy()


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended by itself
        os.kill(pid, signal.SIGKILL)


def _kill_namespace(pid: int) -> None:
    """Kill the init of a pid namespace, and with it the whole namespace.

    The kernel kills all other processes of the namespace; the init ends last (pid_namespaces(7)).
    """
    inside = children(pid)
    for init in inside:
        _kill(init)
    wait_until_gone(inside, CLOSE_SECONDS)
    _kill(pid)


def wait_until_gone(pids: Sequence[int], seconds: float) -> bool:
    """Wait for the end of all processes; return False if `seconds` pass before that."""
    clock = OwnTime()
    deadline = clock.begin() + seconds
    while any(alive(pid) for pid in pids):
        if clock.now() > deadline:
            return False
        time.sleep(0.0005)
    return True


def _kill_tree(pid: int) -> None:
    """Kill a process and all its descendants; the process itself goes last.

    It adopts orphans. The search is repeated until no descendant is left, for at most
    CLOSE_SECONDS, so processes started during one search are killed in the next.
    """
    clock = OwnTime()
    deadline = clock.begin() + CLOSE_SECONDS
    while clock.now() < deadline:
        found = [other for other in tree(pid)[1:] if alive(other)]
        if not found:
            break
        for other in found:
            _kill(other)
        time.sleep(0.0005)
    _kill(pid)
