"""The comparisons that suites are written with, and the messages that students read.

Each takes the label of the quantity first. Type is looked at before shape, shape before value;
NaN never passes; nothing is broadcast. A comparison that fails ends the test with `Wrong`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.channel.handles import Handle, type_name
from autograder.records import Verdict
from autograder.suite.compare import FARTHEST, apart, describe, first_entry, index_text

Shape = tuple[int, ...]
Apart = tuple[float, float]

MAX_ENTRIES = 4096
"""Maximum number of entries of a received array that is kept; bounds memory for a class."""

NOT_KEPT = object()
"""Replaces a received value that is too large or whose type can't identify a failure."""

KEEPS: list[Callable[[Any], Any]] = [lambda received: NOT_KEPT]
"""What is kept of other values: in grading, a digest (suite.hidden.digest)."""

_held = [0]
"""The number of comparisons that have held so far."""


class Wrong(Fault):
    """A wrong answer; `label` and `received` (or the message) identify it for the catalogue.

    `apart`: how far an array is from every multiple of what is expected, and from that itself.
    """

    def __init__(self, label: str, message: str, received: Any = None, apart: Apart = FARTHEST):
        super().__init__(Verdict.WRONG, f"{label}: {message}")
        self.label, self.apart = label, apart
        self.received = _kept(message if received is None else received)


def _kept(received: Any) -> Any:
    """Return something small, which keeps no reference to the rest of the answer."""
    if type(received) is np.ndarray and received.size <= MAX_ENTRIES:
        return received.copy()
    plain = type(received) in (bool, int, float, str)
    return received if plain else KEEPS[0](received)


def kind_of(value: Any) -> str:
    """Name the type of a value for a message."""
    if isinstance(value, Handle):
        return f"an object of type {type_name(value)}"
    if value is None:
        return "None (is a `return`, or an assignment to the attribute, missing?)"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def array(label: str, received: Any, shape: Shape) -> np.ndarray:
    """Return `received` if it is a real array (or number) of that shape and finite, else fail.

    A test must pass any received array through this function before it computes with it. The shape
    is the test's own: another one would be broadcast to whatever size student code likes.
    """
    return _real(label, received, tuple(shape))


def shape_of(label: str, received: Any) -> Shape:
    """Return the shape of a finite real array; fail for anything else.

    For what may have one of several shapes; where entries count, `array` gets one of them then.
    """
    return _real(label, received, None).shape


def differ(label: str, first: Any, other: Any, message: str) -> None:
    """Two received arrays, or one and the number 0, are not the same."""
    first, other = _real(label, first, None), _real(label, other, None)
    alike = np.array_equal(first, other) if other.shape else not np.any(first - other)
    that(label, not alike, message)


def repeated(label: str, first: Any, again: Any, **near: float) -> None:
    """Two answers of the student's code to the same question are near, and of the same shape.

    It is no evidence of any work, as code that does nothing repeats itself: each use says why.
    """
    wanted, said = _real(label, first, None), f"{label} (expected is your own other answer)"
    close(said, again, wanted, **near)


def _real(label: str, received: Any, shape: Shape | None) -> np.ndarray:
    """Return a finite array of real numbers, of that shape unless it is None."""
    if type(received) in (int, float) and (shape is None or shape == ()):
        received = np.asarray(received)
    if type(received) is not np.ndarray:
        what = "a number" if shape == () else "an array"
        raise Wrong(label, f"expected {what}, got {kind_of(received)}.")
    if received.dtype.kind == "c":
        raise Wrong(label, "expected real numbers, got complex ones.", received)
    if shape is not None and received.shape != tuple(shape):
        message = f"expected shape {tuple(shape)}, got {received.shape}."
        raise Wrong(label, message, received)
    _finite(label, received)
    return received


def _finite(label: str, received: np.ndarray) -> None:
    if received.dtype.kind == "f" and not np.isfinite(received).all():
        bad = ~np.isfinite(received)
        index = first_entry(bad)
        where = f" (the first is at {index_text(index)})" if index else ""
        names = " and ".join(
            name for name, has in (("NaN", np.isnan), ("inf", np.isinf)) if has(received).any()
        )
        message = f"{int(bad.sum())} of {received.size} entries are {names}{where}."
        raise Wrong(label, message, received)


def close(
    label: str, received: Any, expected: Any, *, rtol: float = 1e-6, atol: float = 1e-8
) -> None:
    """`received` is a finite array of the shape of `expected`, and every entry is near enough.

    Near means |received - expected| <= atol + rtol * |expected|.
    """
    wanted = np.asarray(expected)
    got = array(label, received, wanted.shape)
    if got.dtype.kind == "b":
        raise Wrong(label, "expected numbers, got truth values.", got)
    got, wanted = got.astype(np.float64), wanted.astype(np.float64)
    with np.errstate(over="ignore"):
        # Beside an infinite expectation every number would be within a share of it.
        near = atol + rtol * np.where(np.isfinite(wanted), np.abs(wanted), 0.0)
        bad = ~(np.abs(got - wanted) <= near)
    if bad.any():
        raise Wrong(label, describe(got, wanted, bad), got, apart(got, wanted))
    _held[0] += 1


