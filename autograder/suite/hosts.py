"""Where the code lives that a suite examines; and the one place for code of ours, this process."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from autograder.channel.faults import Fault
from autograder.suite.local import Local
from autograder.suite.student import Student
from autograder.suite.week_worker import NO_WORKER, WeekWorker
from autograder.worker.modules import ModuleSpace


class Host(Protocol):
    """Gives each test a fresh `Student`, and takes back what the test leaves behind.

    A test may ask for the drivers and probes in `own`, those of the suite's week. `ours` says that
    the code on it is ours, which may say anything; `lost` is how many sandboxes it has brought
    down.
    """

    ours: bool
    lost: int

    def start(self, seed: int, *, large: bool, own: WeekWorker = NO_WORKER) -> Student: ...

    def finish(self, fault: Fault | None) -> None: ...

    def again(self) -> Host: ...

    def close(self) -> None: ...


class LocalHost:
    """Code of ours (the reference, a catalogued wrong answer) in this process."""

    ours = True
    lost = 0

    def __init__(self, files: Mapping[str, bytes], like: LocalHost | None = None):
        """`like` spares compiling what its files have in common with these.

        `loaded` are the modules that the last test used, directly or through another one.
        """
        self.loaded: set[str] = set()
        self._modules = ModuleSpace(files, "/reference", like._modules if like else None)
        self._modules.compile_all()
        self._stack = contextlib.ExitStack()

    def start(self, seed: int, *, large: bool = False, own: WeekWorker = NO_WORKER) -> Student:
        self._stack.enter_context(self._modules.active())
        self._stack.enter_context(warnings.catch_warnings())
        self._stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        self._stack.callback(setattr, np.random, "default_rng", np.random.default_rng)
        return self._student(seed, own)

    def _student(self, seed: int, own: WeekWorker) -> Student:
        return Student(Local(self._modules, seed, own.drivers), {})

    def finish(self, fault: Fault | None) -> None:
        self.loaded = self._modules.loaded()
        self._stack.close()

    def again(self) -> LocalHost:
        """Return this host: code of ours has nothing to hide from itself."""
        return self

    def close(self) -> None:
        self._stack.close()
