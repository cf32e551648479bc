"""The limits of a sandbox, and a look from outside at what its processes really use."""

from __future__ import annotations

from dataclasses import dataclass

COUNTED = ("RssAnon:", "RssShmem:")
"""The lines of /proc/<pid>/status, in kB, that count as a process's memory."""


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


def alive(pid: int) -> bool:
    """Tell whether a process still runs; one that only waits for its parent's notice does not."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            state = file.read().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in (b"Z", b"X")


def resident_bytes(pids: list[int]) -> int:
    """Return how much memory the processes hold, in bytes; files, such as libraries, don't count.

    What a fork has in common with its parent counts for both, shared memory for each that uses it.
    """
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status") as file:
                total += sum(
                    int(line.split()[1]) << 10 for line in file if line.startswith(COUNTED)
                )
        except OSError:
            continue  # it ended between two looks
    return total
