"""Weights in a docstring, which can be read while it runs."""

from tests.points import stored_weights as stored


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return stored.files(stored.docstring(stored.weights()))
