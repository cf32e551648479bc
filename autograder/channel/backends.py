"""The two places a student's objects can live: a worker's process, or (for ours) this one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from autograder.records import Verdict

from . import codec
from .client import Channel, fault_from_record
from .dispatch import Dispatcher
from .faults import Fault
from .handles import make_handle, to_refs
from .modules import ModuleSpace

LONG = ("drive", "prepare")
"""Operations that take as long as a training run, in a test that trains."""


class Remote:
    """Asks a worker over its channel, each request with a deadline.

    seconds: for one request; test_seconds: for all requests together. long_seconds: for each run
    of a driver by itself, in a test that trains; None in any other, where drivers are ordinary
    requests.
    """

    def __init__(
        self,
        channel: Channel,
        seconds: float,
        test_seconds: float,
        long_seconds: float | None,
        source_line: Callable[[str, int], str | None],
    ):
        self._channel = channel
        self._seconds = seconds
        self._left = test_seconds
        self._long_seconds = long_seconds
        self._source_line = source_line
        self._from_ref = make_handle(self)

    def __call__(self, operation: str, *arguments: Any) -> Any:
        long = self._long_seconds if operation in LONG else None
        if long is None and self._left <= 0:
            raise Fault(Verdict.TIMEOUT, "All calls of this test together took too long.")
        seconds = min(self._seconds, self._left) if long is None else long
        started = time.monotonic()
        plain = [to_refs(argument) for argument in arguments]
        done, result = self._channel.request(
            operation, *plain, seconds=seconds, from_ref=self._from_ref
        )
        if long is None:
            self._left -= time.monotonic() - started
        if done:
            return result
        raise fault_from_record(result, self._source_line)


class Local:
    """Runs modules in this process, for code that is ours: the reference and its variations.

    Values go through the codec as they would through a channel, so a test sees the same things.
    Use it inside `modules.active()`.
    """

    def __init__(self, modules: ModuleSpace, seed: int):
        self._dispatcher = Dispatcher(modules.folder)
        self._dispatcher.seed(seed)
        self._lines = {
            f"{name}.py": source.decode(errors="replace").splitlines()
            for name, source in modules.sources.items()
        }
        self._from_ref = make_handle(self)

    def __call__(self, operation: str, *arguments: Any) -> Any:
        plain = [to_refs(argument) for argument in arguments]
        plain = _crossed(plain, None, self._dispatcher.from_ref)
        done, result = self._dispatcher.handle(operation, plain)
        result = _crossed(result, self._dispatcher.to_ref, self._from_ref)
        if done:
            return result
        raise fault_from_record(result, self._source_line)

    def _source_line(self, file: str, number: int) -> str | None:
        return source_line(self._lines, file, number)


def source_line(lines: Mapping[str, list[str]], file: str, number: int) -> str | None:
    """Return line `number` (from 1) of `file`, or None where there is no such line."""
    listed = lines.get(file, [])
    return listed[number - 1] if 1 <= number <= len(listed) else None


def _crossed(value: Any, to_ref: Any, from_ref: Any) -> Any:
    """Return what arrives at the other side of a channel when `value` is sent."""
    _, body, *buffers = codec.encode(value, to_ref)
    return codec.decode(bytes(body), bytearray(b"".join(buffers)), from_ref)
