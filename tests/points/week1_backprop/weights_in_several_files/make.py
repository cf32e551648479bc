"""Weights in four files, each of which holds little."""

from tests.points import stored_weights as stored

PLACES = ("mnist_mlp.py", "neural_net.py", "losses.py", "gradient_check.py")
EACH = 900


def files() -> dict[str, bytes]:
    """Return the files with a part of the weights each."""
    ink = bytes(byte for byte in stored.weights() if byte > 16)
    parts = [ink[n * EACH : (n + 1) * EACH] for n in range(len(PLACES))]
    return stored.files(*map(stored.byte_texts, parts), places=PLACES)
