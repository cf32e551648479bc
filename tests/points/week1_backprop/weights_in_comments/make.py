"""Weights in comments, which are read from the file itself."""

from tests.points import stored_weights as stored


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return stored.files(stored.comments(stored.weights()))
