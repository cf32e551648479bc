"""Hidden tests beyond the texts: tanh, sigmoid, exponents in the graph, numbers and arrays."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import values
from .without_backward import by_backward_or_swept, check_tensors, check_values

pytestmark = pytest.mark.item("week2.more_operations")

SHAPES = ((3,), (2, 3))


def logistic(x):
    """Return the sigmoid, also of complex numbers."""
    return 1.0 / (1.0 + np.exp(-x))


def check_at(student, name, f, numbers):
    """Compare the function `name` of a Value with f, at each of the numbers."""
    for number in numbers:
        check_values(student, f"a.{name}()", f, float(number), apply=lambda a: getattr(a, name)())


def check_slopes(student, name, known):
    """Compare a function's value and its slope at some numbers with (number, value, slope)."""

    def way(end):
        for number, data, slope in known:
            [a] = values(student, number)
            result = getattr(a, name)()
            expect.close(f"data of a.{name}() at a = {number:g}", result.data, data)
            end(result)
            expect.close(f"a.grad of a.{name}() at a = {number:g}", a.grad, slope)

    by_backward_or_swept(student, way)


@pytest.mark.weight(2)
def test_tanh(student, rng):
    """tanh of a Value, and its gradient."""
    check_at(student, "tanh", np.tanh, rng.uniform(-2.0, 2.0, size=3))
    check_slopes(student, "tanh", ((0.0, 0.0, 1.0), (1000.0, 1.0, 0.0), (-1000.0, -1.0, 0.0)))


@pytest.mark.weight(2)
def test_sigmoid(student, rng):
    """sigmoid of a Value is 1 / (1 + exp(-a)), and its gradient."""
    check_at(student, "sigmoid", logistic, rng.uniform(-4.0, 4.0, size=4))


def test_sigmoid_of_large_numbers(student):
    """sigmoid of +-1000 is 1 and 0, with slope 0, and no exception."""
    check_slopes(student, "sigmoid", ((0.0, 0.5, 0.25), (1000.0, 1.0, 0.0), (-1000.0, 0.0, 0.0)))


@pytest.mark.weight(2)
def test_power_with_a_value(student, rng):
    """a ** b of two Values: b has a gradient too, a^b log(a). n ** a with a plain number n."""
    for sign in (1.0, -1.0):
        a, b = rng.uniform(0.5, 2.5, size=2)
        check_values(student, "a ** b", lambda a, b: a**b, float(a), sign * float(b))
    a, b = rng.uniform(0.5, 2.0, size=2)  # an exponent that is used twice adds up
    check_values(student, "(a ** b) ** b", lambda a, b: (a**b) ** b, float(a), float(b))
    n = float(rng.uniform(1.5, 3.0))
    check_values(student, "n ** a with a number n", lambda a: n**a, float(rng.uniform(-2.0, 2.0)))


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


@pytest.mark.weight(2)
def test_numbers_and_arrays(student, rng):
    """A number may stand on either side of * and + of a Tensor, and an array on the right."""
    n, array, upstream = (
        float(rng.uniform(1.5, 3.0)),
        rng.normal(size=(3, 4)),
        rng.normal(size=(3, 4)),
    )
    arrays = [rng.normal(size=shape) for shape in ((3, 4), (4,))]

    def check(symbol, f):
        alone = symbol == "*"
        left, right = f"n {symbol} a with a number n", f"a {symbol} n with a number n"
        check_tensors(student, left, lambda a: f(n, a), [array], upstream, alone=alone)
        check_tensors(student, right, lambda a: f(a, n), [array], upstream, alone=alone)
        for m in arrays:
            text = f"a {symbol} n, an array n of shape {m.shape}, a of shape (3, 4)"
            check_tensors(student, text, lambda a, m=m: f(a, m), [array], upstream, alone=alone)

    expect.any_of(
        lambda: check("+", lambda a, b: a + b), lambda: check("*", lambda a, b: a * b)
    )  # fmt: skip
