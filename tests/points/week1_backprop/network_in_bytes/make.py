"""Weights in bytes."""

from tests.points.stored_networks import letters, submission


def files() -> dict[str, bytes]:
    """Return the network."""
    return submission(f"STORED = {letters().encode()!r}.decode()\n")
