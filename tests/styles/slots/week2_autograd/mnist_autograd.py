"""Layers with slots; parameters are read-only properties."""

import numpy as np
from autograd import Tensor, no_grad


class Layer:
    """Base class without parameters."""

    __slots__ = ()

    def parameters(self):
        """Return the parameters: none."""
        return []

    def forward(self, x):
        """Return self(x)."""
        return self(x)


class LinearAutograd(Layer):
    """y = x W + b."""

    __slots__ = ("__W", "__b")

    def __init__(self, in_dim, out_dim, rng=None):
        rng = np.random.default_rng() if rng is None else rng
        deviation = np.sqrt(2.0 / in_dim)
        self.__W = Tensor(rng.normal(0, deviation, (in_dim, out_dim)), requires_grad=True)
        self.__b = Tensor(np.zeros(out_dim), requires_grad=True)

    @property
    def W(self):
        """The weights, (in_dim, out_dim); their data can be replaced."""
        return self.__W

    @property
    def b(self):
        """The biases, (out_dim,)."""
        return self.__b

    def __call__(self, x):
        return x @ self.W + self.b

    def parameters(self):
        """Return W and b."""
        return [self.W, self.b]


class ReLUAutograd(Layer):
    """max(0, x)."""

    __slots__ = ()

    def __call__(self, x):
        return x.relu()


def cross_entropy(logits, labels):
    """Return the mean cross-entropy, by indexing the log probabilities."""
    labels = np.asarray(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or not len(labels):
        raise ValueError(f"logits {logits.shape} and labels {labels.shape} do not fit")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise ValueError(f"labels must be integers from 0 to {logits.shape[1] - 1}")
    shifted = logits - logits.data.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(labels)), labels]
    return (shifted.exp().sum(axis=1).log() - chosen).mean()


class AutogradMLP:
    """Linear, ReLU, linear."""

    __slots__ = ("layers",)

    def __init__(self, input_size=784, hidden_size=128, num_classes=10, rng=None):
        first = LinearAutograd(input_size, hidden_size, rng)
        self.layers = [first, ReLUAutograd(), LinearAutograd(hidden_size, num_classes, rng)]

    def parameters(self):
        """Return all parameters."""
        return [p for layer in self.layers for p in layer.parameters()]

    def forward(self, x):
        """Return the logits of an array."""
        y = Tensor(x)
        for layer in self.layers:
            y = layer(y)
        return y

    def train_step(self, x, y, lr):
        """Do one step, return the loss."""
        for p in self.parameters():
            p.zero_grad()
        loss = cross_entropy(self.forward(x), y)
        loss.backward()
        for p in self.parameters():
            p.data = p.data - lr * p.grad
        return loss.item()

    def predict(self, x):
        """Return the classes."""
        with no_grad():
            return self.forward(x).data.argmax(axis=1)

    def evaluate(self, x, y):
        """Return the share of right answers."""
        return float(np.mean(self.predict(x) == y))
