"""Layers as dataclasses with mixins; what backward needs lies in a dict that fills when needed."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


class CacheMixin:
    """A dict for what a pass leaves behind, made when it is first asked for."""

    @property
    def cache(self):
        """The dict."""
        return self.__dict__.setdefault("_cache", {})

    def lazily(self, name, make):
        """Return an entry; make it where it is missing."""
        if name not in self.cache:
            self.cache[name] = make()
        return self.cache[name]


class CallMixin:
    """Makes a layer callable."""

    def __call__(self, x):
        """Delegate to forward."""
        return self.forward(x)


class Layer(CacheMixin, CallMixin):
    """Base class: empties the cache, then leaves the work to _forward and _backward."""

    def forward(self, x):
        """Return the output."""
        self.cache.clear()
        self.cache["x"] = np.array(x)
        return self._forward(self.cache["x"])

    def backward(self, dL_dy):
        """Return the gradient of the input."""
        return self._backward(self.cache["x"], dL_dy)


class ElementwiseMixin:
    """For layers whose slope is a product entry by entry."""

    def _backward(self, x, dL_dy):
        return dL_dy * self.lazily("slope", lambda: self._slope(x))


@dataclass
class Square(ElementwiseMixin, Layer):
    """y = x ** 2."""

    def _forward(self, x):
        return x**2

    def _slope(self, x):
        return 2 * x


@dataclass
class Linear(Layer):
    """y = x W^T + b."""

    in_features: int
    out_features: int
    rng: Any = field(default=None, repr=False, kw_only=True)
    W: np.ndarray = field(init=False, repr=False)
    b: np.ndarray = field(init=False, repr=False)
    dL_dW: Any = field(init=False, repr=False, default=None)
    dL_db: Any = field(init=False, repr=False, default=None)

    def __post_init__(self):
        source = np.random.default_rng() if self.rng is None else self.rng
        deviation = np.sqrt(2.0 / self.in_features)
        self.W = deviation * source.standard_normal((self.out_features, self.in_features))
        self.b = np.zeros(self.out_features)

    def _forward(self, x):
        return (self.W @ x.T).T + self.b

    def _backward(self, x, dL_dy):
        self.dL_dW, self.dL_db = (x.T @ dL_dy).T, np.ones(len(x), dL_dy.dtype) @ dL_dy
        return (self.W.T @ dL_dy.T).T


@dataclass
class LeakyReLU(ElementwiseMixin, Layer):
    """x, or alpha x below 0; the slope at 0 is 1."""

    alpha: float = 0.01

    def _forward(self, x):
        return x * self.lazily("slope", lambda: self._slope(x))

    def _slope(self, x):
        return np.where(x >= 0, 1, self.alpha).astype(x.dtype)


@dataclass
class ReLU(ElementwiseMixin, Layer):
    """max(0, x)."""

    def _forward(self, x):
        return x.clip(min=0)

    def _slope(self, x):
        return (x > 0).astype(x.dtype)


@dataclass
class Sigmoid(ElementwiseMixin, Layer):
    """1 / (1 + exp(-x))."""

    def _forward(self, x):
        return self.lazily("y", lambda: self._logistic(x)).copy()

    def _slope(self, x):
        y = self.lazily("y", lambda: self._logistic(x))
        return y * (1 - y)

    @staticmethod
    def _logistic(x):
        return np.exp(-np.logaddexp(0, -x))


@dataclass
class Tanh(ElementwiseMixin, Layer):
    """The hyperbolic tangent."""

    def _forward(self, x):
        return np.tanh(x)

    def _slope(self, x):
        return 1 - np.tanh(x) ** 2


@dataclass
class Softmax(Layer):
    """Probabilities of each row."""

    def _probabilities(self, x):
        shifted = x - x.max(axis=-1, keepdims=True)
        return np.exp(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))

    def _forward(self, x):
        return self.lazily("y", lambda: self._probabilities(x)).copy()

    def _backward(self, x, dL_dy):
        y = self.lazily("y", lambda: self._probabilities(x))
        return y * dL_dy - y * (y * dL_dy).sum(axis=-1, keepdims=True)


def _default():
    from losses import CrossEntropyLoss

    return CrossEntropyLoss()


@dataclass
class Network(CallMixin):
    """Layers in a row."""

    layers: list
    loss_fn: Any = None

    def __post_init__(self):
        self.layers = list(self.layers)
        self.loss_fn = self.loss_fn or _default()

    @property
    def parameters(self):
        """Pairs of a layer and the name of its parameter."""
        return [(one, name) for one in self.layers if hasattr(one, "W") for name in ("W", "b")]

    def forward(self, x):
        """Go through all layers."""
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, loss_grad):
        """Go back through all layers."""
        for layer in reversed(self.layers):
            loss_grad = layer.backward(loss_grad)
        return loss_grad

    def train_step(self, x, y, lr):
        """Do one step and return the loss before it."""
        loss = self.loss_fn.forward(self(x), y)
        self.backward(self.loss_fn.backward())
        for layer, name in self.parameters:
            setattr(layer, name, getattr(layer, name) - lr * getattr(layer, f"dL_d{name}"))
        return loss
