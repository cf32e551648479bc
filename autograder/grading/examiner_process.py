"""The parent's side of one examiner: its start, requests, and end after an invalid message.

Every message is checked before it is used: see `messages`. If an examiner ends, stops in the middle
of a message, sends an invalid one, or answers a different request, the request raises LostError.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, TypeVar

from autograder.errors import CantExamineError
from autograder.grading import messages
from autograder.grading.fork_server import running_server
from autograder.grading.messages import Checked, Failed
from autograder.grading.setting import Setting
from autograder.records import CheckResult
from autograder.sandbox.own_time import OwnTime
from autograder.sandbox.waiting import writable
from autograder.text.display import many_lines

JOB_SECONDS = 2 * 3600.0
"""Maximum time in seconds for one answer; the checks have shorter limits of their own."""

MESSAGE_SECONDS = 60.0
"""Maximum time in seconds from a message's first byte to its last, and for sending a request."""

LOOK_SECONDS = 0.5
"""The longest wait between two looks at the clock."""

END_SECONDS = 5.0
"""Maximum time in seconds for an examiner to tidy up when it is told to end."""

PIECE_BYTES = 1 << 16
SHOWN_CHARACTERS = 4_000
SHOWN_BYTES, WRITTEN_BYTES = 256 << 10, 16 << 20
"""Bytes of an examiner's output that are shown, and the maximum that it may write."""

Answer = TypeVar("Answer", bound=messages.Message)


class LostError(CantExamineError):
    """The examiner has ended, or has sent an invalid message."""


class SilentError(LostError):
    """The examiner gave no answer within JOB_SECONDS; the request is not repeated."""


def lost(reason: str) -> LostError:
    """Return a LostError with this reason."""
    problem = f"a process that examines submissions was lost: {reason}"
    return LostError(problem, "The same command tries it again")


