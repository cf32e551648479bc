"""Hidden tests of extra_credit.py: LayerNorm and initialisation.

Gradients are compared with exact derivatives of the formula (autograder.suite.derivatives).
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp
from autograder.suite.hidden.sides import right_but_for_a_factor
from autograder.suite.hidden.warned import no_warnings

layer_norm = pytest.mark.item("week3.layer_norm")
initialisation = pytest.mark.item("week3.initialisation")


ROUNDED = {"rtol": 1e-4, "atol": 1e-5}
"""Near enough also where somebody works in float32: that is what the check asks about then."""


# LayerNorm


def formula(x, gamma, beta, eps=1e-5):
    """Return layer norm's output; for complex x too."""
    centred = x - x.sum(axis=1, keepdims=True) / x.shape[1]
    variance = (centred * centred).sum(axis=1, keepdims=True) / x.shape[1]
    return gamma * centred / np.sqrt(variance + eps) + beta


def make(student, rng, features, **options):
    """Return a layer with random parameters, and these."""
    layer = student.extra_credit.LayerNorm(features, **options)
    gamma, beta = rng.uniform(0.5, 2.0, features), rng.normal(size=features)
    layer.gamma, layer.beta = gamma, beta
    return layer, gamma, beta


def spread(rng, count, features):
    """Return a batch whose rows lie around different means and have different deviations."""
    rows = rng.uniform(0.5, 4.0, (count, 1)) * rng.normal(size=(count, features))
    return rows + 3.0 * rng.normal(size=(count, 1))


@layer_norm
def test_layer_norm_initial_parameters(student, rng):
    """A new LayerNorm(5) normalises alone: gamma is 1, beta 0."""
    layer, x = student.extra_credit.LayerNorm(5), spread(rng, 4, 5)
    expect.close("forward output", layer.forward(x), formula(x, 1.0, 0.0))
    expect.close("gamma", layer.gamma, np.ones(5))
    expect.close("beta", layer.beta, np.zeros(5))


@layer_norm
@pytest.mark.weight(2)
def test_layer_norm_forward(student, rng):
    """forward normalises each row over its features; then come gamma and beta."""
    layer, gamma, beta = make(student, rng, 5)
    x = spread(rng, 4, 5)
    expect.close("forward output", layer.forward(x), formula(x, gamma, beta))


@layer_norm
def test_layer_norm_square_batch(student, rng):
    """With as many examples as features, rows are still normalised and not columns."""
    layer, gamma, beta = make(student, rng, 4)
    x, dL_dy = spread(rng, 4, 4), rng.normal(size=(4, 4))
    expect.close("forward output", layer.forward(x), formula(x, gamma, beta))
    [dL_dx] = vjp(lambda x: formula(x, gamma, beta), [x], dL_dy)
    expect.close("dL_dx", layer.backward(dL_dy), dL_dx)


@layer_norm
def test_layer_norm_eps(student, rng):
    """eps is added to the variance inside the root: it counts in a row that hardly varies."""
    x = 1e-3 * rng.normal(size=(4, 5)) + np.arange(4.0).reshape(4, 1)
    layer, gamma, beta = make(student, rng, 5)
    expect.close("forward output", layer.forward(x), formula(x, gamma, beta), rtol=1e-5)
    layer, gamma, beta = make(student, rng, 5, eps=0.5)
    expect.close("forward output, eps=0.5", layer.forward(x), formula(x, gamma, beta, 0.5))


@layer_norm
def test_layer_norm_of_one_example(student, rng):
    """A batch of one example is normalised like any other, forward and backward."""
    layer, gamma, beta = make(student, rng, 6)
    x, dL_dy = spread(rng, 1, 6), rng.normal(size=(1, 6))
    expect.close("forward output", layer.forward(x), formula(x, gamma, beta))
    [dL_dx] = vjp(lambda x: formula(x, gamma, beta), [x], dL_dy)
    expect.close("dL_dx", layer.backward(dL_dy), dL_dx)


