"""Hidden tests of AutogradMLP and of the layers' initial weights (beyond the texts, week2.network).

Weights are set from outside, and all that is expected is computed here. Where gradients don't
matter, the network is also asked with layers of ours in the place of its own.
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
    mean_loss,
    two_layers,
)

pytestmark = pytest.mark.item("week2.network")
needs_engine = pytest.mark.needs(
    "week2.tensor_elementwise",
    "week2.broadcasting",
    "week2.matmul",
    "week2.sum",
    "week2.reshape",
    "week2.tensor_backward",
    "week2.layers",
)
needs_layers = pytest.mark.needs("week2.layers")
needs_no_grad = pytest.mark.needs("week2.robustness", "week2.layers")

SIZES = INPUTS, HIDDEN, CLASSES = 6, 5, 4
LR = 0.3


def parameters(rng):
    """Return W1, b1, W2, b2 of a small network, each W as (in, out)."""
    shapes = (INPUTS, HIDDEN), HIDDEN, (HIDDEN, CLASSES), CLASSES
    return [0.7 * rng.normal(size=shape) for shape in shapes]


def network(student, arrays):
    """Return the student's network with these parameters, and its linear layers."""
    model = student.operand(student.mnist_autograd.AutogradMLP(*SIZES))
    layers = layers_of(model)
    layout = layout_of(student)
    for layer, W, b in zip(layers[::2], arrays[::2], arrays[1::2], strict=True):
        layer.W.data, layer.b.data = layout.weights(W), layout.biases(b)
    return model, layers, layout


def layers_of(model):
    """Return the three layers of a network."""
    layers = model.layers
    listed = isinstance(layers, list | tuple) and all(isinstance(one, Handle) for one in layers)
    expect.that("layers", listed, "it must be a list of layers.")
    expect.equal("length of layers", len(layers), 3)
    return list(layers)


def with_our_layers(student, arrays, last=None):
    """Return the student's network with layers of ours, which compute behind the engine's back."""
    model, make, layer = network(student, arrays)[0], student.autograd.Tensor, student.probe("step")
    eye, zero = np.eye(HIDDEN), np.zeros(HIDDEN)
    layers = [
        layer(make, *arrays[:2], -np.inf),
        layer(make, eye, zero, 0.0),
        layer(make, *arrays[2:], -np.inf) if last is None else last,
    ]
    student.drive("put_in", model, layers)
    return model


def bent(student, rng, arrays):
    """Return a network whose linear layers do something more, which only who calls them gets.

    They multiply their results by matrices of ours. Also returned: its linear layers, the layout,
    and the function of (W1, b1, W2, b2, x) that the network computes.
    """
    model, layers, layout = network(student, arrays)
    C, D = rng.normal(size=(HIDDEN, HIDDEN)), rng.normal(size=(CLASSES, CLASSES))
    for layer, matrix in ((layers[0], C), (layers[2], D)):
        student.drive("bend", layer, student.autograd.Tensor, matrix)

    def logits(W1, b1, W2, b2, x):
        return two_layers([W1 @ C, b1 @ C, W2 @ D, b2 @ D], x)

    return model, layers, layout, logits


def either(student, rng, arrays, look):
    """Call `look(model, logits)` with layers of the network's own, bent, or else with ours."""

    def own():
        model, _, _, logits = bent(student, rng, arrays)
        return look(model, partial(logits, *arrays))

    def ours():
        return look(with_our_layers(student, arrays), partial(two_layers, arrays))

    return expect.any_of(own, ours)


def batch(rng):
    """Return inputs and labels."""
    return rng.normal(size=(8, INPUTS)), rng.integers(0, CLASSES, size=8)


def step_from(logits, arrays, x, y):
    """Return the parameters after a step of gradient descent."""
    d_logits = loss_gradient(logits(*arrays, x), y)
    gradients = vjp(lambda *parts: logits(*parts, x), arrays, d_logits)
    return [array - LR * gradient for array, gradient in zip(arrays, gradients, strict=True)]


def in_layout(layout, arrays):
    """Return W1, b1, W2, b2 in the student's layout."""
    turns = (layout.weights, layout.biases) * 2
    return [turn(array) for turn, array in zip(turns, arrays, strict=True)]


