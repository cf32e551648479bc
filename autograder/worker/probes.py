"""The engine's probes: objects in the worker that any week can pass to student code by name.

Functions can't cross the channel, so an argument such as f of `numerical_gradient(f, x)` is a probe
in the worker, chosen by its name. A week's own probes are in its folder (`week_drivers`).
"""

from __future__ import annotations

import numpy as np

PROBES: dict[str, object] = {"generator": np.random.default_rng}
