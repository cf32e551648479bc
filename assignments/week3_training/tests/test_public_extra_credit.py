"""Public tests of extra_credit.py."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import relu, vjp

layer_norm = pytest.mark.item("week3.layer_norm")
initialisation = pytest.mark.item("week3.initialisation")
gradient_norms = pytest.mark.item("week3.gradient_norms")
activation_tool = pytest.mark.item("week3.activation_tool")
gradient_clipping = pytest.mark.item("week3.gradient_clipping")

X = np.array([[0.5, -1.0, 2.0, 0.3], [4.0, 3.0, 6.0, 5.0], [-2.0, 0.4, 0.1, -0.7]])
UPSTREAM = np.array([[1.0, -2.0, 0.5, 3.0], [0.3, 0.8, -1.5, 0.2], [-0.4, 1.1, 2.0, -0.6]])
GAMMA, BETA = np.array([1.5, 0.5, 2.0, 1.0]), np.array([0.1, -0.2, 0.3, 0.0])
WEIGHTS = [
    np.array([[1.0, -0.5, 0.3, 0.8], [-0.7, 0.2, 0.9, 0.1], [0.4, 0.6, -0.8, 0.5]]),
    np.array([[0.6, -0.4, 0.2], [0.3, 0.7, -0.5]]),
]


def formula(x, gamma, beta):
    """Return layer norm's output; for complex x too."""
    centred = x - x.sum(axis=1, keepdims=True) / x.shape[1]
    variance = (centred * centred).sum(axis=1, keepdims=True) / x.shape[1]
    return gamma * centred / np.sqrt(variance + 1e-5) + beta


def make(student):
    """Return a LayerNorm with known parameters."""
    layer = student.extra_credit.LayerNorm(4)
    layer.gamma, layer.beta = GAMMA, BETA
    return layer


@layer_norm
def test_layer_norm_forward(student):
    """LayerNorm.forward normalises each example over its features; then come gamma and beta."""
    expect.close("forward output", make(student).forward(X), formula(X, GAMMA, BETA))


@layer_norm
def test_layer_norm_of_one_example(student):
    """A batch of one example is normalised like any other."""
    expected = formula(X[:1], GAMMA, BETA)
    expect.close("forward output", make(student).forward(X[:1]), expected)


@layer_norm
def test_layer_norm_input_gradient(student):
    """LayerNorm.backward returns dL/dx, with what goes through each row's mean and variance."""
    layer = make(student)
    layer.forward(X)
    [dL_dx] = vjp(lambda x: formula(x, GAMMA, BETA), [X], UPSTREAM)
    expect.close("dL_dx", layer.backward(UPSTREAM), dL_dx)


@layer_norm
def test_layer_norm_parameter_gradients(student):
    """LayerNorm.backward stores dL_dgamma and dL_dbeta, added up over the batch."""
    layer = make(student)
    layer.forward(X)
    layer.backward(UPSTREAM)
    dL_dgamma, dL_dbeta = vjp(lambda *both: formula(X, *both), [GAMMA, BETA], UPSTREAM)
    expect.close("dL_dgamma", layer.dL_dgamma, dL_dgamma)
    expect.close("dL_dbeta", layer.dL_dbeta, dL_dbeta)


@initialisation
def test_normal_initialisations(student):
    """xavier_normal and he_normal have the shape (fan_out, fan_in) and the right variance."""
    generator = student.probe("generator")
    variances = {"xavier_normal": 2 / (200 + 80), "he_normal": 2 / 200}
    for name, variance in variances.items():
        W = getattr(student.extra_credit, name)(200, 80, generator(3))
        W = expect.array(name, W, (80, 200))
        expect.close(f"variance of {name}", float(W.var()), variance, rtol=0.1)
        again = getattr(student.extra_credit, name)(200, 80, generator(3))
        # Which numbers a seed gives is up to the student.
        expect.repeated(f"{name} with the same seed", W, again)


@initialisation
def test_orthogonal(student):
    """orthogonal has orthonormal columns if it is tall, rows if it is wide; the gain scales it."""
    make, generator = student.extra_credit.orthogonal, student.probe("generator")
    tall = expect.array("orthogonal(6, 4)", make(6, 4, generator(0)), (6, 4))
    expect.close("W^T W", tall.T @ tall, np.eye(4), atol=1e-10)
    wide = expect.array("orthogonal(4, 6), gain 3", make(4, 6, generator(0), gain=3.0), (4, 6))
    expect.close("W W^T", wide @ wide.T, 9.0 * np.eye(4), atol=1e-10)


