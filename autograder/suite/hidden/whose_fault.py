"""Whose fault an exception is that a test itself raises: the suite's, or that of a received value.

A wrong answer ends a test by `Wrong` or another `Fault`. Any other exception comes out of the
frames of the suite or of the engine. With the reference the test has none (grading.self_check), so
most often a value of another type or form caused it, and it is a wrong answer. But no value that
comes out of a sandbox makes a name undefined, removes a function from a module of ours or changes
how a helper is called: such a mistake is ours, in a line that only a failing submission reaches.
"""

from __future__ import annotations

import dis
import re
import traceback
from pathlib import Path
from types import TracebackType

import numpy as np

from autograder.channel.handles import Handle
from autograder.errors import AutograderError

NEVER_BY_A_VALUE = (AutograderError, ImportError, NameError, NotImplementedError, SyntaxError)
MAYBE_BY_A_VALUE = (
    *(ArithmeticError, AssertionError, LookupError),
    *(RecursionError, TypeError, ValueError),
)

VALUES = (Handle, np.ndarray, np.generic, bool, int, float, complex, str, bytes, list, tuple, dict)
"""The types of what a worker may answer, None apart."""

WRONG_CALL = re.compile(r"\(\) (missing \d|takes |got an unexpected|got multiple)")
"""How Python says that a function was called with other arguments than it has."""


def is_ours(error: BaseException, suite: Path, *, received: bool) -> bool:
    """Whether an exception of a test is the grader's own fault.

    suite: the folder of the test's week; received: the test had asked the worker for something.
    """
    if not received or isinstance(error, NEVER_BY_A_VALUE):
        return True
    if isinstance(error, AttributeError):
        return error.obj is not None and not isinstance(error.obj, VALUES)
    last = _last(error.__traceback__)
    if last is None:
        return False
    operation = _operation(last)
    if isinstance(error, TypeError) and WRONG_CALL.search(str(error)):
        return operation != "CALL_FUNCTION_EX"  # f(*received) has as many as there were
    here = Path(last.tb_frame.f_code.co_filename).is_relative_to(suite)
    return here and operation == "RAISE_VARARGS" and not isinstance(error, MAYBE_BY_A_VALUE)


def trace_of(error: BaseException, suite: Path) -> str:
    """Return an exception's traceback, from the first frame in the suite's files on."""
    shown = traceback.TracebackException.from_exception(error)
    frames = list(shown.stack)
    first = [n for n, frame in enumerate(frames) if Path(frame.filename).is_relative_to(suite)]
    shown.stack = traceback.StackSummary.from_list(frames[first[0] :] if first else frames)
    return "".join(shown.format(chain=False)).rstrip()


def _last(trace: TracebackType | None) -> TracebackType | None:
    """Return the innermost entry of a traceback."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def _operation(trace: TracebackType) -> str:
    """Name the bytecode instruction at which a frame was left."""
    return dis.opname[trace.tb_frame.f_code.co_code[trace.tb_lasti]]
