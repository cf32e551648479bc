"""The interface of a host, which runs the code under test for a suite."""

from __future__ import annotations

from typing import Protocol

from autograder.channel.faults import Fault
from autograder.suite.student import Student
from autograder.suite.week_worker import NO_WORKER, WeekWorker


class Host(Protocol):
    """Gives each test its `Student`, and cleans up when the test has ended.

    A test may ask for the drivers and probes in `own`, those of the suite's week. Tests of the same
    `group` may share a process; `reused` says that the present one's has run others before.
    """

    reused: bool

    def start(
        self, seed: int, *, large: bool, own: WeekWorker = NO_WORKER, group: str | None = None
    ) -> Student: ...

    def finish(self, fault: Fault | None) -> None: ...

    def renew(self) -> None:
        """Let the next test begin in a process that has run no other."""
        ...

    def close(self) -> None: ...
