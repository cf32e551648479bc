"""Hidden tests of batch_norm.BatchNorm1d: backward.

Gradients are compared with those of the formula of forward, worked out here without a derivation.
Nearly everywhere eps is so small that it counts for nothing, wherever it stands.
"""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week3.batch_norm_backward")
after_forward = pytest.mark.needs("week3.batch_norm_forward")
after_both = pytest.mark.needs("week3.batch_norm_forward", "week3.batch_norm_modes")

NEAR = {"rtol": 1e-4, "atol": 1e-5}
"""Near enough also where somebody works in float32."""

TINY = 1e-12
STEP = 1e-20


def make(student, features, **settings):
    """Return a layer whose running statistics stay as they are."""
    return student.batch_norm.BatchNorm1d(features, **{"momentum": 0.0, **settings})


def batch(rng, n=6, features=4):
    """Return rows whose columns have means and deviations of their own."""
    deviations, means = rng.uniform(0.5, 3, size=features), rng.normal(size=features)
    return means + deviations * rng.normal(size=(n, features))


def parameters(layer, rng, features=4):
    """Give the layer a gamma of both signs and a beta, and return these."""
    signs = np.where(np.arange(features) % 2, -1.0, 1.0)
    gamma, beta = signs * rng.uniform(0.5, 2, size=features), rng.normal(size=features)
    layer.gamma, layer.beta = gamma, beta
    return gamma, beta


def normalised(x, gamma=1.0, beta=0.0, eps=TINY):
    """Return the output in training mode, also of complex numbers."""
    centred = x - x.mean(axis=0)
    return gamma * centred / np.sqrt((centred * centred).mean(axis=0) + eps) + beta


def gradient(function, point, upstream):
    """Return the derivatives of sum(upstream * function(point)), by steps along the imaginary axis.

    Unlike a difference, the imaginary part loses no digits, so the step can be as small as we like.
    """
    result = np.empty_like(point)
    for index in np.ndindex(point.shape):
        moved = point.astype(complex)
        moved[index] += STEP * 1j
        result[index] = np.sum(upstream * function(moved)).imag / STEP
    return result


def ready(student, rng, n=6, features=4, eps=TINY):
    """Return a layer after a forward pass, its input, gamma, beta, and an upstream gradient."""
    layer, x = make(student, features, eps=eps), batch(rng, n, features)
    gamma, beta = parameters(layer, rng, features)
    layer.forward(x)
    return layer, x, gamma, beta, rng.normal(size=x.shape)


def input_gradient(x, gamma, dL_dy, eps=TINY):
    """Return dL/dx in training mode, from the formula of forward alone."""
    return gradient(lambda moved: normalised(moved, gamma, eps=eps), x, dL_dy)


@after_forward
@pytest.mark.weight(4)
def test_input_gradient(student, rng):
    """backward returns dL/dx, with the parts that go through the mean and the variance."""
    layer, x, gamma, _, dL_dy = ready(student, rng)
    expect.close("dL_dx", layer.backward(dL_dy), input_gradient(x, gamma, dL_dy), **NEAR)


@after_forward
@pytest.mark.weight(2)
def test_gamma_gradient(student, rng):
    """backward stores dL_dgamma: dL/dy * x_hat, added up over the batch."""
    layer, x, gamma, beta, dL_dy = ready(student, rng)
    layer.backward(dL_dy)
    expected = gradient(lambda moved: normalised(x, moved, beta), gamma, dL_dy)
    expect.close("dL_dgamma", layer.dL_dgamma, expected, **NEAR)


@after_forward
@pytest.mark.weight(2)
def test_beta_gradient(student, rng):
    """backward stores dL_dbeta: dL/dy added up over the batch."""
    layer, _, _, _, dL_dy = ready(student, rng)
    layer.backward(dL_dy)
    expect.close("dL_dbeta", layer.dL_dbeta, dL_dy.sum(axis=0), **NEAR)


@after_forward
@pytest.mark.weight(2)
def test_input_gradient_adds_up_to_nothing(student, rng):
    """Over the batch dL/dx adds up to 0 in each feature, also when weighted with x_hat."""
    layer, x, gamma, _, dL_dy = ready(student, rng, 12)
    dL_dx = expect.array("dL_dx", layer.backward(dL_dy), x.shape)
    size = np.abs(input_gradient(x, gamma, dL_dy)).max()
    expect.that("dL_dx", bool(np.abs(dL_dx).max() > size / 2), "your dL_dx is far too small.")
    zero, near = np.zeros(4), 1e-5 * 12 * size
    expect.close("sum of dL_dx over the batch", dL_dx.sum(axis=0), zero, atol=near)
    weighted = (dL_dx * normalised(x)).sum(axis=0)
    expect.close("sum of dL_dx * x_hat over the batch", weighted, zero, atol=near)


@after_forward
def test_backward_of_a_square_batch(student, rng):
    """With as many examples as features, the sums still run over the examples."""
    layer, x, gamma, beta, dL_dy = ready(student, rng, 4, 4)
    expect.close("dL_dx", layer.backward(dL_dy), input_gradient(x, gamma, dL_dy), **NEAR)
    expected = gradient(lambda moved: normalised(x, moved, beta), gamma, dL_dy)
    expect.close("dL_dgamma", layer.dL_dgamma, expected, **NEAR)
    expect.close("dL_dbeta", layer.dL_dbeta, dL_dy.sum(axis=0), **NEAR)


