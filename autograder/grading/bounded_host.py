"""A host for two catalogued mistakes at once, of which nobody has proven that they come to an end.

Lines are counted, not time: what is said of a submission must not depend on how busy a machine is.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from autograder.channel.faults import Fault
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.student import GradedStudent
from autograder.suite.week_worker import NO_WORKER, WeekWorker

MOST_LINES = 2_000_000
"""Number of lines of the mistaken files that one check may run; ten times what any of ours does."""

FOLDER = "/reference/"
"""Where the files of a LocalHost seem to lie."""


class TooManyLinesError(Exception):
    """A replay has run more than MOST_LINES lines."""


class BoundedHost(LocalHost):
    """Trusted code in this process, which is stopped after MOST_LINES lines of a test."""

    def start(
        self,
        seed: int,
        *,
        large: bool = False,
        own: WeekWorker = NO_WORKER,
        group: str | None = None,
    ) -> GradedStudent:
        self._left = MOST_LINES
        self._before = sys.gettrace()
        sys.settrace(self._entered)
        return super().start(seed, large=large, own=own, group=group)

    def finish(self, fault: Fault | None) -> None:
        sys.settrace(self._before)
        super().finish(fault)

    def _entered(self, frame: FrameType, event: str, argument: object) -> Any:
        return self._line if frame.f_code.co_filename.startswith(FOLDER) else None

    def _line(self, frame: FrameType, event: str, argument: object) -> Any:
        self._left -= 1
        if self._left < 0:
            raise TooManyLinesError
        return self._line
