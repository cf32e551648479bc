"""No checks: whether layers, loss and network work on whole batches, and derive their gradients.

What is noticed here becomes a flag, for a person to look at, and takes no point.
"""

from dataclasses import replace

import numpy as np
import pytest

from autograder.suite.hidden import conduct

pytestmark = pytest.mark.flag(conduct.LOOPS)


@pytest.mark.item("week2.layers")
def test_layers(student, rng):
    """The layers work on whole batches."""

    def run(batch, features):
        x = student.autograd.Tensor(rng.normal(size=(batch, features)))
        linear = student.mnist_autograd.LinearAutograd(features, 3)
        relu = student.mnist_autograd.ReLUAutograd()
        return {
            "LinearAutograd": student.trace(linear, x),
            "ReLUAutograd": student.trace(relu, x),
        }

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.network")
def test_cross_entropy(student, rng):
    """The cross-entropy works on whole batches and derives its gradient."""

    def run(batch, classes):
        z, labels = rng.normal(size=(batch, classes)), rng.integers(0, classes, size=batch)
        logits = student.autograd.Tensor(z, requires_grad=True)
        forward = student.trace(student.mnist_autograd.cross_entropy, logits, labels)
        backward = student.trace(forward.result.backward)
        softmax = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        backward = replace(backward, result=logits.grad)
        backward = backward.beside((softmax - np.eye(classes)[labels]) / batch)
        return {"cross_entropy": forward, "cross_entropy, backward": backward}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week2.network")
def test_network(student, rng):
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