@gradient_norms
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_gradient_norms(student, activation):
    """gradient_norms gives the norm of the gradient in front of each layer, first layer first."""
    f = relu if activation == "relu" else np.tanh
    dL_dy = UPSTREAM[:, :2]
    first, second = (lambda x, W=W: f(x @ W.T) for W in WEIGHTS)
    gradients = [vjp(lambda x: second(first(x)), [X], dL_dy), vjp(second, [first(X)], dL_dy)]
    received = student.extra_credit.gradient_norms(WEIGHTS, X, dL_dy, activation)
    expect.that("gradient_norms", isinstance(received, list), "it must return a list of numbers")
    norms = [expect.array(f"norm {k}", norm, ()) for k, norm in enumerate(received)]
    expect.close("norms", np.array(norms), [np.linalg.norm(part) for [part] in gradients])


@activation_tool
def test_activation_statistics(student):
    """activation_statistics gives mean, deviation and share of dead units for each layer."""
    h = np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 3.0, 2.0, 0.0]])
    received = student.extra_credit.activation_statistics([h, h - 1.0])
    expect.that("activation_statistics", isinstance(received, list), "it must return a list")
    expect.equal("number of layers", len(received), 2)
    expected = zip(received, (0.75, -0.25), (0.5, 0.5), strict=True)
    for layer, (part, mean, dead) in enumerate(expected, start=1):
        expect.that(f"layer {layer}", isinstance(part, dict), "there must be a dict for it")
        expect.close(f"layer {layer}, mean", part.get("mean"), mean)
        expect.close(f"layer {layer}, deviation", part.get("deviation"), h.std())
        expect.close(f"layer {layer}, dead", part.get("dead"), dead)


def check_arrays(received, expected):
    """Compare a list of arrays with the right one."""
    expect.that("result", isinstance(received, (list, tuple)), "it must be a list of arrays")
    expect.equal("number of arrays", len(received), len(expected))
    for number, (array, wanted) in enumerate(zip(received, expected, strict=True)):
        expect.close(f"array {number}", array, wanted, rtol=1e-5)


def check_norm(student, arrays, max_norm, factor, total):
    """Clip by norm, and compare the arrays and the norm with the right ones."""
    received = student.extra_credit.clip_by_norm(arrays, max_norm)
    pair = isinstance(received, (list, tuple)) and len(received) == 2
    expect.that("clip_by_norm", pair, "it must return two things: a list of arrays, and a number")
    check_arrays(received[0], [factor * array for array in arrays])
    expect.close("total norm", received[1], total, rtol=1e-5)


@gradient_clipping
def test_clip_by_value(student):
    """clip_by_value brings every entry into the range from -limit to limit."""
    arrays = [np.array([[3.0, -0.5], [-4.0, 1.0]]), np.array([0.2, -1.5])]
    expected = [np.array([[1.0, -0.5], [-1.0, 1.0]]), np.array([0.2, -1.0])]
    check_arrays(student.extra_credit.clip_by_value(arrays, 1.0), expected)


@gradient_clipping
def test_clip_by_norm(student):
    """clip_by_norm scales all arrays by one factor if their norm together is above max_norm."""
    arrays = [np.array([[2.0, 4.0], [4.0, 0.0]]), np.array([0.0, 8.0])]
    check_norm(student, arrays, 5.0, 0.5, 10.0)


@gradient_clipping
def test_clip_by_norm_below_the_limit(student):
    """clip_by_norm changes nothing if the norm is below max_norm, and never makes it larger."""
    check_norm(student, [np.array([[2.0, 4.0]]), np.array([4.0])], 100.0, 1.0, 6.0)


@gradient_clipping
def test_clipping_changes_no_argument(student):
    """Neither clip_by_value nor clip_by_norm changes the arrays that it is given."""
    for name in ("clip_by_value", "clip_by_norm"):
        kept = student.keep(UPSTREAM)
        received = getattr(student.extra_credit, name)([kept], 1.0)
        result = isinstance(received, (list, tuple))
        expect.that(name, result, "it must return the clipped arrays")
        expect.unchanged(f"{name}: the array", UPSTREAM, student.fetch(kept))
