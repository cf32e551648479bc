"""A thermometer: as many fail as the remainder says."""

from tests.points.partitions import RESULTS, tests


def files() -> dict[str, bytes]:
    """Return the test file."""
    return tests(RESULTS, (f"N % 60 < {k}" for k in range(1, 60)))