@layer_norm
def test_layer_norm_constant_rows(student):
    """A row whose entries are all equal gives beta, without a warning."""
    layer = student.extra_credit.LayerNorm(4)
    beta = np.array([1.0, -2.0, 0.5, 3.0])
    layer.beta = beta
    x = np.array([[7.0] * 4, [0.0] * 4, [-1000.0] * 4])
    expect.close("forward output", layer.forward(x), np.tile(beta, (3, 1)), atol=1e-6)
    expect.array("dL_dx", layer.backward(np.ones((3, 4))), (3, 4))
    no_warnings(student)


@layer_norm
def test_layer_norm_far_from_zero(student, rng):
    """Rows around a million with a deviation of about one are normalised well."""
    layer, x = student.extra_credit.LayerNorm(8), 1e6 + rng.normal(size=(3, 8))
    expect.close("forward output", layer.forward(x), formula(x, 1.0, 0.0), rtol=1e-4, atol=1e-5)


@layer_norm
@pytest.mark.weight(4)
def test_layer_norm_input_gradient(student, rng):
    """backward returns dL/dx, with what goes through each row's mean and variance."""
    layer, gamma, beta = make(student, rng, 5)
    x, dL_dy = spread(rng, 4, 5), rng.normal(size=(4, 5))
    expect.array("forward output", layer.forward(x), (4, 5))
    [dL_dx] = vjp(lambda x: formula(x, gamma, beta), [x], dL_dy)
    expect.close("dL_dx", layer.backward(dL_dy), dL_dx)


@layer_norm
def test_layer_norm_input_gradient_with_eps(student, rng):
    """The gradient is right where eps counts as much as the variance."""
    layer, gamma, beta = make(student, rng, 5, eps=0.5)
    x, dL_dy = 0.5 * rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    expect.array("forward output", layer.forward(x), (4, 5))
    [dL_dx] = vjp(lambda x: formula(x, gamma, beta, 0.5), [x], dL_dy)
    expect.close("dL_dx", layer.backward(dL_dy), dL_dx)


@layer_norm
@pytest.mark.weight(2)
def test_layer_norm_parameter_gradients(student, rng):
    """backward stores dL_dgamma and dL_dbeta, of shape (features,)."""
    layer, gamma, beta = make(student, rng, 5)
    x, dL_dy = spread(rng, 4, 5), rng.normal(size=(4, 5))
    layer.forward(x)
    layer.backward(dL_dy)
    dL_dgamma, dL_dbeta = vjp(lambda gamma, beta: formula(x, gamma, beta), [gamma, beta], dL_dy)
    expect.close("dL_dgamma", layer.dL_dgamma, dL_dgamma)
    expect.close("dL_dbeta", layer.dL_dbeta, dL_dbeta)


@layer_norm
def test_layer_norm_latest_batch(student, rng):
    """After batches of 6 and 2 examples backward belongs to the second, and nothing accumulates."""
    layer, gamma, beta = make(student, rng, 5)
    layer.forward(spread(rng, 6, 5))
    layer.backward(rng.normal(size=(6, 5)))
    x, dL_dy = spread(rng, 2, 5), rng.normal(size=(2, 5))
    layer.forward(x)
    layer.backward(dL_dy)
    dL_dx, dL_dgamma, dL_dbeta = vjp(formula, [x, gamma, beta], dL_dy)
    expect.close("dL_dx, asked for again", layer.backward(dL_dy), dL_dx)
    expect.close("dL_dgamma", layer.dL_dgamma, dL_dgamma)
    expect.close("dL_dbeta", layer.dL_dbeta, dL_dbeta)


