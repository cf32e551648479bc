"""A sandbox that runs: its first process, its cgroup where it has one, and the end of both."""

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

CLOSE_SECONDS = 5.0
"""How long the kernel may take to bury what was killed; it takes milliseconds."""


class Running(Protocol):
    """What has been started: by this process, or by a helper of it."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit status of the first process; None while it runs."""

    def admit(self) -> None:
        """Bring all its processes into its cgroup: before any of them runs student code."""

    def limit_memory(self, megabytes: int) -> None:
        """Set what all its processes together may use, where the kernel counts that."""

    def events(self) -> Events:
        """Return what the kernel had to do up to now: zeros where it doesn't say."""

    def written(self) -> int:
        """Return the bytes that its files take, where nothing else bounds them."""

    def kill(self) -> None:
        """Kill everything in it, whatever it ignores, and wait until nothing is left."""


class Started:
    """A sandbox that this process has started.

    `has_init`: its first process's only child is the init of a pid namespace that holds the rest.
    `folder` is what it may fill where the sandbox itself sets no bound; `tidy` is called once when
    nothing runs in it any more.
    """

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
    with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
        os.kill(pid, signal.SIGKILL)


def _kill_namespace(pid: int) -> None:
    """Kill the init of a pid namespace and wait for its end, which is that of all in there.

    The kernel kills the others, and ends their init when none is left (pid_namespaces(7)).
    """
    inside = children(pid)
    for init in inside:
        _kill(init)
    wait_until_gone(inside, CLOSE_SECONDS)
    _kill(pid)


def wait_until_gone(pids: Sequence[int], seconds: float) -> bool:
    """Wait until none of the processes runs any more; tell whether that is so."""
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.0005)
    return True


def _kill_tree(pid: int) -> None:
    """Kill a process and all its descendants; the process itself goes last.

    It adopts those whose parents have died. What starts processes faster than one look at all of
    them takes is killed in the next look: each one costs it processor time that it hasn't got.
    """
    deadline = time.monotonic() + CLOSE_SECONDS
    while time.monotonic() < deadline:
        found = [other for other in tree(pid)[1:] if alive(other)]
        if not found:
            break
        for other in found:
            _kill(other)
        time.sleep(0.0005)
    _kill(pid)
