"""What a graded suite asks of the place where a submission lives, beyond what every suite does."""

from __future__ import annotations

from typing import Protocol

from autograder.suite.hosts import Host


class GradedHost(Host, Protocol):
    """A host of submissions, or of code of ours in their place.

    `ours` says that the code on it is ours, which may say anything; `lost` is how many sandboxes it
    has brought down; `again` gives the same code on a host that nothing of this one gets into.
    """

    ours: bool
    lost: int

    def again(self) -> GradedHost: ...
