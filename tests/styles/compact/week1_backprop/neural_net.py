"""Week 1 in another hand: layers that keep a stack of what they saw, and small shared helpers."""

import abc
from dataclasses import dataclass, field

import numpy as np
from losses import CrossEntropyLoss


def _logistic(values):
    """Sigmoid by way of tanh, which never overflows."""
    half = values.dtype.type(0.5)
    return half * (np.tanh(half * values) + 1)


class Layer(abc.ABC):
    """Base of all layers."""

    @abc.abstractmethod
    def forward(self, x):
        """Output for a batch."""

    @abc.abstractmethod
    def backward(self, dL_dy):
        """Gradient with respect to the batch."""


class _Pointwise(Layer):
    """A function that acts on every entry alone; subclasses say which."""

    def __init__(self):
        self.memory = []

    def _function(self, x):
        raise TypeError("a subclass defines the function")

    def _derivative(self, x, y):
        raise TypeError("a subclass defines the derivative")

    def forward(self, x):
        """Apply the function to every entry."""
        y = self._function(x)
        self.memory[:] = [x.copy(), y.copy()]
        return y

    def backward(self, dL_dy):
        """Multiply by the derivative."""
        return np.multiply(dL_dy, self._derivative(*self.memory))


class Square(_Pointwise):
    """The worked example of the handout."""

    def _function(self, x):
        return x * x

    def _derivative(self, x, y):
        return 2 * x


@dataclass
class Linear(Layer):
    """Affine map of every row."""

    in_features: int
    out_features: int
    rng: np.random.Generator | None = None
    W: np.ndarray = field(init=False, repr=False)
    b: np.ndarray = field(init=False, repr=False)

    def __post_init__(self):
        source = self.rng or np.random.default_rng()
        draws = source.standard_normal((self.out_features, self.in_features))
        draws *= (2 / self.in_features) ** 0.5
        self.W = draws.astype(np.float64)
        self.b = np.zeros((self.out_features,))
        self._gradients = {}
        self._rows = None

    @property
    def dL_dW(self):
        """Gradient of the weights."""
        return self._gradients.get("W", np.zeros_like(self.W))

    @dL_dW.setter
    def dL_dW(self, value):
        self._gradients["W"] = value

    @property
    def dL_db(self):
        """Gradient of the biases."""
        return self._gradients.get("b", np.zeros_like(self.b))

    @dL_db.setter
    def dL_db(self, value):
        self._gradients["b"] = value

    def forward(self, x):
        """Rows times weights plus biases."""
        self._rows = np.array(x)
        result = np.einsum("nd,md->nm", x, self.W)
        result += self.b
        return result

    def backward(self, dL_dy):
        """Gradients of weights and biases are kept, that of the rows is returned."""
        self._gradients = {
            "W": np.einsum("nm,nd->md", dL_dy, self._rows),
            "b": np.einsum("nm->m", dL_dy),
        }
        return np.einsum("nm,md->nd", dL_dy, self.W)


class ReLU(_Pointwise):
    """Cuts off what is negative."""

    def _function(self, x):
        result = x.copy()
        result[result < 0] = 0
        return result

    def _derivative(self, x, y):
        return (y > 0).astype(y.dtype)


class LeakyReLU(_Pointwise):
    """Weakens what is negative."""

    def __init__(self, alpha=0.01):
        super().__init__()
        self.alpha = alpha

    def _factors(self, x):
        result = np.ones_like(x)
        result[x <= 0] = self.alpha
        return result

    def _function(self, x):
        return x * self._factors(x)

    def _derivative(self, x, y):
        return self._factors(x)


class Sigmoid(_Pointwise):
    """Squeezes numbers into 0 to 1."""

    def _function(self, x):
        return _logistic(x)

    def _derivative(self, x, y):
        return y - y * y


class Tanh(_Pointwise):
    """Squeezes numbers into -1 to 1."""

    def _function(self, x):
        return np.tanh(x)

    def _derivative(self, x, y):
        return (1 - y) * (1 + y)


class Softmax(Layer):
    """Scores to probabilities, row by row."""

    def forward(self, x):
        """Exponentials of the log-probabilities."""
        lifted = x - np.amax(x, axis=1)[:, None]
        self.probabilities = np.exp(lifted - np.log(np.exp(lifted).sum(1))[:, None])
        return self.probabilities.copy()

    def backward(self, dL_dy):
        """Batched product with diag(y) - y y^T."""
        y = self.probabilities
        jacobians = np.einsum("ni,ij->nij", y, np.eye(y.shape[1], dtype=y.dtype))
        jacobians -= y[:, :, None] * y[:, None, :]
        return np.einsum("nij,ni->nj", jacobians, dL_dy)


class Network(Layer):
    """A chain of layers."""

    def __init__(self, layers, loss_fn=None):
        self.layers = layers
        self.loss_fn = loss_fn or CrossEntropyLoss()

    def forward(self, x):
        """Through all layers."""
        trail = [x]
        for layer in self.layers:
            trail.append(layer.forward(trail[-1]))
        return trail[-1]

    def backward(self, loss_grad):
        """And back."""
        for position in range(len(self.layers) - 1, -1, -1):
            loss_grad = self.layers[position].backward(loss_grad)
        return loss_grad

    def train_step(self, x, y, lr):
        """One step of gradient descent; the loss before it."""
        value = self.loss_fn.forward(self.forward(x), y)
        self.backward(self.loss_fn.backward())
        for layer in self.layers:
            if hasattr(layer, "W"):
                layer.W -= lr * layer.dL_dW
                layer.b -= lr * layer.dL_db
        return value
