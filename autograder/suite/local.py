"""A student's objects in this process: for code that is ours, the reference and its variations."""

from __future__ import annotations

from typing import Any

from autograder.channel.client import fault_from_record
from autograder.channel.handles import make_handle, to_refs
from autograder.channel.source_lines import Sources
from autograder.wire import codec
from autograder.worker.dispatch import Dispatcher
from autograder.worker.modules import ModuleSpace
from autograder.worker.week_drivers import WeekDrivers


class Local:
    """Runs modules in this process, for code that is ours: the reference and its variations.

    Values go through the codec as they would through a channel, so a test sees the same things.
    Use it inside `modules.active()`. `own` are the drivers and probes that tests may ask for.
    """

    def __init__(self, modules: ModuleSpace, seed: int, own: WeekDrivers | None = None):
        self._dispatcher = Dispatcher(modules.folder, own=own)
        self._dispatcher.seed(seed)
        sources = {f"{name}.py": source for name, source in modules.sources.items()}
        self._place = Sources(sources).place
        self._from_ref = make_handle(self)
        self.heard = False

    def __call__(self, operation: str, *arguments: Any) -> Any:
        plain = [to_refs(argument) for argument in arguments]
        plain = _crossed(plain, None, self._dispatcher.from_ref)
        done, result = self._dispatcher.handle(operation, plain)
        result = _crossed(result, self._dispatcher.to_ref, self._from_ref)
        if done:
            return result
        raise fault_from_record(result, self._place)


def _crossed(value: Any, to_ref: Any, from_ref: Any) -> Any:
    """Return what arrives at the other side of a channel when `value` is sent."""
    _, body, *buffers = codec.encode(value, to_ref)
    return codec.decode(bytes(body), bytearray(b"".join(buffers)), from_ref)
