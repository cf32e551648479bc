"""Hidden tests of the functions of autograd.Value: relu, exp, log, tanh, sigmoid."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import relu

from ..suite_tools.engine import check_values, refuses, values

pytestmark = pytest.mark.item("week2.value_functions")

UPSTREAM = 0.7


def logistic(x):
    """Return the sigmoid, also of complex numbers."""
    return 1.0 / (1.0 + np.exp(-x))


def check_at(student, name, f, numbers):
    """Compare the function `name` of a Value with f, at each of the numbers."""
    for number in numbers:
        check_values(student, f"a.{name}()", f, float(number), apply=lambda a: getattr(a, name)())


def check_slope(student, name, number, data, slope):
    """Compare a function's value and its slope at one number with known ones."""
    [a] = values(student, number)
    result = getattr(a, name)()
    expect.close(f"data of a.{name}() at a = {number:g}", result.data, data)
    result.backward(UPSTREAM)
    expect.close(f"a.grad of a.{name}() at a = {number:g}", a.grad, UPSTREAM * slope)


@pytest.mark.weight(2)
def test_relu(student, rng):
    """relu is a where a > 0, with slope 1, and 0 elsewhere, with slope 0."""
    size = rng.uniform(0.2, 3.0, size=2)
    check_at(student, "relu", relu, [size[0], -size[1]])


def test_relu_at_zero(student):
    """At a = 0, relu is 0, and so is its slope."""
    check_slope(student, "relu", 1.0, 1.0, 1.0)
    check_slope(student, "relu", 0.0, 0.0, 0.0)


@pytest.mark.weight(2)
def test_exp(student, rng):
    """exp, whose slope is exp again."""
    check_at(student, "exp", np.exp, rng.uniform(-2.0, 2.0, size=3))


def test_exp_of_a_large_negative_number(student):
    """exp(-1000) is 0, and so is its slope."""
    check_slope(student, "exp", 0.0, 1.0, 1.0)
    check_slope(student, "exp", -1000.0, 0.0, 0.0)


@pytest.mark.weight(2)
def test_log(student, rng):
    """log, whose slope is 1 / a."""
    check_at(student, "log", np.log, rng.uniform(0.1, 5.0, size=3))


def test_log_of_what_has_none(student):
    """log of 0 and of a negative number raises a ValueError; its message names the number."""
    for number in (0.0, -1.5):
        [a] = values(student, number)
        refuses(f"a.log() at a = {number:g}", a.log, f"{number:g}")


@pytest.mark.weight(2)
def test_tanh(student, rng):
    """tanh, whose slope is 1 - tanh^2."""
    check_at(student, "tanh", np.tanh, rng.uniform(-2.0, 2.0, size=3))


def test_tanh_of_large_numbers(student):
    """tanh of +-1000 is 1 and -1, with slope 0."""
    check_slope(student, "tanh", 0.0, 0.0, 1.0)
    check_slope(student, "tanh", 1000.0, 1.0, 0.0)
    check_slope(student, "tanh", -1000.0, -1.0, 0.0)


@pytest.mark.weight(2)
def test_sigmoid(student, rng):
    """sigmoid is 1 / (1 + exp(-a)), with slope s (1 - s)."""
    check_at(student, "sigmoid", logistic, rng.uniform(-4.0, 4.0, size=4))


@pytest.mark.weight(2)
def test_sigmoid_of_large_numbers(student):
    """sigmoid of +-1000 is 1 and 0, with slope 0, and no exception."""
    check_slope(student, "sigmoid", 0.0, 0.5, 0.25)
    check_slope(student, "sigmoid", 1000.0, 1.0, 0.0)
    check_slope(student, "sigmoid", -1000.0, 0.0, 0.0)


def test_functions_of_functions(student, rng):
    """A function of a function of a Value obeys the chain rule."""
    number = float(rng.uniform(0.5, 1.5))
    chains = {
        "a.exp().tanh()": (lambda a: np.tanh(np.exp(a)), lambda a: a.exp().tanh()),
        "a.log().sigmoid()": (lambda a: logistic(np.log(a)), lambda a: a.log().sigmoid()),
        "a.tanh().relu().log()": (
            lambda a: np.log(np.tanh(a)),
            lambda a: a.tanh().relu().log(),
        ),
    }
    for label, (f, apply) in chains.items():
        check_values(student, label, f, number, apply=apply)


def test_operand_stays_as_it_is(student, rng):
    """A function makes a new Value, and leaves data and grad of its operand alone."""
    number = float(rng.uniform(0.5, 1.5))
    [a] = values(student, number)
    functions = {"relu": relu, "exp": np.exp, "log": np.log, "tanh": np.tanh, "sigmoid": logistic}
    for name, f in functions.items():
        result = getattr(a, name)()
        expect.close(f"data of a.{name}()", result.data, float(f(number)))
        expect.equal(f"a.data after a.{name}()", a.data, number)
        expect.equal(f"a.grad after a.{name}()", a.grad, 0.0)
