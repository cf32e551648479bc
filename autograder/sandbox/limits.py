"""The limits of a sandbox, and a look from outside at what its processes really use."""

from __future__ import annotations

import os
from dataclasses import dataclass

PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Limits:
    """What one submission's sandbox may use. 0 means no limit of that kind.

    Wall-clock deadlines: request_seconds for one request, test_seconds for all of a test's
    together, training_seconds for one request to a driver. cpu_seconds is one worker's processor
    time. memory_mb holds for each process and for all of them together; training_memory_mb takes
    its place in a worker that trains. output_kb is what one test may print, file_mb the size of
    one file; the scratch folder holds twice that.
    """

    request_seconds: float = 5.0
    test_seconds: float = 20.0
    training_seconds: float = 180.0
    memory_mb: int = 1024
    training_memory_mb: int = 2048
    processes: int = 32
    output_kb: int = 4096
    file_mb: int = 32

    @property
    def cpu_seconds(self) -> int:
        return int(2 * self.training_seconds) + 1


def tree(pid: int) -> list[int]:
    """Return `pid` and all its living descendants."""
    found = [pid]
    for parent in found:
        try:
            with open(f"/proc/{parent}/task/{parent}/children") as file:
                found.extend(int(child) for child in file.read().split())
        except OSError:
            continue  # it ended between two looks
    return found


def resident_bytes(pids: list[int]) -> int:
    """Return how much memory the processes hold that is theirs alone, in bytes.

    Pages shared with others (libraries, what a fork has not written to) aren't counted, so a fork
    of a large process is not charged twice.
    """
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm") as file:
                _, resident, shared, *_ = map(int, file.read().split())
        except OSError:
            continue
        total += max(0, resident - shared) * PAGE
    return total
