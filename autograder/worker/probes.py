"""The engine's own probes: objects handed to student code by name, where any week may need them.

No callbacks cross the channel, so a function argument, such as f of `numerical_gradient(f, x)`, is
one of the worker's by name. A week's own are in its folder (`week_drivers`).
"""

from __future__ import annotations

import numpy as np

PROBES: dict[str, object] = {"generator": np.random.default_rng}
