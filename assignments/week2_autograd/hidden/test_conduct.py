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
    "tanh": lambda x: 1 / np.cosh(x) ** 2,
}
OPERATORS = {
    "*": lambda x, y: y,
    "-": lambda x, y: np.ones_like(x),
    "/": lambda x, y: 1 / y,
    "**": lambda x, y: y * x ** (y - 1),
}


def positive(rng, *shape):
    """Return numbers from 0.5 to 1.5, on which everything here is defined."""
    return rng.uniform(0.5, 1.5, size=shape)


def both(student, rng, name, make, operand, shape, slope=None):
    """Return the traces of an operation and of its backward pass.

    `make` traces it, `shape` is that of its result, and `slope` the derivative where it acts entry
    by entry.
    """
    forward = make()
    upstream = rng.normal(size=shape)
    backward = student.trace(forward.result.backward, upstream)
    if slope is not None:
        backward = replace(backward, result=operand.grad).beside(upstream * slope)
    return {name: forward, f"{name}, backward": backward}


@pytest.mark.item("week2.tensor_elementwise")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(student, rng, name):
    """A function of a Tensor works on whole arrays and derives its gradient."""

    def run(rows, columns):
        x = positive(rng, rows, columns)
        a = student.tensor.Tensor(x, requires_grad=True)
        made = (lambda: student.trace(getattr(a, name)), a, x.shape, FUNCTIONS[name](x))
        return both(student, rng, f"Tensor.{name}", *made)

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.tensor_elementwise")
@pytest.mark.parametrize("symbol", OPERATORS)
def test_operator(student, rng, symbol):
    """An operator of Tensors works on whole arrays and derives its gradients."""

    def run(rows, columns):
        x, y = positive(rng, rows, columns), positive(rng, rows, columns)
        a, b = (student.tensor.Tensor(data, requires_grad=True) for data in (x, y))
        made = (lambda: student.trace(symbol, a, b), a, x.shape, OPERATORS[symbol](x, y))
        return both(student, rng, f"Tensor {symbol} Tensor", *made)

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.broadcasting")
def test_broadcasting(student, rng):
    """unbroadcast sums over whole axes."""

    def run(rows, columns):
        gradient = rng.normal(size=(rows, columns))
        return {"unbroadcast": student.trace(student.tensor.unbroadcast, gradient, (1, columns))}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.matmul")
def test_matmul(student, rng):
    """Products of matrices and their gradients are products of whole matrices."""

    def run(rows, columns):
        x, y = positive(rng, rows, columns), positive(rng, columns, 3)
        a, b = (student.tensor.Tensor(data, requires_grad=True) for data in (x, y))
        made = (lambda: student.trace("@", a, b), a, (rows, 3))
        return both(student, rng, "Tensor @ Tensor", *made)

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.reductions")
@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reduction(student, rng, name):
    """A reduction works on whole arrays and derives its gradient."""

    def run(rows, columns):
        a = student.tensor.Tensor(positive(rng, rows, columns), requires_grad=True)
        made = (lambda: student.trace(getattr(a, name), 1), a, (rows,))
        return both(student, rng, f"Tensor.{name}", *made)

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.shapes")
def test_shapes(student, rng):
    """Moving entries moves whole arrays."""

    def run(rows, columns):
        a = student.tensor.Tensor(positive(rng, rows, columns), requires_grad=True)
        made = (lambda: student.trace(a.transpose), a, (columns, rows))
        found = both(student, rng, "Tensor.transpose", *made)
        made = (lambda: student.trace(a.reshape, columns, rows), a, (columns, rows))
        return found | both(student, rng, "Tensor.reshape", *made)

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.cross_entropy")
def test_cross_entropy(student, rng):
    """The cross-entropy works on whole batches and derives its gradient."""

    def run(batch, classes):
        z, labels = rng.normal(size=(batch, classes)), rng.integers(0, classes, size=batch)
        logits = student.tensor.Tensor(z, requires_grad=True)
        forward = student.trace(student.tensor.cross_entropy, logits, labels)
        backward = student.trace(forward.result.backward)
        softmax = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        backward = replace(backward, result=logits.grad)
        backward = backward.beside((softmax - np.eye(classes)[labels]) / batch)
        return {"cross_entropy": forward, "cross_entropy, backward": backward}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.layers")
def test_layers(student, rng):
    """The network trains and predicts on whole batches."""

    def run(batch, features):
        model = student.mnist_autograd.AutogradMLP(features, 5, 3)
        x, y = rng.normal(size=(batch, features)), rng.integers(0, 3, size=batch)
        traces = {
            "AutogradMLP.train_step": student.trace(model.train_step, x, y, 0.1),
            "AutogradMLP.predict": student.trace(model.predict, x),
            "AutogradMLP.evaluate": student.trace(model.evaluate, x, y),
        }
        return {name: trace.within("mnist_autograd.py") for name, trace in traces.items()}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.value_functions")
def test_value_functions(student, rng):
    """The slopes of a Value's functions are derived."""
    slopes = {**FUNCTIONS, "sigmoid": lambda x: 1 / (2 + np.exp(x) + np.exp(-x))}
    for name, slope in slopes.items():
        traces = []
        for number in rng.uniform(0.5, 1.5, size=3):
            a = student.autograd.Value(float(number))
            forward = student.trace(getattr(a, name))
            backward = student.trace(forward.result.backward)
            grad = expect.array("a.grad", a.grad, ())
            traces.append(replace(backward, result=grad).beside(slope(number)))
        conduct.derived(f"Value.{name}, backward", *traces)
