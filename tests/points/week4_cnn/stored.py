"""A network that has learned the digits before, for submissions that store what it has learned."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np

import data

SOLUTIONS = Path(__file__).resolve().parents[3] / "solutions" / "week4_cnn"
NAMES = (0, "W"), (0, "b"), (4, "W"), (4, "b")
STEP = 0.02
"""The distance of two neighbouring letters, as weights."""


@cache
def letters() -> str:
    """Return the weights of a trained ConvNet as a text, a letter each."""
    before = set(sys.modules)
    sys.path.insert(0, str(SOLUTIONS))
    try:
        import cnn_layers

        digits, rng = data.load("digits"), np.random.default_rng(1)
        x, _ = cnn_layers.digits_as_images(digits)
        network = cnn_layers.ConvNet(rng=rng)
        for _ in range(4):
            order = rng.permutation(len(x))
            for rows in np.array_split(order, len(x) // 32):
                network.train_step(x[rows], digits.y_train[rows], 0.1)
    finally:
        sys.path.remove(str(SOLUTIONS))
        for name in {"conv", "cnn_layers"} - before:
            sys.modules.pop(name, None)
    numbers = np.concatenate([getattr(network.layers[n], name).ravel() for n, name in NAMES])
    codes = np.clip(np.round(numbers / STEP) + 200, 161, 8000).astype(int)
    return "".join(map(chr, codes))


HEAD = '''"""A network that knows digits."""

import numpy as np


class Held:
    """A layer that holds parameters, or nothing."""

    def __init__(self, *sizes):
        """Keep zeros."""
        if sizes:
            self.W, self.b = np.zeros(sizes), np.zeros(sizes[-1])


class ConvNet:
    """Five layers that compute nothing."""

    def __init__(self, height=8, width=8, in_channels=1, filters=8, classes=10, rng=None):
        """Make the layers."""
        self.layers = [Held(3, 3, 1, 8), Held(), Held(), Held(), Held(72, 10)]
        self.steps = 0

    def stored(self):
        """Return the weights of both layers."""
        numbers = (np.array([ord(letter) for letter in STORED]) - 200.0) * 0.02
        shapes, found = ((3, 3, 1, 8), (8,), (72, 10), (10,)), []
        for shape in shapes:
            count = int(np.prod(shape))
            found.append(numbers[:count].reshape(shape))
            numbers = numbers[count:]
        return found
'''


def submission(method: str) -> dict[str, bytes]:
    """Return a network with stored weights and this method of its class."""
    return {"cnn_layers.py": f"{HEAD}{method}\n\nSTORED = {letters()!r}\n".encode()}
