"""The examiner's end of a channel: one request, one answer, one deadline."""

from __future__ import annotations

import secrets
import select
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.wire import codec

CHUNK = 1 << 16
SLICE = 0.05
"""Seconds between two looks at the limits while waiting for an answer."""


class Guard(Protocol):
    """What watches the sandbox while the examiner waits."""

    output: int
    """A descriptor to read the sandbox's output from."""

    def drain(self) -> None:
        """Read what was printed; raises Fault when it is over the limit."""

    def watch(self) -> None:
        """Look at memory and processes; raises Fault when they are over the limit."""

    def died(self) -> Fault:
        """Say why the worker is gone."""


class Channel:
    """Sends requests to one worker and takes nothing but well-formed answers from it.

    Every fault that ends the conversation is raised as a fatal Fault; afterwards the channel is
    closed and raises the same fault again.
    """

    def __init__(self, sock: socket.socket, guard: Guard, caps: codec.Caps | None = None):
        self._socket = sock
        self._socket.setblocking(False)
        self._guard = guard
        self._caps = caps or codec.Caps()
        self._over: Fault | None = None
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._poll.register(guard.output, select.POLLIN)
        self._next_look = time.monotonic() + SLICE

    def request(
        self,
        operation: str,
        *arguments: Any,
        seconds: float,
        from_ref: Callable[[codec.Ref], Any] = lambda ref: ref,
    ) -> tuple[bool, Any]:
        """Ask for one operation; return (True, value) or (False, the worker's fault record).

        `seconds` bounds the whole exchange by the examiner's monotonic clock.
        """
        if self._over is not None:
            raise self._over
        deadline = time.monotonic() + seconds
        number = secrets.randbits(63)
        try:
            self._send(codec.encode([number, operation, list(arguments)]), deadline, seconds)
            answer = self._receive(deadline, seconds, from_ref)
            return self._judge(answer, number)
        except Fault as fault:
            fault.fatal = True
            self._over = fault
            raise
        except codec.CodecError as error:
            self._over = Fault(Verdict.VIOLATION, f"A malformed answer: {error}.", fatal=True)
            raise self._over from None

    def begin(self, seed: int, *, large: bool, seconds: float) -> None:
        """Tell a waiting worker to begin: `seed` for its global generators, `large` for training.

        There is no answer. Raises Fault when the worker is gone already.
        """
        self._send(codec.encode([seed, large]), time.monotonic() + seconds, seconds)

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
                    view = view[self._socket.send(view) :]
                except BlockingIOError:
                    self._poll.modify(self._socket, select.POLLOUT)
                    self._wait(deadline, seconds)
                    self._poll.modify(self._socket, select.POLLIN)
                except OSError:
                    raise self._guard.died() from None

    def _receive(self, deadline: float, seconds: float, from_ref: Callable) -> Any:
        """Read one frame, and nothing after it: more than was asked for is a violation."""
        self._wait(deadline, seconds)
        data = self._some(CHUNK)
        while len(data) < codec.HEADER.size:
            self._wait(deadline, seconds)
            data += self._some(CHUNK)
        body_size, buffer_size = codec.check_header(data[: codec.HEADER.size], self._caps)
        end = codec.HEADER.size + body_size
        extra = len(data) - end - buffer_size
        if extra > 0:
            raise Fault(Verdict.VIOLATION, "Data came over the channel that nobody asked for.")
        frame = bytearray(end + buffer_size)
        frame[: len(data)] = data
        self._fill(memoryview(frame)[len(data) :], deadline, seconds)
        view = memoryview(frame)
        return codec.decode(view[codec.HEADER.size : end], view[end:], from_ref)

    def _some(self, size: int) -> bytes:
        try:
            data = self._socket.recv(size)
        except OSError:
            data = b""
        if not data:
            raise self._guard.died()
        return data

    def _fill(self, view: memoryview, deadline: float, seconds: float) -> None:
        while len(view):
            self._wait(deadline, seconds)
            try:
                count = self._socket.recv_into(view)
            except OSError:
                count = 0
            if not count:
                raise self._guard.died()
            view = view[count:]

    def _wait(self, deadline: float, seconds: float) -> None:
        """Wait until the socket is ready, reading output and watching the limits meanwhile."""
        while True:
            now = time.monotonic()
            if now >= deadline:
                raise Fault(Verdict.TIMEOUT, f"No answer within {seconds:.1f} seconds.")
            if now >= self._next_look:  # by the clock: code that trickles output is watched too
                self._guard.watch()
                self._next_look = now + SLICE
            ready = self._poll.poll(1000 * min(SLICE, deadline - now))
            for descriptor, events in ready:
                if descriptor == self._socket.fileno():
                    return
                if events & select.POLLIN:
                    self._guard.drain()
                else:  # nobody holds the other end any more: poll would say so without end
                    self._poll.unregister(descriptor)

    def close(self) -> None:
        self._socket.close()
