"""Derivatives by complex steps, against formulas."""

from __future__ import annotations

import numpy as np
import pytest

from assignments.week2_autograd.suite_tools.maxima import largest
from autograder.suite.derivatives import relu, vjp

RNG = np.random.default_rng(0)


def close(received, expected):
    np.testing.assert_allclose(received, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (np.exp, np.exp),
        (np.log, lambda x: 1 / x),
        (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
        (lambda x: x**-3, lambda x: -3 * x**-4),
        (lambda x: x**0.5, lambda x: 0.5 * x**-0.5),
        (lambda x: 2.0**x, lambda x: 2.0**x * np.log(2.0)),
        (lambda x: x**x, lambda x: x**x * (1 + np.log(x))),
    ],
)
def test_functions_of_one_array(f, slope):
    x, upstream = RNG.uniform(0.2, 3.0, size=(2, 3)), RNG.normal(size=(2, 3))
    [gradient] = vjp(f, [x], upstream)
    close(gradient, upstream * slope(x))


def test_whole_powers_of_negative_numbers_stay_real():
    x, upstream = -RNG.uniform(0.2, 3.0, size=5), RNG.normal(size=5)
    for n in (0, 1, 2, 3, -1, -2):
        [gradient] = vjp(lambda x, n=n: x**n, [x], upstream)
        close(gradient, upstream * (n * x ** (n - 1.0) if n else 0.0))


def test_several_arrays_of_other_shapes():
    a, b, upstream = RNG.normal(size=(2, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=(2, 4))
    for received, expected in zip(
        vjp(np.matmul, [a, b], upstream), (upstream @ b.T, a.T @ upstream), strict=True
    ):
        close(received, expected)


def test_scalars():
    [x, y] = vjp(lambda x, y: x / y, [3.0, -2.0], 0.7)
    assert x.shape == y.shape == ()
    close([x, y], [0.7 / -2.0, -0.7 * 3.0 / 4.0])


def test_relu_has_slope_zero_at_zero():
    [gradient] = vjp(relu, [np.array([-1.0, 0.0, 2.0])], np.array([5.0, 6.0, 7.0]))
    close(gradient, [0.0, 0.0, 7.0])
    close(relu(np.array([-1.0, 0.0, 2.0])), [0.0, 0.0, 2.0])


def test_largest_is_the_maximum_and_shares_among_ties():
    x = np.array([[3.0, 3.0, 1.0], [-4.0, -1.0, -2.0]])
    close(largest(x), x.max())
    close(largest(x, 1, keepdims=True), x.max(axis=1, keepdims=True))
    [gradient] = vjp(lambda x: largest(x, 1), [x], np.array([1.0, 10.0]))
    close(gradient, [[0.5, 0.5, 0.0], [0.0, 10.0, 0.0]])
    [gradient] = vjp(lambda x: largest(x, (0, 1)), [np.zeros((2, 2))], 1.0)
    close(gradient, np.full((2, 2), 0.25))


def test_arguments_stay_as_they_were():
    x, upstream = np.arange(3.0), np.ones(3)
    vjp(lambda x: x * x, [x], upstream)
    assert x.dtype == np.float64
    np.testing.assert_array_equal(x, [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(upstream, np.ones(3))


def test_an_upstream_gradient_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"has shape \(1,\), the result \(3,\)"):
        vjp(lambda x: x, [np.ones(3)], np.ones(1))
