"""Week 1 in another hand: the two-layer network as a Network with names for its parts."""

import numpy as np
from neural_net import Linear, Network, ReLU


def minibatch_indices(count, batch_size, rng):
    """Shuffled indices, cut into pieces."""
    order = np.arange(count)
    rng.shuffle(order)
    return np.split(order, list(range(batch_size, count, batch_size)))


class TwoLayerMLP:
    """Linear, ReLU, Linear."""

    def __init__(self, rng=None):
        self.network = Network([Linear(784, 128, rng=rng), ReLU(), Linear(128, 10, rng=rng)])

    @property
    def layers(self):
        """The network's layers."""
        return self.network.layers

    @layers.setter
    def layers(self, layers):
        """Give the network other layers."""
        self.network.layers = layers

    @property
    def loss_fn(self):
        """The network's loss."""
        return self.network.loss_fn

    @loss_fn.setter
    def loss_fn(self, loss_fn):
        """Give the network another loss."""
        self.network.loss_fn = loss_fn

    def _trainable(self):
        return [layer for layer in self.layers if hasattr(layer, "W")]

    def forward(self, x):
        """Logits."""
        return self.network.forward(x)

    def backward(self, dL_dy):
        """All gradients."""
        self.network.backward(dL_dy)

    def update_parameters(self, lr):
        """Gradient descent, in place."""
        for layer in self._trainable():
            layer.W -= lr * layer.dL_dW
            layer.b -= lr * layer.dL_db

    def train_step(self, x_batch, y_batch, lr):
        """One step; the loss before it."""
        return self.network.train_step(x_batch, y_batch, lr)

    def predict(self, x):
        """Most likely classes."""
        return np.argmax(self.forward(x), axis=-1)

    def evaluate(self, x, y):
        """Share of right predictions."""
        return np.count_nonzero(self.predict(x) == y) / len(y)

    def gradient_norms(self):
        """Norms of all gradients, by layer and parameter."""
        return [
            {p: np.sqrt(np.sum(getattr(layer, f"dL_d{p}") ** 2)) for p in "Wb"}
            for layer in self._trainable()
        ]
