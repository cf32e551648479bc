"""The examiner's end of a channel: requests, each with one answer and one deadline."""

from __future__ import annotations

import secrets
import select
import socket
import struct
from collections.abc import Callable
from typing import Any, Protocol

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.sandbox.own_time import STEP_SECONDS, OwnTime
from autograder.wire import codec

CHUNK_BYTES = 1 << 16
POLL_SECONDS = STEP_SECONDS
"""Seconds between two checks of the limits while waiting for an answer."""


SOON = struct.pack("ll", 0, 2_000)
"""How long an answer is waited for without looking at output and limits: a timeval of 2 ms."""


class Guard(Protocol):
    """Monitors a sandbox while the examiner waits for an answer."""

    output: int
    """The descriptor of the sandbox's output."""

    def drain(self) -> None:
        """Read the output; raises Fault when it is over the limit."""

    def watch(self) -> None:
        """Check memory and processes; raises Fault when they are over the limit."""

    def died(self) -> Fault:
        """Return the fault that explains why the worker has ended."""


class Channel:
    """Sends requests to one worker and accepts only well-formed answers.

    A timeout, broken limit, malformed answer or lost worker is raised as a fatal Fault; every later
    request raises the same Fault again. Deadlines are kept by the examiner's own time, `clock`.
    """

    def __init__(
        self,
        sock: socket.socket,
        guard: Guard,
        caps: codec.Caps | None = None,
        clock: OwnTime | None = None,
    ):
        self._socket = sock
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, SOON)
        self._guard = guard
        self._caps = caps or codec.Caps()
        self._fatal_fault: Fault | None = None
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._poll.register(guard.output, select.POLLIN)
        self._clock = clock or OwnTime()
        self._next_check = self._clock.begin() + POLL_SECONDS

    def request(
        self,
        operation: str,
        *arguments: Any,
        seconds: float,
        from_ref: Callable[[codec.Ref], Any] = lambda ref: ref,
    ) -> tuple[bool, Any]:
        """Request one operation; return (True, value) or (False, the worker's fault record).

        `seconds` limits the whole exchange. Raises Fault.
        """
        if self._fatal_fault is not None:
            raise self._fatal_fault
        deadline = self._clock.begin() + seconds
        number = secrets.randbits(63)
        try:
            self._send(codec.encode([number, operation, list(arguments)]), deadline, seconds)
            answer = self._receive(deadline, seconds, from_ref)
            return self._judge(answer, number)
        except Fault as fault:
            fault.fatal = True
            self._fatal_fault = fault
            raise
        except codec.CodecError as error:
            self._fatal_fault = Fault(
                Verdict.VIOLATION, f"A malformed answer: {error}.", fatal=True
            )
            raise self._fatal_fault from None

    def begin(self, seed: int, *, large: bool, seconds: float) -> None:
        """Start the test in a waiting worker.

        `seed` is for its global generators, `large` selects the memory limit of training, and
        `seconds` is for sending; the worker sends no answer. Raises Fault if it has ended already.
        """
        self._send(codec.encode([seed, large]), self._clock.begin() + seconds, seconds)

    @staticmethod
    def _judge(answer: Any, number: int) -> tuple[bool, Any]:
        if type(answer) is not list or len(answer) != 3 or type(answer[1]) is not bool:
            raise Fault(Verdict.VIOLATION, "An answer that isn't one came over the channel.")
        if type(answer[0]) is not int or answer[0] != number:
            raise Fault(Verdict.VIOLATION, "An answer to a request that was never made.")
        return answer[1], answer[2]

    def _send(self, chunks: list, deadline: float, seconds: float) -> None:
        small = sum(len(chunk) for chunk in chunks) < 1 << 16
        for chunk in [b"".join(chunks)] if small else chunks:
            view = memoryview(chunk).cast("B")
            while len(view):
                try:
                    view = view[self._socket.send(view, socket.MSG_DONTWAIT) :]
                except BlockingIOError:
                    self._poll.modify(self._socket, select.POLLOUT)
                    self._wait(deadline, seconds)
                    self._poll.modify(self._socket, select.POLLIN)
                except OSError:
                    raise self._guard.died() from None

    def _receive(self, deadline: float, seconds: float, from_ref: Callable) -> Any:
        """Read and decode one frame. Raises Fault (VIOLATION) if data follows it."""
        data = self._receive_soon() if self._clock.now() < deadline else b""
        data = data or self._receive_when_ready(deadline, seconds)
        while len(data) < codec.HEADER.size:
            self._wait(deadline, seconds)
            data += self._receive_some(CHUNK_BYTES)
        body_size, buffer_size = codec.check_header(data[: codec.HEADER.size], self._caps)
        end = codec.HEADER.size + body_size
        excess = len(data) - end - buffer_size
        if excess > 0:
            raise Fault(Verdict.VIOLATION, "Data came over the channel that nobody asked for.")
        frame = bytearray(end + buffer_size)
        frame[: len(data)] = data
        self._fill(memoryview(frame)[len(data) :], deadline, seconds)
        view = memoryview(frame)
        return codec.decode(view[codec.HEADER.size : end], view[end:], from_ref)

    def _receive_soon(self) -> bytes:
        """Return an answer that comes at once, as most do; b"" if none does.

        Without asking first whether there is one: such a call can take longer than the work.
        """
        try:
            data = self._socket.recv(CHUNK_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            raise self._guard.died()
        return data

    def _receive_when_ready(self, deadline: float, seconds: float) -> bytes:
        self._wait(deadline, seconds)
        return self._receive_some(CHUNK_BYTES)

    def _receive_some(self, size: int) -> bytes:
        try:
            data = self._socket.recv(size, socket.MSG_DONTWAIT)
        except OSError:
            data = b""
        if not data:
            raise self._guard.died()
        return data

    def _fill(self, view: memoryview, deadline: float, seconds: float) -> None:
        while len(view):
            self._wait(deadline, seconds)
            try:
                count = self._socket.recv_into(view, flags=socket.MSG_DONTWAIT)
            except OSError:
                count = 0
            if not count:
                raise self._guard.died()
            view = view[count:]

    def _wait(self, deadline: float, seconds: float) -> None:
        """Wait until the socket is ready; meanwhile read output and check the limits."""
        while True:
            now = self._clock.now()
            if now >= deadline:
                raise Fault(Verdict.TIMEOUT, f"No answer within {seconds:.1f} seconds.")
            if now >= self._next_check:  # also while output keeps arriving
                self._guard.watch()
                self._next_check = now + POLL_SECONDS
            ready = self._poll.poll(1000 * min(POLL_SECONDS, deadline - now))
            for descriptor, events in ready:
                if descriptor == self._socket.fileno():
                    self._clock.now()  # also a stop that was no reason for a fault is counted
                    return
                if events & select.POLLIN:
                    self._guard.drain()
                else:  # the write end is closed: poll would report it for ever
                    self._poll.unregister(descriptor)

    def close(self) -> None:
        self._socket.close()
