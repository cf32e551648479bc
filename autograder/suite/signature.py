"""Signatures of failures: label and wrong value, or exception text, for matching a catalogue.

What explains an item's failures is shipped sealed by how all its checks end: only who got the same
wrong values, in the same checks, reads the text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.suite.expect import NOT_KEPT, Wrong
from autograder.suite.session import Outcome

DIGITS = 9
NO_PYTHON = ("SyntaxError", "IndentationError", "TabError")
"""Exceptions without a signature: catalogued wrong answers are valid Python and raise none."""

ENDLESS = "TimeoutError: it does not come to an end"
"""In place of an exception's text: the time was over. An entry of the catalogue that would not come
to an end raises this instead, since it is run without a limit."""

Signature = dict[str, Any]
"""JSON values that identify a failure: `label` and `received`, or `raised`."""

Pattern = dict[str, Signature | None]
"""How checks end, by their ids: None for one that passes."""

ROUNDS, FEWEST_DIGITS, UNEVEN = 100_000, 4, np.pi / 3
"""Cost of trying a value; digits that count; a factor that keeps round numbers off the edges."""


def signature(fault: Fault) -> Signature | None:
    """Return the signature of a failure; None if it has none (a crash, a machine too busy)."""
    if isinstance(fault, Wrong):
        received = fault.received
        if received is NOT_KEPT or getattr(received, "dtype", np.dtype(int)).kind == "c":
            return None
        if isinstance(received, np.ndarray):
            received = {"shape": list(received.shape), "values": listed(received)}
        return {"label": fault.label, "received": received}
    if fault.verdict is Verdict.TIMEOUT:
        return None if fault.busy else {"raised": ENDLESS}
    if fault.verdict is Verdict.RAISED and not fault.message.startswith(NO_PYTHON):
        return {"raised": fault.message.partition("\n")[0]}
    return None


def listed(array: np.ndarray) -> list[float | str]:
    """Return the entries for JSON: numbers to DIGITS digits; "nan", "inf" or "-inf" as texts."""
    flat = [float(value) for value in array.ravel()]
    return [float(f"{v:.{DIGITS}g}") if np.isfinite(v) else str(v) for v in flat]


def key_of(pattern: Pattern) -> bytes:
    """Return the key that an item's failures make: without them it takes very many tries.

    The same for values that differ by rounding, but for few.
    """
    ends = [[check, seen and _rounded(seen)] for check, seen in sorted(pattern.items())]
    return hashlib.pbkdf2_hmac("sha256", json.dumps(ends).encode(), b"", ROUNDS)


def _rounded(seen: Signature) -> list[Any]:
    """Return what counts of a failure. Texts of exceptions differ between versions of NumPy."""
    if "raised" in seen:
        return [seen["raised"].partition(":")[0]]
    received = seen["received"]
    if isinstance(received, str | bool):
        return [seen["label"], received]
    if not isinstance(received, dict):
        received = {"shape": [], "values": [received]}
    with np.errstate(all="ignore"):
        values = np.array([float(value) for value in received["values"]]) * UNEVEN
        largest = np.max(np.abs(values), initial=0.0, where=np.isfinite(values))
        power = int(np.floor(np.log10(largest))) if largest else 0
    digits = max(FEWEST_DIGITS, 8 - len(values))
    scaled = values / 10.0**power * 10**digits
    entries = [str(round(v)) if np.isfinite(v) else str(v) for v in scaled]
    return [seen["label"], received["shape"], power, entries]


def turned(data: bytes, key: bytes) -> bytes:
    """Lock what is open, and open what is locked."""
    stream = hashlib.shake_256(key).digest(len(data))
    return bytes(one ^ other for one, other in zip(data, stream, strict=True))


def entry_of(sealed: Mapping[str, str], outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """Return the entry of an item's sealed explanations that the ends of its checks open."""
    pattern = {one.result.check: signature(one.fault) if one.fault else None for one in outcomes}
    failed = [one.result.check for one in outcomes if one.result.verdict is not Verdict.PASS]
    if not sealed or not failed or not all(pattern[check] for check in failed):
        return None
    key = key_of(pattern)
    text = sealed.get(hashlib.sha256(key).hexdigest()[:16])
    return None if text is None else json.loads(turned(bytes.fromhex(text), key))
