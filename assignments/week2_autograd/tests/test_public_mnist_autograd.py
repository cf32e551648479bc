"""Public tests of the layers in mnist_autograd.py. Nothing is trained here.

Weights are set from outside: W as (in, out) or as (out, in), however your layer has it.
"""

import math

import numpy as np
import pytest

from autograder.suite import derivatives, expect

from ..suite_tools.engine import constant, tensors
from ..suite_tools.layers import (
    TOLERANCE,
    layout_of,
    linear,
    loss_gradient,
    two_layer_gradients,
    two_layers,
)

pytestmark = [
    pytest.mark.item("week2.layers"),
    pytest.mark.needs(
        "week2.tensor_elementwise",
        "week2.broadcasting",
        "week2.matmul",
        "week2.sum",
        "week2.tensor_backward",
    ),
]


def test_parameters_of_a_linear_layer(student):
    """LinearAutograd(4, 3) has W (4, 3), or (3, 4), and b (3,); parameters() returns both."""
    layout_of(student)
    layer = student.mnist_autograd.LinearAutograd(4, 3)
    received = student.drive("listed", layer.parameters())
    expect.equal("length of parameters()", len(received), 2)
    sizes = sorted(math.prod(expect.shape_of("data of parameters()", one.data)) for one in received)
    expect.equal("numbers in b and in W", sizes, [3, 12])


def test_linear_layer(student, rng):
    """LinearAutograd is x W + b, and gradients reach W, b and x."""
    W, b, x = (rng.normal(size=shape) for shape in ((4, 3), 3, (6, 4)))
    upstream = rng.normal(size=(6, 3))
    layout, [given] = layout_of(student), tensors(student, x)
    layer = linear(student, layout, W, b)
    result = student.operand(layer(given))
    expect.close("data of layer(x)", result.data, x @ W + b, **TOLERANCE)
    (result * constant(student, upstream)).sum().backward()
    dx, dW, db = derivatives.vjp(lambda x, W, b: x @ W + b, [x, W, b], upstream)
    expect.close("W.grad", layer.W.grad, layout.weights(dW), **TOLERANCE)
    expect.close("b.grad", layer.b.grad, layout.biases(db), **TOLERANCE)
    expect.close("x.grad", given.grad, dx, **TOLERANCE)


def test_relu_layer(student):
    """ReLUAutograd is max(0, x), and gradients get past it."""
    x, upstream = np.array([[1.0, -2.0], [-0.5, 3.0]]), np.array([[3.0, 4.0], [5.0, -6.0]])
    [given] = tensors(student, x)
    result = student.operand(student.mnist_autograd.ReLUAutograd()(given))
    expect.close("data of layer(x)", result.data, np.maximum(x, 0.0), **TOLERANCE)
    (result * constant(student, upstream)).sum().backward()
    expect.close("x.grad", given.grad, upstream * (x > 0.0), **TOLERANCE)


def test_gradients_are_those_of_week_1(student, rng):
    """The gradients of linear, relu, linear with cross-entropy are those of week 1's formulas."""
    arrays = [rng.normal(size=shape) for shape in ((4, 5), 5, (5, 3), 3)]
    x, y = rng.normal(size=(6, 4)), rng.integers(0, 3, size=6)
    layout, relu = layout_of(student), student.mnist_autograd.ReLUAutograd()
    first, second = (linear(student, layout, *arrays[k : k + 2]) for k in (0, 2))
    logits = student.operand(second(relu(first(constant(student, x)))))
    upstream = loss_gradient(two_layers(arrays, x), y)
    (logits * constant(student, upstream)).sum().backward()
    received = first.W.grad, first.b.grad, second.W.grad, second.b.grad
    wanted = two_layer_gradients(arrays, x, upstream)
    turns = (layout.weights, layout.biases) * 2
    names = ("W1.grad", "b1.grad", "W2.grad", "b2.grad")
    for name, turn, one, gradient in zip(names, turns, received, wanted, strict=True):
        expect.close(name, one, turn(gradient), **TOLERANCE)
