"""Weights in whole numbers of sixty digits."""

from tests.points import stored_weights as stored


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return stored.files(stored.ints(stored.weights()))
