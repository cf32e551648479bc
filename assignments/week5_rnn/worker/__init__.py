"""What runs inside this week's sandboxes beside the student's code."""

from __future__ import annotations

from collections.abc import Callable

from . import text

DRIVERS: dict[str, Callable[..., object]] = {**text.DRIVERS}
PROBES: dict[str, object] = {**text.PROBES}
