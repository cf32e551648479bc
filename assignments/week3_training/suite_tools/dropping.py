"""What dropout makes of numbers that are not 0: some of them 0, the others larger."""

from typing import Any

import numpy as np

from autograder.suite import expect


def where_kept(label: str, received: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return where the entries of a received array of that shape are not 0."""
    return expect.array(label, received, shape) != 0


def expect_scaled(label: str, received: Any, scaled: np.ndarray, **near: float) -> None:
    """Expect each entry to be 0, for one that was dropped, or that of `scaled`, which has no 0."""
    found = expect.array(label, received, scaled.shape)
    nothing = np.abs(found) < np.abs(found - scaled)
    expect.close(label, np.where(nothing, found, 0.0), np.zeros(scaled.shape), **near)
    expect.close(label, np.where(nothing, scaled, found), scaled, **near)
