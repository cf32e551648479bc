"""Private functions of the modules return what they are given."""

from tests.points.sorting import NO_CONDITION, REPLACED, VALUES, made


def files() -> dict[str, bytes]:
    """Return the test file."""
    return made(VALUES, NO_CONDITION, REPLACED)
