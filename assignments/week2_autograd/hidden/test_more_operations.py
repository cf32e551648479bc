"""Hidden tests beyond the texts: tanh, sigmoid, exponents that are nodes of the graph, - and /."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import check_tensors, check_values, values

pytestmark = pytest.mark.item("week2.more_operations")

SHAPES = ((3,), (2, 3))


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
    result.backward()
    expect.close(f"a.grad of a.{name}() at a = {number:g}", a.grad, slope)


@pytest.mark.weight(2)
def test_tanh(student, rng):
    """tanh of a Value, whose slope is 1 - tanh^2."""
    check_at(student, "tanh", np.tanh, rng.uniform(-2.0, 2.0, size=3))
    for number, data, slope in ((0.0, 0.0, 1.0), (1000.0, 1.0, 0.0), (-1000.0, -1.0, 0.0)):
        check_slope(student, "tanh", number, data, slope)


@pytest.mark.weight(2)
def test_sigmoid(student, rng):
    """sigmoid of a Value is 1 / (1 + exp(-a)), with slope s (1 - s)."""
    check_at(student, "sigmoid", logistic, rng.uniform(-4.0, 4.0, size=4))


def test_sigmoid_of_large_numbers(student):
    """sigmoid of +-1000 is 1 and 0, with slope 0, and no exception."""
    for number, data, slope in ((0.0, 0.5, 0.25), (1000.0, 1.0, 0.0), (-1000.0, 0.0, 0.0)):
        check_slope(student, "sigmoid", number, data, slope)


@pytest.mark.weight(2)
def test_power_with_a_value(student, rng):
    """a ** b of two Values: b has a gradient too, a^b log(a). n ** a with a plain number n."""
    for sign in (1.0, -1.0):
        a, b = rng.uniform(0.5, 2.5, size=2)
        check_values(student, "a ** b", lambda a, b: a**b, float(a), sign * float(b))
    n = float(rng.uniform(1.5, 3.0))
    check_values(student, "n ** a with a number n", lambda a: n**a, float(rng.uniform(-2.0, 2.0)))


def test_differences_and_quotients(student, rng):
    """a - b, a / b and -a of Values, and numbers on the left of - and /, in that order."""
    a, b, n = (float(number) for number in rng.uniform(0.5, 2.5, size=3))
    operations = {"a - b": lambda a, b: a - b, "a / b": lambda a, b: a / b}
    for label, f in operations.items():
        check_values(student, label, f, a, b)
    for label, f in {
        "-a": lambda a: -a,
        "n - a": lambda a: n - a,
        "n / a": lambda a: n / a,
    }.items():
        check_values(student, label, f, a)


@pytest.mark.weight(2)
def test_tanh_of_tensors(student, rng):
    """tanh of a Tensor, entry by entry."""
    for shape in SHAPES:
        array, upstream = rng.normal(size=shape), rng.normal(size=shape)
        label = f"a.tanh(), shape {shape}"
        check_tensors(student, label, np.tanh, [array], upstream, lambda a: a.tanh())


@pytest.mark.weight(2)
def test_power_with_a_tensor(student, rng):
    """a ** b of two Tensors: b has a gradient too, a^b log(a)."""
    for shape in SHAPES:
        arrays = [rng.uniform(0.5, 2.5, size=shape), rng.normal(size=shape)]
        label = f"a ** b, shape {shape}"
        check_tensors(student, label, lambda a, b: a**b, arrays, rng.normal(size=shape))


def test_differences_and_quotients_of_tensors(student, rng):
    """a - b and a / b of Tensors."""
    arrays, upstream = [rng.uniform(0.5, 2.5, size=(2, 3)) for _ in "ab"], rng.normal(size=(2, 3))
    for label, f in {"a - b": lambda a, b: a - b, "a / b": lambda a, b: a / b}.items():
        check_tensors(student, label, f, arrays, upstream)