def expect_parameters(layers, layout, expected):
    """Compare the data of all parameters."""
    turned = in_layout(layout, expected)
    wanted = {"layers[0].W": 0, "layers[0].b": 1, "layers[2].W": 2, "layers[2].b": 3}
    for name, k in reversed(wanted.items()):
        received = getattr(layers[2 * (k // 2)], name[-1]).data
        expect.close(f"{name}.data", received, turned[k], **TOLERANCE)


# The layers' initial weights


@needs_layers
@pytest.mark.weight(2)
def test_initial_weights_have_the_variance_of_he(student):
    """The initial weights have mean 0 and variance 2 / in_dim; b is zero."""
    layout = layout_of(student)
    layer = student.mnist_autograd.LinearAutograd(400, 150, rng=student.probe("generator")(7))
    W, b = layout.ours("LinearAutograd(400, 150)", layer.W.data, layer.b.data, (400, 150))
    expect.close("b.data", b, np.zeros(150))
    expect.close("variance of W", float(np.var(W)), 2 / 400, rtol=0.05)
    expect.close("mean of W", float(np.mean(W)), 0.0, rtol=0, atol=0.003)


@needs_layers
def test_weights_come_from_the_generator(student):
    """The same generator gives the same weights, another one others; without one, they differ."""
    make, generator = student.mnist_autograd.LinearAutograd, student.probe("generator")
    first, again, other = (make(4, 3, rng=generator(seed)).W.data for seed in (5, 5, 6))
    expect.differ("W.data", first, 0, "all weights start at zero")
    # Which weights a seed gives is up to the student; that another gives others is asked below.
    expect.repeated("W.data from the same seed", first, again)
    expect.differ("W.data from another seed", first, other, "two seeds gave the same weights")
    one, two = (make(4, 3).W.data for _ in range(2))
    message = "both layers started with the same weights"
    expect.differ("W.data of two layers", one, two, message)


@needs_layers
def test_forward_of_a_layer(student, rng):
    """The layers' forward is the same as calling them; a ReLUAutograd has no parameters."""
    (W, b, *_), x = parameters(rng), rng.normal(size=(3, INPUTS))
    layer = linear(student, layout_of(student), W, b)
    received = layer.forward(student.autograd.Tensor(x)).data
    expect.close("data of layer.forward(x)", received, x @ W + b, **TOLERANCE)
    empty = student.drive("listed", student.mnist_autograd.ReLUAutograd().parameters())
    expect.equal("length of parameters() of a ReLUAutograd", len(empty), 0)


# AutogradMLP


@needs_layers
def test_sizes_of_the_network(student):
    """AutogradMLP() has 784 inputs, 128 hidden units and 10 classes."""
    model, layout = student.mnist_autograd.AutogradMLP(), layout_of(student)
    first, _, second = layers_of(model)
    layout.ours("layers[0]", first.W.data, first.b.data, (784, 128))
    layout.ours("layers[2]", second.W.data, second.b.data, (128, 10))


@needs_layers
def test_parameters_of_the_network(student, rng):
    """parameters() of the network returns the tensors W and b, the first linear layer's first."""
    arrays = parameters(rng)
    model, layers, layout = network(student, parameters(rng))
    received = student.drive("listed", model.parameters())
    are_tensors = isinstance(received, list) and all(isinstance(one, Handle) for one in received)
    expect.that("parameters()", are_tensors, "it must return a list of tensors.")
    expect.equal("length of parameters()", len(received), 4)
    wanted = in_layout(layout, arrays)
    for number, parameter in enumerate(received):
        shape = expect.shape_of("data of parameters()", parameter.data)
        ours = wanted[:2] if number < 2 else wanted[2:]
        fitting = [array for array in ours if array.shape == shape]
        message = f"entry {number} is not one of the {'first' if number < 2 else 'second'} layer's."
        expect.that("parameters()", bool(fitting), message)
        parameter.data = fitting[0]
    expect_parameters(layers, layout, arrays)


@pytest.mark.weight(2)
@needs_layers
def test_logits(student, rng):
    """forward takes an array through the three layers, and returns the logits."""
    arrays, (x, _) = parameters(rng), batch(rng)

    def look(model, logits):
        received = student.operand(model.forward(x))
        expect.close("data of forward(x)", received.data, logits(x), **TOLERANCE)

    either(student, rng, arrays, look)


@needs_engine
def test_train_step_returns_the_loss(student, rng):
    """train_step returns, as a float, the loss that the batch had before the update."""
    arrays, (x, y) = parameters(rng), batch(rng)
    model, _, _, logits = bent(student, rng, arrays)
    loss = model.train_step(x, y, LR)
    expect.that("loss", type(loss) is float, f"expected a float, got {expect.kind_of(loss)}")
    expect.close("loss", loss, mean_loss(logits(*arrays, x), y), **TOLERANCE)


@needs_engine
@pytest.mark.weight(2)
def test_train_step_learns(student, rng):
    """train_step moves all parameters against their gradients, by lr."""
    arrays, (x, y) = parameters(rng), batch(rng)
    model, layers, layout, logits = bent(student, rng, arrays)
    model.train_step(x, y, LR)
    expect_parameters(layers, layout, step_from(logits, arrays, x, y))


@needs_engine
@pytest.mark.weight(2)
def test_train_step_starts_afresh(student, rng):
    """The gradients of earlier steps have no part in a step."""
    arrays = parameters(rng)
    model, layers, layout, logits = bent(student, rng, arrays)
    for _ in range(3):
        x, y = batch(rng)
        model.train_step(x, y, LR)
        arrays = step_from(logits, arrays, x, y)
        expect_parameters(layers, layout, arrays)


@needs_engine
def test_train_step_keeps_its_arguments(student, rng):
    """train_step changes neither x nor y."""
    arrays, (x, y) = parameters(rng), batch(rng)
    kept_x, kept_y = student.keep(x), student.keep(y)
    model, _, _, logits = bent(student, rng, arrays)
    loss = model.train_step(kept_x, kept_y, LR)
    expect.close("loss", loss, mean_loss(logits(*arrays, x), y), **TOLERANCE)
    expect.unchanged("x", x, student.fetch(kept_x))
    expect.unchanged("y", y, student.fetch(kept_y))


@pytest.mark.weight(2)
@needs_layers
def test_predict(student, rng):
    """predict returns, for each row, the class with the largest logit, as integers (N,)."""
    arrays, (x, _) = parameters(rng), batch(rng)

    def look(model, logits):
        received = expect.array("predict", model.predict(x), (8,))
        expect.that("predict", received.dtype.kind in "iu", f"dtype {received.dtype} is no integer")
        expect.equal("predict", received, logits(x).argmax(axis=1))

    either(student, rng, arrays, look)


@needs_layers
def test_evaluate(student, rng):
    """evaluate returns the share of right predictions."""
    arrays, (x, _) = parameters(rng), batch(rng)
    wrong = int(rng.integers(1, 7))

    def look(model, logits):
        y = logits(x).argmax(axis=1)
        y[:wrong] = (y[:wrong] + 1) % CLASSES
        expect.close("accuracy", model.evaluate(x, y), 1.0 - wrong / 8)

    either(student, rng, arrays, look)


@needs_no_grad
def test_predict_and_evaluate_leave_the_engine_on(student, rng):
    """After predict and evaluate graphs are built as before."""
    arrays, (x, y) = parameters(rng), batch(rng)
    model, _, _, logits = bent(student, rng, arrays)
    predicted = logits(*arrays, x).argmax(axis=1)
    expect.equal("predict", model.predict(x), predicted)
    expect.close("accuracy", model.evaluate(x, y), float(np.mean(predicted == y)))
    received = student.operand(model.forward(x))
    expect.close("data of forward(x)", received.data, logits(*arrays, x), **TOLERANCE)
    expect.equal("requires_grad of the logits", received.requires_grad, True)


@needs_no_grad
def test_predict_builds_no_graph(student, rng):
    """predict computes its logits within no_grad."""
    arrays, x, c = parameters(rng), rng.normal(size=(32, INPUTS)), np.zeros(CLASSES)
    A, other = (rng.normal(size=(HIDDEN, CLASSES)) for _ in range(2))
    last = student.probe("watching")(student.autograd.Tensor, np.stack([A, other]), c, -np.inf)
    model = with_our_layers(student, arrays, last)
    within, elsewhere = (
        two_layers([*arrays[:2], matrix, c], x).argmax(axis=1) for matrix in (A, other)
    )
    received = expect.array("predict", model.predict(x), (32,))
    built = np.array_equal(received, within)
    expect.that("predict", not built, "a graph is built within predict.")
    expect.equal("predict", received.astype(np.int64), elsewhere)


@needs_layers
def test_both_layers_use_the_generator(student):
    """AutogradMLP hands its generator to both layers: the same seed gives the same network."""
    make, generator = student.mnist_autograd.AutogradMLP, student.probe("generator")
    first, again = (layers_of(make(*SIZES, rng=generator(3))) for _ in range(2))
    for k in (0, 2):
        one, other = (net[k].W.data for net in (first, again))
        expect.differ(f"layers[{k}].W.data", one, 0, "all weights start at zero")
        # Which weights a seed gives is up to the student.
        expect.repeated(f"layers[{k}].W.data of another network with the same seed", one, other)
