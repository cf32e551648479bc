"""Exceptions: requests that end without a value (Fault), failures of the grader (InfraError)."""

from __future__ import annotations

from autograder.errors import GraderError
from autograder.records import Verdict


class Fault(Exception):
    """Student code gave no value: it raised, crashed, hung, or broke a limit or the protocol.

    `message` is a text for the student. `type_name` is the exception's type if the verdict is
    RAISED, `place` the lines of its traceback in the student's files. `fatal`: the worker can't be
    used any more. `busy`: the machine had no time for the code, so this says nothing about it.
    """

    def __init__(
        self,
        verdict: Verdict,
        message: str,
        type_name: str = "",
        fatal: bool = False,
        place: str = "",
        busy: bool = False,
    ):
        super().__init__(message)
        self.verdict = verdict
        self.place = place
        self.message = message
        self.type_name = type_name
        self.fatal = fatal
        self.busy = busy


class InfraError(GraderError):
    """The grader itself failed; the failure costs the student no points."""
