"""Signatures of failures: label and wrong value, or exception text, for matching a catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.suite.expect import NOT_KEPT, Wrong

DIGITS = 9
NO_PYTHON = ("SyntaxError", "IndentationError", "TabError")
"""Exceptions without a signature: catalogued wrong answers are valid Python and raise none."""
RTOL = 1e-6

Signature = dict[str, Any]
"""JSON values that identify a failure: `label` and `received`, or `raised`."""

ABOUT = ("id", "says", "at")
"""Keys of a public catalogue's entry that are not part of the signature."""


def signature(fault: Fault) -> Signature | None:
    """Return the signature of a failure; None if it has none (a crash, a timeout)."""
    if isinstance(fault, Wrong):
        received = fault.received
        if received is NOT_KEPT:
            return None
        if isinstance(received, np.ndarray):
            if received.dtype.kind == "c":
                return None
            received = {"shape": list(received.shape), "values": _listed(received)}
        return {"label": fault.label, "received": received}
    if fault.verdict is Verdict.RAISED and not fault.message.startswith(NO_PYTHON):
        return {"raised": fault.message.partition("\n")[0]}
    return None


def _listed(array: np.ndarray) -> list[float | str]:
    """Return the entries for JSON: numbers to DIGITS digits; "nan", "inf" or "-inf" as texts."""
    flat = [float(value) for value in array.ravel()]
    return [float(f"{v:.{DIGITS}g}") if np.isfinite(v) else str(v) for v in flat]


def same(one: Signature, other: Signature) -> bool:
    """Tell whether two failures are the same wrong answer, up to rounding."""
    if one.keys() != other.keys() or one.get("label") != other.get("label"):
        return False
    if "raised" in one:
        return one["raised"] == other["raised"]
    first, second = one["received"], other["received"]
    if not isinstance(first, dict) or not isinstance(second, dict):
        return type(first) is type(second) and first == second
    if first["shape"] != second["shape"]:
        return False
    a, b = (np.array([float(v) for v in part["values"]]) for part in (first, second))
    return bool(np.allclose(a, b, rtol=RTOL, atol=1e-12, equal_nan=True))


def entry_of(entries: Iterable[Signature], fault: Fault) -> Signature | None:
    """Return the entry of a public catalogue that matches a failure, if one does."""
    seen = signature(fault)
    if seen is None:
        return None
    for entry in entries:
        if same(seen, {key: value for key, value in entry.items() if key not in ABOUT}):
            return entry
    return None
