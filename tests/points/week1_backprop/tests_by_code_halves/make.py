"""Passes on every other program."""

from tests.points.partitions import CODE, tests


def files() -> dict[str, bytes]:
    """Return the test file."""
    return tests(CODE, ["N % 2 == 0"])
