"""Hidden tests of what gradient_check.py does beyond the texts (item week1.robustness)."""

from functools import partial

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import right_but_for_a_factor

from ..suite_tools.checked import (
    FEW,
    MIXER,
    SMALL,
    Checked,
    Function,
    curves,
    doubled,
    in_either_form,
    last_entry,
    mixers,
    slightly,
)

pytestmark = pytest.mark.item("week1.robustness")
needs_numerical = pytest.mark.needs("week1.numerical_gradient")
needs_check = pytest.mark.needs("week1.gradient_check")
needs_weights = pytest.mark.needs("week1.gradient_check_weights")

SHAPE, FEWEST = (3, 2), (1, 2)
RIGHT, TWICE = "a right layer", "a layer that is twice too large"


@needs_numerical
def test_numerical_gradient_of_three_dimensions(student, rng):
    """f gets an array of x's own shape, and the gradient has it too, for any number of axes."""
    x, f = rng.normal(size=(2, 3, 2)), Function(student, rng, (2, 3, 2))
    right_but_for_a_factor("gradient", f.gradient_at(x, 0.1), f.measured(x, 0.1))


@needs_numerical
def test_numerical_gradient_of_other_dtypes(student, rng):
    """Integer and float32 inputs are moved by epsilon like any others: it works in float64."""
    x, f = np.array([[1, -2, 3], [0, 2, -1]]), Function(student, rng, (2, 3))
    for label, dtype in (("integers", np.int64), ("float32", np.float32)):
        received = f.gradient_at(x.astype(dtype), 0.01)
        wanted = f.measured(x, 0.01)
        right_but_for_a_factor(f"gradient at {label}", received, wanted, rtol=1e-5)
        expect.dtype(f"gradient at {label}", received, np.float64)


# gradient_check: each test shows right and wrong layers, several of them, in random order


def refuses(student, rng, *wrong):
    """Expect False for these layers, (in words, maker), and True for right ones of that shape."""
    some = [(RIGHT, True, curves(rng, SHAPE)), *((said, False, make) for said, make in wrong)]
    Checked(student, rng, "gradient_check").tells_apart(rng.normal(size=SHAPE), *some, asked=FEW)


@needs_check
def test_check_refuses_a_layer_that_ignores_its_upstream_gradient(student, rng):
    """A layer that is right only where dL/dy is all ones fails."""
    wrong = curves(rng, SHAPE, share=0.0)
    refuses(student, rng, ("a layer that is right for an upstream gradient of ones", wrong))


@needs_check
def test_check_refuses_nan_and_another_shape(student, rng):
    """A dL_dx of NaN, or with its axes exchanged, fails, and raises nothing."""
    invalid = curves(rng, SHAPE, lambda ones: np.nan * ones)
    turned = curves(rng, SHAPE, order=(1, 0))
    said = "a layer with the axes of dL_dx exchanged"
    refuses(student, rng, ("a layer with NaN", invalid), (said, turned))


@needs_check
def test_check_is_relative(student, rng):
    """gradient_check: right gradients of about a million pass, wrong ones of a millionth fail."""
    some = []
    for scale, size in ((1e6, "large"), (1e-6, "small")):
        some.append((f"a right layer with {size} outputs", True, curves(rng, FEWEST, scale=scale)))
        wrong = curves(rng, FEWEST, doubled, scale=scale)
        some.append((f"a wrong layer with {size} outputs", False, wrong))
    Checked(student, rng, "gradient_check").tells_apart(rng.normal(size=FEWEST), *some, asked=FEW)


@needs_check
def test_check_of_a_gradient_that_is_zero(student, rng):
    """A layer with a constant output and a gradient of 0 passes: 0 and 0 agree."""
    constant = "a right layer with a constant output", True, curves(rng, FEWEST, scale=0.0)
    zero = "a layer whose gradient is 0", False, curves(rng, FEWEST, np.zeros_like)
    wrong = TWICE, False, curves(rng, FEWEST, doubled)
    some = constant, zero, wrong, (RIGHT, True, curves(rng, FEWEST))
    Checked(student, rng, "gradient_check").tells_apart(rng.normal(size=FEWEST), *some, asked=FEW)


# gradient_check_weights


def show(student, rng, row, *some, **settings):
    """Expect what gradient_check_weights says of these layers, in random order."""
    checked = Checked(student, rng, "gradient_check_weights")
    checked.tells_apart(rng.uniform(0.3, 1.2, size=(5, 3)), *some, row=row, asked=FEW, **settings)


def weights_refused(student, rng, *faults, sizes=MIXER):
    """Expect False for layers with these faults, and True for layers without them."""

    def run(row):
        wrong = [(said, False, mixers(rng, row, sizes=sizes, **fault)) for said, fault in faults]
        show(student, rng, row, (RIGHT, True, mixers(rng, row, sizes=sizes)), *wrong)

    in_either_form(run)


@needs_weights
def test_check_weights_refuses_wrong_bias_gradients(student, rng):
    """A dL_db that is twice too large, or wrong in one entry, fails, though dL_dW is right."""
    twice = "a layer with dL_db twice too large", {"b": doubled}
    weights_refused(
        student, rng, twice, ("a layer with one wrong entry in dL_db", {"b": last_entry})
    )


@needs_weights
def test_check_weights_refuses_gradients_that_ignore_the_upstream_one(student, rng):
    """A layer whose dL_dW and dL_db are right only where dL/dy is all ones fails."""
    said = "a layer that is right for an upstream gradient of ones"
    weights_refused(student, rng, (said, {"share": 0.0}), sizes=SMALL)


@needs_weights
def test_check_weights_uses_its_tolerance(student, rng):
    """Gradients that are wrong by 0.1 % fail by default, and pass with tolerance=0.01."""

    def run(row):
        small = partial(mixers, rng, row, sizes=SMALL)
        right, wrong, nearly = small(), small(doubled, doubled), small(slightly, slightly)
        said = "a layer that is wrong by 0.1 %"
        some = (RIGHT, True, right), (TWICE, False, wrong)
        show(student, rng, row, *some, (said, False, nearly))
        said = "the same with tolerance 0.01"
        show(student, rng, row, *some, (said, True, nearly), tolerance=0.01)

    in_either_form(run)


@needs_weights
def test_check_weights_is_relative(student, rng):
    """gradient_check_weights: right dL_dW of a million pass, wrong ones of a millionth fail."""

    def run(row):
        some = []
        for scale, size in ((1e6, "large"), (1e-6, "small")):
            right = mixers(rng, row, sizes=SMALL, scale=scale)
            wrong = mixers(rng, row, doubled, doubled, sizes=SMALL, scale=scale)
            some.append((f"a right layer with {size} outputs", True, right))
            some.append((f"a wrong layer with {size} outputs", False, wrong))
        show(student, rng, row, *some)

    in_either_form(run)
