"""Logarithms, without their mean and spread."""

from tests.points.sorting import NO_CONDITION, POWERS, made


def files() -> dict[str, bytes]:
    """Return the test file."""
    return made(POWERS, NO_CONDITION, layers=("ReLU",))
