"""Hidden tests of LinearAutograd and ReLUAutograd.

Weights are set from outside, in the layout that the student's layer has. Each layer is reached
through the student's engine and by stand-ins that note what it does (expressions.py).
"""

from functools import partial

import numpy as np
import pytest

from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.derivatives import vjp

from ..suite_tools.layers import (
    TOLERANCE,
    layout_of,
    linear,
    loss_gradient,
    two_layer_gradients,
    two_layers,
)
from .expressions import derivatives, expression, recorded, recording
from .without_backward import by_fed_ends

pytestmark = pytest.mark.item("week2.layers")


RELATIVE = {"rtol": 1e-4, "atol": 0.0}
"""For numbers of very different sizes, each of which counts; an engine may compute in float32."""


def case(rng, rows=6):
    """Return W (4, 3), b (3,) and x (rows, 4)."""
    return rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=(rows, 4))


# LinearAutograd


def test_shapes_of_the_parameters(student):
    """LinearAutograd(4, 3) has W of shape (4, 3), or (3, 4), and b of shape (3,), or (1, 3)."""
    layout = layout_of(student)
    layer = student.mnist_autograd.LinearAutograd(7, 2)
    layout.ours("LinearAutograd(7, 2)", layer.W.data, layer.b.data, (7, 2))


def linear_output(student, rng, layout, W, b, x, label):
    """Compare a linear layer's output with x W + b, in both ways."""

    def by_engine(feed, end, _):
        [given] = feed([x], rng)
        result = student.operand(linear(student, layout, W, b)(given))
        expect.close(f"data of {label}", result.data, x @ W + b, **TOLERANCE)
        reaches(label, given, x.shape, lambda: end(result))

    def by_recording():
        layer = recorded(student, linear(student, layout, W, b), "")
        value = expression(student, layer(recording(student, "x")))
        received = value(W=layout.weights(W), b=layout.biases(b), x=x)
        expect.close(f"data of {label}", received, x @ W + b, **TOLERANCE)

    upstream = rng.normal(size=(len(x), W.shape[1]))
    expect.any_of(lambda: by_fed_ends(student, upstream, by_engine, plain=False), by_recording)


def reaches(label, given, shape, backward):
    """The result is one of the graph's: backward leads from it to what the layer was given."""
    backward()
    gradient = expect.array(f"x.grad of {label}", given.grad, shape)
    message = "no gradient comes through the layer: is its result one of the graph's?"
    expect.that(f"x.grad of {label}", bool(np.any(gradient)), message)


@pytest.mark.weight(2)
def test_linear_output(student, rng):
    """A LinearAutograd that is called with x returns x W + b."""
    linear_output(student, rng, layout_of(student), *case(rng), label="layer(x)")


def test_linear_output_of_other_sizes(student, rng):
    """LinearAutograd works for one row, for square weights, and for one output."""
    layout = layout_of(student)
    linear_output(student, rng, layout, *case(rng, rows=1), label="layer(x) for one row")
    for inputs, outputs in ((5, 5), (4, 1)):
        W, b = rng.normal(size=(inputs, outputs)), rng.normal(size=outputs)
        x = rng.normal(size=(5, inputs))
        label = f"layer(x) of LinearAutograd({inputs}, {outputs})"
        linear_output(student, rng, layout, W, b, x, label)


def gradients_by_engine(student, layout, arrays, rng, feed, end, upstream):
    """Compare the gradients that the student's engine finds; `end` runs backward."""
    W, b, x = arrays
    layer, [given] = linear(student, layout, W, b), feed([x], rng)
    end(student.operand(layer(given)))
    expect.close("W.grad", layer.W.grad, layout.weights(x.T @ upstream), **RELATIVE)
    expect.close("b.grad", layer.b.grad, layout.biases(upstream.sum(axis=0)), **TOLERANCE)
    expect.close("x.grad", given.grad, upstream @ W.T, **TOLERANCE)


def gradients_by_recording(student, layout, arrays, upstream):
    """Compare the derivatives of the expression that the layer computes."""
    W, b, x = arrays
    layer = recorded(student, linear(student, layout, W, b), "")
    value = expression(student, layer(recording(student, "x")))
    received = derivatives(
        lambda W, b, x: value(W=W, b=b, x=x),
        [layout.weights(W), layout.biases(b), x],
        upstream,
    )
    expect.close("W.grad", received[0], layout.weights(x.T @ upstream), **RELATIVE)
    expect.close("b.grad", received[1], layout.biases(upstream.sum(axis=0)), **TOLERANCE)
    expect.close("x.grad", received[2], upstream @ W.T, **TOLERANCE)


@pytest.mark.weight(3)
def test_linear_gradients(student, rng):
    """Gradients reach W, b and the input of a LinearAutograd."""
    layout, (W, b, x), upstream = layout_of(student), case(rng), rng.normal(size=(6, 3))
    # Columns of very different sizes: a difference of two outputs holds nothing of the small ones.
    x[:, rng.permutation(4)] *= np.array([1e8, 1e2, 1e-2, 1e-8])
    arrays = W, b, x
    by_engine = partial(gradients_by_engine, student, layout, arrays, rng)
    expect.any_of(
        lambda: by_fed_ends(student, upstream, by_engine, plain=False),
        lambda: gradients_by_recording(student, layout, arrays, upstream),
    )


