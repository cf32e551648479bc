"""Weights in bytes."""

from tests.points.stored_weights import letters, submission


def files() -> dict[str, bytes]:
    """Return the network."""
    return submission(f"STORED = {letters().encode()!r}.decode()\n")
