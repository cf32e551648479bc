"""The network of two layers as a dataclass that is itself a Network."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from losses import CrossEntropyLoss
from neural_net import Linear, Network, ReLU


def minibatch_indices(count, batch_size, rng):
    """Return index arrays that divide the examples at random."""
    return np.split(rng.permutation(count), range(batch_size, count, batch_size))


@dataclass
class TwoLayerMLP(Network):
    """784 inputs, 128 hidden units, 10 logits."""

    layers: list = field(init=False)
    loss_fn: Any = field(init=False, default_factory=CrossEntropyLoss)
    rng: Any = None

    def __post_init__(self):
        first, second = (Linear(*sizes, rng=self.rng) for sizes in ((784, 128), (128, 10)))
        self.layers = [first, ReLU(), second]

    def backward(self, dL_dy):
        """Find all gradients, return nothing."""
        super().backward(dL_dy)

    def update_parameters(self, lr):
        """Take one step."""
        for layer, name in self.parameters:
            setattr(layer, name, getattr(layer, name) - lr * getattr(layer, f"dL_d{name}"))

    def train_step(self, x_batch, y_batch, lr):
        """Train on a batch."""
        return super().train_step(x_batch, y_batch, lr)

    def predict(self, x):
        """Return the classes."""
        return self.forward(x).argmax(1)

    def evaluate(self, x, y):
        """Return the share of right answers."""
        return float((self.predict(x) == y).mean())

    def gradient_norms(self):
        """Return the norms of the gradients."""
        norms = [float(np.sqrt((getattr(o, f"dL_d{n}") ** 2).sum())) for o, n in self.parameters]
        return [{"W": W, "b": b} for W, b in zip(norms[::2], norms[1::2], strict=True)]
