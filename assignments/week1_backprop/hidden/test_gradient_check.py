"""Hidden tests of gradient_check.py, on functions and layers known to be right or wrong."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import proportional, right_but_for_a_factor

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
    negative,
    pairs,
    slightly,
)

numerical = pytest.mark.item("week1.numerical_gradient")
check = pytest.mark.item("week1.gradient_check")
check_weights = pytest.mark.item("week1.gradient_check_weights")


# numerical_gradient


@numerical
@pytest.mark.weight(3)
def test_numerical_gradient_of_a_smooth_function(student, rng):
    """The measured gradient of a smooth function agrees with the true one."""
    x, f = rng.normal(size=(3, 4)), Function(student, rng, (3, 4))
    expect.close("gradient", f.gradient_at(x), f.measured(x, 0.0), rtol=1e-6, atol=1e-7)


@numerical
@pytest.mark.weight(2)
def test_numerical_gradient_is_central(student, rng):
    """Differences are central, epsilon to either side: for x^3 they go as 3 x^2 + epsilon^2."""
    x, f = rng.normal(size=(2, 3)), Function(student, rng, (2, 3))
    proportional("gradient", f.gradient_at(x, 0.1), f.measured(x, 0.1))
    proportional("gradient", f.gradient_at(x, epsilon=0.5), f.measured(x, 0.5))


@numerical
def test_numerical_gradient_moves_one_entry_at_a_time(student, rng):
    """While one entry moves, all others stand where they were."""
    x, f = rng.normal(size=6), Function(student, rng, (6,))
    right_but_for_a_factor("gradient", f.gradient_at(x, 0.5), f.measured(x, 0.5))


@numerical
def test_numerical_gradient_keeps_x(student, rng):
    """x has its values back afterwards."""
    x, f = rng.normal(size=(3, 4)), Function(student, rng, (3, 4))
    kept = student.keep(x)
    gradient = f.gradient_at(kept)
    right_but_for_a_factor("gradient", gradient, f.measured(x, 0.0), rtol=1e-5, atol=1e-6)
    expect.close("x afterwards", student.fetch(kept), x, rtol=0, atol=1e-9)


# gradient_check: each test shows right and wrong layers, several of them, in random order

SHAPE, FEWEST = (3, 2), (1, 2)
RIGHT, TWICE = "a right layer", "a layer that is twice too large"


def refuses(student, rng, shape, *faults):
    """Expect False for layers with these faults, and True for layers without them."""
    wrong = [(said, False, curves(rng, shape, fault)) for said, fault in faults]
    some = [(RIGHT, True, curves(rng, shape)), *wrong]
    Checked(student, rng, "gradient_check").tells_apart(rng.normal(size=shape), *some)


@check
@pytest.mark.weight(2)
def test_check_accepts_right_layers(student, rng):
    """Layers whose dL_dx is right pass, for outputs of other shapes and for one example too."""
    some = []
    for shape in ((2, 3), (1, 4)):
        x = rng.normal(size=shape)
        some.append((RIGHT, True, curves(rng, shape), x))
        some.append((TWICE, False, curves(rng, shape, doubled), x))
    x, fewer = rng.uniform(0.3, 1.2, size=(2, 4)), f"{RIGHT} with fewer outputs"
    some += [(fewer, True, pairs(rng), x), (fewer, True, mixers(rng), x[:, :3])]
    some.append((f"{TWICE}, with fewer outputs", False, pairs(rng, 2.0), x))
    Checked(student, rng, "gradient_check").tells_apart(None, *some)


@check
def test_check_accepts_a_right_layer_with_a_kink(student, rng):
    """A layer with a kink passes where all inputs keep a distance of 0.01 from it."""
    x = rng.normal(size=(2, 2))
    x = np.where(np.abs(x) < 0.01, 0.01, x)
    right, wrong = curves(rng, x.shape, bend=0.8), curves(rng, x.shape, doubled, bend=0.8)
    some = (f"{RIGHT} with a kink", True, right), (TWICE, False, wrong)
    Checked(student, rng, "gradient_check").tells_apart(x, *some)


@check
def test_check_refuses_a_wrong_factor(student, rng):
    """A dL_dx that is twice too large or has the wrong sign fails."""
    refuses(student, rng, FEWEST, (TWICE, doubled), ("a layer with the wrong sign", negative))


@check
@pytest.mark.weight(2)
def test_check_refuses_a_single_wrong_entry(student, rng):
    """One wrong entry of dL_dx, the very last, is enough to fail."""
    refuses(student, rng, SHAPE, ("a layer with one wrong entry", last_entry))


@check
def test_check_uses_its_tolerance(student, rng):
    """A dL_dx that is wrong by 0.1 % fails by default, and passes with tolerance=0.01."""
    x, checked = rng.normal(size=FEWEST), Checked(student, rng, "gradient_check")
    right, wrong = (RIGHT, True, curves(rng, FEWEST)), (TWICE, False, curves(rng, FEWEST, doubled))
    nearly, said = curves(rng, FEWEST, slightly), "a layer that is wrong by 0.1 %"
    checked.tells_apart(x, right, wrong, (said, False, nearly), asked=FEW)
    said = "the same with tolerance 0.01"
    checked.tells_apart(x, right, wrong, (said, True, nearly), asked=FEW, tolerance=0.01)


@check
def test_check_keeps_x_and_parameters(student, rng):
    """x and the layer's parameters have the same values afterwards."""
    checked, x = Checked(student, rng, "gradient_check"), rng.uniform(0.3, 1.2, size=(1, 3))
    kept = student.keep(x)
    layer, held = checked.says(kept, RIGHT, True, mixers(rng)())
    some = (RIGHT, True, curves(rng, x.shape)), (TWICE, False, curves(rng, x.shape, doubled))
    checked.tells_apart(kept, *some, asked=FEW)
    expect.close("x afterwards", student.fetch(kept), x, rtol=0, atol=1e-9)
    expect.unchanged("W", held["W"], layer.W)
    expect.unchanged("b", held["b"], layer.b)


