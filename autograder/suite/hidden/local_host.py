"""A host that runs trusted code in this process: the reference and its variations."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.channel.fault_records import fault_from_record
from autograder.channel.faults import Fault
from autograder.channel.handles import make_handle, to_refs
from autograder.channel.source_lines import Sources
from autograder.suite.hidden.student import GradedStudent
from autograder.suite.week_worker import NO_WORKER, WeekWorker
from autograder.wire import codec
from autograder.worker.dispatch import Dispatcher
from autograder.worker.modules import ModuleSpace
from autograder.worker.sandboxed.tracing import Tracer
from autograder.worker.week_drivers import WeekDrivers


class Local:
    """Runs trusted modules in this process: the reference and its variations.

    Values go through the codec as they would through a channel, so a test sees the same things.
    Use it inside `modules.active()`. `own` are the drivers and probes that tests may ask for,
    `more` are operations beside those of every worker.
    """

    def __init__(
        self,
        modules: ModuleSpace,
        seed: int,
        own: WeekDrivers | None = None,
        more: Mapping[str, Callable[..., Any]] | None = None,
    ):
        self._dispatcher = Dispatcher(modules.folder, own=own, more=more)
        self._dispatcher.seed(seed)
        sources = {f"{name}.py": source for name, source in modules.sources.items()}
        self._place = Sources(sources).place
        self._from_ref = make_handle(self)

    def __call__(self, operation: str, *arguments: Any) -> Any:
        plain = [to_refs(argument) for argument in arguments]
        plain = _crossed(plain, None, self._dispatcher.from_ref)
        done, result = self._dispatcher.handle(operation, plain)
        result = _crossed(result, self._dispatcher.to_ref, self._from_ref)
        if done:
            return result
        raise fault_from_record(result, self._place)

    def converse(
        self, answer: Callable[[Any], Any], driver: str, arguments: list[Any]
    ) -> list[Any]:
        """Run a driver that asks questions, and answer each; return a list with its result."""
        failed: list[BaseException] = []

        def ask(question: list[Any]) -> Any:
            try:
                given = to_refs(answer(_crossed(question, self._dispatcher.to_ref, self._from_ref)))
            except BaseException as error:
                failed.append(error)
                raise
            return _crossed(given, None, self._dispatcher.from_ref)

        self._dispatcher.ask = ask
        try:
            return self("converse", driver, arguments)
        finally:
            if failed:  # the fault is no answer of the code's, which must not catch it either
                raise failed[0]


def _crossed(value: Any, to_ref: Any, from_ref: Any) -> Any:
    """Return what arrives at the other side of a channel when `value` is sent."""
    _, body, *buffers = codec.encode(value, to_ref)
    return codec.decode(bytes(body), bytearray(b"".join(buffers)), from_ref)


class LocalHost:
    """The host for trusted code (the reference, a catalogued wrong answer) in this process."""

    ours = True
    lost = 0
    stalls = 0
    reused = False

    def __init__(self, files: Mapping[str, bytes], like: LocalHost | None = None):
        """`like` spares compiling what its files have in common with these.

        `loaded` are the files, without ".py", whose modules the last test used, directly or through
        another one.
        """
        self.loaded: set[str] = set()
        self._loaded_before: set[str] = set()
        known: ModuleSpace | None = like._modules if like else None
        self._modules: ModuleSpace = ModuleSpace(files, "/reference", known)
        self._modules.compile_all()
        self._stack = contextlib.ExitStack()

    def start(
        self,
        seed: int,
        *,
        large: bool = False,
        own: WeekWorker = NO_WORKER,
        group: str | None = None,
    ) -> GradedStudent:
        self._stack.enter_context(self._modules.active())
        self._stack.enter_context(warnings.catch_warnings())
        self._stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        self._stack.callback(setattr, np.random, "default_rng", np.random.default_rng)
        more = {"trace": Tracer(self._modules.folder).call}
        local = Local(self._modules, seed, own.drivers, more)
        return GradedStudent(local, {}, own.homes, lambda: True, lambda: self._anew(seed, own))

    def _anew(self, seed: int, own: WeekWorker) -> GradedStudent:
        """Forget the modules in the middle of a test; return the code with modules of its own."""
        self._loaded_before |= self._names()
        self._stack.close()
        return LocalHost.start(self, (seed + 1) % 2**32, own=own)

    def _names(self) -> set[str]:
        names = self._modules.sources.keys() & sys.modules.keys()
        return {name.replace(".", "/") for name in names}

    def finish(self, fault: Fault | None) -> None:
        self.loaded = self._names() | self._loaded_before
        self._loaded_before = set()
        self._stack.close()

    def renew(self) -> None:
        """Do nothing: each test has modules of its own."""

    def again(self) -> LocalHost:
        """Return this host: trusted code needs no separation between runs."""
        return self

    def holds(self, text: str) -> bool:
        """Tell whether a text stands in one of the files."""
        return any(text.encode() in source for source in self._modules.sources.values())

    def close(self) -> None:
        self._stack.close()
