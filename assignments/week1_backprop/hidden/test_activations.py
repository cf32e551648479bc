"""Hidden tests of the activations in neural_net: ReLU, LeakyReLU, Sigmoid, Tanh."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import proportional, something_right

relu = pytest.mark.item("week1.relu")
leaky_relu = pytest.mark.item("week1.leaky_relu")
sigmoid = pytest.mark.item("week1.sigmoid")
tanh = pytest.mark.item("week1.tanh")

LARGE = np.array([[1000.0, -1000.0, 0.5], [-1000.0, 1000.0, -0.5]])


def inputs(rng, shape=(5, 3)):
    """Return normal random numbers of both signs, none closer than 0.05 to the kink at 0."""
    x = rng.normal(size=shape)
    x = np.where(np.abs(x) < 0.05, 0.3, x)
    x.flat[0], x.flat[-1] = 0.8, -0.8
    return x


def logistic(x):
    """Return the sigmoid of x in float64, by its two safe forms."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def check_gradient(layer, rng, slope):
    """Compare dL/dx for a random upstream gradient with dL/dy times the slope."""
    x, dL_dy = inputs(rng), rng.normal(size=(5, 3))
    layer.forward(x)
    expect.close("dL_dx", layer.backward(dL_dy), dL_dy * slope(x))


def check_sides(student, name, rng, function, slope):
    """See that nothing given is changed, and that backward belongs to the latest forward.

    Whether the values are right is for other tests: one of them has to be, in each case.
    """
    check_latest_batch(getattr(student.neural_net, name), rng, function, slope)
    x, dL_dy = inputs(rng), rng.normal(size=(5, 3))
    kept_x, kept_upstream = student.keep(x), student.keep(dL_dy)
    layer = getattr(student.neural_net, name)()
    y, dL_dx = layer.forward(kept_x), layer.backward(kept_upstream)
    one_is_right(y, function(x), dL_dx, dL_dy * slope(x))
    expect.unchanged("x", x, student.fetch(kept_x))
    expect.unchanged("dL_dy", dL_dy, student.fetch(kept_upstream))


def check_latest_batch(make, rng, function, slope):
    """Run batches of two sizes; the second one's results are what they are alone."""
    layer, alone = make(), make()
    layer.forward(inputs(rng, (6, 3)))
    layer.backward(rng.normal(size=(6, 3)))
    x, dL_dy = inputs(rng, (1, 3)), rng.normal(size=(1, 3))
    expected = function(x), dL_dy * slope(x)
    y, dL_dx = layer.forward(x), layer.backward(dL_dy)
    one_is_right(y, expected[0], dL_dx, expected[1])
    # What both should be is asked by other tests.
    expect.repeated("forward output of another batch", alone.forward(x), y)
    # The same.
    expect.repeated("dL_dx of another batch", alone.backward(dL_dy), dL_dx)


def one_is_right(y, output, dL_dx, gradient):
    """Compare the output or the gradient: what computes nothing has no sides."""
    something_right(
        lambda: proportional("forward output", y, output),
        lambda: proportional("dL_dx", dL_dx, gradient),
    )


def check_large(layer, rng, function, slope):
    """Run inputs of +-1000: the values."""
    dL_dy = rng.normal(size=LARGE.shape)
    expect.close("forward output", layer.forward(LARGE), function(LARGE))
    expect.close("dL_dx", layer.backward(dL_dy), dL_dy * slope(LARGE))


# ReLU


def relu_slope(x):
    return np.where(x > 0, 1.0, 0.0)


@relu
def test_relu_forward(student, rng):
    """ReLU.forward is max(0, x)."""
    x = 10 * inputs(rng)
    layer = student.neural_net.ReLU()
    expect.close("forward output", layer.forward(x), np.where(x > 0, x, 0.0))


@relu
@pytest.mark.weight(2)
def test_relu_gradient(student, rng):
    """ReLU.backward returns dL/dx, on both sides of 0."""
    check_gradient(student.neural_net.ReLU(), rng, relu_slope)


@relu
def test_relu_at_the_kink(student, rng):
    """At x = 0 ReLU's gradient is 0, by convention, for upstream gradients of both signs."""
    layer = student.neural_net.ReLU()
    layer.forward(np.array([[0.0, -0.0, 2.0, 0.0, -1.0]]))
    dL_dx = layer.backward(np.array([[3.0, 2.0, -4.0, -5.0, 1.0]]))
    expect.close("dL_dx", dL_dx, [[0, 0, -4.0, 0, 0]])