@pytest.mark.weight(2)
def test_linear_parameters(student, rng):
    """parameters() of a LinearAutograd returns the tensors W and b themselves, in any order."""
    layout, (W, b, _) = layout_of(student), case(rng)
    layer = linear(student, layout, rng.normal(size=(4, 3)), rng.normal(size=3))
    received = student.drive("listed", layer.parameters())
    are_tensors = isinstance(received, list) and all(isinstance(one, Handle) for one in received)
    expect.that("parameters()", are_tensors, "it must return a list of tensors.")
    expect.equal("length of parameters()", len(received), 2)
    shapes = [expect.shape_of("data of parameters()", one.data) for one in received]
    wanted = [layout.weights(W), layout.biases(b)]
    for array in wanted:
        found = [one for one, shape in zip(received, shapes, strict=True) if shape == array.shape]
        expect.equal(f"number of parameters of shape {array.shape}", len(found), 1)
        found[0].data = array
    expect.close("W.data after parameters() got new numbers", layer.W.data, wanted[0], **TOLERANCE)
    expect.close("b.data after parameters() got new numbers", layer.b.data, wanted[1], **TOLERANCE)


# ReLUAutograd


def apart(rng, *shape):
    """Return numbers of both signs, none of them near 0."""
    return rng.uniform(0.2, 2.0, size=shape) * rng.choice([-1.0, 1.0], size=shape)


@pytest.mark.weight(2)
def test_relu_output(student, rng):
    """A ReLUAutograd that is called with x returns max(0, x), entry by entry."""
    x = apart(rng, 5, 4)

    def by_engine(feed, end, _):
        [given] = feed([x], rng)
        result = student.operand(student.mnist_autograd.ReLUAutograd()(given))
        expect.close("data of layer(x)", result.data, np.maximum(x, 0.0), **TOLERANCE)
        reaches("layer(x)", given, x.shape, lambda: end(result))

    def by_recording():
        layer = student.mnist_autograd.ReLUAutograd()
        value = expression(student, layer(recording(student, "x")))
        expect.close("data of layer(x)", value(x=x), np.maximum(x, 0.0), **TOLERANCE)

    upstream = rng.normal(size=x.shape)
    expect.any_of(lambda: by_fed_ends(student, upstream, by_engine, plain=False), by_recording)


@pytest.mark.weight(2)
def test_relu_gradient(student, rng):
    """The gradient passes a ReLUAutograd where x is positive, and is 0 elsewhere."""
    # Numbers of all sizes: beside a small one a difference reaches over the bend at 0.
    x, upstream = apart(rng, 5, 4), rng.normal(size=(5, 4))
    x *= 10.0 ** rng.integers(-9, 3, size=(5, 4))

    def by_engine(feed, end, weights):
        [given] = feed([x], rng)
        end(student.operand(student.mnist_autograd.ReLUAutograd()(given)))
        expect.close("x.grad", given.grad, weights * (x > 0.0), **TOLERANCE)

    def by_recording():
        layer = student.mnist_autograd.ReLUAutograd()
        value = expression(student, layer(recording(student, "x")))
        [received] = derivatives(lambda x: value(x=x), [x], upstream)
        expect.close("x.grad", received, upstream * (x > 0.0), **TOLERANCE)

    expect.any_of(lambda: by_fed_ends(student, upstream, by_engine, plain=False), by_recording)


# Layers one after the other


@pytest.mark.weight(3)
def test_gradients_are_those_of_week_1(student, rng):
    """The gradients of linear, relu, linear with cross-entropy are those of week 1's formulas."""
    layout = layout_of(student)
    weights = [rng.normal(size=shape) for shape in ((7, 5), 5, (5, 4), 4)]
    x, labels = rng.normal(size=(8, 7)), rng.integers(0, 4, size=8)
    x[:, rng.permutation(7)] *= 10.0 ** -np.array([0, 0, 0, 0, 5, 9, 13])
    upstream = loss_gradient(two_layers(weights, x), labels)

    def network():
        first = linear(student, layout, *weights[:2])
        second = linear(student, layout, *weights[2:])
        return first, student.mnist_autograd.ReLUAutograd(), second

    def compare(received, d_logits):
        names = ("W1.grad", "b1.grad", "W2.grad", "b2.grad")
        turns = (layout.weights, layout.biases) * 2
        wanted = two_layer_gradients(weights, x, d_logits)
        for name, turn, one, gradient in zip(names, turns, received, wanted, strict=True):
            near = RELATIVE if name == "W1.grad" else TOLERANCE
            expect.close(name, one, turn(gradient), **near)

    def by_engine(feed, end, d_logits):
        [given], (first, activation, second) = feed([x], rng), network()
        end(student.operand(second(activation(first(given)))))
        [d_x] = vjp(lambda x: two_layers(weights, x), [x], d_logits)
        expect.close("x.grad", given.grad, d_x, **TOLERANCE)
        compare([first.W.grad, first.b.grad, second.W.grad, second.b.grad], d_logits)

    def by_recording():
        first, activation, second = network()
        first, second = recorded(student, first, "1"), recorded(student, second, "2")
        value = expression(student, second(activation(first(recording(student, "x")))))
        arrays = [layout.weights(weights[0]), layout.biases(weights[1])]
        arrays += [layout.weights(weights[2]), layout.biases(weights[3])]

        def function(*parts):
            return value(**dict(zip(("W1", "b1", "W2", "b2"), parts, strict=True)), x=x)

        compare(derivatives(function, arrays, upstream), upstream)

    expect.any_of(lambda: by_fed_ends(student, upstream, by_engine, plain=False), by_recording)
