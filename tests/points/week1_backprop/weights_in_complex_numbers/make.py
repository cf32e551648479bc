"""Weights in complex numbers, two in each."""

from tests.points import stored_weights as stored


def files() -> dict[str, bytes]:
    """Return the file with the weights."""
    return stored.files(stored.complex_numbers(stored.weights()))