# gradient_check_weights


def inputs(rng, n=5):
    """Return inputs for layers with parameters."""
    return rng.uniform(0.3, 1.2, size=(n, 3))


def weights_refused(student, rng, row, sizes, *faults):
    """Expect False for layers with these faults in dL_dW, and True for layers without them."""
    wrong = [
        (f"a layer with {said}", False, mixers(rng, row, W=fault, sizes=sizes))
        for said, fault in faults
    ]
    some = [(RIGHT, True, mixers(rng, row, sizes=sizes)), *wrong]
    checked = Checked(student, rng, "gradient_check_weights")
    checked.tells_apart(inputs(rng), *some, row=row)


@check_weights
@pytest.mark.weight(2)
def test_check_weights_accepts_a_right_layer(student, rng):
    """A layer whose dL_dW and dL_db are right passes, with several examples and with one."""

    def run(row):
        checked = Checked(student, rng, "gradient_check_weights")
        some = (RIGHT, True, mixers(rng, row)), (TWICE, False, mixers(rng, row, doubled, doubled))
        one = [(f"{said}, with one example", *more, inputs(rng, 1)) for said, *more in some]
        checked.tells_apart(inputs(rng), *some, *one, row=row)

    in_either_form(run)


@check_weights
@pytest.mark.weight(2)
def test_check_weights_refuses_wrong_weight_gradients(student, rng):
    """A dL_dW that is twice too large, or has the wrong sign, fails, though dL_db is right."""

    def run(row):
        faults = ("dL_dW twice too large", doubled), ("dL_dW of the wrong sign", negative)
        weights_refused(student, rng, row, SMALL, *faults)

    in_either_form(run)


@check_weights
def test_check_weights_refuses_a_single_wrong_entry(student, rng):
    """One wrong entry of dL_dW, the very last, is enough to fail."""

    def run(row):
        weights_refused(student, rng, row, MIXER, ("one wrong entry in dL_dW", last_entry))

    in_either_form(run)


@check_weights
@pytest.mark.weight(2)
def test_check_weights_puts_the_parameters_back(student, rng):
    """W and b have their values back afterwards, whether the check passes or fails."""

    def run(row):
        checked, x = Checked(student, rng, "gradient_check_weights"), inputs(rng)
        shown = [(RIGHT, True, np.copy), ("a wrong layer", False, doubled)]
        for number in checked.order([True, False], FEW):
            said, right, fault = shown[number]
            made = mixers(rng, row, W=fault, b=fault, sizes=SMALL)()
            layer, held = checked.says(x, said, right, made, row=row)
            for name, array in held.items():
                now = getattr(layer, name)
                expect.close(f"{name} afterwards", now, array, rtol=0, atol=1e-9)

    in_either_form(run)


@check_weights
def test_check_weights_keeps_x(student, rng):
    """x has its values back afterwards."""

    def run(row):
        checked, x = Checked(student, rng, "gradient_check_weights"), inputs(rng)
        kept, wrong = student.keep(x), mixers(rng, row, doubled, doubled, sizes=SMALL)
        some = (RIGHT, True, mixers(rng, row, sizes=SMALL)), ("a wrong layer", False, wrong)
        checked.tells_apart(kept, *some, row=row, asked=FEW)
        expect.close("x afterwards", student.fetch(kept), x, rtol=0, atol=1e-9)

    in_either_form(run)
