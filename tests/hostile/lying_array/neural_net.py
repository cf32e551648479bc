"""Hostile: Returns an ndarray subclass that equals everything."""

import numpy as np


class Liar(np.ndarray):
    """An array that agrees with every comparison and every computation."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.zeros(self.shape)

    def __array_function__(self, function, types, args, kwargs):
        return True

    def __eq__(self, other):
        return np.ones(self.shape, bool)

    __hash__ = None


def lie(shape):
    """Return a lie of that shape."""
    return np.zeros(shape).view(Liar)


class Linear:
    """A layer that only looks like one."""

    def __init__(self, in_features, out_features, **options):
        self.W = lie((out_features, in_features))
        self.b = np.ones(out_features)

    def forward(self, x):
        return lie((len(x), len(getattr(self, "b", x.T))))

    def backward(self, dL_dy):
        self.dL_dW, self.dL_db = np.zeros_like(self.W), np.zeros_like(self.b)
        return lie((len(dL_dy), self.W.shape[1]))


class ReLU(Linear):
    """As hostile as the other."""

    def __init__(self):
        pass

    def backward(self, dL_dy):
        return lie(dL_dy.shape)


LeakyReLU = Sigmoid = Tanh = Softmax = Network = ReLU
