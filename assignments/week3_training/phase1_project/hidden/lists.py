"""Comparing lists so that a wrong one is recognised again: by its text."""

from typing import Any

from autograder.suite import expect

LONGEST = 400


def equal(label: str, received: Any, expected: list[Any]) -> None:
    """`received` is exactly the list `expected`; the message of the failure shows both.

    `expect.equal` keeps no wrong list, and a mistake is known by the wrong value that was kept.
    """
    try:
        expect.equal(label, received, expected)
    except expect.Wrong as wrong:
        if type(received) in (list, tuple):
            wrong.received = repr(list(received))[:LONGEST]
        raise