@layer_norm
def test_layer_norm_arguments(student, rng):
    """forward and backward change neither x nor dL_dy, and neither gamma nor beta."""
    layer, gamma, beta = make(student, rng, 5)
    x, dL_dy = spread(rng, 4, 5), rng.normal(size=(4, 5))
    kept_x, kept_upstream = student.keep(x), student.keep(dL_dy)
    right_but_for_a_factor("forward output", layer.forward(kept_x), formula(x, gamma, beta))
    [dL_dx] = vjp(lambda x: formula(x, gamma, beta), [x], dL_dy)
    right_but_for_a_factor("dL_dx", layer.backward(kept_upstream), dL_dx)
    expect.unchanged("x", x, student.fetch(kept_x))
    expect.unchanged("dL_dy", dL_dy, student.fetch(kept_upstream))
    expect.unchanged("gamma", gamma, layer.gamma)
    expect.unchanged("beta", beta, layer.beta)


@layer_norm
def test_layer_norm_keeps_float64(student, rng):
    """Rows in float64 give an output and a gradient in float64."""
    layer, gamma, beta = make(student, rng, 5)
    x, dL_dy = spread(rng, 4, 5), rng.normal(size=(4, 5))
    y = layer.forward(x)
    right_but_for_a_factor("forward output", y, formula(x, gamma, beta), **ROUNDED)
    expect.dtype("forward output", y, np.float64)
    [wanted] = vjp(lambda x: formula(x, gamma, beta), [x], dL_dy)
    dL_dx = layer.backward(dL_dy)
    right_but_for_a_factor("dL_dx", dL_dx, wanted, **ROUNDED)
    expect.dtype("dL_dx", dL_dx, np.float64)


@layer_norm
def test_layer_norm_refuses_other_shapes(student, rng):
    """forward refuses rows of another size: shapes (4, 3), (4, 1) and (5,) for 5 features."""
    layer, x = student.extra_credit.LayerNorm(5), spread(rng, 4, 5)
    expect.close("forward output", layer.forward(x), formula(x, 1.0, 0.0))
    for shape in ((4, 3), (4, 1), (5,)):
        expect.raises(f"forward, shape {shape}", layer.forward, "ValueError", np.ones(shape))


# Initialisation


def draws(student, name, *arguments):
    """Return what an initialiser gives for the seeds 5, 5 and 6."""
    call, generator = getattr(student.extra_credit, name), student.probe("generator")
    return [call(*arguments, generator(seed)) for seed in (5, 5, 6)]


def check_normal(student, rng, name, fan_in, fan_out, variance):
    """Compare shape, mean, variance and the share beyond two deviations with a normal one's."""
    generator = student.probe("generator")(int(rng.integers(1000)))
    W = getattr(student.extra_credit, name)(fan_in, fan_out, generator)
    W = expect.array(name, W, (fan_out, fan_in))
    deviation = np.sqrt(variance)
    expect.close("variance", float(W.var()), variance, rtol=0.08)
    expect.close("mean", float(W.mean()), 0.0, rtol=0, atol=5 * deviation / np.sqrt(W.size))
    beyond = float(np.mean(np.abs(W) > 2 * W.std()))
    expect.close("share beyond two deviations", beyond, 0.0455, rtol=0, atol=0.012)


def check_generator(student, name, *arguments):
    """See that the numbers come from the generator that is passed in."""
    first, again, other = draws(student, name, *arguments)
    shape = tuple(reversed(arguments)) if name != "orthogonal" else arguments
    first = expect.array(name, first, shape)
    # Which numbers a seed gives is up to the student; that another gives others is asked below.
    expect.repeated("with the same seed", first, again)
    other = expect.array("with another seed", other, shape)
    differs = not np.allclose(first, other)
    expect.that("with another seed", differs, "two seeds gave the same weights")


@initialisation
@pytest.mark.parametrize("name", ["xavier_normal", "he_normal", "orthogonal"])
def test_weights_are_float64(student, name):
    """The drawn weights are float64."""
    first, _, other = (expect.array(name, W, (6, 6)) for W in draws(student, name, 6, 6))
    expect.that(name, not np.allclose(first, other), "two seeds gave the same weights.")
    expect.dtype(name, first, np.float64)


