"""Lists and pairs that are accepted where an array is asked for, in the derivation's functions."""

from typing import Any

import numpy as np


def array_of(value: Any) -> Any:
    """Return a sequence of numbers as the array that it stands for, anything else as it is."""
    if not isinstance(value, list | tuple):
        return value
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        return value  # parts of different lengths, say: the comparison names what came back
