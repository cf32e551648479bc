"""Weights in bytes, a few in each constant."""

from tests.points import stored_weights as stored


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return stored.files(stored.byte_texts(stored.weights()))
