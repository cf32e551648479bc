"""Hidden tests of mnist_autograd: LinearAutograd, ReLUAutograd and AutogradMLP.

Layers are compared with the student's own operators, and the network with its own layers: a mistake
in the engine is the same on both sides and must not show here again. Where gradients flow, all
sizes and the batch are 5, for the same reason.
"""

import numpy as np
import pytest

from autograder.channel.handles import Handle
from autograder.suite import expect

from ..suite_tools.engine import tensors

pytestmark = pytest.mark.item("week2.layers")
needs_engine = pytest.mark.needs(
    "week2.tensor_elementwise",
    "week2.broadcasting",
    "week2.matmul",
    "week2.shapes",
    "week2.tensor_backward",
    "week2.cross_entropy",
)

SIZE = 5
LR = 0.3
PARTS = [(layer, name) for layer in ("layer1", "layer2") for name in ("W", "b")]


def linear(student, W, b):
    """Return a layer with these parameters."""
    layer = student.operand(student.mnist_autograd.LinearAutograd(W.shape[1], W.shape[0]))
    layer.W.data, layer.b.data = W, b
    return layer


def parameters(rng):
    """Return W and b of both layers of a square network."""
    return [0.7 * rng.normal(size=shape) for shape in ((SIZE, SIZE), SIZE) * 2]


def square(student, arrays):
    """Return a network of 5 inputs, 5 hidden units and 5 classes with these parameters."""
    model = student.operand(student.mnist_autograd.AutogradMLP(SIZE, SIZE, SIZE))
    for (layer, name), array in zip(PARTS, arrays, strict=True):
        getattr(getattr(model, layer), name).data = array
    return model


def batch(rng):
    """Return inputs and labels for the square network."""
    return rng.normal(size=(SIZE, SIZE)), rng.integers(0, SIZE, size=SIZE)


def by_hand(student, arrays, x, y):
    """Return the loss and the gradients of a copy whose layers are run one by one."""
    copy = square(student, arrays)
    [start] = tensors(student, x, requires_grad=False)
    logits = copy.layer2.forward(copy.activation.forward(copy.layer1.forward(start)))
    loss = student.operand(student.tensor.cross_entropy(logits, y))
    loss.backward()
    value = expect.array("cross_entropy", loss.data, ())
    expect.that("cross_entropy", bool(value), "the loss of random predictions is 0")
    return float(value), gradients(copy)


def gradients(model):
    """Return the gradients of all parameters, in the order of PARTS."""
    received = []
    for layer, name in PARTS:
        label = f"{layer}.{name}.grad"
        parameter = getattr(getattr(model, layer), name)
        received.append(lively(label, parameter.grad, (SIZE, SIZE) if name == "W" else (SIZE,)))
    return received


def lively(label, received, shape):
    """Return an array of the student's to compare with: of that shape, and not all zeros."""
    array = expect.array(label, received, shape)
    expect.that(label, bool(np.any(array)), "it is zero everywhere")
    return array


def expect_parameters(model, expected):
    """Compare the data of all parameters."""
    for (layer, name), array in reversed(list(zip(PARTS, expected, strict=True))):
        expect.close(f"{layer}.{name}.data", getattr(getattr(model, layer), name).data, array)


# LinearAutograd


def test_initial_parameters(student):
    """LinearAutograd(4, 3) starts with W of shape (3, 4) and b = (0, 0, 0); both need gradients."""
    layer = student.mnist_autograd.LinearAutograd(4, 3)
    expect.array("W.data", layer.W.data, (3, 4))
    expect.close("b.data", layer.b.data, np.zeros(3))
    expect.equal("W.requires_grad", layer.W.requires_grad, True)
    expect.equal("b.requires_grad", layer.b.requires_grad, True)


@pytest.mark.weight(2)
def test_initial_weights_have_the_variance_of_he(student):
    """The initial weights have mean 0 and variance 2 / in_features."""
    rng = student.probe("generator")(7)
    layer = student.mnist_autograd.LinearAutograd(400, 150, rng=rng)
    W = expect.array("W.data", layer.W.data, (150, 400))
    expect.close("mean of W", float(np.mean(W)), 0.0, rtol=0, atol=0.003)
    expect.close("variance of W", float(np.var(W)), 2 / 400, rtol=0.05)


def test_weights_come_from_the_generator(student):
    """The same generator gives the same weights, another one others; without one, they differ."""
    make, generator = student.mnist_autograd.LinearAutograd, student.probe("generator")
    first, again, other = (
        expect.array("W.data", make(4, 3, rng=generator(seed)).W.data, (3, 4)) for seed in (5, 5, 6)
    )
    expect.that("W.data", bool(np.any(first)), "all weights start at zero")
    expect.close("W.data from the same seed", again, first)
    differs = not np.array_equal(first, other)
    expect.that("W.data from another seed", differs, "two seeds gave the same weights")
    one, two = (expect.array("W.data", make(4, 3).W.data, (3, 4)) for _ in range(2))
    differs = not np.array_equal(one, two)
    expect.that("W.data of two layers", differs, "both layers started with the same weights")


