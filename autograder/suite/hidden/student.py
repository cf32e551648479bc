"""The `student` fixture of hidden suites: a submission whose calls can also be counted."""

from __future__ import annotations

from autograder.channel.handles import Handle
from autograder.suite.hidden.conduct import Trace, trace_of
from autograder.suite.student import Student


class GradedStudent(Student):
    """A submission as tests of a hidden suite see it."""

    def trace(self, function: Handle | str, *arguments: object) -> Trace:
        """Call a function of the student's and count what it executes, for a test marked `flag`.

        The symbol of an operator may take the function's place.
        """
        return trace_of(self._ask("trace", function, list(arguments)))
