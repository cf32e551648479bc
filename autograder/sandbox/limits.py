"""The limits of a sandbox, and a look from outside at what its processes really use."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from pathlib import Path

COUNTED = ("RssAnon:", "RssShmem:")
"""The lines of /proc/<pid>/status, in kB, that count as a process's memory."""


ENDLESS = 1 << 62


@dataclass(frozen=True)
class Limits:
    """What one submission's sandbox may use. 0 means no limit of that kind.

    Wall-clock deadlines: request_seconds for one request, test_seconds for all of a test's
    together, training_seconds for one request to a driver. cpu_seconds is one worker's processor
    time. memory_mb holds for each process and for all of them together; training_memory_mb takes
    its place in a worker that trains. output_kb is what one test may print, file_mb the size of
    one file; the scratch folder holds twice that. address_space: whether memory_mb bounds each
    process's address space too, which is exact, and impossible with CUDA: that reserves far more
    than it uses.
    """

    request_seconds: float = 5.0
    test_seconds: float = 20.0
    training_seconds: float = 180.0
    memory_mb: int = 1024
    training_memory_mb: int = 2048
    processes: int = 32
    output_kb: int = 4096
    file_mb: int = 32
    address_space: bool = True

    @property
    def cpu_seconds(self) -> int:
        return int(2 * self.training_seconds) + 1


def children(pid: int) -> list[int]:
    """Return the living children of a process; none where it is gone, or the system can't say."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def tree(pid: int) -> list[int]:
    """Return `pid` and all its living descendants."""
    found = [pid]
    for parent in found:
        found.extend(children(parent))
    return found


def alive(pid: int) -> bool:
    """Tell whether a process still runs; one that only waits for its parent's notice does not."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state = file.read().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in (b"Z", b"X")


@dataclass(frozen=True)
class Usage:
    """What processes use together: memory in bytes, and how many threads they are."""

    memory: int
    threads: int


def usage(pids: list[int]) -> Usage:
    """Return what the processes use; files, such as libraries, don't count as memory.

    What a fork has in common with its parent counts for both, shared memory for each that uses it.
    """
    memory = threads = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status") as file:
                for line in file:
                    if line.startswith(COUNTED):
                        memory += int(line.split()[1]) << 10
                    elif line.startswith("Threads:"):
                        threads += int(line.split()[1])
        except OSError:
            continue  # it ended between two looks
    return Usage(memory, threads)


def folder_bytes(folder: str | Path) -> int:
    """Return how many bytes what is below a folder takes on disk. Links are not followed.

    Each entry counts for a kilobyte at least: millions of empty files fill a disk too. What lies so
    deep that it has no usable path counts as endless.
    """
    total, waiting = 0, [os.fspath(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    with contextlib.suppress(OSError):  # it may have gone between two looks
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        size = entry.stat(follow_symlinks=False).st_blocks * 512
                        total += max(1024, size)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return ENDLESS
    return total
