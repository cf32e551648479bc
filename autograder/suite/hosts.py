"""What a suite asks of the place where the code lives that it examines."""

from __future__ import annotations

from typing import Protocol

from autograder.channel.faults import Fault
from autograder.suite.student import Student
from autograder.suite.week_worker import NO_WORKER, WeekWorker


class Host(Protocol):
    """Gives each test a fresh `Student`, and takes back what the test leaves behind.

    A test may ask for the drivers and probes in `own`, those of the suite's week.
    """

    def start(self, seed: int, *, large: bool, own: WeekWorker = NO_WORKER) -> Student: ...

    def finish(self, fault: Fault | None) -> None: ...

    def close(self) -> None: ...
