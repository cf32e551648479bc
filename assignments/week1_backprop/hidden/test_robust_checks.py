"""Hidden tests of what gradient_check.py does beyond the texts (item week1.robustness)."""

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
    says_right,
    slightly,
)

pytestmark = pytest.mark.item("week1.robustness")

SHAPE = (8, 6)


def test_numerical_gradient_of_three_dimensions(student, rng):
    """f gets an array of x's own shape, and the gradient has it too, for any number of axes."""
    x, f = rng.normal(size=(2, 3, 2)), Function(student, rng, (2, 3, 2))
    received = student.gradient_check.numerical_gradient(f.handle, x, 0.1)
    expect.close("gradient", received, f.measured(x, 0.1))


def test_numerical_gradient_of_other_dtypes(student, rng):
    """Integer and float32 inputs are moved by epsilon like any others: it works in float64."""
    x, f = np.array([[1, -2, 3], [0, 2, -1]]), Function(student, rng, (2, 3))
    for label, dtype in (("integers", np.int64), ("float32", np.float32)):
        received = student.gradient_check.numerical_gradient(f.handle, x.astype(dtype), 0.01)
        expect.close(f"gradient at {label}", received, f.measured(x, 0.01), rtol=1e-5)
        expect.dtype(f"gradient at {label}", received, np.float64)


# gradient_check


def expect_check(student, layer, x, wanted, said):
    """Expect what the student's gradient_check says of a layer."""
    received = student.gradient_check.gradient_check(layer, x)
    expect.equal(f"gradient_check of {said}", received, wanted)


def test_check_refuses_a_layer_that_ignores_its_upstream_gradient(student, rng):
    """A layer that is right only where dL/dy is all ones fails."""
    curve, x = CurveMaker(student, rng, SHAPE), rng.normal(size=SHAPE)
    expect_check(student, curve.right(), x, True, "a right layer")
    wrong = curve.wrong(np.copy, share=0.0)
    expect_check(student, wrong, x, False, "a layer that is right for an upstream gradient of ones")


def test_check_refuses_nan_and_another_shape(student, rng):
    """A dL_dx of NaN, or with its axes exchanged, fails, and raises nothing."""
    curve, x = CurveMaker(student, rng, SHAPE), rng.normal(size=SHAPE)
    expect_check(student, curve.right(), x, True, "a right layer")
    expect_check(student, curve.wrong(lambda q: q * np.nan), x, False, "a layer with NaN")
    wrong = curve.wrong(np.copy, order=(1, 0))
    expect_check(student, wrong, x, False, "a layer with the axes of dL_dx exchanged")


def test_check_is_relative(student, rng):
    """Right gradients of about a million pass, wrong ones of about a millionth fail."""
    x = rng.normal(size=(4, 5))
    large, small = (CurveMaker(student, rng, x.shape, scale) for scale in (1e6, 1e-6))
    expect_check(student, large.right(), x, True, "a right layer with large outputs")
    expect_check(student, small.wrong(doubled), x, False, "a wrong layer with small outputs")


def test_check_of_a_gradient_that_is_zero(student, rng):
    """A layer with a constant output and a gradient of 0 passes: 0 and 0 agree."""
    x = rng.normal(size=(4, 5))
    constant = CurveMaker(student, rng, x.shape, scale=0.0).right()
    expect_check(student, constant, x, True, "a right layer with a constant output")
    wrong = CurveMaker(student, rng, x.shape).wrong(doubled)
    expect_check(student, wrong, x, False, "a layer that is twice too large")


# gradient_check_weights


def expect_weights(student, layer, rng, wanted, said, **settings):
    """Expect what the student's gradient_check_weights says of a layer."""
    label, x = f"gradient_check_weights of {said}", rng.uniform(0.3, 1.2, size=(7, 5))
    received = student.gradient_check.gradient_check_weights(layer, x, **settings)
    tolerance = settings.get("tolerance", 1e-5)
    expect.equal(label, says_right(label, received, tolerance), wanted)


def refuses(student, rng, said, **faults):
    """Expect False for a layer with these faults, and True without them."""

    def run(row):
        mixer = MixerMaker(student, rng, row)
        expect_weights(student, mixer.right(), rng, True, "a right layer")
        expect_weights(student, mixer.wrong(**faults), rng, False, said)

    in_either_form(run)


def test_check_weights_refuses_wrong_bias_gradients(student, rng):
    """A dL_db that is twice too large, or wrong in one entry, fails, though dL_dW is right."""
    refuses(student, rng, "a layer with dL_db twice too large", b=doubled)
    refuses(student, rng, "a layer with one wrong entry in dL_db", b=last_entry)


def test_check_weights_refuses_gradients_that_ignore_the_upstream_one(student, rng):
    """A layer whose dL_dW and dL_db are right only where dL/dy is all ones fails."""
    refuses(student, rng, "a layer that is right for an upstream gradient of ones", share=0.0)


def test_check_weights_uses_its_tolerance(student, rng):
    """Gradients that are wrong by 0.1 % fail by default, and pass with tolerance=0.01."""

    def run(row):
        layer = MixerMaker(student, rng, row).wrong(W=slightly, b=slightly)
        expect_weights(student, layer, rng, False, "a layer that is wrong by 0.1 %")
        said = "the same with tolerance 0.01"
        expect_weights(student, layer, rng, True, said, tolerance=0.01)

    in_either_form(run)


def test_check_weights_is_relative(student, rng):
    """Right gradients of about a million pass, wrong ones of about a millionth fail."""

    def run(row):
        large, small = (MixerMaker(student, rng, row, scale) for scale in (1e6, 1e-6))
        expect_weights(student, large.right(), rng, True, "a right layer with large outputs")
        wrong = small.wrong(W=doubled, b=doubled)
        expect_weights(student, wrong, rng, False, "a wrong layer with small outputs")

    in_either_form(run)
