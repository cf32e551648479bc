"""Weights in texts in which something is put in."""

from tests.points import stored_weights as stored


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return stored.files(stored.f_strings(stored.weights()))
