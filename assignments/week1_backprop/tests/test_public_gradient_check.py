"""Public tests of gradient_check.py, on made-up functions and layers that are right or wrong."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.asked import Asked, Curve
from ..suite_tools.checked import (
    FEW,
    Checked,
    Function,
    curves,
    doubled,
    in_either_form,
    last_entry,
    mixers,
    negative,
    slightly,
)

numerical = pytest.mark.item("week1.numerical_gradient")
check = pytest.mark.item("week1.gradient_check")
check_weights = pytest.mark.item("week1.gradient_check_weights")
robustness = pytest.mark.item("week1.robustness")

X = np.array([[0.5, -1.0, 2.0, 0.3, 1.2], [1.5, 3.0, -0.5, -0.8, 0.1]])
RIGHT, TWICE = "a right layer", "a layer that is twice too large"
ONES = "a layer that is right for an upstream gradient of ones"


@numerical
def test_numerical_gradient_is_central(student, rng):
    """The measured slope of x^3 is 3 x^2 + epsilon^2, as for central differences."""
    f = Function(student, rng, X.shape)
    expect.close("gradient", f.gradient_at(X, 0.1), f.measured(X, 0.1))


@numerical
def test_numerical_gradient_moves_one_entry_at_a_time(student, rng):
    """While one entry moves, all others stand where they were."""
    x, f = np.array([1.0, -2.0, 0.5]), Function(student, rng, (3,))
    expect.close("gradient", f.gradient_at(x, 0.5), f.measured(x, 0.5))


@numerical
def test_numerical_gradient_keeps_x(student, rng):
    """x has its values back afterwards."""
    kept, f = student.keep(X), Function(student, rng, X.shape)
    expect.close("gradient", f.gradient_at(kept), f.measured(X, 0.0), rtol=1e-5, atol=1e-6)
    expect.close("x afterwards", student.fetch(kept), X, rtol=0, atol=1e-9)


@robustness
@pytest.mark.needs("week1.numerical_gradient")
def test_numerical_gradient_of_integers(student, rng):
    """Integer inputs are moved by epsilon like any others."""
    x, f = np.array([1, -2, 3]), Function(student, rng, (3,))
    expect.close("gradient", f.gradient_at(x, 0.01), f.measured(x, 0.01), rtol=1e-5)


def expect_both(student, rng, said, *fault, **more):
    """Expect True of gradient_check for right layers, and False for ones with a fault."""
    right, wrong = curves(rng, X.shape), curves(rng, X.shape, *fault, **more)
    some = (RIGHT, True, right), (said, False, wrong)
    Checked(student, rng, "gradient_check").tells_apart(X, *some, asked=FEW)


@check
def test_check_accepts_a_right_layer(student, rng):
    """gradient_check returns True for a right layer, False where dL_dx is twice too large."""
    expect_both(student, rng, TWICE, doubled)


@check
def test_check_refuses_a_single_wrong_entry(student, rng):
    """gradient_check returns False for a layer with one wrong entry in dL_dx."""
    expect_both(student, rng, "a layer with one wrong entry", last_entry)


@robustness
@pytest.mark.needs("week1.gradient_check")
def test_check_refuses_a_layer_that_ignores_its_upstream_gradient(student, rng):
    """gradient_check returns False for a layer that is right only where dL/dy is all ones."""
    expect_both(student, rng, ONES, share=0.0)


class Remembering(Curve):
    """A layer that remembers the upstream gradients that it was given."""

    def backward(self, dL_dy):
        """Return dL/dx."""
        self.upstream = dL_dy
        return super().backward(dL_dy)


@check
def test_check_is_the_same_every_time(student, rng):
    """Checked twice, a layer gets the same upstream gradient, from a seeded generator."""
    asked, layer = Asked(student), Remembering((0.6, 2.0, 0.0, 0.3))
    part, upstream = asked.part(layer), []
    for _ in range(2):
        received = asked.call(student.gradient_check.gradient_check, part, X)
        expect.equal("gradient_check of a right layer", received, True)
        expect.that("gradient_check", layer.backwards > 0, "it never calls backward.")
        upstream.append(layer.upstream)
    # Which numbers they are is up to the student; that some are drawn, another test looks at.
    expect.repeated("upstream gradient of the second check", *upstream)


@check
def test_check_uses_its_tolerance(student, rng):
    """An error of 0.1 % fails by default, and passes with tolerance=0.01."""
    checked, nearly = Checked(student, rng, "gradient_check"), curves(rng, X.shape, slightly)
    checked.says(X, "a layer that is wrong by 0.1 %", False, nearly())
    checked.says(X, "the same with tolerance 0.01", True, nearly(), tolerance=0.01)


def expect_both_of_weights(student, rng, said, **faults):
    """Expect True of gradient_check_weights for right layers, and False for ones with faults."""

    def run(row):
        some = (RIGHT, True, mixers(rng, row)), (said, False, mixers(rng, row, **faults))
        checked = Checked(student, rng, "gradient_check_weights")
        checked.tells_apart(np.abs(X[:, :3]), *some, row=row, asked=FEW)

    in_either_form(run)


@check_weights
def test_check_weights_accepts_a_right_layer(student, rng):
    """gradient_check_weights returns True for a right layer, False where both are too large."""
    expect_both_of_weights(student, rng, TWICE, W=doubled, b=doubled)


@check_weights
def test_check_weights_refuses_wrong_weights(student, rng):
    """gradient_check_weights returns False where dL_dW has the wrong sign."""
    expect_both_of_weights(student, rng, "a layer with dL_dW of the wrong sign", W=negative)


@robustness
@pytest.mark.needs("week1.gradient_check_weights")
def test_check_weights_refuses_wrong_biases(student, rng):
    """gradient_check_weights returns False where only dL_db is wrong."""
    expect_both_of_weights(student, rng, "a layer with dL_db twice too large", b=doubled)


@robustness
@pytest.mark.needs("week1.gradient_check_weights")
def test_check_weights_refuses_weights_that_ignore_the_upstream_gradient(student, rng):
    """gradient_check_weights returns False where the gradients are right only for dL/dy of ones."""
    expect_both_of_weights(student, rng, ONES, share=0.0)


@check_weights
def test_check_weights_puts_the_parameters_back(student, rng):
    """W and b have their values back afterwards."""

    def run(row):
        checked = Checked(student, rng, "gradient_check_weights")
        for right, fault in ((True, np.copy), (False, doubled)):
            made = mixers(rng, row, W=fault, b=fault)()
            said = f"a {'right' if right else 'wrong'} layer"
            layer, held = checked.says(np.abs(X[:, :3]), said, right, made, row=row)
            for name, array in held.items():
                now = getattr(layer, name)
                expect.close(f"{name} afterwards", now, array, rtol=0, atol=1e-9)

    in_either_form(run)
