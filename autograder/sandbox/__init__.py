"""What confines a student's code, and the choice of confinement on this machine."""

from __future__ import annotations

from autograder.channel.faults import InfraError

from .bubblewrap import Bubblewrap
from .guise import PLAIN, Guise
from .limits import Limits
from .plain import Unconfined
from .process import Confinement, Sandbox

__all__ = [
    "PLAIN",
    "Bubblewrap",
    "Confinement",
    "Guise",
    "InfraError",
    "Limits",
    "Sandbox",
    "Unconfined",
]
