"""What lets a check of one side look at it, whatever another check has to say of the values.

That an argument is kept, a dtype is, or an answer repeats, is seen by comparing with the student's
own plain answer. Code that computes nothing has no sides, so something has to be right first; a
constant factor, of which a check of the value tells, does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.suite import expect
from autograder.suite.expect import Wrong

LATER = "This check is about something else, which shows once this is right, but for a factor."
"""Is put behind what is wrong where a check can't look at its own side."""


def proportional(label: str, received: Any, expected: Any, **near: float) -> None:
    """`received` is a multiple of `expected`, and not zero; a single number has to be right."""
    wanted = np.asarray(expected, dtype=np.float64)
    got = expect.array(label, received, wanted.shape)
    square = float(np.vdot(wanted, wanted))
    factor = 0.0
    if wanted.size > 1 and square and got.dtype.kind != "b":
        factor = float(np.vdot(wanted, got.astype(np.float64))) / square
    if factor and np.isfinite(factor) and _near(got / factor, wanted, near):
        return expect.close(label, got / factor, wanted, **near)
    return expect.close(label, received, expected, **near)


def _near(got: np.ndarray, wanted: np.ndarray, near: dict[str, float]) -> bool:
    rtol, atol = near.get("rtol", 1e-6), near.get("atol", 1e-8)
    return bool(np.all(np.abs(got - wanted) <= atol + rtol * np.abs(wanted)))


def something_right(*ways: Callable[[], Any]) -> Any:
    """One of several comparisons holds, so that there is something to look at; else say so."""
    try:
        return expect.any_of(*ways)
    except Wrong as fault:
        said = fault.message.removeprefix(f"{fault.label}: ").removesuffix(f" {LATER}")
        later = Wrong(fault.label, f"{said} {LATER}", said, fault.apart)
        later.received = fault.received
        raise later from None


def right_but_for_a_factor(label: str, received: Any, expected: Any, **near: float) -> None:
    """`received` is a multiple of `expected`, so that there is something to look at."""
    something_right(lambda: proportional(label, received, expected, **near))
