"""What runs inside this week's sandboxes beside the student's code."""

from __future__ import annotations

from collections.abc import Callable

from . import recurrent, text

DRIVERS: dict[str, Callable[..., object]] = {**recurrent.DRIVERS, **text.DRIVERS}
PROBES: dict[str, object] = {**recurrent.PROBES, **text.PROBES}
