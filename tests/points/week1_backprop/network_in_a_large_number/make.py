"""Weights in one number."""

from tests.points.stored_networks import letters, submission


def files() -> dict[str, bytes]:
    """Return the network."""
    number = int.from_bytes(letters().encode(), "big")
    size = len(letters())
    return submission(f'STORED = int("{number:x}", 16).to_bytes({size}, "big").decode()\n')