@relu
def test_relu_keeps_order(student, rng):
    """ReLU changes neither x nor dL_dy, and backward belongs to the latest forward."""
    check_sides(student, "ReLU", rng, lambda x: np.where(x > 0, x, 0.0), relu_slope)


# LeakyReLU


def leaky(alpha):
    return lambda x: np.where(x > 0, x, alpha * x)


def leaky_slope(alpha):
    return lambda x: np.where(x > 0, 1.0, alpha)


@leaky_relu
def test_leaky_relu_forward(student, rng):
    """LeakyReLU.forward is x where x > 0, and alpha x elsewhere, with alpha = 0.01 or as given."""
    x = 10 * inputs(rng)
    x[1] = 0.5, -0.5, 0.05  # small numbers have a sign too
    layer, steeper = student.neural_net.LeakyReLU(), student.neural_net.LeakyReLU(0.3)
    expect.close("forward output", layer.forward(x), leaky(0.01)(x))
    expect.close("forward output of LeakyReLU(0.3)", steeper.forward(x), leaky(0.3)(x))


@leaky_relu
@pytest.mark.weight(2)
def test_leaky_relu_gradient(student, rng):
    """LeakyReLU.backward returns dL/dx, on both sides of 0."""
    check_gradient(student.neural_net.LeakyReLU(), rng, leaky_slope(0.01))
    check_gradient(student.neural_net.LeakyReLU(0.3), rng, leaky_slope(0.3))


@leaky_relu
def test_leaky_relu_at_the_kink(student):
    """At x = 0 LeakyReLU's slope is alpha, by convention, or 1 throughout."""
    layer = student.neural_net.LeakyReLU(0.2)
    layer.forward(np.array([[0.0, 0.0, 2.0, -1.0]]))
    dL_dy = np.array([[3.0, -2.0, -4.0, 5.0]])
    received = layer.backward(dL_dy)
    expect.any_of(
        lambda: expect.close("dL_dx", received, dL_dy * np.array([0.2, 0.2, 1.0, 0.2])),
        lambda: expect.close("dL_dx", received, dL_dy * np.array([1.0, 1.0, 1.0, 0.2])),
    )


@leaky_relu
def test_leaky_relu_keeps_order(student, rng):
    """LeakyReLU changes neither x nor dL_dy, and backward belongs to the latest forward."""
    check_sides(student, "LeakyReLU", rng, leaky(0.01), leaky_slope(0.01))


# Sigmoid


def logistic_slope(x):
    return logistic(x) * logistic(-x)


@sigmoid
def test_sigmoid_forward(student, rng):
    """Sigmoid.forward is 1 / (1 + exp(-x))."""
    x = 3 * inputs(rng)
    x[2] = 24.0, -24.0, -22.0  # small numbers, far from being cut off
    layer = student.neural_net.Sigmoid()
    expect.close("forward output", layer.forward(x), logistic(x), atol=1e-12)


@sigmoid
@pytest.mark.weight(2)
def test_sigmoid_gradient(student, rng):
    """Sigmoid.backward returns dL/dx, for inputs of both signs."""
    check_gradient(student.neural_net.Sigmoid(), rng, logistic_slope)


@sigmoid
def test_sigmoid_of_large_numbers(student, rng):
    """Sigmoid of +-1000 is 1 or 0, with gradient 0."""
    check_large(student.neural_net.Sigmoid(), rng, logistic, logistic_slope)


@sigmoid
def test_sigmoid_keeps_order(student, rng):
    """Sigmoid changes neither x nor dL_dy, and backward belongs to the latest forward."""
    check_sides(student, "Sigmoid", rng, logistic, logistic_slope)


# Tanh


def tanh_slope(x):
    return 1 - np.tanh(x) ** 2


@tanh
def test_tanh_forward(student, rng):
    """Tanh.forward is tanh(x)."""
    x = 2 * inputs(rng)
    expect.close("forward output", student.neural_net.Tanh().forward(x), np.tanh(x))


@tanh
@pytest.mark.weight(2)
def test_tanh_gradient(student, rng):
    """Tanh.backward returns dL/dx, for inputs of both signs."""
    check_gradient(student.neural_net.Tanh(), rng, tanh_slope)


@tanh
def test_tanh_of_large_numbers(student, rng):
    """Tanh of +-1000 is 1 or -1, with gradient 0."""
    check_large(student.neural_net.Tanh(), rng, np.tanh, tanh_slope)


@tanh
def test_tanh_keeps_order(student, rng):
    """Tanh changes neither x nor dL_dy, and backward belongs to the latest forward."""
    check_sides(student, "Tanh", rng, np.tanh, tanh_slope)
