"""Weights in characters of a script that has thousands."""

from tests.points import stored_weights as stored


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return stored.files(stored.chinese(stored.weights()))
