"""The network as a whole, trained by the student's engine alone (item week2.accuracy)."""

import numpy as np
import pytest

from autograder.records import FULL_CREDIT
from autograder.suite import expect
from autograder.suite.hidden.threshold import train_two_layer

pytestmark = pytest.mark.item("week2.accuracy")
needs_everything = pytest.mark.needs(
    "week2.tensor_elementwise",
    "week2.broadcasting",
    "week2.matmul",
    "week2.shapes",
    "week2.tensor_backward",
    "week2.cross_entropy",
    "week2.layers",
)


def by_hand(arrays, x, y):
    """Return the gradients of week 1's network with respect to W1, b1, W2, b2."""
    W1, b1, W2, b2 = arrays
    before = x @ W1.T + b1
    hidden = np.maximum(before, 0.0)
    logits = hidden @ W2.T + b2
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    d_logits = (powers / powers.sum(axis=1, keepdims=True) - np.eye(len(b2))[y]) / len(y)
    d_before = (d_logits @ W2) * (before > 0.0)
    return d_before.T @ x, d_before.sum(axis=0), d_logits.T @ hidden, d_logits.sum(axis=0)


@pytest.mark.long
@needs_everything
def test_gradients_are_those_of_week_1(student, rng):
    """The engine's gradients for the whole network are those that week 1 derived by hand."""
    arrays = [rng.normal(size=shape) for shape in ((7, 11), 7, (4, 7), 4)]
    x, y = rng.normal(size=(9, 11)), rng.integers(0, 4, size=9)
    model = student.operand(student.mnist_autograd.AutogradMLP(11, 7, 4))
    parts = [model.layer1.W, model.layer1.b, model.layer2.W, model.layer2.b]
    for part, array in zip(parts, arrays, strict=True):
        part.data = array
    student.operand(student.tensor.cross_entropy(model.forward(x), y)).backward()
    names = ("layer1.W", "layer1.b", "layer2.W", "layer2.b")
    for name, part, gradient in zip(names, parts, by_hand(arrays, x, y), strict=True):
        expect.close(f"{name}.grad", part.grad, gradient, rtol=1e-8, atol=1e-8)


@pytest.mark.training
@needs_everything
@pytest.mark.weight(3)
def test_the_trained_network_is_accurate(student, settings, grade, rng):
    """Trained by your train_step, the network recognises digits that it has not seen."""
    seed, model = int(rng.integers(2**31)), student.mnist_autograd.AutogradMLP()
    curve = train_two_layer(student, model, settings, seed, lambda weight: weight.data)
    accuracy = curve["accuracy"][-1]
    share = settings.credit(accuracy) / FULL_CREDIT
    grade(
        share,
        f"Test accuracy {accuracy:.2%} on {settings.name} after {settings.epochs} epochs; "
        f"full points from {settings.full_from:.0%}.",
        data=settings.name,
        **curve,
    )
