"""Layers as dataclasses with mixins; W is (out_dim, in_dim), b is (1, out_dim)."""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from autograd import Tensor, no_grad


class ForwardMixin:
    """Both names of the same thing."""

    def __call__(self, x):
        return self.forward(x)


class ParametersMixin:
    """Finds the tensors among the fields."""

    def parameters(self):
        """Return the parameters."""
        values = (getattr(self, one.name) for one in fields(self))
        return [one for one in values if isinstance(one, Tensor)]


@dataclass(eq=False)
class Layer(ForwardMixin, ParametersMixin):
    """Base class."""


@dataclass(eq=False)
class LinearAutograd(Layer):
    """y = x W^T + b."""

    in_dim: int
    out_dim: int
    rng: Any = None
    W: Tensor = field(init=False)
    b: Tensor = field(init=False)

    def __post_init__(self):
        rng = self.rng if self.rng is not None else np.random.default_rng()
        weights = rng.normal(scale=np.sqrt(2 / self.in_dim), size=(self.out_dim, self.in_dim))
        self.W = Tensor(weights, requires_grad=True)
        self.b = Tensor(np.zeros((1, self.out_dim)), requires_grad=True)

    def forward(self, x):
        """Return x W^T + b."""
        return self.b + x @ self.W.T


@dataclass(eq=False)
class ReLUAutograd(Layer):
    """max(0, x)."""

    def forward(self, x):
        """Return max(0, x)."""
        return x.relu()


def cross_entropy(logits, labels):
    """Return the mean cross-entropy as one node of the graph."""
    labels = np.asarray(labels)
    if logits.ndim != 2 or labels.shape != (len(logits.data),):
        raise ValueError(f"logits {logits.shape}, labels {labels.shape}")
    if np.any(labels < 0) or np.any(labels >= logits.shape[1]):
        raise ValueError(f"labels are from 0 to {logits.shape[1] - 1}")
    rows = np.arange(len(labels))
    z = logits.data - logits.data.max(axis=1, keepdims=True)
    logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    def back(g):
        gradient = np.exp(logs)
        gradient[rows, labels] -= 1
        return gradient * (g / len(rows))

    return Tensor.result(-logs[rows, labels].mean(), "cross_entropy", (logits,), (back,))


@dataclass(eq=False)
class AutogradMLP(ForwardMixin):
    """Linear, ReLU, linear."""

    input_size: int = 784
    hidden_size: int = 128
    num_classes: int = 10
    rng: Any = None

    def __post_init__(self):
        self.layers = [
            LinearAutograd(self.input_size, self.hidden_size, self.rng),
            ReLUAutograd(),
            LinearAutograd(self.hidden_size, self.num_classes, self.rng),
        ]

    def parameters(self):
        """Return all parameters."""
        return [one for layer in self.layers for one in layer.parameters()]

    def forward(self, x):
        """Return the logits of an array."""
        x = Tensor.wrap(x)
        for layer in self.layers:
            x = layer(x)
        return x

    def train_step(self, x, y, lr):
        """Do one step, return the loss."""
        parameters = self.parameters()
        for p in parameters:
            p.zero_grad()
        loss = cross_entropy(self(x), y)
        loss.backward()
        for p in parameters:
            p.data = p.data - p.grad * lr
        return loss.item()

    def predict(self, x):
        """Return the classes."""
        with no_grad():
            return self(x).data.argmax(-1)

    def evaluate(self, x, y):
        """Return the share of right answers."""
        return float(np.count_nonzero(self.predict(x) == y) / len(y))
