"""Layers made out of each other, with other rounding: tanh and sigmoid of one function, and so on.

The losses and the network of digits stand here, too.
"""

from functools import reduce

import numpy as np


class Layer:
    """Base class: keeps the input."""

    def forward(self, x):
        """Return the output, keep the input."""
        self._input = x + 0
        return self.value(self._input)

    def backward(self, dL_dy):
        """Return the gradient of the input."""
        return self.pullback(self._input, dL_dy)


class Elementwise(Layer):
    """y = f(x); the slope is f'(x)."""

    def pullback(self, x, g):
        """Multiply by the slope."""
        return self.slope(x) * g


class Square(Elementwise):
    """y = x ** 2."""

    def value(self, x):
        """Return x x."""
        return x * x

    def slope(self, x):
        """Return 2 x."""
        return x + x


class LeakyReLU(Elementwise):
    """x, or alpha x below 0: half of (1 + alpha) x + (1 - alpha) |x|."""

    def __init__(self, alpha=0.01):
        self.alpha = alpha

    def value(self, x):
        """Return the sum of the positive part and alpha times the negative part."""
        return (x + abs(x)) / 2 + self.alpha * ((x - abs(x)) / 2)

    def slope(self, x):
        """Return 1 or alpha."""
        above = np.heaviside(x, np.asarray(0, x.dtype))
        return above + self.alpha * (1 - above)


class ReLU(LeakyReLU):
    """LeakyReLU with nothing below 0."""

    def __init__(self):
        super().__init__(0.0)


class Tanh(Elementwise):
    """(1 - e) / (1 + e) with e = exp(-2 |x|), and the sign of x."""

    def value(self, x):
        """Return tanh x."""
        return np.sign(x) * -np.expm1(-2 * abs(x)) / (1 + np.exp(-2 * abs(x)))

    def slope(self, x):
        """Return 4 e / (1 + e)^2."""
        e = np.exp(-2 * abs(x))
        return 4 * e / (1 + e) ** 2


class Sigmoid(Elementwise):
    """Half of 1 + tanh(x / 2)."""

    def __init__(self):
        self._tanh = Tanh()

    def value(self, x):
        """Return the logistic function."""
        return (1 + self._tanh.value(x / 2)) / 2

    def slope(self, x):
        """Return a quarter of tanh's slope at x / 2."""
        return self._tanh.slope(x / 2) / 4


class Softmax(Layer):
    """Probabilities of each row: exp(log softmax)."""

    def value(self, x):
        """Return the probabilities."""
        return np.exp(log_softmax(x))

    def pullback(self, x, g):
        """Multiply by the Jacobians."""
        y = self.value(x)
        return np.einsum("ni,nj,nj->ni", -y, y, g) + y * g


def log_softmax(z):
    """Return the logarithms of the probabilities of each row."""
    return z - np.logaddexp.reduce(z, axis=-1, keepdims=True)


class Linear(Layer):
    """One product with the biases as a last row of weights: y = (x, 1) (W, b)."""

    def __init__(self, in_features, out_features, rng=None):
        rng = np.random.default_rng() if rng is None else rng
        self.W = rng.standard_normal((in_features, out_features)) / np.sqrt(in_features / 2)
        self.b = np.zeros(out_features)

    def value(self, x):
        """Return (x, 1) (W, b)."""
        return self._with_ones(x) @ np.vstack([self.W, self.b.reshape(1, -1)])

    def pullback(self, x, g):
        """Set both gradients as parts of one product."""
        both = self._with_ones(x[::-1]).T @ g[::-1]
        self.dL_dW, self.dL_db = both[:-1], both[-1].reshape(self.b.shape)
        return g @ self.W.T

    @staticmethod
    def _with_ones(x):
        return np.hstack([x, np.ones((len(x), 1), x.dtype)])