def dtype(label: str, received: Any, expected: Any) -> None:
    """`received` is an array of exactly that dtype."""
    if type(received) is not np.ndarray:
        raise Wrong(label, f"expected an array, got {kind_of(received)}.")
    if received.dtype != np.dtype(expected):
        raise Wrong(
            label,
            f"expected dtype {np.dtype(expected)}, got {received.dtype}.",
            str(received.dtype),
        )


def equal(label: str, received: Any, expected: Any) -> None:
    """`received` is exactly `expected`: a number, text, truth value, sequence or integer array."""
    if isinstance(received, Handle):
        raise Wrong(label, f"expected {_short(expected)}, got {kind_of(received)}.")
    if isinstance(expected, np.ndarray):
        got = array(label, received, expected.shape)
        if (got.dtype.kind == "b") != (expected.dtype.kind == "b"):
            kinds = ("truth values", "numbers")
            wanted, given = kinds if expected.dtype.kind == "b" else kinds[::-1]
            raise Wrong(label, f"expected {wanted}, got {given}.", got)
        if not np.array_equal(got, expected):
            message = describe(got * 1.0, expected * 1.0, got != expected)
            raise Wrong(label, message, got)
        return
    same_kind = (type(expected) is bool) == (type(received) is bool)
    if not same_kind or not _same(received, expected):
        message = f"expected {_short(expected)}, got {_short(received)}."
        raise Wrong(label, message, received)


def _same(received: Any, expected: Any) -> bool:
    if isinstance(expected, (list, tuple)):
        return (
            isinstance(received, (list, tuple))
            and len(received) == len(expected)
            and all(_same(one, other) for one, other in zip(received, expected, strict=True))
        )
    if type(received) is np.ndarray:
        return received.shape == () and bool(received == expected)
    return not isinstance(received, Handle) and bool(received == expected)


def _short(value: Any) -> str:
    text = kind_of(value) if isinstance(value, (np.ndarray, Handle)) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def unchanged(label: str, before: np.ndarray, after: Any) -> None:
    """An array that was passed to the student's code has not been modified."""
    same_type = type(after) is np.ndarray and after.dtype == before.dtype
    if not same_type or after.shape != before.shape:
        message = "your code changed the shape or type of an array it was only given."
        raise Wrong(label, message)
    if not np.array_equal(before, after, equal_nan=before.dtype.kind == "f"):
        index = first_entry(before != after)
        raise Wrong(
            label,
            "your code changed an array that it was only given "
            f"(the first changed entry is {index_text(index)}). Work on a copy.",
            after,
        )


def that(label: str, condition: bool, message: str) -> None:
    """A condition that the test computed from values holds."""
    if type(condition) not in (bool, np.bool_):
        raise TypeError(f"expect.that({label!r}) needs a truth value, got {condition!r}")
    if not condition:
        raise Wrong(label, message, message)


def attempted(task: str, value: Any) -> None:
    """Something that is empty in the stubs is filled in; else the test ends as not attempted.

    `task` is what a gap would say: "week3.debugging_lab: name the fault in lab_1.py".
    """
    if value is None or value == "":
        raise Fault(Verdict.NOT_ATTEMPTED, task)


def any_of(*ways: Callable[[], Any]) -> Any:
    """One of several ways to see the same thing shows it; the result is that way's.

    For tests that reach what they look at through other parts, which may be at fault: each way goes
    through different ones. When all fail, the failure of the one that got furthest counts: the one
    with most comparisons that held; among equals a wrong answer, then the one that is nearest to a
    multiple of what is expected, then the first.
    """
    faults: list[tuple[int, bool, Apart, int, Fault]] = []
    for way in ways:
        before = _held[0]
        try:
            return way()
        except Fault as fault:
            fault.__traceback__ = None  # it would hold what this way was given
            right, far = before - _held[0], getattr(fault, "apart", FARTHEST)
            faults.append((right, not isinstance(fault, Wrong), far, len(faults), fault))
    raise min(faults, key=lambda entry: entry[:4])[4]


NEVER_RAN = {"ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError", "SystemExit"}
"""What a file raises that can't be imported: it answers no call, and all calls alike."""


def raises(label: str, call: Callable[..., Any], type_name: str, *args: Any) -> None:
    """Calling `call(*args)` raises an exception whose type is called `type_name`."""
    try:
        result = call(*args)
    except Fault as fault:
        if fault.verdict is not Verdict.RAISED or fault.type_name in NEVER_RAN:
            raise
        if fault.type_name != type_name:
            message = f"expected {type_name}, got {fault.message}"
            raise Wrong(label, message, fault.type_name) from None
        return
    raise Wrong(label, f"expected {type_name}, got {kind_of(result)} and no exception.", result)
