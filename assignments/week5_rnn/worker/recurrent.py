"""What runs beside rnn.py: types that a test hands over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

DRIVERS: dict[str, Callable[..., object]] = {}
PROBES: dict[str, object] = {"float32": np.float32, "float64": np.float64}
