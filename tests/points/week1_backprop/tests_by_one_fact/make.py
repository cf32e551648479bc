"""Programs that are wrong everywhere fail all tests."""

from tests.points.sorting import ONE_FACT, VALUES, made


def files() -> dict[str, bytes]:
    """Return the test file."""
    return made(VALUES, ONE_FACT)
