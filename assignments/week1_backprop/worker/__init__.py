"""What runs inside this week's sandboxes beside the student's code: probes by name."""

from collections.abc import Callable

from .probes import PROBES

DRIVERS: dict[str, Callable[..., object]] = {}

__all__ = ["DRIVERS", "PROBES"]
