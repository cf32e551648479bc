"""Week 1 in another hand: the two-layer network as a Network with names for its parts."""

import numpy as np
from losses import CrossEntropyLoss
from neural_net import Linear, Network, ReLU


def minibatch_indices(count, batch_size, rng):
    """Shuffled indices, cut into pieces."""
    order = np.arange(count)
    rng.shuffle(order)
    return np.split(order, list(range(batch_size, count, batch_size)))


class TwoLayerMLP:
    """Linear, ReLU, Linear."""

    def __init__(self, input_size=784, hidden_size=128, num_classes=10, rng=None):
        first = Linear(input_size, hidden_size, rng=rng)
        self.network = Network([first, ReLU(), Linear(hidden_size, num_classes, rng=rng)])
        self.loss = CrossEntropyLoss()

    @property
    def layer1(self):
        """First linear layer."""
        return self.network.layers[0]

    @property
    def activation(self):
        """The ReLU between the layers."""
        return self.network.layers[1]

    @property
    def layer2(self):
        """Second linear layer."""
        return self.network.layers[2]

    def forward(self, x):
        """Logits."""
        return self.network.forward(x)

    def backward(self):
        """All gradients."""
        return self.network.backward(self.loss.backward())

    def update_parameters(self, lr):
        """Gradient descent, in place."""
        for layer in (self.layer1, self.layer2):
            layer.W -= lr * layer.dL_dW
            layer.b -= lr * layer.dL_db

    def train_step(self, x, y, lr):
        """One step; the loss before it."""
        return self.network.train_step(x, y, self.loss, lr)

    def predict(self, x):
        """Most likely classes."""
        return np.argmax(self.forward(x), axis=-1)

    def evaluate(self, x, y):
        """Share of right predictions."""
        return np.count_nonzero(self.predict(x) == y) / len(y)

    def gradient_norms(self):
        """Norms of all gradients, by layer and parameter."""
        norms = {}
        for name in ("layer1", "layer2"):
            layer = getattr(self, name)
            norms[name] = {p: np.sqrt(np.sum(getattr(layer, f"dL_d{p}") ** 2)) for p in "Wb"}
        return norms
