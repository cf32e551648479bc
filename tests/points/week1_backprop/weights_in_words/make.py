"""Weights in words, each of which stands for a number."""

from tests.points import stored_weights as stored


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return stored.files(stored.words(stored.weights()))
