"""The interface of a host in grading, which extends that of every suite's host."""

from __future__ import annotations

from typing import Protocol

from autograder.suite.hosts import Host


class GradedHost(Host, Protocol):
    """A host of a submission, or of trusted code in its place.

    `ours`: the code is trusted and its messages are not filtered; `lost`: the number of sandboxes
    that it has broken; `again`: returns a separate host with the same code; `holds`: tells whether
    a text stands in one of its files; `stalls`: how often the grader itself was stopped meanwhile.
    """

    ours: bool
    lost: int

    @property
    def stalls(self) -> int: ...

    def again(self) -> GradedHost: ...

    def holds(self, text: str) -> bool: ...
