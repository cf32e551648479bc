"""Public tests of gradient_check.py, on made-up functions and layers that are right or wrong."""

import numpy as np
import pytest

from autograder.suite import expect

numerical = pytest.mark.item("week1.numerical_gradient")
check = pytest.mark.item("week1.gradient_check")
check_weights = pytest.mark.item("week1.gradient_check_weights")

X = np.array([[0.5, -1.0, 2.0, 0.3, 1.2], [1.5, 3.0, -0.5, -0.8, 0.1]])


@numerical
def test_numerical_gradient_of_cubes(student):
    """The measured slope of x^3 is 3 x^2 + epsilon^2, as for central differences."""
    received = student.gradient_check.numerical_gradient(student.probe("cubes"), X, 0.1)
    expect.close("gradient", received, 3 * X**2 + 0.01)


@numerical
def test_numerical_gradient_moves_one_entry_at_a_time(student):
    """While one entry moves, all others stand where they were."""
    x = np.array([1.0, -2.0, 0.5])
    a = np.array([[-2.0, -1, 0], [1, 2, 3], [4, -2, -1]])
    received = student.gradient_check.numerical_gradient(student.probe("quadratic_form"), x, 0.5)
    expect.close("gradient", received, (a + a.T) @ x + np.array([3.0, 0, 0]))


@numerical
def test_numerical_gradient_of_integers(student):
    """Integer inputs are moved by epsilon like any others."""
    x = np.array([1, -2, 3])
    received = student.gradient_check.numerical_gradient(student.probe("cubes"), x)
    expect.close("gradient", received, 3.0 * x**2)


@numerical
def test_numerical_gradient_keeps_x(student):
    """x is exactly the same afterwards."""
    kept = student.keep(X)
    received = student.gradient_check.numerical_gradient(student.probe("cubes"), kept)
    expect.close("gradient", received, 3 * X**2)
    expect.unchanged("x", X, student.fetch(kept))


def expect_both(student, fault):
    """Expect True of gradient_check for a right layer, and False for one with that fault."""
    bump, check_layer = student.probe("bump"), student.gradient_check.gradient_check
    expect.equal("gradient_check of a right layer", check_layer(bump(), X), True)
    expect.equal(f"gradient_check, fault {fault}", check_layer(bump(fault=fault), X), False)


@check
def test_check_accepts_a_right_layer(student):
    """gradient_check returns True for a right layer, False where dL_dx is twice too large."""
    expect_both(student, "doubled")


@check
def test_check_refuses_a_single_wrong_entry(student):
    """gradient_check returns False for a layer with one wrong entry in dL_dx."""
    expect_both(student, "entry")


@check
def test_check_refuses_a_layer_that_ignores_its_upstream_gradient(student):
    """gradient_check returns False for a layer that is right only where dL/dy is all ones."""
    expect_both(student, "upstream")


@check
def test_check_uses_its_tolerance(student):
    """An error of 0.1 % fails by default, and passes with tolerance=0.01."""
    module, layer = student.gradient_check, student.probe("bump")(fault="slightly")
    expect.equal("gradient_check", module.gradient_check(layer, X), False)
    received = module.gradient_check(layer, X, tolerance=0.01)
    expect.equal("gradient_check, tolerance 0.01", received, True)


def expect_both_of_weights(student, **faults):
    """Expect True of gradient_check_weights for a right layer, and False for one with faults."""
    swing, check_layer = student.probe("swing"), student.gradient_check.gradient_check_weights
    expect.equal("gradient_check_weights of a right layer", check_layer(swing(), X), True)
    label = f"gradient_check_weights, faults {', '.join(f'{k}: {v}' for k, v in faults.items())}"
    expect.equal(label, check_layer(swing(**faults), X), False)


@check_weights
def test_check_weights_accepts_a_right_layer(student):
    """gradient_check_weights returns True for a right layer, False where both are too large."""
    expect_both_of_weights(student, weight_fault="doubled", bias_fault="doubled")


@check_weights
def test_check_weights_refuses_wrong_weights(student):
    """gradient_check_weights returns False where only dL_dW is wrong."""
    expect_both_of_weights(student, weight_fault="upstream")


@check_weights
def test_check_weights_refuses_wrong_biases(student):
    """gradient_check_weights returns False where only dL_db is wrong."""
    expect_both_of_weights(student, bias_fault="doubled")


@check_weights
def test_check_weights_puts_the_parameters_back(student):
    """W and b have their values back afterwards."""
    for fault in ("", "doubled"):
        layer = student.probe("swing")(bias_fault=fault)
        W, b = layer.W, layer.b
        received = student.gradient_check.gradient_check_weights(layer, X)
        label = f"gradient_check_weights of a {'wrong' if fault else 'right'} layer"
        expect.equal(label, received, not fault)
        expect.close("W afterwards", layer.W, W, rtol=0, atol=1e-12)
        expect.close("b afterwards", layer.b, b, rtol=0, atol=1e-12)
