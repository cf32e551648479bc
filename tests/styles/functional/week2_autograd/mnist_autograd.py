"""Layers as thin classes around functions; the network keeps their bound methods in a list."""

from functools import reduce
from itertools import chain

import numpy as np
from autograd import Tensor, no_grad


def affine(x, W, b):
    """Return x W + b."""
    return x @ W + b


class Layer:
    """Base class: a call delegates to forward."""

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        """Return the output."""
        return self.function(x)

    def parameters(self):
        """Return the parameters, from the attributes."""
        return [p for p in vars(self).values() if isinstance(p, Tensor)]


class LinearAutograd(Layer):
    """y = x W + b."""

    def __init__(self, in_dim, out_dim, rng=None):
        draw = (rng or np.random.default_rng()).standard_normal
        self.W = Tensor(draw((in_dim, out_dim)) * (2 / in_dim) ** 0.5, True)
        self.b = Tensor(np.zeros(out_dim), True)
        self.function = lambda x: affine(x, self.W, self.b)


class ReLUAutograd(Layer):
    """max(0, x)."""

    function = staticmethod(Tensor.relu.__get__(None, Tensor))


def checked(logits, labels):
    """Return the labels as one-hot rows. Refuse what is no class."""
    labels = np.array(labels)
    if logits.ndim != 2 or labels.ndim != 1 or len(labels) != logits.shape[0]:
        raise ValueError(f"shapes {logits.shape} and {labels.shape} do not go together")
    hot = (labels[:, None] == np.arange(logits.shape[1])).astype(float)
    if not hot.any(axis=1).all():
        raise ValueError(f"a label is not a class from 0 to {logits.shape[1] - 1}")
    return hot


def cross_entropy(logits, labels):
    """Return the mean cross-entropy out of operations of the engine."""
    hot = checked(logits, labels)
    shifted = logits - logits.data.max(axis=1, keepdims=True)
    return (shifted.exp().sum(1).log() - (shifted * hot).sum(1)).sum() * (1 / len(hot))


class AutogradMLP:
    """Linear, ReLU, linear."""

    def __init__(self, input_size=784, hidden_size=128, num_classes=10, rng=None):
        sizes = (input_size, hidden_size), (hidden_size, num_classes)
        first, last = (LinearAutograd(*size, rng) for size in sizes)
        self.layers = [first, ReLUAutograd(), last]

    def parameters(self):
        """Return all parameters."""
        return list(chain.from_iterable(layer.parameters() for layer in self.layers))

    def forward(self, x):
        """Return the logits of an array."""
        steps = [layer.__call__ for layer in self.layers]
        return reduce(lambda value, step: step(value), steps, Tensor(x))

    def train_step(self, x, y, lr):
        """Do one step, return the loss."""
        for p in self.parameters():
            p.grad = None
        loss = cross_entropy(self.forward(x), y)
        loss.backward()
        for p in self.parameters():
            p.data -= lr * p.grad
        return float(loss.data)

    def predict(self, x):
        """Return the classes."""
        with no_grad():
            return np.argmax(self.forward(x).data, axis=-1)

    def evaluate(self, x, y):
        """Return the share of right answers."""
        return float((self.predict(x) == np.asarray(y)).mean())
