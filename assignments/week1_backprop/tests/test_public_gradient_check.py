"""Public tests of gradient_check.py, on made-up functions and layers that are right or wrong."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.checked import (
    CurveMaker,
    Function,
    MixerMaker,
    doubled,
    in_either_form,
    last_entry,
    negative,
    says_right,
    slightly,
)

numerical = pytest.mark.item("week1.numerical_gradient")
check = pytest.mark.item("week1.gradient_check")
check_weights = pytest.mark.item("week1.gradient_check_weights")
robustness = pytest.mark.item("week1.robustness")

X = np.array([[0.5, -1.0, 2.0, 0.3, 1.2], [1.5, 3.0, -0.5, -0.8, 0.1]])


@numerical
def test_numerical_gradient_is_central(student, rng):
    """The measured slope of x^3 is 3 x^2 + epsilon^2, as for central differences."""
    f = Function(student, rng, X.shape)
    received = student.gradient_check.numerical_gradient(f.handle, X, 0.1)
    expect.close("gradient", received, f.measured(X, 0.1))


@numerical
def test_numerical_gradient_moves_one_entry_at_a_time(student, rng):
    """While one entry moves, all others stand where they were."""
    x, f = np.array([1.0, -2.0, 0.5]), Function(student, rng, (3,))
    received = student.gradient_check.numerical_gradient(f.handle, x, 0.5)
    expect.close("gradient", received, f.measured(x, 0.5))


@numerical
def test_numerical_gradient_keeps_x(student, rng):
    """x has its values back afterwards."""
    kept, f = student.keep(X), Function(student, rng, X.shape)
    received = student.gradient_check.numerical_gradient(f.handle, kept)
    expect.close("gradient", received, f.measured(X, 0.0), rtol=1e-5, atol=1e-6)
    expect.close("x afterwards", student.fetch(kept), X, rtol=0, atol=1e-9)


@robustness
@pytest.mark.needs("week1.numerical_gradient")
def test_numerical_gradient_of_integers(student, rng):
    """Integer inputs are moved by epsilon like any others."""
    x, f = np.array([1, -2, 3]), Function(student, rng, (3,))
    received = student.gradient_check.numerical_gradient(f.handle, x, 0.01)
    expect.close("gradient", received, f.measured(x, 0.01), rtol=1e-5)


def expect_both(student, rng, fault, said, **more):
    """Expect True of gradient_check for a right layer, and False for one with a fault."""
    curve, check_layer = CurveMaker(student, rng, X.shape), student.gradient_check.gradient_check
    expect.equal("gradient_check of a right layer", check_layer(curve.right(), X), True)
    wrong = curve.wrong(fault, **more)
    expect.equal(f"gradient_check of {said}", check_layer(wrong, X), False)


@check
def test_check_accepts_a_right_layer(student, rng):
    """gradient_check returns True for a right layer, False where dL_dx is twice too large."""
    expect_both(student, rng, doubled, "a layer that is twice too large")


@check
def test_check_refuses_a_single_wrong_entry(student, rng):
    """gradient_check returns False for a layer with one wrong entry in dL_dx."""
    expect_both(student, rng, last_entry, "a layer with one wrong entry")


@robustness
@pytest.mark.needs("week1.gradient_check")
def test_check_refuses_a_layer_that_ignores_its_upstream_gradient(student, rng):
    """gradient_check returns False for a layer that is right only where dL/dy is all ones."""
    said = "a layer that is right for an upstream gradient of ones"
    expect_both(student, rng, np.copy, said, share=0.0)


@check
def test_check_uses_its_tolerance(student, rng):
    """An error of 0.1 % fails by default, and passes with tolerance=0.01."""
    module, layer = student.gradient_check, CurveMaker(student, rng, X.shape).wrong(slightly)
    received = module.gradient_check(layer, X)
    expect.equal("gradient_check of a layer that is wrong by 0.1 %", received, False)
    received = module.gradient_check(layer, X, tolerance=0.01)
    expect.equal("gradient_check of the same with tolerance 0.01", received, True)


def expect_weights(student, layer, wanted, said):
    """Expect what gradient_check_weights says of a layer."""
    label = f"gradient_check_weights of {said}"
    received = student.gradient_check.gradient_check_weights(layer, np.abs(X))
    expect.equal(label, says_right(label, received), wanted)


def expect_both_of_weights(student, rng, said, **faults):
    """Expect True of gradient_check_weights for a right layer, and False for one with faults."""

    def run(row):
        mixer = MixerMaker(student, rng, row)
        expect_weights(student, mixer.right(), True, "a right layer")
        expect_weights(student, mixer.wrong(**faults), False, said)

    in_either_form(run)


@check_weights
def test_check_weights_accepts_a_right_layer(student, rng):
    """gradient_check_weights returns True for a right layer, False where both are too large."""
    expect_both_of_weights(student, rng, "a layer that is twice too large", W=doubled, b=doubled)


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
    said = "a layer that is right for an upstream gradient of ones"
    expect_both_of_weights(student, rng, said, share=0.0)


@check_weights
def test_check_weights_puts_the_parameters_back(student, rng):
    """W and b have their values back afterwards."""

    def run(row):
        mixer = MixerMaker(student, rng, row)
        for layer, right in ((mixer.right(), True), (mixer.wrong(W=doubled, b=doubled), False)):
            expect_weights(student, layer, right, f"a {'right' if right else 'wrong'} layer")
            expect.close("W afterwards", layer.W, mixer.W, rtol=0, atol=1e-9)
            expect.close("b afterwards", layer.b, mixer.b, rtol=0, atol=1e-9)

    in_either_form(run)
