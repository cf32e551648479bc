"""Public tests of Value, in autograd.py.

`student.autograd` is your module. `values(student, 2.0, -3.0)` makes leaves that have operators,
and `check_values(student, label, f, 2.0, -3.0)` compares the result of f and its gradients with
exact ones. So that the upstream gradient is not 1, the graph goes on after f: by a product, or, if
that fails, by a sum. The first line of each docstring is the title that `make check` prints.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import relu

from ..suite_tools.engine import check_values, values
from ..suite_tools.graphs import DOUBLED, SMALL, built, by_sums_or_products, paths

operators = pytest.mark.item("week2.value_operators")
functions = pytest.mark.item("week2.value_functions")
backward = pytest.mark.item("week2.value_backward")
more = pytest.mark.item("week2.more_operations")
robust = pytest.mark.item("week2.robustness")


# Operators


@operators
def test_value_product_and_sum(student):
    """a * b and a + b of two Values, and their gradients."""
    check_values(student, "a * b", lambda a, b: a * b, 2.0, -3.0)
    check_values(student, "a + b", lambda a, b: a + b, 2.0, -3.0)


@operators
def test_value_power(student):
    """a ** n with a number n, and its gradient."""
    for n in (3, -2, 0.5):
        check_values(student, f"a ** {n}", lambda a, n=n: a**n, 1.5)


@operators
def test_value_and_number(student):
    """A plain number may stand on either side of * and +."""
    operations = {
        "a * 3": lambda a: a * 3,
        "a + 3": lambda a: a + 3,
        "3 * a": lambda a: 3 * a,
        "3 + a": lambda a: 3 + a,
    }
    for label, f in operations.items():
        check_values(student, label, f, -1.5)


@operators
def test_value_used_twice_by_operators(student):
    """In a * a both uses of a count, and in a * b + a * b all four."""
    check_values(student, "a * a", lambda a: a * a, 3.0)
    check_values(student, "a * b + a * b", lambda a, b: a * b + a * b, 2.0, -3.0)


@operators
def test_value_remembers(student):
    """A result keeps its operands in _prev, in any order, and an operation in _op."""
    a, b = values(student, 2.0, -3.0)
    facts = student.drive("remembered", a * b, [a, b])
    expect.equal("which of a, b are in _prev of a * b", facts["operands"], [0, 1])
    expect.equal("how many others are in _prev of a * b", facts["others"], 0)
    expect.equal("_op of a leaf", student.drive("remembered", a, [])["operation"], "")


# Functions


@functions
def test_value_relu(student):
    """relu on both sides of 0, and its gradient."""
    check_values(student, "a.relu() at 2", relu, 2.0, apply=lambda a: a.relu())
    check_values(student, "a.relu() at -2", relu, -2.0, apply=lambda a: a.relu())


@functions
def test_value_exp_and_log(student):
    """exp and log, and their gradients."""
    check_values(student, "a.exp()", np.exp, 0.5, apply=lambda a: a.exp())
    check_values(student, "a.log()", np.log, 0.5, apply=lambda a: a.log())


# backward, on graphs of additions, or of products of ones: the gradients are numbers of paths


def check_graph(student, label, pairs):
    """Compare the gradients of the leaves a, b, c of a graph with the numbers of paths to them."""

    def check(symbol):
        starts = values(student, 1.0, 1.0, 1.0)
        built(starts, pairs, symbol)[-1].backward()
        for name, start, count in zip("abc", starts, paths(3, pairs)[:3], strict=True):
            expect.close(f"{name}.grad in {label}", start.grad, float(count))

    by_sums_or_products(check)


@backward
@pytest.mark.parametrize("label", SMALL)
def test_value_backward(student, label):
    """Where a value is used several times all contributions count, before it passes them on."""
    check_graph(student, label, SMALL[label])


@backward
def test_value_doubled(student):
    """y = y + y, 60 times: each node is visited once, though 2^60 paths lead to x."""
    check_graph(student, "y = y + y, 60 times", DOUBLED)


@backward
def test_value_of_two_graphs(student):
    """A leaf of two graphs adds up what comes from both; the result's own grad is 1."""

    def check(symbol):
        a, b, c = values(student, 1.0, 1.0, 1.0)
        first, second = (a + b, a + c) if symbol == "+" else (a * b, a * c)
        first.backward()
        second.backward()
        expect.close("a.grad", a.grad, 2.0)
        expect.close("grad of the second result", second.grad, 1.0)

    by_sums_or_products(check)


# Beyond the texts


def logistic(x):
    """Return the sigmoid."""
    return 1.0 / (1.0 + np.exp(-x))


@more
def test_value_tanh_and_sigmoid(student):
    """tanh and sigmoid, and their gradients; sigmoid of +-1000 is 1 and 0."""
    check_values(student, "a.tanh()", np.tanh, 0.5, apply=lambda a: a.tanh())
    for number in (0.5, 1000.0):
        check_values(student, "a.sigmoid()", logistic, number, apply=lambda a: a.sigmoid())
    [a] = values(student, -1000.0)
    expect.close("data of a.sigmoid() at a = -1000", a.sigmoid().data, 0.0)


@more
def test_value_power_with_a_value(student):
    """a ** b of two Values, and its gradients."""
    check_values(student, "a ** b", lambda a, b: a**b, 1.5, 2.5)


@robust
def test_value_second_backward(student):
    """A second backward adds the same again to the leaves; zero_grad clears all."""

    def check(symbol):
        a, b, c = values(student, 1.0, 1.0, 1.0)
        result = (a + b) + c if symbol == "+" else (a * b) * c
        result.backward()
        result.backward()
        expect.close("a.grad", a.grad, 2.0)
        expect.close("c.grad", c.grad, 2.0)
        result.zero_grad()
        expect.close("a.grad after zero_grad", a.grad, 0.0)

    by_sums_or_products(check)


@robust
def test_value_deep_graph(student):
    """A chain of 20,000 results works."""

    def check(symbol):
        [x] = values(student, 1.0)
        student.operand(student.prepare("chain", x, 20_000, symbol)).backward()
        expect.close("x.grad of a deep graph", x.grad, 20_001.0)

    by_sums_or_products(check)


@robust
def test_value_log_of_zero(student):
    """log of 0 raises a ValueError."""
    [a] = values(student, 0.0)
    expect.raises("a.log() at a = 0", a.log, "ValueError")
