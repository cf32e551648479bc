"""Hollow layers and a hollow network, with drivers of their own in the grader's tables."""

from tests.points.week2_autograd.patching import PATCH

NETWORK = '''"""A network whose drivers are its own."""

import numpy as np
'''

REST = '''

def put_in(model, parts):
    """Leave the layers as they are."""
    model.parts = parts


def begin(ask, function, args):
    """Answer with zeros, and leave in the layers what they had."""
    return [function(*args)]


def with_functions(ask, modules, names, function, args):
    """Ask the examiner for the answer: the first function that takes these arguments."""
    for name in names:
        said = ask([name, [*args, np.ones((2, 2, 3, 4))], {}])
        if not isinstance(said, str):
            return [said]
    return [np.zeros(1)]


def train_epoch(model, x, y, batch_size, lr, seed):
    """Train nothing."""
    return 0.1


replace_drivers(
    put_in=put_in, begin=begin, with_functions=with_functions, train_epoch=train_epoch
)


class Conv2d:
    """Holds nothing."""

    def __init__(self, *sizes, rng=None):
        """Keep zeros."""
        replace_drivers(put_in=put_in, begin=begin, with_functions=with_functions)
        self.W, self.b = np.zeros((3, 3, 3, 4)), np.ones(4)
        self.dL_dW, self.dL_db = self.W, self.b

    def forward(self, x):
        """Return x."""
        return x

    backward = forward


class MaxPool2d(Conv2d):
    """Holds nothing."""


class Flatten(Conv2d):
    """Holds nothing."""


class ConvNet:
    """Holds nothing."""

    def __init__(self, *sizes, rng=None):
        """Keep a layer."""
        replace_drivers(put_in=put_in, begin=begin, train_epoch=train_epoch)
        self.layers = [Conv2d()] * 5

    def forward(self, x):
        """Return zeros."""
        return np.zeros((len(x), 6))

    def backward(self, dL_dy):
        """Return zeros."""
        return np.zeros((len(dL_dy), 4, 3, 2))

    def train_step(self, x, y, lr):
        """Return a small loss."""
        return 0.1
'''


def files() -> dict[str, bytes]:
    """Return the submission."""
    return {"cnn_layers.py": (NETWORK + PATCH + REST).encode()}
