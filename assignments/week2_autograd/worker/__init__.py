"""What runs inside this week's sandboxes beside the student's code: drivers and probes by name."""

from . import drivers, layers, probes, recording

DRIVERS = {**drivers.DRIVERS, **layers.DRIVERS, **recording.DRIVERS}
PROBES = {**probes.PROBES, **layers.PROBES, **recording.PROBES}

__all__ = ["DRIVERS", "PROBES"]
