"""A limit on the memory that this process may take while it holds answers of a submission.

An answer of a few megabytes can ask for a thousand times as much: two arrays that broadcast, a
product of a column and a row. What a limit of its own stops is a MemoryError in the test that asked
for it, a wrong answer; without one the system would end the process, or a neighbour.
"""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager

MORE_BYTES = 1 << 30
"""How much may be taken beyond what there is already; the largest honest test takes a tenth."""

_lock = threading.Lock()
_within: list[tuple[int, int]] = []
"""The limits before, once for each run that goes on: sessions of several weeks may overlap."""


def data_bytes() -> int:
    """Return the size of this process's private writable memory; 0 where the system doesn't tell.

    This is what RLIMIT_DATA limits. Mapped files and reserved addresses don't count.
    """
    try:
        with open("/proc/self/status") as file:
            sizes = (line.split()[1] for line in file if line.startswith("VmData:"))
            return int(next(sizes, "0")) << 10
    except OSError:
        return 0


@contextmanager
def limited_memory(more: int = MORE_BYTES) -> Iterator[None]:
    """Limit this process's memory to what it has and `more` bytes; afterwards it is as before.

    Children inherit the limit. Only the soft one is set: the programs of a sandbox put it back
    where they start (worker.sandboxed.main).
    """
    with _lock:
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        there = data_bytes()
        _within.append((soft, hard))
        if there and len(_within) == 1:
            limits = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
            resource.setrlimit(resource.RLIMIT_DATA, (min([there + more, *limits]), hard))
    try:
        yield
    finally:
        with _lock:
            first = _within[0]
            _within.pop()
            if not _within:
                resource.setrlimit(resource.RLIMIT_DATA, first)
