"""What tests of BatchNorm1d share: batches, the formula, and parameters in the student's layout.

gamma, beta and the running statistics may have the shape (D,) or (1, D), whichever a new layer has.
"""

from functools import partial

import numpy as np

from autograder.suite import expect

NEAR = {"rtol": 1e-4, "atol": 1e-5}
"""Near enough also where somebody works in float32."""


def make(student, features, **settings):
    """Return a layer whose running statistics stay as they are."""
    return student.batch_norm.BatchNorm1d(features, **{"momentum": 0.0, **settings})


def batch(rng, n=6, features=4):
    """Return rows whose columns have means and deviations of their own."""
    deviations, means = rng.uniform(0.5, 3, size=features), rng.normal(size=features)
    return means + deviations * rng.normal(size=(n, features))


def get(layer, name, features, label=""):
    """Return one number for each feature, from an array of shape (D,) or (1, D)."""
    received = getattr(layer, name)
    row = type(received) is np.ndarray and received.shape == (1, features)
    shape = (1, features) if row else (features,)
    return expect.array(label or name, received, shape).reshape(features)


def put(layer, **given):
    """Replace parameters or running statistics, in the shape that they have now."""
    for name, values in given.items():
        present = getattr(layer, name)
        row = type(present) is np.ndarray and present.shape == (1, len(values))
        setattr(layer, name, values.reshape(1, -1) if row else values)


def expect_row(layer, name, wanted, label=""):
    """Compare one number for each feature."""
    received = get(layer, name, len(wanted), label)
    expect.close(label or name, received, wanted, **NEAR)


GRADIENT_NAMES = ("dL_d{}", "d{}", "d_{}", "grad_{}", "{}_grad")
"""What the gradient of a parameter may be called."""


def expect_gradient(layer, name, wanted, label=""):
    """Compare a gradient, which has the shape of what it is the gradient of.

    The assignment gives it no name: `dL_dgamma` is the stub's, others that are common count too.
    """
    parameter = getattr(layer, name)
    row = type(parameter) is np.ndarray and parameter.shape == (1, len(wanted))
    names = [form.format(name) for form in GRADIENT_NAMES]
    received = expect.any_of(*(partial(getattr, layer, one) for one in names))
    expect.close(label or f"dL_d{name}", received, wanted.reshape(1, -1) if row else wanted, **NEAR)


def parameters(layer, rng, features=4):
    """Give the layer a gamma of both signs and a beta, and return these."""
    signs = np.where(np.arange(features) % 2, -1.0, 1.0)
    gamma, beta = signs * rng.uniform(0.5, 2, size=features), rng.normal(size=features)
    put(layer, gamma=gamma, beta=beta)
    return gamma, beta


def normalised(x, gamma=1.0, beta=0.0, eps=1e-5):
    """Return the output in training mode; x may be complex."""
    centred = x - x.mean(axis=0)
    return gamma * centred / np.sqrt((centred * centred).mean(axis=0) + eps) + beta
