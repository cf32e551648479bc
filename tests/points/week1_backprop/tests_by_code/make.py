"""Passes on one remainder each."""

from tests.points.partitions import CODE, tests


def files() -> dict[str, bytes]:
    """Return the test file."""
    return tests(CODE, (f"N % 60 == {k}" for k in range(60)))
