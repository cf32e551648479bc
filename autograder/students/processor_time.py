"""A clock for a student's process: time in which it had to wait for a processor is left out.

On a machine that is busy with other work a process waits for its turn, however good its code is.
Linux counts that time for each process. Where nobody does, the clock is that on the wall, and
`known` says that a busy machine can't be told from slow code.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

NANOSECONDS = 1e9

Read = Callable[[], str]


class ProcessorTime:
    """Time as a process has it: without what it waited for a processor since the clock was made."""

    def __init__(self, pid: int, read: Read | None = None):
        """`read` returns what Linux notes of the process: nanoseconds computed, and waited."""
        self._read = read or Path(f"/proc/{pid}/schedstat").read_text
        self._waited = 0.0
        self.known = False
        self._first = self._now_waited()

    def _now_waited(self) -> float:
        """Return the seconds waited so far; where that can't be read any more, what was last."""
        try:
            self._waited = int(self._read().split()[1]) / NANOSECONDS
        except (OSError, ValueError, IndexError):
            return self._waited
        self.known = True
        return self._waited

    @property
    def waited(self) -> float:
        """Seconds that the process has waited for a processor."""
        return self._now_waited() - self._first

    def now(self) -> float:
        """Return the time in seconds; only differences mean anything."""
        return time.monotonic() - self.waited
