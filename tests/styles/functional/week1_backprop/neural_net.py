"""Layers as pairs of functions: forward returns the output and a closure for the way back."""

import numpy as np


def linear(x, W, b):
    """Return y = x W^T + b and the function that goes back."""
    y = np.einsum("nd,md->nm", x, W) + b

    def back(g, W=W):
        return np.einsum("nm,md->nd", g, W), np.einsum("nm,nd->md", g, x), g.sum(axis=0)

    return y, back


def rectify(x, slope=0.0):
    """Return x, or slope x below 0, and the function that goes back."""
    factor = np.where(x > 0, np.asarray(1, x.dtype), np.asarray(slope, x.dtype))
    return np.where(x > 0, x, factor * x), lambda g: g * factor


def by_output(function, slope):
    """Make a pair for a function whose slope can be told from its output."""

    def pair(x):
        y = function(x)
        return y, lambda g: g * slope(y)

    return pair


def logistic(x):
    """Return exp(min(x, 0)) / (exp(min(x, 0)) + exp(min(-x, 0)))."""
    one, other = np.exp(np.minimum(x, 0)), np.exp(np.minimum(-x, 0))
    return one / (one + other)


def normalise(x):
    """Return the softmax of each row, and the function that goes back."""
    y = np.exp(x - np.max(x, axis=-1, keepdims=True))
    y = y / np.sum(y, axis=-1, keepdims=True)
    return y, lambda g: y * (g - np.einsum("...i,...i->...", g, y)[..., np.newaxis])


sigmoid = by_output(logistic, lambda y: y * (1 - y))
tangent = by_output(np.tanh, lambda y: 1 - y * y)


class Layer:
    """A thin class: it keeps the closure of the latest forward pass."""

    def pair(self, x):
        """Return the output and the way back."""
        raise NotImplementedError

    def forward(self, x):
        """Return the output."""
        y, self.back = self.pair(x)
        return y

    def backward(self, dL_dy):
        """Return the gradient of the input."""
        return self.back(dL_dy)


def layer_of(name, pair, doc):
    """Make a class for a pair of functions without settings."""
    return type(name, (Layer,), {"__doc__": doc, "pair": staticmethod(pair)})


Square = layer_of("Square", lambda x: (x * x, lambda g: 2 * g * x), "y = x ** 2.")
ReLU = layer_of("ReLU", rectify, "max(0, x).")
Sigmoid = layer_of("Sigmoid", sigmoid, "The logistic function.")
Tanh = layer_of("Tanh", tangent, "The hyperbolic tangent.")
Softmax = layer_of("Softmax", normalise, "Probabilities of each row.")


class LeakyReLU(Layer):
    """x, or alpha x below 0."""

    def __init__(self, alpha=0.01):
        self.pair = lambda x: rectify(x, alpha)


class Linear(Layer):
    """y = x W^T + b."""

    def __init__(self, in_features, out_features, rng=None):
        draw = (rng or np.random.default_rng()).normal
        self.W = draw(scale=np.sqrt(2 / in_features), size=(out_features, in_features))
        self.b = np.zeros(out_features)

    def pair(self, x):
        """Use the present parameters."""
        return linear(x, self.W, self.b)

    def backward(self, dL_dy):
        """Store what belongs to the parameters, return the rest."""
        dL_dx, self.dL_dW, self.dL_db = self.back(dL_dy, self.W)
        return dL_dx


def default_loss():
    """Return the loss of a network that is given none."""
    import losses

    return losses.CrossEntropyLoss()


def descend(layer, lr):
    """Move the parameters of a layer, if it has any."""
    if hasattr(layer, "W"):
        layer.W = layer.W - lr * layer.dL_dW
        layer.b = layer.b - lr * layer.dL_db


def run(functions, value):
    """Apply functions one after the other."""
    for function in functions:
        value = function(value)
    return value


class Network:
    """Layers in a row, as lists of their bound methods."""

    def __init__(self, layers, loss_fn=None):
        self.layers = list(layers)
        self.loss_fn = default_loss() if loss_fn is None else loss_fn

    def forward(self, x):
        """Run all forward methods."""
        return run([layer.forward for layer in self.layers], x)

    def backward(self, loss_grad):
        """Run all backward methods, last first."""
        return run([layer.backward for layer in self.layers][::-1], loss_grad)

    def train_step(self, x, y, lr):
        """Do one step and return the loss before it."""
        loss = self.loss_fn.forward(self.forward(x), y)
        self.backward(self.loss_fn.backward())
        for layer in self.layers:
            descend(layer, lr)
        return loss
