"""A worker's loop: requests, one answer to each, and questions that our parts in student code ask.

A question is the answer to the request that is being carried out, and the next request brings what
was asked for. So whoever sends the requests gets one answer to each, and judges it like any other.
"""

from __future__ import annotations

import os
import sys
from typing import Any

ANSWER = "answer"
"""The request that brings the answer to a question."""


class AbandonedError(BaseException):
    """The test went on without answering a question; this ends the function that asked it."""


class Serving:
    """Carries out the requests that come over a channel; `dispatcher` gets its `ask`."""

    def __init__(self, channel: Any, dispatcher: Any) -> None:
        self._channel, self._dispatcher = channel, dispatcher
        self._pid, self._number = os.getpid(), 0
        self._next: list[Any] | None = None
        dispatcher.ask = self.ask

    def until_other(self) -> list[Any]:
        """Answer requests, [number, operation, arguments]; return the first message of another
        length."""
        while True:
            message = self._next or self._receive()
            self._next = None
            if len(message) != 3:
                return message
            self._number, operation, arguments = message
            answer = self._dispatcher.handle(operation, arguments)
            if self._next is None:
                self._send(*answer)

    def ask(self, question: list[Any]) -> Any:
        """Return the answer to a question. Raises AbandonedError where another request comes."""
        if self._next is None:
            self._send(True, question)
            message = self._receive()
            if len(message) == 3 and message[1] == ANSWER:
                self._number, _, (answer,) = message
                return answer
            self._next = message
        raise AbandonedError

    def _receive(self) -> list[Any]:
        return self._channel.receive(self._dispatcher.from_ref)

    def _send(self, done: bool, result: Any) -> None:
        if os.getpid() != self._pid:
            os._exit(0)  # a child that student code forked has come to here
        _flush()
        self._channel.send([self._number, done, result], self._dispatcher.to_ref)


def _flush() -> None:
    """Flush the output streams, so that output is counted with the request that caused it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, ValueError, OSError):
            continue  # student code may have closed or replaced the streams
