"""Weights in seven texts, each shorter than a long constant."""

from tests.points import stored_weights as stored


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return stored.files(stored.texts(stored.weights()))
