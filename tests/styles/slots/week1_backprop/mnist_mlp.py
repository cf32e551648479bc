"""The network of two layers, with slots."""

import numpy as np
from losses import CrossEntropyLoss
from neural_net import Linear, ReLU


def minibatch_indices(count, batch_size, rng):
    """Return index arrays that divide the examples at random."""
    order = rng.permutation(count)
    return [order[start : start + batch_size] for start in range(0, count, batch_size)]


class TwoLayerMLP:
    """784 inputs, 128 hidden units, 10 logits."""

    __slots__ = ("layers", "loss_fn")

    def __init__(self, rng=None):
        self.layers = [Linear(784, 128, rng=rng), ReLU(), Linear(128, 10, rng=rng)]
        self.loss_fn = CrossEntropyLoss()

    @property
    def trained(self):
        """The layers that have parameters, in order."""
        return tuple(layer for layer in self.layers if hasattr(layer, "W"))

    def forward(self, x):
        """Return the logits."""
        first, second, third = self.layers
        return third.forward(second.forward(first.forward(x)))

    def backward(self, dL_dy):
        """Find all gradients."""
        first, second, third = self.layers
        first.backward(second.backward(third.backward(dL_dy)))

    def update_parameters(self, lr):
        """Take one step."""
        for layer in self.trained:
            for name in ("b", "W"):
                step = lr * getattr(layer, f"dL_d{name}")
                setattr(layer, name, getattr(layer, name) - step)

    def train_step(self, x_batch, y_batch, lr):
        """Train on a batch, return its loss."""
        loss = self.loss_fn.forward(self.forward(x_batch), y_batch)
        self.backward(self.loss_fn.backward())
        self.update_parameters(lr)
        return loss

    def predict(self, x):
        """Return the classes."""
        return np.argmax(self.forward(x), axis=-1)

    def evaluate(self, x, y):
        """Return the accuracy in percent."""
        return 100.0 * float(np.count_nonzero(self.predict(x) == y)) / len(y)

    def gradient_norms(self):
        """Return the norms of the gradients."""
        return [
            {"W": float(np.linalg.norm(one.dL_dW)), "b": float(np.linalg.norm(one.dL_db))}
            for one in self.trained
        ]
