"""A student's objects in a worker's process: each request with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Protocol

from autograder.channel.fault_records import fault_from_record
from autograder.channel.faults import Fault
from autograder.channel.handles import make_handle, to_refs
from autograder.channel.source_lines import Places
from autograder.records import Verdict
from autograder.wire.codec import Ref

LONG = ("drive", "prepare")
"""Operations with the time limit of a training run, in a test that trains."""


MOST_WAITING = 64
"""Maximum number of attributes that are set in one message."""


class Channel(Protocol):
    """Carries one request to a worker and its answer back, within a deadline."""

    def request(
        self,
        operation: str,
        *arguments: Any,
        seconds: float,
        from_ref: Callable[[Ref], Any],
    ) -> tuple[bool, Any]: ...


class Remote:
    """Asks a worker over its channel, each request with a deadline.

    seconds: time limit of one request; test_seconds: of all requests together; long_seconds: of
    each run of a driver in a test that trains, which doesn't count for test_seconds; None in other
    tests, where drivers are ordinary requests. `clock` says how the time passes of which the code
    has test_seconds.

    Attributes are set with the next request that has an answer to wait for: all in one message.
    """

    def __init__(
        self,
        channel: Channel,
        seconds: float,
        test_seconds: float,
        long_seconds: float | None,
        place: Places,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._channel = channel
        self._seconds = seconds
        self._left = test_seconds
        self._long_seconds = long_seconds
        self._place = place
        self._clock = clock
        self._from_ref = make_handle(self)
        self._waiting: list[list[Any]] = []

    def __call__(self, operation: str, *arguments: Any) -> Any:
        if operation == "set" and len(self._waiting) < MOST_WAITING:
            self._waiting.append([operation, deepcopy([to_refs(part) for part in arguments])])
            return None
        long = self._long_seconds if operation in LONG else None
        if long is None and self._left <= 0:
            raise Fault(Verdict.TIMEOUT, "All calls of this test together took too long.")
        seconds = min(self._seconds, self._left) if long is None else long
        started = self._clock()
        plain = [to_refs(argument) for argument in arguments]
        if self._waiting:
            plain = [[*self._waiting, [operation, plain]]]
            operation, self._waiting = "batch", []
        done, result = self._channel.request(
            operation, *plain, seconds=seconds, from_ref=self._from_ref
        )
        if long is None:
            self._left -= self._clock() - started
        if done:
            return result
        raise fault_from_record(result, self._place)

    def converse(
        self, answer: Callable[[Any], Any], driver: str, arguments: list[Any]
    ) -> list[Any]:
        """Run a driver that asks questions, and answer each; return a list with its result.

        A list of one value is the result, all else a question.
        """
        said = self("converse", driver, arguments)
        while type(said) is not list or len(said) != 1:
            said = self("answer", answer(said))
        return said
