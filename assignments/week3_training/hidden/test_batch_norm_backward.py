"""Hidden tests of batch_norm.BatchNorm1d: backward, after a forward pass in training mode.

Gradients are compared with those of the formula of forward, worked out here without a derivation.
Where forward is wrong, with those that belong to its way. What is missing in dL_dx
is a matter of the tests of dL_dx alone: in others a term may be missing. Nearly everywhere eps is
so small that it counts for nothing, wherever it stands.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.rows import batch, expect_gradient, make, parameters, put
from .backward_of_rows import (
    TINY,
    expect_gamma_gradient,
    expect_input_gradient,
    formula,
    held_to_its_forward,
    input_gradient,
    ready,
)
from .batch_norm_forms import RIGHT

pytestmark = [
    pytest.mark.item("week3.batch_norm_backward"),
    pytest.mark.needs("week3.batch_norm_forward"),
]


@pytest.mark.weight(4)
def test_input_gradient(student, rng):
    """backward returns dL/dx, with the parts that go through the mean and the variance."""
    layer, x, gamma, _, dL_dy = ready(student, rng)
    with held_to_its_forward(student) as form:
        expect_input_gradient(form, layer.backward(dL_dy), x, gamma, dL_dy)


@pytest.mark.weight(2)
def test_gamma_gradient(student, rng):
    """backward stores dL_dgamma, of the shape of gamma."""
    layer, x, _, _, dL_dy = ready(student, rng)
    with held_to_its_forward(student) as form:
        layer.backward(dL_dy)
        expect_gamma_gradient(form, layer, x, dL_dy)


@pytest.mark.weight(2)
def test_beta_gradient(student, rng):
    """backward stores dL_dbeta, of the shape of beta."""
    layer, _, _, _, dL_dy = ready(student, rng)
    with held_to_its_forward(student):
        layer.backward(dL_dy)
        expect_gradient(layer, "beta", dL_dy.sum(axis=0))


@pytest.mark.weight(2)
def test_input_gradient_adds_up_to_nothing(student, rng):
    """dL/dx fits what shifting and stretching a batch do to the output."""
    layer, x, gamma, _, dL_dy = ready(student, rng, 12)
    with held_to_its_forward(student) as form:
        dL_dx = expect.array("dL_dx", layer.backward(dL_dy), x.shape)
        if form != RIGHT:  # then sums of a right dL_dx need not be 0
            expect_input_gradient(form, dL_dx, x, gamma, dL_dy)
            return
        size = np.abs(input_gradient(x, gamma, dL_dy)).max()
        expect.that("dL_dx", bool(np.abs(dL_dx).max() > size / 2), "your dL_dx is far too small.")
        zero, near = np.zeros(4), 1e-5 * 12 * size
        expect.close("sum of dL_dx over the batch", dL_dx.sum(axis=0), zero, atol=near)
        weighted = (dL_dx * formula(x)).sum(axis=0)
        expect.close("sum of dL_dx * x_hat over the batch", weighted, zero, atol=near)


def expect_gradients(form, layer, x, gamma, dL_dy):
    """Compare dL_dx, whose missing terms are a matter of its own tests, and dL_dgamma."""
    expect_input_gradient(form, layer.backward(dL_dy), x, gamma, dL_dy, whole=False)
    expect_gamma_gradient(form, layer, x, dL_dy)


def test_backward_of_a_square_batch(student, rng):
    """With as many examples as features, all three gradients are right too."""
    layer, x, gamma, _, dL_dy = ready(student, rng, 4, 4)
    with held_to_its_forward(student) as form:
        expect_gradients(form, layer, x, gamma, dL_dy)
        expect_gradient(layer, "beta", dL_dy.sum(axis=0))


def test_backward_with_a_gamma_of_zero(student, rng):
    """Where gamma is 0, dL/dx is 0 but dL/dgamma is not: the feature can come back."""
    layer, x = make(student, 4, eps=TINY), batch(rng)
    gamma, _ = parameters(layer, rng)
    gamma[1] = 0.0
    put(layer, gamma=gamma)
    dL_dy = rng.normal(size=x.shape)
    layer.forward(x)
    with held_to_its_forward(student) as form:
        expect_gradients(form, layer, x, gamma, dL_dy)


def test_backward_with_a_large_eps(student, rng):
    """The deviation that dL/dx is divided by has eps in it, as in forward."""
    layer, x, gamma, _, dL_dy = ready(student, rng, eps=0.8)
    with held_to_its_forward(student) as form:
        received = layer.backward(dL_dy)
        expect_input_gradient(form, received, x, gamma, dL_dy, 0.8, whole=False)


def test_backward_belongs_to_the_latest_forward(student, rng):
    """After batches of 9 and of 5 examples, all gradients belong to the second, replaced anew."""
    layer, _, gamma, _, dL_dy = ready(student, rng, 9)
    with held_to_its_forward(student) as form:
        layer.backward(dL_dy)
        x, dL_dy = batch(rng, 5), rng.normal(size=(5, 4))
        layer.forward(x)
        expect_gradients(form, layer, x, gamma, dL_dy)
        expect_gradient(layer, "beta", dL_dy.sum(axis=0))
