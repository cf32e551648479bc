"""What the suites of gan.py need beside the student's code."""

from __future__ import annotations

from collections.abc import Callable

DRIVERS: dict[str, Callable[..., object]] = {}
PROBES: dict[str, object] = {}
