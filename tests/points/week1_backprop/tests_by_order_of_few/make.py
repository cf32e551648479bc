"""No number counts, only which is larger."""

from tests.points.sorting import NO_CONDITION, ORDER, made


def files() -> dict[str, bytes]:
    """Return the test file."""
    return made(ORDER, NO_CONDITION, layers=("ReLU",))
