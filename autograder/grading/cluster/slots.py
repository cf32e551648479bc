"""Slots of a machine's examiners: no two nodes on one machine have the same one.

As root a slot is a user: sandboxes with the same one could reach each other. Each slot in use has a
lock on a file of its own, which the kernel releases however the process ends. Other users have one
uid for all that they run, so their slots say nothing and take no locks.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from autograder.grading.cluster.setting import ClusterError

FOLDER = Path("/run/autograder-slots")
FIRST, LAST = 256, 2047
"""Slots of nodes. Those below are for gradings that take none of these locks."""


class Slots:
    """`count` slots in a row, from `first` on, until `close` or the end of this process.

    Raises ClusterError if the machine has no more, or its folder of locks can't be trusted.
    """

    def __init__(self, count: int, folder: Path = FOLDER, *, locked: bool | None = None):
        self._locks: list[int] = []
        self.first = 0
        if locked if locked is not None else os.geteuid() == 0:
            _demand_private(folder)
            self.first = self._take(count, folder)

    def _take(self, count: int, folder: Path) -> int:
        """Lock the first free slots in a row."""
        # Each process begins elsewhere: what a killed node left takes a moment to end.
        offset = os.getpid() * 64 % (LAST + 1 - FIRST)
        for start in (*range(FIRST + offset, LAST - count + 2), *range(FIRST, FIRST + offset)):
            if start + count - 1 <= LAST and self._locked(range(start, start + count), folder):
                return start
        raise ClusterError(
            f"no {count} slots in a row are free for examiners",
            f"Other nodes on this machine hold them: their locks are in {folder}",
        )

    def _locked(self, slots: Iterable[int], folder: Path) -> bool:
        for slot in slots:
            handle = os.open(folder / f"{slot}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                self.close()
                return False
            self._locks.append(handle)
        return True

    def close(self) -> None:
        """Release the locks."""
        while self._locks:
            os.close(self._locks.pop())


def _demand_private(folder: Path) -> None:
    """Make the folder, or raise ClusterError if another user could write there."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        there = folder.lstat()
    except OSError as error:
        problem = f"{folder} can't be made ({error.strerror})"
        raise ClusterError(problem, "It holds the locks of examiners' slots") from error
    private = stat.S_ISDIR(there.st_mode) and not there.st_mode & 0o077
    if not private or there.st_uid != os.geteuid():
        problem = f"{folder} is no folder of this user's own"
        raise ClusterError(problem, "Remove it; it is made anew, closed to others")