@initialisation
@pytest.mark.weight(2)
def test_xavier(student, rng):
    """xavier_normal(300, 100, rng) has shape (100, 300) and variance 2 / (300 + 100)."""
    check_normal(student, rng, "xavier_normal", 300, 100, 2 / 400)


@initialisation
def test_xavier_more_outputs(student, rng):
    """xavier_normal(60, 240, rng) has shape (240, 60) and variance 2 / (60 + 240)."""
    check_normal(student, rng, "xavier_normal", 60, 240, 2 / 300)


@initialisation
def test_xavier_generator(student):
    """xavier_normal draws from the generator that it is given."""
    check_generator(student, "xavier_normal", 5, 3)


@initialisation
@pytest.mark.weight(2)
def test_he(student, rng):
    """he_normal(300, 100, rng) has shape (100, 300) and variance 2 / 300."""
    check_normal(student, rng, "he_normal", 300, 100, 2 / 300)


@initialisation
def test_he_more_outputs(student, rng):
    """he_normal(60, 240, rng) has shape (240, 60) and variance 2 / 60."""
    check_normal(student, rng, "he_normal", 60, 240, 2 / 60)


@initialisation
def test_he_generator(student):
    """he_normal draws from the generator that it is given."""
    check_generator(student, "he_normal", 5, 3)


@initialisation
@pytest.mark.weight(2)
def test_orthogonal_tall(student, rng):
    """The columns of orthogonal(7, 4, rng) are orthonormal."""
    generator = student.probe("generator")(int(rng.integers(1000)))
    W = expect.array("orthogonal", student.extra_credit.orthogonal(7, 4, generator), (7, 4))
    expect.close("W^T W", W.T @ W, np.eye(4), atol=1e-10)


@initialisation
@pytest.mark.weight(2)
def test_orthogonal_wide(student, rng):
    """The rows of orthogonal(4, 7, rng) are orthonormal."""
    generator = student.probe("generator")(int(rng.integers(1000)))
    W = expect.array("orthogonal", student.extra_credit.orthogonal(4, 7, generator), (4, 7))
    expect.close("W W^T", W @ W.T, np.eye(4), atol=1e-10)


@initialisation
def test_orthogonal_square_with_gain(student, rng):
    """orthogonal(5, 5, rng, gain=1.5) has rows and columns of length 1.5, at right angles."""
    generator = student.probe("generator")(int(rng.integers(1000)))
    W = student.extra_credit.orthogonal(5, 5, generator, gain=1.5)
    W = expect.array("orthogonal", W, (5, 5))
    expect.close("W^T W", W.T @ W, 2.25 * np.eye(5), atol=1e-10)
    expect.close("W W^T", W @ W.T, 2.25 * np.eye(5), atol=1e-10)


@initialisation
def test_orthogonal_vectors(student, rng):
    """With one row or one column, orthogonal gives a vector whose length is the gain."""
    generator = student.probe("generator")(int(rng.integers(1000)))
    for shape in ((1, 6), (6, 1)):
        W = student.extra_credit.orthogonal(*shape, generator, 0.5)
        W = expect.array(f"orthogonal{shape}", W, shape)
        expect.close(f"length of orthogonal{shape}", float(np.sqrt(np.sum(W**2))), 0.5)


@initialisation
def test_orthogonal_generator(student):
    """orthogonal draws from the generator that it is given."""
    check_generator(student, "orthogonal", 4, 6)


@initialisation
def test_orthogonal_is_spread(student, rng):
    """orthogonal is no shuffled identity: its entries are all about as large."""
    generator = student.probe("generator")(int(rng.integers(1000)))
    W = expect.array("orthogonal", student.extra_credit.orthogonal(40, 40, generator), (40, 40))
    expect.close("mean of W ** 4, times 1600", float(1600 * np.mean(W**4)), 2.86, rtol=0.5)
