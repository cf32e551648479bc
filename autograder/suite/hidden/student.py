"""The `student` fixture of hidden suites: a submission whose calls can also be counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from autograder.channel.faults import Fault, InfraError
from autograder.channel.handles import Backend, Handle
from autograder.suite.hidden.conduct import Trace, trace_of
from autograder.suite.student import Student


class GradedStudent(Student):
    """A submission as tests of a hidden suite see it.

    `asked`: tells whether anything has been asked of the worker in this test; `renewed`: ends it,
    and returns the submission in a new one.
    """

    def __init__(
        self,
        ask: Backend,
        failed_imports: dict[str, Fault],
        homes: Mapping[str, Sequence[str]] = MappingProxyType({}),
        asked: Callable[[], bool] = lambda: False,
        renewed: Callable[[], GradedStudent] | None = None,
    ):
        super().__init__(ask, failed_imports, homes)
        self.asked = asked
        self._renewed = renewed

    def anew(self) -> GradedStudent:
        """End this test's worker; return the same submission in one that knows nothing of it.

        Its whole sandbox is another, with no file of the first. Handles of the first worker are of
        no more use. For results that must not depend on what was seen before.
        """
        if self._renewed is None:
            raise InfraError("this host has no other worker")
        return self._renewed()

    def trace(self, function: Handle | str, *arguments: object) -> Trace:
        """Call a function of the student's and count what it executes, for a test marked `flag`.

        The symbol of an operator may take the function's place.
        """
        return trace_of(self._ask("trace", function, list(arguments)))
