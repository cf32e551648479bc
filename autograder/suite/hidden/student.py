"""The `student` fixture of hidden suites: a submission whose calls can also be counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from autograder.channel.faults import Fault
from autograder.channel.handles import Backend, Handle
from autograder.suite.hidden.conduct import Trace, trace_of
from autograder.suite.student import Student


class GradedStudent(Student):
    """A submission as tests of a hidden suite see it.

    `asked`: tells whether anything has been asked of the worker in this test; `renew` ends the
    worker, and lets the next request begin another.
    """

    def __init__(
        self,
        ask: Backend,
        failed_imports: dict[str, Fault],
        homes: Mapping[str, Sequence[str]] = MappingProxyType({}),
        asked: Callable[[], bool] = lambda: False,
        renew: Callable[[], None] = lambda: None,
    ):
        super().__init__(ask, failed_imports, homes)
        self.asked = asked
        self._renew = renew

    def in_new_process(self) -> None:
        """Go on in another process, which knows nothing of this one: no handle leads there."""
        self._renew()
        self._modules.clear()

    def trace(self, function: Handle | str, *arguments: object) -> Trace:
        """Call a function of the student's and count what it executes, for a test marked `flag`.

        The symbol of an operator may take the function's place.
        """
        return trace_of(self._ask("trace", function, list(arguments)))
