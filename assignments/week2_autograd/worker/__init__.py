"""What runs inside this week's sandboxes beside the student's code: drivers and probes by name."""

from .drivers import DRIVERS
from .probes import PROBES

__all__ = ["DRIVERS", "PROBES"]
