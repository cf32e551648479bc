"""The time in which this process itself ran: deadlines are kept by it, and by nothing else.

A process that waits looks at the clock every few hundredths of a second. Where much more than that
has passed between two looks, this process was stopped in between (Ctrl-Z, SIGSTOP, `docker pause`),
or the machine slept or was far too busy. Nobody is charged for such a time, and a test that fails
in it says nothing: it is run again.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

STEP_SECONDS = 0.05
"""The longest wait between two looks at the clock."""

STALL_SECONDS = 1.0
"""A longer time between two looks than this is one in which this process did not run."""

MOST_STALLED = 5
"""Number of attempts at a test that fails while this process is stopped again and again."""

STALLED = "The grader itself was stopped each time while this check ran. It costs no points."


class OwnTime:
    """A clock that leaves out the times in which this process did not run; `stalls` counts them.

    `begin` is called before each wait: what lies between two waits is no stall. During a wait `now`
    has to be called every STEP_SECONDS or so. For one thread at a time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._last = clock()
        self._left_out = 0.0
        self.stalls = 0

    def begin(self) -> float:
        """Begin a wait; return the time in seconds, as `now` does."""
        self._last = self._clock()
        return self._last - self._left_out

    def now(self) -> float:
        """Return the time in seconds, without what was left out."""
        here = self._clock()
        step, self._last = here - self._last, here
        if step > STALL_SECONDS:
            self.stalls += 1
            self._left_out += step - STEP_SECONDS
        return here - self._left_out


def run(command: Sequence[str], seconds: float, **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run a program for at most `seconds` of this process's own time; return how it ended.

    `options` are those of Popen. Raises OSError, and TimeoutExpired once the program was killed.
    """
    clock = OwnTime()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    ) as process:
        until = clock.begin() + seconds
        while True:
            try:
                left = max(0.0, min(STEP_SECONDS, until - clock.now()))
                said, complained = process.communicate(timeout=left)
                return subprocess.CompletedProcess(command, process.returncode, said, complained)
            except subprocess.TimeoutExpired:
                if clock.now() < until:
                    continue
                process.kill()
                raise subprocess.TimeoutExpired(command, seconds) from None
            except BaseException:
                process.kill()
                raise