class Network:
    """Layers in a row."""

    def __init__(self, layers, loss_fn=None):
        self.layers, self.loss_fn = list(layers), loss_fn or CrossEntropyLoss()

    def forward(self, x):
        """Go through all layers."""
        return reduce(lambda value, layer: layer.forward(value), self.layers, x)

    def backward(self, loss_grad):
        """Go back through all layers."""
        return reduce(lambda g, layer: layer.backward(g), self.layers[::-1], loss_grad)

    def update_parameters(self, lr):
        """Take one step."""
        for layer in self.layers:
            if hasattr(layer, "W"):
                layer.W = layer.W + -lr * layer.dL_dW
                layer.b = layer.b + -lr * layer.dL_db

    def train_step(self, x, y, lr):
        """Do one step and return the loss before it."""
        loss = self.loss_fn.forward(self.forward(x), y)
        self.backward(self.loss_fn.backward())
        self.update_parameters(lr)
        return loss


class TwoLayerMLP(Network):
    """784 inputs, 128 hidden units, 10 logits."""

    def __init__(self, rng=None):
        super().__init__([Linear(784, 128, rng), ReLU(), Linear(128, 10, rng)])

    def backward(self, dL_dy):
        """Find all gradients, return nothing."""
        super().backward(dL_dy)

    def predict(self, x):
        """Return the classes."""
        return np.argsort(-self.forward(x), axis=1, kind="stable")[:, 0]

    def evaluate(self, x, y):
        """Return the share of right answers."""
        return 1 - np.count_nonzero(self.predict(x) - y) / len(y)

    def gradient_norms(self):
        """Return the norms of the gradients."""
        norm = lambda g: float(np.sqrt(np.vdot(g, g)))  # noqa: E731
        kept = [layer for layer in self.layers if hasattr(layer, "W")]
        return [{"W": norm(layer.dL_dW), "b": norm(layer.dL_db)} for layer in kept]


class HuberLoss:
    """The squared loss of what is within delta, and delta times the rest."""

    def __init__(self, delta=1.0):
        if delta <= 0:
            raise ValueError("delta must be positive")
        self.delta = delta

    def forward(self, y_pred, y_true):
        """Return the mean over all elements."""
        if y_pred.shape != y_true.shape:
            raise ValueError(f"shapes {y_pred.shape} and {y_true.shape} differ")
        r = y_pred - y_true.astype(y_pred.dtype)
        self._within = np.sign(r) * np.minimum(abs(r), self.delta)
        rest = abs(r - self._within)
        return float((self._within**2 / 2 + self.delta * rest).mean())

    def backward(self):
        """Return the gradient."""
        return self._within / self._within.size


class MSELoss(HuberLoss):
    """Twice the Huber loss whose delta is never reached."""

    def __init__(self):
        super().__init__(np.inf)

    def forward(self, y_pred, y_true):
        """Return the mean over all elements."""
        self.delta = 1 + float(np.max(abs(y_pred), initial=0) + np.max(abs(y_true), initial=0))
        return 2 * super().forward(y_pred, y_true)

    def backward(self):
        """Return the gradient."""
        return 2 * super().backward()


class CrossEntropyLoss:
    """Of logits, or of probabilities."""

    def __init__(self, from_probabilities=False):
        self.from_probabilities = from_probabilities

    def forward(self, logits, targets):
        """Return the mean over the batch."""
        self._rows = self._one_hot(targets, logits)
        self._scores = np.maximum(logits, np.finfo(logits.dtype).tiny)
        if not self.from_probabilities:
            self._scores = logits + 0
        logs = (np.log if self.from_probabilities else log_softmax)(self._scores)
        return float((-logs * self._rows).sum(axis=1).mean())

    def backward(self):
        """Return the gradient of the scores."""
        weights = self._rows / len(self._rows)
        if self.from_probabilities:
            return -weights / self._scores
        return np.exp(log_softmax(self._scores)) / len(self._rows) - weights

    @staticmethod
    def _one_hot(targets, logits):
        if logits.ndim != 2 or targets.shape not in ((len(logits),), logits.shape):
            raise ValueError(f"targets {targets.shape} do not go with logits {logits.shape}")
        if targets.ndim == 2:
            return targets.astype(logits.dtype)
        if not np.isin(targets, range(logits.shape[1])).all():
            raise ValueError(f"a label is not from 0 to {logits.shape[1] - 1}")
        return np.equal.outer(targets, np.arange(logits.shape[1])).astype(logits.dtype)