@needs_engine
@pytest.mark.weight(2)
def test_linear_forward(student, rng):
    """LinearAutograd.forward is x @ W.T + b, and calling the layer is the same."""
    W, b, x = rng.normal(size=(SIZE, SIZE)), rng.normal(size=SIZE), rng.normal(size=(SIZE, SIZE))
    start, weights, biases = tensors(student, x, W, b)
    expected = lively("x @ W.T + b", (start @ weights.T + biases).data, (SIZE, SIZE))
    layer = linear(student, W, b)
    expect.close("forward output", layer.forward(start).data, expected)
    expect.close("output of layer(x)", layer(start).data, expected)


@needs_engine
def test_linear_shapes(student, rng):
    """LinearAutograd(4, 3) takes rows of 4 numbers to rows of 3."""
    layer = linear(student, rng.normal(size=(3, 4)), rng.normal(size=3))
    [x] = tensors(student, rng.normal(size=(6, 4)))
    expect.array("forward output", layer.forward(x).data, (6, 3))


@needs_engine
@pytest.mark.weight(2)
def test_linear_gradients(student, rng):
    """Gradients reach W, b and the input of a LinearAutograd as they do for x @ W.T + b."""
    W, b, x = rng.normal(size=(SIZE, SIZE)), rng.normal(size=SIZE), rng.normal(size=(SIZE, SIZE))
    upstream = rng.normal(size=(SIZE, SIZE))
    start, weights, biases = tensors(student, x, W, b)
    (start @ weights.T + biases).backward(upstream)
    layer, [again] = linear(student, W, b), tensors(student, x)
    layer.forward(again).backward(upstream)
    pairs = {"x": (again, start), "W": (layer.W, weights), "b": (layer.b, biases)}
    for name, (received, expected) in pairs.items():
        shape = (SIZE,) if name == "b" else (SIZE, SIZE)
        wanted = lively(f"{name}.grad of x @ W.T + b", expected.grad, shape)
        expect.close(f"{name}.grad", received.grad, wanted)


def test_linear_parameters(student, rng):
    """parameters() of a LinearAutograd returns the tensors W and b themselves."""
    W, b = rng.normal(size=(3, 4)), rng.normal(size=3)
    expect_data("parameters()", linear(student, W, b).parameters(), [W, b])


def expect_data(label, received, expected):
    """Compare a list of tensors with arrays, in this order."""
    listed = isinstance(received, list | tuple) and all(isinstance(p, Handle) for p in received)
    expect.that(label, listed, "it must return a list of tensors")
    expect.equal(f"length of {label}", len(received), len(expected))
    for index, (parameter, array) in enumerate(zip(received, expected, strict=True)):
        expect.close(f"data of {label}[{index}]", parameter.data, array)


# ReLUAutograd


@needs_engine
def test_relu_layer(student, rng):
    """ReLUAutograd is relu, and has no parameters."""
    x, upstream = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    again, start = tensors(student, x, x)
    expected = start.relu()
    layer = student.operand(student.mnist_autograd.ReLUAutograd())
    result = layer.forward(again)
    expect.close("forward output", result.data, lively("x.relu()", expected.data, (4, 3)))
    expected.backward(upstream)
    result.backward(upstream)
    expect.close("x.grad", again.grad, lively("x.grad of x.relu()", start.grad, (4, 3)))
    expect_data("parameters()", layer.parameters(), [])


# AutogradMLP


def test_sizes_of_the_network(student):
    """AutogradMLP() has 784 inputs, 128 hidden units and 10 classes."""
    model = student.mnist_autograd.AutogradMLP()
    shapes = {"W": (128, 784), "b": (128,)}, {"W": (10, 128), "b": (10,)}
    for layer, wanted in zip(("layer1", "layer2"), shapes, strict=True):
        for name, shape in wanted.items():
            received = getattr(getattr(model, layer), name).data
            expect.array(f"{layer}.{name}.data", received, shape)


def test_parameters_of_the_network(student, rng):
    """parameters() of the network returns W and b of layer1, then those of layer2."""
    arrays = parameters(rng)
    expect_data("parameters()", square(student, arrays).parameters(), arrays)


@needs_engine
@pytest.mark.weight(2)
def test_forward(student, rng):
    """forward takes an array through layer1, activation and layer2, and returns the logits."""
    arrays, (x, _) = parameters(rng), batch(rng)
    copy, [start] = square(student, arrays), tensors(student, x)
    expected = copy.layer2.forward(copy.activation.forward(copy.layer1.forward(start)))
    expected = expect.array("output of layer2", expected.data, (SIZE, SIZE))
    expect.that("output of layer2", float(np.ptp(expected)) > 0, "all outputs are the same")
    logits = student.operand(square(student, arrays).forward(x))
    expect.close("logits", logits.data, expected)


