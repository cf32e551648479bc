"""Public tests of autograd.py.

`student.autograd` is your module. `values(student, 2.0, -3.0)` makes leaves that have operators,
and `check_values(student, label, f, 2.0, -3.0)` compares the result of f and its gradients with
exact ones, for an upstream gradient of 0.7. The first line of each docstring is the title that
`make check` prints.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import relu

from ..suite_tools.engine import check_values, values

operators = pytest.mark.item("week2.value_operators")
functions = pytest.mark.item("week2.value_functions")
backward = pytest.mark.item("week2.value_backward")


# Operators


@operators
def test_value_arithmetic(student):
    """-, * and / of two Values, and their gradients."""
    check_values(student, "a - b", lambda a, b: a - b, 2.0, -3.0)
    check_values(student, "a * b", lambda a, b: a * b, 2.0, -3.0)
    check_values(student, "a / b", lambda a, b: a / b, 3.0, -2.0)


@operators
def test_value_power(student):
    """a ** n with a number n, and its gradient, also for a ** 0."""
    for n in (3, -2, 0.5, 0):
        check_values(student, f"a ** {n}", lambda a, n=n: a**n, 1.5)


@operators
def test_value_power_with_a_value(student):
    """a ** b of two Values, and its gradients."""
    check_values(student, "a ** b", lambda a, b: a**b, 1.5, 2.5)


@operators
def test_value_and_number(student):
    """A plain number may stand on the right of +, -, * and /."""
    operations = {
        "a + 3": lambda a: a + 3,
        "a - 3": lambda a: a - 3,
        "a * 3": lambda a: a * 3,
        "a / 4": lambda a: a / 4,
    }
    for label, f in operations.items():
        check_values(student, label, f, -1.5)


@operators
def test_number_and_value(student):
    """A plain number may stand on the left of +, -, *, / and **."""
    operations = {
        "3 + a": lambda a: 3 + a,
        "3 - a": lambda a: 3 - a,
        "3 * a": lambda a: 3 * a,
        "3 / a": lambda a: 3 / a,
        "3 ** a": lambda a: 3**a,
    }
    for label, f in operations.items():
        check_values(student, label, f, 2.0)


# Functions


def logistic(x):
    """Return the sigmoid."""
    return 1.0 / (1.0 + np.exp(-x))


def check_slope(student, name, number, data, slope):
    """Compare a function's value and its slope at one number with known ones."""
    [a] = values(student, number)
    result = getattr(a, name)()
    expect.close(f"data of a.{name}() at a = {number:g}", result.data, data)
    result.backward(0.7)
    expect.close(f"a.grad of a.{name}() at a = {number:g}", a.grad, 0.7 * slope)


@functions
def test_value_relu(student):
    """relu on both sides of 0, and its gradient; at 0 its slope is 0."""
    check_values(student, "a.relu() at 2", relu, 2.0, apply=lambda a: a.relu())
    check_values(student, "a.relu() at -2", relu, -2.0, apply=lambda a: a.relu())
    check_slope(student, "relu", 0.0, 0.0, 0.0)


@functions
def test_value_exp_and_log(student):
    """exp and log, and their gradients."""
    check_values(student, "a.exp()", np.exp, 0.5, apply=lambda a: a.exp())
    check_values(student, "a.log()", np.log, 0.5, apply=lambda a: a.log())


@functions
def test_value_log_of_zero(student):
    """log of 0 raises a ValueError."""
    [a] = values(student, 0.0)
    expect.raises("a.log() at a = 0", a.log, "ValueError")


@functions
def test_value_tanh_and_sigmoid(student):
    """tanh and sigmoid, and their gradients."""
    check_values(student, "a.tanh()", np.tanh, 0.5, apply=lambda a: a.tanh())
    check_values(student, "a.sigmoid()", logistic, 0.5, apply=lambda a: a.sigmoid())


@functions
def test_value_sigmoid_of_large_numbers(student):
    """sigmoid of +-1000 is 1 and 0."""
    check_slope(student, "sigmoid", 1000.0, 1.0, 0.0)
    check_slope(student, "sigmoid", -1000.0, 0.0, 0.0)


# backward, on graphs of additions


@backward
def test_value_backward_begins_with_its_argument(student):
    """backward() begins with 1, and backward(0.7) with 0.7."""
    a, b = values(student, 2.0, -3.0)
    (a + b).backward()
    expect.close("a.grad", a.grad, 1.0)
    b.backward(0.7)
    expect.close("b.grad", b.grad, 1.7)


@backward
def test_value_used_twice(student):
    """In a + a both uses count."""
    [a] = values(student, 3.0)
    (a + a).backward(0.7)
    expect.close("a.grad", a.grad, 1.4)


@backward
def test_value_diamond(student):
    """A value that two others use passes its gradient on once both have come."""
    a, b = values(student, 2.0, -3.0)
    shared = a + b
    ((shared + shared) + (shared + shared)).backward(0.7)
    expect.close("a.grad", a.grad, 2.8)
    expect.close("shared.grad", shared.grad, 2.8)


@backward
def test_value_used_at_different_depths(student):
    """The longest way from the result decides when a value's turn is."""
    a, b, c = values(student, 2.0, -3.0, 1.0)
    shared = a + b
    twice = shared + shared
    ((shared + shared) + ((twice + twice) + c)).backward(0.7)
    expect.close("a.grad", a.grad, 6 * 0.7)
    expect.close("b.grad", b.grad, 6 * 0.7)


@backward
def test_value_second_backward(student):
    """A second backward adds the same again to the leaves."""
    a, b, c = values(student, 2.0, -3.0, 1.0)
    result = (a + b) + c
    result.backward(0.7)
    result.backward(0.7)
    expect.close("a.grad", a.grad, 1.4)
    expect.close("c.grad", c.grad, 1.4)


@backward
def test_value_zero_grad(student):
    """zero_grad clears the result and all that it was computed from."""
    a, b = values(student, 2.0, -3.0)
    result = a + b
    result.backward(0.7)
    expect.close("a.grad", a.grad, 0.7)
    result.zero_grad()
    expect.close("a.grad after zero_grad", a.grad, 0.0)
    expect.close("result.grad after zero_grad", result.grad, 0.0)


@backward
def test_value_deep_graph(student):
    """A chain of 20,000 additions works, and so does y = y + y, 40 times."""
    for driver, size, paths in (("chain", 20_000, 20_001), ("doubled", 40, 2.0**40)):
        [x] = values(student, 1.0)
        student.operand(student.prepare(driver, x, size)).backward(0.5)
        expect.close(f"x.grad of the graph {driver}", x.grad, 0.5 * paths)
