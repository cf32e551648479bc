"""Signatures of failures: label and wrong value, or exception text, for matching a catalogue.

What explains a failure is shipped sealed by the wrong value: only who got it reads the text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.suite.expect import NOT_KEPT, Wrong

DIGITS = 9
NO_PYTHON = ("SyntaxError", "IndentationError", "TabError")
"""Exceptions without a signature: catalogued wrong answers are valid Python and raise none."""

Signature = dict[str, Any]
"""JSON values that identify a failure: `label` and `received`, or `raised`."""

ROUNDS, FEWEST_DIGITS, UNEVEN = 100_000, 4, np.pi / 3
"""Cost of trying a value; digits that count; a factor that keeps round numbers off the edges."""


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


def key_of(check: str, seen: Signature) -> bytes:
    """Return the key that a wrong value makes: without the value it takes very many tries.

    The same for values that differ by rounding, but for few. `seen` must have a number or an array.
    """
    received = seen["received"]
    if not isinstance(received, dict):
        received = {"shape": [], "values": [received]}
    with np.errstate(all="ignore"):
        values = np.array([float(value) for value in received["values"]]) * UNEVEN
        largest = np.max(np.abs(values), initial=0.0, where=np.isfinite(values))
        size = 10.0 ** np.floor(np.log10(largest)) if largest else 1.0
    digits = max(FEWEST_DIGITS, 8 - len(values))
    entries = [str(round(v)) if np.isfinite(v) else str(v) for v in values / size * 10**digits]
    text = json.dumps([check, seen["label"], received["shape"], entries])
    return hashlib.pbkdf2_hmac("sha256", text.encode(), b"", ROUNDS)


def turned(data: bytes, key: bytes) -> bytes:
    """Lock what is open, and open what is locked."""
    stream = hashlib.shake_256(key).digest(len(data))
    return bytes(one ^ other for one, other in zip(data, stream, strict=True))


@lru_cache
def _opened(check: str, seen: str, sealed: tuple[tuple[str, str], ...]) -> dict[str, Any] | None:
    key = key_of(check, json.loads(seen))
    text = dict(sealed).get(hashlib.sha256(key).hexdigest()[:16])
    return None if text is None else json.loads(turned(bytes.fromhex(text), key))


def entry_of(sealed: Mapping[str, str], check: str, fault: Fault) -> dict[str, Any] | None:
    """Return the entry of a check's sealed explanations that a failure opens, if it does."""
    seen = signature(fault) or {}
    if not sealed or not isinstance(seen.get("received"), dict | float | int):
        return None
    return _opened(check, json.dumps(seen), tuple(sealed.items()))
