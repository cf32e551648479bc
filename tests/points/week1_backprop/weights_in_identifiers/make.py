"""Weights in the names of variables."""

from tests.points import stored_weights as stored


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return stored.files(stored.identifiers(stored.weights()))
