"""What runs inside the project's sandboxes beside the student's code: drivers by name.

The made-up parts (`probes.py`) are put in place by drivers (`parts.py`), never asked for by name.
"""

from collections.abc import Callable

from . import drivers, files, network, optimizing, parts

DRIVERS: dict[str, Callable[..., object]] = {
    **drivers.DRIVERS,
    **parts.DRIVERS,
    **optimizing.DRIVERS,
    **files.DRIVERS,
    **network.DRIVERS,
}
PROBES: dict[str, object] = {}

__all__ = ["DRIVERS", "PROBES"]