@after_forward
def test_backward_with_a_gamma_of_zero(student, rng):
    """Where gamma is 0, dL/dx is 0 but dL/dgamma is not: the feature can come back."""
    layer, x = make(student, 4, eps=TINY), batch(rng)
    gamma, beta = parameters(layer, rng)
    gamma[1] = 0.0
    layer.gamma = gamma
    dL_dy = rng.normal(size=x.shape)
    layer.forward(x)
    expect.close("dL_dx", layer.backward(dL_dy), input_gradient(x, gamma, dL_dy), **NEAR)
    expected = gradient(lambda moved: normalised(x, moved, beta), gamma, dL_dy)
    expect.close("dL_dgamma", layer.dL_dgamma, expected, **NEAR)


@after_forward
def test_backward_with_a_large_eps(student, rng):
    """The deviation that dL/dx is divided by has eps in it, as in forward."""
    layer, x, gamma, _, dL_dy = ready(student, rng, eps=0.8)
    expected = input_gradient(x, gamma, dL_dy, 0.8)
    expect.close("dL_dx", layer.backward(dL_dy), expected, **NEAR)


@after_forward
def test_backward_belongs_to_the_latest_forward(student, rng):
    """After batches of 9 and of 5 examples, all gradients belong to the second."""
    layer, _, gamma, beta, dL_dy = ready(student, rng, 9)
    layer.backward(dL_dy)
    x, dL_dy = batch(rng, 5), rng.normal(size=(5, 4))
    layer.forward(x)
    expect.close("dL_dx", layer.backward(dL_dy), input_gradient(x, gamma, dL_dy), **NEAR)
    expected = gradient(lambda moved: normalised(x, moved, beta), gamma, dL_dy)
    expect.close("dL_dgamma", layer.dL_dgamma, expected, **NEAR)
    expect.close("dL_dbeta", layer.dL_dbeta, dL_dy.sum(axis=0), **NEAR)


@after_forward
@pytest.mark.weight(2)
def test_backward_again(student, rng):
    """A second backward gives the same: dL_dgamma and dL_dbeta are replaced, not added to."""
    layer, x, gamma, beta, dL_dy = ready(student, rng)
    layer.backward(dL_dy)
    dL_dx = layer.backward(dL_dy)
    expect.close("second dL_dx", dL_dx, input_gradient(x, gamma, dL_dy), **NEAR)
    expected = gradient(lambda moved: normalised(x, moved, beta), gamma, dL_dy)
    expect.close("dL_dgamma after two backwards", layer.dL_dgamma, expected, **NEAR)
    expect.close("dL_dbeta after two backwards", layer.dL_dbeta, dL_dy.sum(axis=0), **NEAR)


@after_forward
def test_backward_keeps_what_it_is_given(student, rng):
    """backward changes neither dL_dy nor x, neither gamma nor beta."""
    layer, x = make(student, 4, eps=TINY), batch(rng)
    gamma, beta = parameters(layer, rng)
    dL_dy = rng.normal(size=x.shape)
    kept_x, kept_upstream = student.keep(x), student.keep(dL_dy)
    layer.forward(kept_x)
    x = expect.array("x after forward", student.fetch(kept_x), x.shape)
    expect.array("dL_dx", layer.backward(kept_upstream), x.shape)
    expect.array("dL_dgamma", layer.dL_dgamma, gamma.shape)
    expect.unchanged("dL_dy", dL_dy, student.fetch(kept_upstream))
    expect.unchanged("x", x, student.fetch(kept_x))
    expect.close("gamma", layer.gamma, gamma, **NEAR)
    expect.close("beta", layer.beta, beta, **NEAR)


@after_both
@pytest.mark.weight(2)
def test_backward_in_evaluation_mode(student, rng):
    """After a forward in evaluation mode the statistics are constants: dL/dx = g / deviation.

    The running statistics are those of the batch, so that it makes no difference here which of
    them the forward pass took.
    """
    layer, _, gamma, _, _ = ready(student, rng, 9)
    x, dL_dy = batch(rng), rng.normal(size=(6, 4))
    layer.running_mean, layer.running_var = x.mean(axis=0), x.var(axis=0)
    layer.eval()
    layer.forward(x)
    dL_dx = layer.backward(dL_dy)
    expect.close("dL_dx in evaluation mode", dL_dx, dL_dy * gamma / x.std(axis=0), **NEAR)
    expected = (dL_dy * normalised(x)).sum(axis=0)
    expect.close("dL_dgamma in evaluation mode", layer.dL_dgamma, expected, **NEAR)
    expect.close("dL_dbeta in evaluation mode", layer.dL_dbeta, dL_dy.sum(axis=0), **NEAR)


@after_both
def test_backward_goes_by_the_mode_of_forward(student, rng):
    """Whatever mode the layer is in now, backward belongs to the one that forward ran in."""
    layer, _, gamma, _, dL_dy = ready(student, rng)
    before = expect.array("dL_dx", layer.backward(dL_dy), dL_dy.shape)
    layer.eval()
    label = "dL_dx after a forward in training mode, and then eval()"
    expect.close(label, layer.backward(dL_dy), before, **NEAR)
    x, dL_dy = batch(rng), rng.normal(size=(6, 4))
    layer.running_mean, layer.running_var = x.mean(axis=0), x.var(axis=0)
    layer.forward(x)
    layer.train()
    label = "dL_dx after a forward in evaluation mode, and then train()"
    expect.close(label, layer.backward(dL_dy), dL_dy * gamma / x.std(axis=0), **NEAR)
