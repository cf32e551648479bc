"""Learns six bits at once."""

from tests.points.partitions import RESULTS, tests


def files() -> dict[str, bytes]:
    """Return the test file."""
    return tests(RESULTS, (f"not N >> {k} & 1" for k in range(6)))