@needs_engine
def test_train_step_returns_the_loss(student, rng):
    """train_step returns, as a float, the loss that the batch had before the update."""
    arrays, (x, y) = parameters(rng), batch(rng)
    value, _ = by_hand(student, arrays, x, y)
    loss = square(student, arrays).train_step(x, y, LR)
    expect.that("loss", type(loss) is float, f"expected a float, got {expect.kind_of(loss)}")
    expect.close("loss", loss, value)


@needs_engine
@pytest.mark.weight(2)
def test_train_step_learns(student, rng):
    """train_step moves all parameters against their gradients, by lr."""
    arrays, (x, y) = parameters(rng), batch(rng)
    _, steps = by_hand(student, arrays, x, y)
    model = square(student, arrays)
    model.train_step(x, y, LR)
    expect_parameters(model, [a - LR * step for a, step in zip(arrays, steps, strict=True)])


@needs_engine
@pytest.mark.weight(2)
def test_train_step_starts_afresh(student, rng):
    """The gradients of earlier steps have no part in a step."""
    arrays = parameters(rng)
    model = square(student, arrays)
    for _ in range(3):
        x, y = batch(rng)
        _, steps = by_hand(student, arrays, x, y)
        model.train_step(x, y, LR)
        arrays = [array - LR * step for array, step in zip(arrays, steps, strict=True)]
        expect_parameters(model, arrays)


@needs_engine
def test_train_step_keeps_its_arguments(student, rng):
    """train_step changes neither x nor y."""
    x, y = batch(rng)
    kept_x, kept_y = student.keep(x), student.keep(y)
    loss = square(student, parameters(rng)).train_step(kept_x, kept_y, LR)
    expect.array("loss", loss, ())
    expect.unchanged("x", x, student.fetch(kept_x))
    expect.unchanged("y", y, student.fetch(kept_y))


def classifier(student, rng):
    """Return a network of 6 inputs and 3 classes, 12 examples, and its logits for them."""
    model = student.operand(student.mnist_autograd.AutogradMLP(6, 4, 3))
    x = rng.normal(size=(12, 6))
    model.layer2.b.data = np.array([0.1, 0.0, -0.1])
    logits = expect.array("logits", student.operand(model.forward(x)).data, (12, 3))
    expect.that("logits", float(np.ptp(logits)) > 0, "all logits are the same")
    return model, x, logits


@needs_engine
@pytest.mark.weight(2)
def test_predict(student, rng):
    """predict returns, for each row, the class with the largest logit, as integers (N,)."""
    model, x, logits = classifier(student, rng)
    received = expect.array("predict", model.predict(x), (12,))
    expect.that("predict", received.dtype.kind in "iu", f"dtype {received.dtype} is no integer")
    expect.equal("predict", received, logits.argmax(axis=1))


@needs_engine
def test_evaluate(student, rng):
    """evaluate returns the share of right predictions: 9 of 12 are 0.75."""
    model, x, logits = classifier(student, rng)
    y = logits.argmax(axis=1)
    y[:3] = (y[:3] + 1) % 3
    expect.close("accuracy", model.evaluate(x, y), 0.75)


@needs_engine
def test_predict_and_evaluate_leave_the_engine_on(student, rng):
    """After predict and evaluate graphs are built as before."""
    model, x, logits = classifier(student, rng)
    expect.equal("predict", model.predict(x), logits.argmax(axis=1))
    expect.close("accuracy", model.evaluate(x, logits.argmax(axis=1)), 1.0)
    expect.equal("requires_grad of the logits", model.forward(x).requires_grad, True)


@needs_engine
def test_predict_builds_no_graph(student, rng):
    """predict computes its logits within no_grad."""
    model, x, _ = classifier(student, rng)
    block = student.tensor.no_grad()
    student.probe("enter")(block)
    inside = student.operand(model.forward(x)).requires_grad
    student.probe("leave")(block)
    for wanted in student.drive("graphs_within", model, "predict", x):
        expect.equal("requires_grad of the logits within predict", wanted, inside)


def test_both_layers_use_the_generator(student):
    """AutogradMLP hands its generator to both layers: the same seed gives the same network."""
    make, generator = student.mnist_autograd.AutogradMLP, student.probe("generator")
    first, again = (make(6, 5, 4, rng=generator(3)) for _ in range(2))
    for layer, shape in (("layer1", (5, 6)), ("layer2", (4, 5))):
        one, other = (getattr(model, layer).W.data for model in (first, again))
        wanted = lively(f"{layer}.W.data", one, shape)
        expect.close(f"{layer}.W.data of another network with the same seed", other, wanted)
