"""No checks: whether the engine works on whole arrays, and derives its gradients.

What is noticed here becomes a flag, for a person to look at, and takes no point.
"""

from dataclasses import replace

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden import conduct

pytestmark = pytest.mark.flag(conduct.LOOPS)

FUNCTIONS = {
    "relu": lambda x: x > 0,
    "exp": np.exp,
    "log": lambda x: 1 / x,
}
MORE_FUNCTIONS = {
    "tanh": lambda x: 1 / np.cosh(x) ** 2,
    "sigmoid": lambda x: 1 / (2 + np.exp(x) + np.exp(-x)),
}
SLOPES = {**FUNCTIONS, **MORE_FUNCTIONS}
OPERATORS = {
    "*": lambda x, y: y,
    "-": lambda x, y: np.ones_like(x),
    "/": lambda x, y: 1 / y,
}


def positive(rng, *shape):
    """Return numbers from 0.5 to 1.5, on which everything here is defined."""
    return rng.uniform(0.5, 1.5, size=shape)


def both(student, rng, name, forward, operand, shape, slope=None):
    """Return the traces of an operation and of a backward pass through it.

    `shape` is that of the operation's result, and `slope` the derivative where it acts entry by
    entry. The graph goes on to a single number, by a product and a sum.
    """
    upstream = rng.normal(size=shape)
    total = (student.operand(forward.result) * student.autograd.Tensor(upstream)).sum()
    backward = student.trace(total.backward)
    if slope is not None:
        backward = replace(backward, result=operand.grad).beside(upstream * slope)
    return {name: forward, f"{name}, backward": backward}


def leaf(student, array):
    """Return a Tensor that requires a gradient."""
    return student.operand(student.autograd.Tensor(array, requires_grad=True))


@pytest.mark.parametrize(
    "name",
    [
        *(
            pytest.param(name, marks=pytest.mark.item("week2.tensor_elementwise"))
            for name in FUNCTIONS
        ),
        pytest.param("tanh", marks=pytest.mark.item("week2.more_operations")),
    ],
)
def test_function(student, rng, name):
    """A function of a Tensor works on whole arrays and derives its gradient."""

    def run(rows, columns):
        x = positive(rng, rows, columns)
        a = leaf(student, x)
        forward = student.trace(getattr(a, name))
        return both(student, rng, f"Tensor.{name}", forward, a, x.shape, SLOPES[name](x))

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.tensor_elementwise")
@pytest.mark.parametrize("symbol", OPERATORS)
def test_operator(student, rng, symbol):
    """An operator of Tensors works on whole arrays and derives its gradients."""

    def run(rows, columns):
        x, y = positive(rng, rows, columns), positive(rng, rows, columns)
        a, b = leaf(student, x), leaf(student, y)
        forward, slope = student.trace(symbol, a, b), OPERATORS[symbol](x, y)
        return both(student, rng, f"Tensor {symbol} Tensor", forward, a, x.shape, slope)

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.tensor_elementwise")
def test_power(student, rng):
    """A power of a Tensor works on whole arrays and derives its gradient."""

    def run(rows, columns):
        x = positive(rng, rows, columns)
        a = leaf(student, x)
        forward = student.trace("**", a, 3)
        return both(student, rng, "Tensor ** 3", forward, a, x.shape, 3 * x**2)

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.broadcasting")
def test_broadcasting(student, rng):
    """Broadcasting, and the sums of its gradients, work on whole arrays."""

    def run(rows, columns):
        a, b = leaf(student, positive(rng, 1, columns)), leaf(student, positive(rng, rows, columns))
        return both(student, rng, "a + b", student.trace("+", a, b), a, (rows, columns))

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.matmul")
def test_matmul(student, rng):
    """Products of matrices and their gradients are products of whole matrices."""

    def run(rows, columns):
        a, b = leaf(student, positive(rng, rows, columns)), leaf(student, positive(rng, columns, 3))
        return both(student, rng, "Tensor @ Tensor", student.trace("@", a, b), a, (rows, 3))

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.sum")
def test_sum(student, rng):
    """A sum works on whole arrays and derives its gradient."""

    def run(rows, columns):
        a = leaf(student, positive(rng, rows, columns))
        return both(student, rng, "Tensor.sum", student.trace(a.sum, 1), a, (rows,))

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.more_operations")
@pytest.mark.parametrize("name", ["mean", "max"])
def test_reduction(student, rng, name):
    """A reduction works on whole arrays and derives its gradient."""

    def run(rows, columns):
        a = leaf(student, positive(rng, rows, columns))
        forward = student.trace(getattr(a, name), 1)
        return both(student, rng, f"Tensor.{name}", forward, a, (rows,))

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.reshape")
def test_reshape(student, rng):
    """reshape moves whole arrays."""

    def run(rows, columns):
        a = leaf(student, positive(rng, rows, columns))
        forward = student.trace(a.reshape, columns, rows)
        return both(student, rng, "Tensor.reshape", forward, a, (columns, rows))

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.more_operations")
def test_transpose(student, rng):
    """transpose moves whole arrays."""

    def run(rows, columns):
        a = leaf(student, positive(rng, rows, columns))
        forward = student.trace(a.transpose)
        return both(student, rng, "Tensor.transpose", forward, a, (columns, rows))

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.value_functions")
def test_value_functions(student, rng):
    """The slopes of a Value's functions are derived."""
    check_slopes(student, rng, FUNCTIONS)


@pytest.mark.item("week2.more_operations")
def test_more_value_functions(student, rng):
    """So are those of more functions."""
    check_slopes(student, rng, MORE_FUNCTIONS)


def check_slopes(student, rng, slopes):
    """The slopes of these functions of a Value are those of formulas, not of finite differences."""
    for name, slope in slopes.items():
        traces = []
        for number in rng.uniform(0.5, 1.5, size=3):
            a = student.autograd.Value(float(number))
            forward = student.trace(getattr(a, name))
            backward = student.trace(forward.result.backward)
            grad = expect.array("a.grad", a.grad, ())
            traces.append(replace(backward, result=grad).beside(slope(number)))
        conduct.derived(f"Value.{name}, backward", *traces)
