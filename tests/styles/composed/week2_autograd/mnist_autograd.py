"""Layers whose weights are kept in a dict; attributes are looked up there."""

import numpy as np
from autograd import Tensor, no_grad


class Layer:
    """Base class: parameters in a dict."""

    def __init__(self, **arrays):
        self._table = {name: Tensor(array, True) for name, array in arrays.items()}

    def __getattr__(self, name):
        table = self.__dict__.get("_table", {})
        if name not in table:
            raise AttributeError(name)
        return table[name]

    def parameters(self):
        """Return the parameters in the order of their names."""
        return [self._table[name] for name in sorted(self._table)]

    def forward(self, x):
        """Return self(x)."""
        return self(x)


class LinearAutograd(Layer):
    """y = x W + b."""

    def __init__(self, in_dim, out_dim, rng=None):
        rng = rng or np.random.default_rng()
        weights = rng.normal(0, 1, (in_dim, out_dim)) / np.sqrt(in_dim / 2)
        super().__init__(W=weights, b=np.zeros(out_dim))

    def __call__(self, x):
        return self.b + x @ self.W


class ReLUAutograd(Layer):
    """max(0, x), as half of x + |x|, where |x| is x times its sign."""

    def __call__(self, x):
        return (x + x * np.sign(x.data)) * 0.5


def cross_entropy(logits, labels):
    """Return the mean cross-entropy, by a matrix that picks the labels."""
    labels = np.array(labels).reshape(np.shape(labels))
    if logits.ndim != 2 or labels.shape != (logits.shape[0],):
        raise ValueError(f"labels {labels.shape} for logits {logits.shape}")
    if not np.isin(labels, np.arange(logits.shape[1])).all():
        raise ValueError(f"classes are 0 to {logits.shape[1] - 1}")
    picked = logits[np.arange(len(labels)), labels]
    top = logits.max(axis=1, keepdims=True)
    sums = (logits - top).exp().sum(axis=1, keepdims=True).log() + top
    return (sums.reshape(-1) - picked).mean()


class AutogradMLP(Layer):
    """Linear, ReLU, linear."""

    def __init__(self, input_size=784, hidden_size=128, num_classes=10, rng=None):
        super().__init__()
        inner = LinearAutograd(input_size, hidden_size, rng=rng)
        self.layers = [inner, ReLUAutograd(), LinearAutograd(hidden_size, num_classes, rng=rng)]

    def parameters(self):
        """Return all parameters."""
        return [p for layer in self.layers for p in layer.parameters()]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def forward(self, x):
        """Return the logits of an array."""
        return self(Tensor(x))

    def train_step(self, x, y, lr):
        """Do one step, return the loss."""
        loss = cross_entropy(self.forward(x), y)
        for p in self.parameters():
            p.grad = None
        loss.backward()
        for p in self.parameters():
            p.data = p.data + p.grad * -lr
        return float(loss.item())

    def predict(self, x):
        """Return the classes."""
        with no_grad():
            return self.forward(x).data.argmax(axis=1)

    def evaluate(self, x, y):
        """Return the share of right answers."""
        return float(np.equal(self.predict(x), y).mean())
