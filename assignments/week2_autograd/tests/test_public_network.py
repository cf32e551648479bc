"""Public tests of the cross-entropy and the network in mnist_autograd.py (beyond the texts).

Weights are set from outside. Nothing is trained here but for a step or two.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import tensors
from ..suite_tools.layers import (
    TOLERANCE,
    layout_of,
    mean_loss,
    softmax_gradient,
    two_layer_gradients,
    two_layers,
)

pytestmark = [
    pytest.mark.item("week2.network"),
    pytest.mark.needs(
        "week2.tensor_elementwise",
        "week2.broadcasting",
        "week2.matmul",
        "week2.sum",
        "week2.reshape",
        "week2.tensor_backward",
        "week2.layers",
    ),
]

SIZES = INPUTS, HIDDEN, CLASSES = 4, 5, 3
LR = 0.5


def parameters(rng):
    """Return W1, b1, W2, b2, each W as (in, out)."""
    shapes = (INPUTS, HIDDEN), HIDDEN, (HIDDEN, CLASSES), CLASSES
    return [rng.normal(size=shape) for shape in shapes]


def network(student, arrays):
    """Return the student's network with these parameters, and its linear layers."""
    model, layout = student.operand(student.mnist_autograd.AutogradMLP(*SIZES)), layout_of(student)
    first, _, second = model.layers
    for layer, W, b in ((first, *arrays[:2]), (second, *arrays[2:])):
        layer.W.data, layer.b.data = layout.weights(W), layout.biases(b)
    return model, first, second


def batch(rng):
    """Return inputs and labels."""
    return rng.normal(size=(6, INPUTS)), rng.integers(0, CLASSES, size=6)


def test_initial_weights(student):
    """LinearAutograd(200, 300, rng) starts with variance 2 / 200 in W, and b = 0."""
    layer = student.mnist_autograd.LinearAutograd(200, 300, rng=student.probe("generator")(1))
    W, b = layout_of(student).ours("the layer", layer.W.data, layer.b.data, (200, 300))
    expect.close("variance of W", float(np.var(W)), 2 / 200, rtol=0.05)
    expect.close("b.data", b, np.zeros(300))


def test_cross_entropy(student, rng):
    """cross_entropy is the mean of log(sum exp(z)) - z[label]; its gradient is week 1's."""
    z, labels = rng.normal(size=(5, 3)), rng.integers(0, 3, size=5)
    [logits] = tensors(student, z)
    loss = student.operand(student.mnist_autograd.cross_entropy(logits, labels))
    expect.close("loss", loss.data, mean_loss(z, labels), **TOLERANCE)
    loss.backward()
    expect.close("logits.grad", logits.grad, softmax_gradient(z, labels), **TOLERANCE)


def test_logits(student, rng):
    """AutogradMLP.forward runs its three layers."""
    arrays, (x, _) = parameters(rng), batch(rng)
    logits = student.operand(network(student, arrays)[0].forward(x))
    expect.close("data of forward(x)", logits.data, two_layers(arrays, x), **TOLERANCE)


def test_train_step(student, rng):
    """train_step moves all parameters against their gradients, which it starts afresh each time."""
    arrays, layout = parameters(rng), layout_of(student)
    model, first, second = network(student, arrays)
    for _ in range(2):
        x, y = batch(rng)
        logits = two_layers(arrays, x)
        expect.close("loss", model.train_step(x, y, LR), mean_loss(logits, y), **TOLERANCE)
        steps = two_layer_gradients(arrays, x, softmax_gradient(logits, y))
        arrays = [array - LR * step for array, step in zip(arrays, steps, strict=True)]
        for name, layer, W, b in (
            ("layers[2]", second, *arrays[2:]),
            ("layers[0]", first, *arrays[:2]),
        ):
            expect.close(f"{name}.W.data", layer.W.data, layout.weights(W), **TOLERANCE)
            expect.close(f"{name}.b.data", layer.b.data, layout.biases(b), **TOLERANCE)


def test_predictions(student, rng):
    """predict gives the class with the largest logit, evaluate the share of right ones."""
    arrays, x = parameters(rng), rng.normal(size=(8, INPUTS))
    model, wanted = network(student, arrays)[0], two_layers(arrays, x).argmax(axis=1)
    expect.equal("predict", model.predict(x), wanted)
    wanted[:2] = (wanted[:2] + 1) % CLASSES
    expect.close("accuracy", model.evaluate(x, wanted), 0.75)
