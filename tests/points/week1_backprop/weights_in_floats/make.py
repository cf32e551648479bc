"""Weights in short lists of numbers."""

from tests.points import stored_weights as stored


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return stored.files(stored.floats(stored.weights()))
