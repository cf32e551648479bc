"""Hidden tests of losses."""

import numpy as np
import pytest

from autograder.suite import derivatives, expect

from . import oracle
from .asking import drive, listed

LOSSES = pytest.mark.item("framework.losses")
CUSTOM = pytest.mark.item("framework.custom_loss")
NEEDS = pytest.mark.needs("framework.backward", "framework.arithmetic", "framework.shapes")


def check_loss(student, kind, prediction, target, formula, upstream=None):
    """Compare a loss and its gradient with a formula's."""
    sent = None if upstream is None else np.array(upstream)
    found = listed("the loss", drive(student, "loss", kind, prediction, target, sent), 2)
    one_number = expect.shape_of("the loss", found[0]) in ((), (1,), (1, 1))
    expect.that("the loss", one_number, "it is not one number.")
    expect.close("the loss", found[0].reshape(()), formula(prediction))
    gradient = derivatives.vjp(formula, [prediction], 1.0 if upstream is None else upstream)[0]
    expect.close("the gradient of the prediction", found[1], gradient)


@LOSSES
@NEEDS
@pytest.mark.parametrize("shape", [(4, 3), (5,), (2, 3, 4)])
def test_mse(student, rng, shape):
    """The mean squared error: a mean over all entries."""
    prediction, target = rng.normal(size=shape), rng.normal(size=shape)
    check_loss(student, "mse", prediction, target, lambda p: ((p - target) ** 2).mean())


@LOSSES
@NEEDS
@pytest.mark.parametrize("shape", [(6, 4), (1, 3), (2, 7)])
def test_cross_entropy(student, rng, shape):
    """The cross-entropy of logits: a mean over the examples."""
    logits, target = 2 * rng.normal(size=shape), rng.integers(0, shape[1], size=shape[0])
    formula = lambda z: oracle.cross_entropy(z, target)  # noqa: E731
    check_loss(student, "cross_entropy", logits, target, formula)


@LOSSES
@NEEDS
def test_large_logits(student, rng):
    """Logits of 1000 and -1000 give a number, and a gradient."""
    logits = rng.normal(size=(3, 4))
    logits[0, 2], logits[1, 0], logits[2] = 1000.0, -1000.0, logits[2] + 1000.0
    target = np.array([1, 3, 2])
    formula = lambda z: oracle.cross_entropy(z, target)  # noqa: E731
    with np.errstate(under="ignore", divide="ignore"):
        check_loss(student, "cross_entropy", logits, target, formula)


@LOSSES
@NEEDS
@pytest.mark.parametrize("kind", ["mse", "cross_entropy"])
def test_upstream(student, rng, kind):
    """A loss that something else is computed from: its gradient is multiplied."""
    prediction = rng.normal(size=(4, 3))
    if kind == "mse":
        target = rng.normal(size=(4, 3))
        check_loss(student, kind, prediction, target, lambda p: ((p - target) ** 2).mean(), -2.5)
    else:
        labels = rng.integers(0, 3, size=4)
        check_loss(
            student, kind, prediction, labels, lambda z: oracle.cross_entropy(z, labels), -2.5
        )


@CUSTOM
@NEEDS
@pytest.mark.parametrize("shape", [(4, 3), (6,)])
def test_custom(student, rng, shape):
    """A loss that is made of operations: its value and its gradient."""
    a, b = (float(x) for x in rng.uniform(0.5, 2.0, size=2))
    prediction, target = rng.normal(size=shape), rng.normal(size=shape)

    def formula(p):
        d = p - target
        return (a * d**4 + b * d**2 + d).mean()

    check_loss(student, [a, b], prediction, target, formula)
