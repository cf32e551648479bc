"""Confinement of student code: the sandbox classes, and the choice of one on this machine."""

from __future__ import annotations

from autograder.channel.faults import InfraError
from autograder.sandbox.bubblewrap import Bubblewrap
from autograder.sandbox.limits import Limits
from autograder.sandbox.process import Confinement, Sandbox
from autograder.sandbox.unconfined import Unconfined

__all__ = [
    "Bubblewrap",
    "Confinement",
    "InfraError",
    "Limits",
    "Sandbox",
    "Unconfined",
]
