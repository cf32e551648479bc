"""The limits of a sandbox, and the measured memory, threads and files of its processes."""

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
    """The limits of one submission's sandbox. 0 means no limit of that kind.

    request_seconds, test_seconds and training_seconds are wall-clock times of one request, of all
    requests of a test together, and of one request to a driver. cpu_seconds is the processor time
    of one worker. memory_mb (MiB) holds for each process and for all together; training_memory_mb
    replaces it in a worker that trains. output_kb (KiB) is the output of one test, file_mb (MiB)
    the size of one file; the scratch folder holds twice that. address_space: whether memory_mb also
    limits each process's address space, which is exact but impossible with CUDA, which reserves
    far more than it uses.
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
    """Return the children of a process; empty if it has ended or the system has no list of them."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def tree(pid: int) -> list[int]:
    """Return `pid` and all its descendants."""
    found = [pid]
    for parent in found:
        found.extend(children(parent))
    return found


def alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie, which its parent has not waited for, does not."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state = file.read().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in (b"Z", b"X")


@dataclass(frozen=True)
class Usage:
    """Memory in bytes and number of threads of several processes together."""

    memory: int
    threads: int


def usage(pids: list[int]) -> Usage:
    """Return the usage of processes; mapped files, such as libraries, don't count as memory.

    Pages that a fork shares with its parent count for both, shared memory for each user of it.
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
            continue  # the process has ended meanwhile
    return Usage(memory, threads)


def folder_bytes(folder: str | Path) -> int:
    """Return the disk space in bytes of all entries below a folder; links are not followed.

    Each entry counts for at least 1024 bytes, since empty files use space too. Returns ENDLESS for
    a tree so deep that its paths are too long for the system.
    """
    total, waiting = 0, [os.fspath(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    with contextlib.suppress(OSError):  # removed meanwhile
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        size = entry.stat(follow_symlinks=False).st_blocks * 512
                        total += max(1024, size)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return ENDLESS
    return total
