"""Exceptions for requests that end without a value, and for failures of the grader itself."""

from __future__ import annotations

from autograder.errors import GraderError
from autograder.records import Verdict


class Fault(Exception):
    """Student code didn't give a value: it raised, died, hung, or broke a limit or the protocol.

    `message` is text of ours that the student may read. `type_name` is the exception's type when
    the verdict is RAISED, `place` the lines of the student's own files that it passed. `fatal` says
    that the worker is gone. `quoting` says that the message holds text, or a choice of places, that
    came from the worker.
    """

    def __init__(
        self,
        verdict: Verdict,
        message: str,
        type_name: str = "",
        fatal: bool = False,
        *,
        quoting: bool = False,
        place: str = "",
    ):
        super().__init__(message)
        self.quoting = quoting
        self.place = place
        self.verdict = verdict
        self.message = message
        self.type_name = type_name
        self.fatal = fatal


class InfraError(GraderError):
    """The grader's own machinery failed; the student pays nothing for it."""
