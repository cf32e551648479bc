"""Public tests of the layers and the network in mnist_autograd.py. Nothing is trained here.

The network is compared with its own layers, and layers with your tensors' own operators.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import tensors

pytestmark = [
    pytest.mark.item("week2.layers"),
    pytest.mark.needs("week2.matmul", "week2.shapes", "week2.tensor_backward"),
]

SIZE = 4
LR = 0.5
PARTS = [(layer, name) for layer in ("layer1", "layer2") for name in ("W", "b")]


def network(student, arrays):
    """Return a square network with these parameters."""
    model = student.operand(student.mnist_autograd.AutogradMLP(SIZE, SIZE, SIZE))
    for (layer, name), array in zip(PARTS, arrays, strict=True):
        getattr(getattr(model, layer), name).data = array
    return model


def parameters(rng):
    """Return W and b of both layers."""
    return [rng.normal(size=shape) for shape in ((SIZE, SIZE), SIZE) * 2]


def test_linear_initial_parameters(student):
    """LinearAutograd(200, 300) has W (300, 200) with variance 2 / 200, and b = 0."""
    rng = student.probe("generator")(1)
    layer = student.mnist_autograd.LinearAutograd(200, 300, rng=rng)
    W = expect.array("W.data", layer.W.data, (300, 200))
    expect.close("variance of W", float(np.var(W)), 2 / 200, rtol=0.05)
    expect.close("b.data", layer.b.data, np.zeros(300))
    expect.equal("b.requires_grad", layer.b.requires_grad, True)


def test_linear_layer(student, rng):
    """LinearAutograd is x @ W.T + b, forward and backward."""
    W, b, x, upstream = (rng.normal(size=shape) for shape in ((4, 4), 4, (4, 4), (4, 4)))
    start, again, weights, biases = tensors(student, x, x, W, b)
    layer = student.operand(student.mnist_autograd.LinearAutograd(4, 4))
    layer.W.data, layer.b.data = W, b
    expected, received = start @ weights.T + biases, layer.forward(again)
    wanted = expect.array("x @ W.T + b", expected.data, (4, 4))
    expect.close("forward output", received.data, wanted)
    expected.backward(upstream)
    received.backward(upstream)
    for name, one, other, shape in (("W", layer.W, weights, (4, 4)), ("b", layer.b, biases, (4,))):
        wanted = expect.array(f"{name}.grad of x @ W.T + b", other.grad, shape)
        expect.close(f"{name}.grad", one.grad, wanted)


def test_relu_layer(student):
    """ReLUAutograd is relu, forward and backward."""
    x = np.array([[1.0, -2.0], [-0.5, 3.0]])
    start, again = tensors(student, x, x)
    expected = start.relu()
    received = student.operand(student.mnist_autograd.ReLUAutograd()).forward(again)
    expect.close("forward output", received.data, expect.array("x.relu()", expected.data, (2, 2)))
    expected.backward(3.0 * x)
    received.backward(3.0 * x)
    expect.close("x.grad", again.grad, expect.array("x.grad of x.relu()", start.grad, (2, 2)))


def test_network_parameters(student, rng):
    """parameters() of the network gives W and b of layer1, then those of layer2."""
    arrays = parameters(rng)
    received = network(student, arrays).parameters()
    expect.equal("length of parameters()", len(received), 4)
    for index, (parameter, array) in enumerate(zip(received, arrays, strict=True)):
        expect.close(f"data of parameters()[{index}]", parameter.data, array)


def test_network_forward(student, rng):
    """AutogradMLP.forward runs layer1, activation and layer2."""
    model, x = network(student, parameters(rng)), rng.normal(size=(3, SIZE))
    [start] = tensors(student, x)
    expected = model.layer2(model.activation(model.layer1(start)))
    logits = student.operand(model.forward(x))
    expect.close("logits", logits.data, expect.array("output of layer2", expected.data, (3, SIZE)))


def test_network_train_step(student, rng):
    """train_step moves all parameters against their gradients, which it starts afresh each time."""
    arrays = parameters(rng)
    model = network(student, arrays)
    for _ in range(2):
        x, y = rng.normal(size=(SIZE, SIZE)), rng.integers(0, SIZE, size=SIZE)
        copy = network(student, arrays)
        loss = student.operand(student.tensor.cross_entropy(copy.forward(x), y))
        loss.backward()
        expect.close(
            "loss", model.train_step(x, y, LR), expect.array("cross_entropy", loss.data, ())
        )
        for k, (layer, name) in reversed(list(enumerate(PARTS))):
            gradient = getattr(getattr(copy, layer), name).grad
            arrays[k] = arrays[k] - LR * expect.array(
                f"{layer}.{name}.grad", gradient, arrays[k].shape
            )
            received = getattr(getattr(model, layer), name).data
            expect.close(f"{layer}.{name}.data", received, arrays[k])


def test_network_predictions(student, rng):
    """predict gives the class with the largest logit, evaluate the share of right ones."""
    model, x = network(student, parameters(rng)), rng.normal(size=(8, SIZE))
    logits = expect.array("logits", student.operand(model.forward(x)).data, (8, SIZE))
    wanted = logits.argmax(axis=1)
    expect.equal("predict", model.predict(x), wanted)
    wanted[:2] = (wanted[:2] + 1) % SIZE
    expect.close("accuracy", model.evaluate(x, wanted), 0.75)
    expect.equal("requires_grad of the logits", model.forward(x).requires_grad, True)
