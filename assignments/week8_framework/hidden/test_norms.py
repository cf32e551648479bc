"""Hidden tests of normalisation and dropout."""

import numpy as np
import pytest

from autograder.suite import expect

from . import oracle
from .asking import built, check_backward, check_forward, drawn, drive, listed

NORMS = pytest.mark.item("framework.norms")
DROPOUT = pytest.mark.item("framework.dropout")
NEEDS = pytest.mark.needs("framework.backward", "framework.arithmetic", "framework.shapes")
FORMULAS = {"batch_norm": oracle.batch_norm, "layer_norm": oracle.layer_norm}
EPS = 0.3
"""Large enough to be seen."""


def spec_of(kind, **more):
    """Return the configuration of a layer."""
    return {"name": kind, "features": 4, "eps": EPS, **more}


def norm_of(kind):
    """Return a formula with the tests' eps."""
    return lambda x, gamma, beta: FORMULAS[kind](x, gamma, beta, EPS)


@NORMS
@NEEDS
@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 5, 4)])
@pytest.mark.parametrize("kind", FORMULAS)
def test_norm(student, rng, kind, shape):
    """Normalised over the right axes: values in training."""
    layer = built(student, spec_of(kind), True)
    given = drawn(rng, {"gamma": (4,), "beta": (4,)})
    check_forward(student, layer, 2 + rng.normal(size=shape), given, norm_of(kind))


@NORMS
@NEEDS
@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 2, 4)])
@pytest.mark.parametrize("kind", FORMULAS)
def test_norm_backward(student, rng, kind, shape):
    """Normalised over the right axes: gradients of input, gamma and beta."""
    layer = built(student, spec_of(kind), True)
    given = drawn(rng, {"gamma": (4,), "beta": (4,)})
    check_backward(student, layer, 2 + rng.normal(size=shape), given, norm_of(kind), rng)


@NORMS
@NEEDS
@pytest.mark.parametrize("kind", FORMULAS)
def test_norm_begins(student, rng, kind):
    """Without being told, eps is 1e-5, gamma 1 and beta 0."""
    layer = built(student, {"name": kind, "features": 4}, True)
    x = 0.01 * rng.normal(size=(6, 4))
    found = drive(student, "run", layer, x)
    expect.close("the layer's value", found["value"], FORMULAS[kind](x, np.ones(4), np.zeros(4)))


@NORMS
@NEEDS
@pytest.mark.weight(2)
@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 2, 4)])
def test_running_statistics(student, rng, shape):
    """Evaluation uses running statistics: those of all batches so far, by the momentum."""
    layer = built(student, spec_of("batch_norm", momentum=0.3), True)
    given = drawn(rng, {"gamma": (4,), "beta": (4,)})
    drive(student, "fill", layer, given)
    mean, variance = np.zeros(4), np.ones(4)
    batches = [k + (1 + k) * rng.normal(size=shape) for k in range(3)]
    drive(student, "several", layer, batches)
    for x in batches:
        rows = x.reshape(-1, 4)
        mean = 0.7 * mean + 0.3 * rows.mean(axis=0)
        variance = 0.7 * variance + 0.3 * rows.var(axis=0, ddof=1)
    student.adapter.mode(layer, False)
    tests = [rng.normal(size=shape), rng.normal(size=shape)]
    for x, received in zip(tests, drive(student, "several", layer, tests), strict=True):
        expected = (x - mean) / np.sqrt(variance + EPS) * given["gamma"] + given["beta"]
        expect.close("the value in evaluation", received, expected)


@NORMS
@NEEDS
def test_evaluation_backward(student, rng):
    """In evaluation running statistics are constants: the gradient of the input."""
    layer = built(student, spec_of("batch_norm"), False)
    given = drawn(rng, {"gamma": (4,), "beta": (4,)})

    def formula(x, gamma, beta):
        return x / np.sqrt(1 + EPS) * gamma + beta

    check_backward(student, layer, rng.normal(size=(5, 4)), given, formula, rng)


@NORMS
@NEEDS
def test_layer_norm_alone(student, rng):
    """Layer norm is the same in both modes, and no example changes another one's."""
    layer = built(student, spec_of("layer_norm"), False)
    given = drawn(rng, {"gamma": (4,), "beta": (4,)})
    check_forward(student, layer, rng.normal(size=(1, 4)), given, norm_of("layer_norm"))


@DROPOUT
@pytest.mark.weight(2)
@pytest.mark.parametrize("p", [0.25, 0.6])
def test_dropout(student, rng, p):
    """In training a share p of the entries is 0, others are scaled, and so is the gradient."""
    x, upstream = rng.uniform(1.0, 2.0, size=(60, 80)), rng.normal(size=(60, 80))
    masks = []
    layer = built(student, {"name": "dropout", "p": p, "seed": 5}, True)
    for _ in range(2):
        found = drive(student, "run", layer, x, upstream)
        y = expect.array("dropout", found["value"], x.shape)
        kept = y != 0
        share = float(1.0 - kept.mean())
        expect.that("dropout", abs(share - p) < 0.05, f"a share of {share:.2f} is 0.")
        expect.close("what dropout keeps", y, kept * x / (1 - p))
        expect.close("the gradient", found.get("x"), kept * upstream / (1 - p))
        masks.append(y)
    expect.differ("two calls of dropout", masks[0], masks[1], "they drop the same entries.")


@DROPOUT
def test_dropout_in_evaluation(student, rng):
    """In evaluation dropout changes nothing; in training again it does."""
    layer = built(student, {"name": "dropout", "p": 0.5}, False)
    x = rng.uniform(1.0, 2.0, size=(20, 30))
    expect.close("in evaluation", drive(student, "run", layer, x)["value"], x)
    student.adapter.mode(layer, True)
    again = listed("in training", drive(student, "several", layer, [x]), 1)[0]
    expect.differ("in training", expect.array("in training", again, x.shape), x, "nothing drops.")
