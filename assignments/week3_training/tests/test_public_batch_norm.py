"""Public tests of BatchNorm1d in batch_norm.py.

In the tests of forward and backward the layers have momentum 0, so that they do not need the
running statistics. Gradients are compared with slopes that are measured on the formula.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.rows import NEAR, expect_gradient, expect_row, get, put

forward = pytest.mark.item("week3.batch_norm_forward")
backward = pytest.mark.item("week3.batch_norm_backward")
modes = pytest.mark.item("week3.batch_norm_modes")
beyond = pytest.mark.item("week3.batch_norm_robustness")
needs_forward = pytest.mark.needs("week3.batch_norm_forward")

X = np.array([[1.0, -2.0, 0.5], [3.0, 1.0, 0.0], [-1.0, 4.0, 2.5], [2.0, 0.0, -1.0]])
UPSTREAM = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7], [-2.0, 1.0, 0.4], [0.8, -0.6, 1.2]])
GAMMA, BETA = np.array([1.5, -0.5, 2.0]), np.array([0.5, 1.0, -3.0])


def layer_of(student, eps=1e-5, gamma=GAMMA, beta=BETA):
    """Return a layer for three features with known parameters; nothing moves its statistics."""
    layer = student.batch_norm.BatchNorm1d(3, eps=eps, momentum=0.0)
    put(layer, gamma=gamma, beta=beta)
    return layer


def normalised(x, gamma=GAMMA, beta=BETA, eps=1e-5):
    """Return gamma * x_hat + beta with the statistics of the batch."""
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta


def slopes(function, point, step=1e-5):
    """Measure the gradient of sum(UPSTREAM * function(point)) by central differences."""
    result = np.empty_like(point)
    for index in np.ndindex(*point.shape):
        move = np.zeros_like(point)
        move[index] = step
        change = function(point + move) - function(point - move)
        result[index] = np.sum(UPSTREAM * change) / (2 * step)
    return result


# forward


@forward
def test_forward_normalises(student):
    """A new layer gives each feature mean 0 and variance 1 over the batch."""
    layer = student.batch_norm.BatchNorm1d(3, momentum=0.0)
    expect.close("forward output", layer.forward(X), normalised(X, 1.0, 0.0), **NEAR)


@forward
def test_forward_scales_and_shifts(student):
    """The output is gamma * x_hat + beta."""
    expect.close("forward output", layer_of(student).forward(X), normalised(X), **NEAR)


@forward
def test_forward_adds_eps_to_the_variance(student):
    """eps is added to the variance, inside the root."""
    received = layer_of(student, eps=2.0).forward(X)
    expect.close("forward output, eps 2", received, normalised(X, eps=2.0), **NEAR)


@beyond
@needs_forward
def test_forward_of_large_numbers(student):
    """Beyond the texts: features near 100,000,000 are normalised like any others."""
    received = layer_of(student).forward(X + 1e8)
    expect.close("forward output", received, normalised(X), **NEAR)


@beyond
@needs_forward
def test_forward_keeps_its_input(student):
    """Beyond the texts: forward does not change x."""
    kept = student.keep(X)
    expect.close("forward output", layer_of(student).forward(kept), normalised(X), **NEAR)
    expect.unchanged("x", X, student.fetch(kept))


# backward


@backward
@needs_forward
def test_input_gradient(student):
    """backward returns dL/dx, with the parts that go through the mean and the variance."""
    layer = layer_of(student)
    layer.forward(X)
    expect.close("dL_dx", layer.backward(UPSTREAM), slopes(normalised, X), **NEAR)


@backward
@needs_forward
def test_input_gradient_adds_up_to_nothing(student):
    """dL/dx fits what shifting a batch does to the output."""
    layer = layer_of(student)
    layer.forward(X)
    dL_dx = expect.array("dL_dx", layer.backward(UPSTREAM), X.shape)
    expect.that("dL_dx", bool(np.any(np.abs(dL_dx) > 0.1)), "your dL_dx is far too small.")
    expect.close("sum of dL_dx over the batch", dL_dx.sum(axis=0), np.zeros(3), **NEAR)


@backward
@needs_forward
def test_gamma_gradient(student):
    """backward stores dL_dgamma."""
    layer = layer_of(student)
    layer.forward(X)
    layer.backward(UPSTREAM)
    expected = slopes(lambda gamma: normalised(X, gamma), GAMMA)
    expect_gradient(layer, "gamma", expected)


@backward
@needs_forward
def test_beta_gradient(student):
    """backward stores dL_dbeta, of the shape of beta."""
    layer = layer_of(student)
    layer.forward(X)
    layer.backward(UPSTREAM)
    expect_gradient(layer, "beta", UPSTREAM.sum(axis=0))


@backward
@needs_forward
def test_gradients_do_not_accumulate(student):
    """After a second forward and backward, the stored gradients are those of the second batch."""
    layer = layer_of(student)
    layer.forward(2.0 - X)
    layer.backward(UPSTREAM)
    layer.forward(X)
    layer.backward(UPSTREAM)
    expected = slopes(lambda gamma: normalised(X, gamma), GAMMA)
    expect_gradient(layer, "gamma", expected, "dL_dgamma of the second batch")
    expect_gradient(layer, "beta", UPSTREAM.sum(axis=0), "dL_dbeta of the second batch")


# Training and evaluation mode, running statistics


@modes
def test_running_statistics(student):
    """A batch moves the running statistics by the share `momentum` from 0 and 1 to its own."""
    layer = student.batch_norm.BatchNorm1d(3, momentum=0.3)
    layer.forward(X)
    expect_row(layer, "running_mean", 0.3 * X.mean(axis=0))
    received = get(layer, "running_var", 3)
    if not np.allclose(received, 0.7 + 0.3 * X.var(axis=0)):  # the biased variance will do too
        expected = 0.7 + 0.3 * X.var(axis=0, ddof=1)
        expect.close("running_var", received, expected, **NEAR)


@modes
def test_evaluation_uses_the_running_statistics(student):
    """In evaluation mode running_mean and running_var normalise, also one example alone."""
    layer = layer_of(student)
    mean, variance = np.array([0.5, -1.0, 2.0]), np.array([4.0, 0.25, 1.0])
    put(layer, running_mean=mean, running_var=variance)
    layer.eval()
    expected = GAMMA * (X - mean) / np.sqrt(variance + 1e-5) + BETA
    expect.close("forward output in evaluation mode", layer.forward(X), expected, **NEAR)
    expect.close("forward output of one example", layer.forward(X[:1]), expected[:1], **NEAR)


@modes
def test_evaluation_leaves_the_running_statistics(student):
    """In evaluation mode no batch moves the running statistics."""
    layer = student.batch_norm.BatchNorm1d(3)
    layer.eval()
    expect.array("forward output in evaluation mode", layer.forward(X), X.shape)
    expect_row(layer, "running_mean", np.zeros(3), "running_mean after evaluation")
    expect_row(layer, "running_var", np.ones(3), "running_var after evaluation")


@modes
def test_there_and_back(student):
    """eval() and train() switch what forward does: only in training mode the statistics move."""
    layer = student.batch_norm.BatchNorm1d(3, momentum=0.5)
    layer.eval()
    wanted = X / np.sqrt(1 + 1e-5)
    expect.close("forward output in evaluation mode", layer.forward(X), wanted, **NEAR)
    layer.train()
    layer.forward(X)
    expect_row(layer, "running_mean", 0.5 * X.mean(axis=0), "running_mean after train()")


@beyond
@needs_forward
def test_a_batch_of_one(student):
    """Beyond the texts: in training mode one example alone raises a ValueError."""
    layer = student.batch_norm.BatchNorm1d(3)
    expect.array("forward output of two examples", layer.forward(X[:2]), (2, 3))
    label = "forward of one example in training mode"
    expect.raises(label, layer.forward, "ValueError", X[:1])
