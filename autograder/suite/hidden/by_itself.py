"""A failure that is a test's own, although an item that the test needs has failed too.

A test says so where it has held the student's code to what that item really gives: then mending the
other item first would change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from autograder.channel.faults import Fault


@contextmanager
def by_itself(sure: bool = True) -> Iterator[None]:
    """Mark a fault that ends the block as the test's own, if the test is `sure` of that."""
    try:
        yield
    except Fault as fault:
        fault.by_itself = sure  # type: ignore[attr-defined]
        raise


def is_by_itself(fault: Fault | None) -> bool:
    """Tell whether a fault has been marked so."""
    return getattr(fault, "by_itself", False) is True
