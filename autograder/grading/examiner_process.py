"""One examiner as its parent sees it: started, asked, and killed where it says what it may not.

Nothing is made of what it sends before that has been checked: see `messages`. An examiner that
ends, stops in the middle of a message, sends what is none, or answers another request than the one
that was made, is lost, and whoever asked gets a LostError.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, TypeVar

from autograder.errors import CantExamineError
from autograder.grading import messages
from autograder.grading.fork_server import running_server
from autograder.grading.messages import Checked, Failed
from autograder.grading.setting import Setting
from autograder.records import CheckResult
from autograder.text.display import many_lines

JOB_SECONDS = 2 * 3600.0
"""Longest time for one answer. Checks have limits of their own: this ends an endless silence."""

MESSAGE_SECONDS = 60.0
"""Longest time from the first byte of a message to its last one, and for sending a request."""

END_SECONDS = 5.0
"""Longest time for an examiner to tidy up when it is told to end."""

PIECE_BYTES = 1 << 16
SHOWN_CHARACTERS = 4_000
SHOWN_BYTES, WRITTEN_BYTES = 256 << 10, 16 << 20
"""How much of what an examiner writes is shown, and how much it may write at all."""

Answer = TypeVar("Answer", bound=messages.Message)


class LostError(CantExamineError):
    """The examiner that was asked is gone, or was killed for what it said."""


class SilentError(LostError):
    """The examiner that was asked said nothing for JOB_SECONDS: another try would take as long."""


def lost(reason: str) -> LostError:
    """Return the error of an examiner that is lost for this reason."""
    problem = f"a process that examines submissions was lost: {reason}"
    return LostError(problem, "The same command tries it again")


class ExaminerProcess:
    """A process that examines, with the users of `slot`. One thread at a time may ask it.

    Raises LostError where it can't be started.
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
        # Its end shows here even where something that it left behind holds its end of the channel.
        self._end = os.pidfd_open(self.pid)
        self._poll = select.poll()
        for fd in (self._socket.fileno(), self._log, self._end):
            self._poll.register(fd, select.POLLIN)
        self._jobs = self._written = 0
        self.untouched = True
        """Whether no submission has been in it: then what it says is the grader's own word."""
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
        """Whether it waits for a request: it is there, and has said nothing that nobody asked."""
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
        """Ask for something and return the answer.

        `checks` are the ids of the checks that it may tell about; `report` gets results that come
        before the answer. Raises LostError, and CantExamineError where it could not do it.
        """
        self._jobs += 1
        deadline = time.monotonic() + JOB_SECONDS
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
        self._socket.settimeout(MESSAGE_SECONDS)
        try:
            self._socket.sendall(messages.request(**fields))
        except OSError as error:
            raise lost(f"it takes no requests ({error})") from None

    def _next(self, deadline: float) -> bytes:
        """Return the next message's body; nothing is set aside for one that is too long."""
        try:
            first = self._take(1, deadline)
        except LostError as error:
            if time.monotonic() < deadline:
                raise
            raise SilentError(error.problem, error.remedy) from None
        deadline = time.monotonic() + MESSAGE_SECONDS
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
        """Wait until something can be read; meanwhile show what the process writes."""
        while True:
            left = max(0.0, deadline - time.monotonic())
            ready = dict(self._poll.poll(1000 * left))
            if self._log in ready:
                self._show()
            if self._socket.fileno() in ready:
                return
            if self._end in ready:
                raise lost("it came to a sudden end")
            if not left:
                raise lost("it was silent for too long")

    def _show(self) -> None:
        """Show what the process has written (its parent's terminal isn't its own to write to)."""
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
        """Have it end whatever it does. Any thread may call it."""
        self._server.terminate(self.pid)

    def interrupt(self) -> None:
        """Have a thread that waits for it get a LostError. Any thread may call it."""
        with suppress(OSError):  # it may be over
            self._socket.shutdown(socket.SHUT_RDWR)

    def ask_to_end(self) -> None:
        """Tell it that nothing more comes, so that it tidies up and ends."""
        with suppress(OSError):  # it may be gone
            self._socket.shutdown(socket.SHUT_WR)

    def wait_until_gone(self) -> None:
        """Wait for its end, whatever it still says; kill it where it takes too long."""
        deadline = time.monotonic() + END_SECONDS
        with suppress(LostError):
            while time.monotonic() < deadline:
                self._take(1, deadline)
        self.kill()

    def kill(self) -> int | None:
        """End it, however it is; return its exit status, minus a signal's number, where known."""
        status = self._server.end(self.pid)
        self._close()
        return status

    def _close(self) -> None:
        self._socket.close()
        for fd in (self._log, self._end):
            if fd >= 0:
                os.close(fd)