class ExaminerProcess:
    """An examiner's process, with the uids of `slot`. Only one thread at a time may use it.

    Raises LostError if it can't be started.
    """

    def __init__(self, setting: Setting, slot: int):
        self._server = running_server()
        self._end = -1
        self._socket, theirs = socket.socketpair()
        self._log, log = os.pipe()
        with theirs:
            try:
                self.pid = self._server.start(theirs.fileno(), log)
            except CantExamineError as error:
                self._close()
                raise LostError(error.problem, error.remedy) from None
            finally:
                os.close(log)
        # Signals the process's end even if a remaining child holds its end of the channel.
        self._end = os.pidfd_open(self.pid)
        self._poll = select.poll()
        for fd in (self._socket.fileno(), self._log, self._end):
            self._poll.register(fd, select.POLLIN)
        self._jobs = self._written = 0
        self._clock = OwnTime()
        self.untouched = True
        """Whether it has examined no submission yet, so that its answers can be trusted."""
        try:
            self._send(
                root=str(setting.root),
                datasets=dict(setting.datasets),
                unconfined=setting.unconfined,
                packages=list(setting.packages),
                slot=slot,
            )
        except LostError:
            self.kill()
            raise

    @property
    def is_ready(self) -> bool:
        """Whether it waits for a request: it runs, and has sent nothing unasked."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def ask(
        self,
        expected: type[Answer],
        checks: Collection[str] = (),
        report: Callable[[CheckResult], None] | None = None,
        **request: Any,
    ) -> Answer:
        """Send a request and return its answer.

        `checks` are the ids of the checks whose results it may send; `report` gets the results that
        come before the answer. Raises LostError, or CantExamineError if the examiner reports that
        the request failed.
        """
        self._jobs += 1
        deadline = self._clock.begin() + JOB_SECONDS
        self._send(job=self._jobs, **request)
        for _ in range(2 * len(checks) + 1 if report else 1):
            body = self._next(deadline)
            try:
                message = messages.read(body)
            except ValueError as error:
                raise lost(f"it said what can't be read: {error}") from None
            if message.job != self._jobs:
                raise lost("it answered what was not asked")
            if isinstance(message, Failed):
                problem, remedy = (
                    many_lines(text, SHOWN_CHARACTERS) for text in (message.problem, message.remedy)
                )
                raise CantExamineError(problem, remedy)
            if isinstance(message, expected):
                return message
            if report is None or not isinstance(message, Checked):
                raise lost("it answered something else than was asked")
            if message.result.check not in checks:
                raise lost("it told of a check that was not planned")
            report(message.result.record())
        raise lost("it told of more checks than were planned")

    def _send(self, **fields: Any) -> None:
        rest = memoryview(messages.request(**fields))
        until = self._clock.begin() + MESSAGE_SECONDS
        while len(rest):
            try:
                rest = rest[self._socket.send(rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                writable(self._socket, seconds=LOOK_SECONDS)
                if self._clock.now() > until:
                    raise lost("it takes no requests") from None
            except OSError as error:
                raise lost(f"it takes no requests ({error})") from None

    def _next(self, deadline: float) -> bytes:
        """Return the next message's body. Raises LostError before reading one that is too long."""
        try:
            first = self._take(1, deadline)
        except LostError as error:
            if self._clock.now() < deadline:
                raise
            raise SilentError(error.problem, error.remedy) from None
        deadline = self._clock.begin() + MESSAGE_SECONDS
        length = int.from_bytes(first + self._take(messages.LENGTH_BYTES - 1, deadline), "big")
        if length > messages.LARGEST_MESSAGE_BYTES:
            raise lost(f"it announced a message of {length} bytes")
        return self._take(length, deadline)

    def _take(self, length: int, deadline: float) -> bytes:
        """Return the next `length` bytes."""
        taken = bytearray()
        while len(taken) < length:
            self._wait(deadline)
            try:
                piece = self._socket.recv(min(length - len(taken), PIECE_BYTES))
            except OSError as error:
                raise lost(f"it can't be read from ({error})") from None
            if not piece:
                raise lost("it came to a sudden end")
            taken += piece
        return bytes(taken)

    def _wait(self, deadline: float) -> None:
        """Wait until the channel can be read; meanwhile show the process's output."""
        while True:
            left = max(0.0, deadline - self._clock.now())
            ready = dict(self._poll.poll(1000 * min(LOOK_SECONDS, left)))
            if self._log in ready:
                self._show()
            if self._socket.fileno() in ready:
                return
            if self._end in ready:
                raise lost("it came to a sudden end")
            if not left:
                raise lost("it was silent for too long")

    def _show(self) -> None:
        """Print the process's output to standard error. Raises LostError if it is too long."""
        text = os.read(self._log, PIECE_BYTES)
        if not text:
            self._poll.unregister(self._log)
        if self._written < SHOWN_BYTES:
            for line in many_lines(text.decode(errors="replace")).splitlines():
                print(f"examiner: {line}", file=sys.stderr, flush=True)
        self._written += len(text)
        if self._written > WRITTEN_BYTES:
            raise lost("it wrote too much")

    def terminate(self) -> None:
        """End the process by SIGTERM. Any thread may call it."""
        self._server.terminate(self.pid)

    def interrupt(self) -> None:
        """Make a thread that waits for its answer raise LostError. Any thread may call it."""
        with suppress(OSError):  # it is closed already
            self._socket.shutdown(socket.SHUT_RDWR)

    def ask_to_end(self) -> None:
        """Close the request side, so that the process tidies up and ends."""
        with suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_WR)

    def wait_until_gone(self) -> None:
        """Wait for its end and discard its messages; kill it after END_SECONDS."""
        deadline = self._clock.begin() + END_SECONDS
        with suppress(LostError):
            while self._clock.now() < deadline:
                self._take(1, deadline)
        self.kill()

    def kill(self) -> int | None:
        """Kill it; return its exit status (minus the number of a signal), None if unknown."""
        status = self._server.end(self.pid)
        self._close()
        return status

    def _close(self) -> None:
        self._socket.close()
        for fd in (self._log, self._end):
            if fd >= 0:
                os.close(fd)
