"""The `student` fixture: the student's modules and the operations of the worker."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.channel.handles import Backend, Handle, Operand, operand
from autograder.records import Verdict

MOST_QUESTIONS = 4_000
"""Maximum number of questions in one call of the student's code; none needs a tenth of it."""


class Homes:
    """A module whose names students may define in other modules instead; the first one counts."""

    def __init__(self, student: Student, modules: Sequence[str]):
        self._student, self._modules = student, modules

    def __getattr__(self, name: str) -> Any:
        """Return what `name` is in the first module that has it, or raise the first Fault."""
        faults = []
        for module in self._modules:
            try:
                return getattr(self._student.imported(module), name)
            except Fault as fault:
                faults.append(fault)
        raise faults[0]


class Student:
    """One submission in its own worker, for one test.

    `student.<module>` imports that module. `failed_imports` is shared by all tests of a
    submission: an import that failed once isn't tried again. `homes` are the other modules in which
    a module's names may stand.
    """

    def __init__(
        self,
        ask: Backend,
        failed_imports: dict[str, Fault],
        homes: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ):
        self._ask, self._homes = ask, homes
        self._failed = failed_imports
        self._modules: dict[str, Handle] = {}

    def __getattr__(self, name: str) -> Handle | Homes:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.module(name)

    def module(self, name: str) -> Handle | Homes:
        """Return a module by its full name, such as "models.resnet", and its other homes.

        `student.<module>` is short for it.
        """
        others = self._homes.get(name)
        return Homes(self, [name, *others]) if others else self.imported(name)

    def imported(self, name: str) -> Handle:
        """Import a module by its full name."""
        if name in self._failed:
            raise self._failed[name]
        if name not in self._modules:
            try:
                self._modules[name] = self._ask("import", name)
            except Fault as fault:
                self._failed[name] = fault
                raise
        return self._modules[name]

    def keep(self, array: np.ndarray) -> Handle:
        """Put a copy of `array` into the worker, to check later whether student code changed it."""
        return self._ask("keep", array)

    def operand(self, handle: Handle) -> Operand:
        """Return an operand for a handle's object, for tests of operators.

        Raises Fault (wrong) if it is not an object of the student's.
        """
        made = operand(handle)
        if type(made) is not Operand:
            raise Fault(
                Verdict.WRONG, f"expected an object, got a value of type {type(made).__name__}."
            )
        return made

    def fetch(self, handle: Handle) -> Any:
        """Return the current value of the object that `handle` refers to, as a fresh copy."""
        return self._ask("fetch", handle)

    def probe(self, name: str) -> Handle:
        """Return a probe by its name: an object of ours to hand to student code.

        It is one of the week's own, from the folders that the course names for it
        (assignments/<week>/worker/), or of the few that every week has (autograder/worker/drivers).
        """
        return self._ask("probe", name)

    def warnings(self) -> list[str]:
        """Return the texts of the warnings raised in the worker since the test began."""
        return self._ask("warnings")

    def prepare(self, driver: str, *arguments: Any) -> Handle:
        """Run a driver in the worker, as `drive` does, and keep its result there."""
        return self._ask("prepare", driver, list(arguments))

    def drive(self, driver: str, *arguments: Any) -> Any:
        """Run a driver in the worker by its name and return its result.

        It is one of the week's own, from assignments/<week>/worker/ and what else the course names
        for it, or of the few that every week has (autograder/worker/drivers).
        """
        return self._ask("drive", driver, list(arguments))

    def converse(self, answer: Callable[[Any], Any], driver: str, *arguments: Any) -> Any:
        """Run a driver that asks questions in the worker, and answer each; return its result.

        `answer` may not ask the worker for anything. A question is whatever student code makes of
        it: any value. Raises Fault (TIMEOUT) after MOST_QUESTIONS.
        """
        numbers = itertools.count(1)

        def counted(question: Any) -> Any:
            if next(numbers) > MOST_QUESTIONS:
                text = f"Your code called layers or functions more than {MOST_QUESTIONS} times."
                raise Fault(Verdict.TIMEOUT, text)
            return answer(question)

        return self._ask.converse(counted, driver, list(arguments))[0]
