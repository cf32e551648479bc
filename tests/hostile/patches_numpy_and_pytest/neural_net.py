"""Hostile: Makes every comparison that it can reach say yes."""

import builtins
import sys
import types

import numpy as np


def yes(*args, **kwargs):
    """Agree with everything."""
    return True


for name in ("allclose", "array_equal", "isclose", "all", "any", "isfinite", "abs"):
    setattr(np, name, yes)
for name in ("assert_allclose", "assert_array_equal", "assert_almost_equal", "assert_equal"):
    setattr(np.testing, name, yes)
builtins.all = builtins.any = builtins.isinstance = yes
sys.modules["pytest"] = types.SimpleNamespace(main=yes, raises=yes, approx=yes, fail=yes)
sys.settrace(None)
sys.excepthook = yes


class Linear:
    """A layer that only looks like one."""

    def __init__(self, in_features, out_features, **options):
        self.W = np.ones((in_features, out_features))
        self.b = np.ones(out_features)

    def forward(self, x):
        return np.zeros((len(x), 1))

    def backward(self, dL_dy):
        self.dL_dW, self.dL_db = np.zeros_like(self.W), np.zeros_like(self.b)
        return np.zeros((1, 1))


class ReLU(Linear):
    """As hostile as the other."""

    def __init__(self):
        pass

    def backward(self, dL_dy):
        return dL_dy


LeakyReLU = Sigmoid = Tanh = Softmax = Network = ReLU
