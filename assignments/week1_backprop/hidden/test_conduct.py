"""No checks: whether layers and losses work on whole batches, and derive their gradients.

What is noticed here becomes a flag, for a person to look at, and takes no point.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden import conduct

from ..suite_tools.layout import linear

pytestmark = pytest.mark.flag(conduct.LOOPS)


def linear_or_none(student, W, b):
    """Return a Linear with these parameters. One of another form has nothing to do with loops."""
    try:
        return linear(student, W, b)[0]
    except expect.Wrong:
        pytest.skip("its form is for the tests of week1.linear to judge")


def sigmoid(x):
    """Return the sigmoid of moderate numbers."""
    return 1 / (1 + np.exp(-x))


def softmax(x):
    """Return each row's softmax, of moderate numbers."""
    return np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)


def softmax_gradient(x, dL_dy):
    """Return dL/dx of the softmax."""
    y = softmax(x)
    return y * (dL_dy - (dL_dy * y).sum(axis=1, keepdims=True))


ACTIVATIONS = {
    "ReLU": ("week1.relu", lambda x, g: g * (x > 0)),
    "LeakyReLU": ("week1.leaky_relu", lambda x, g: np.where(x > 0, g, 0.01 * g)),
    "Sigmoid": ("week1.sigmoid", lambda x, g: g * sigmoid(x) * sigmoid(-x)),
    "Tanh": ("week1.tanh", lambda x, g: g / np.cosh(x) ** 2),
    "Softmax": ("week1.softmax", softmax_gradient),
}
LOSSES = {
    "MSELoss": ("week1.mse", lambda p, t: 2 * (p - t) / p.size),
    "HuberLoss": ("week1.huber", lambda p, t: np.clip(p - t, -1, 1) / p.size),
}


def named(table):
    """Return a parameter for each entry, with its item."""
    return [
        pytest.param(name, formula, marks=pytest.mark.item(item), id=name)
        for name, (item, formula) in table.items()
    ]


@pytest.mark.item("week1.linear")
def test_linear(student, rng):
    """Linear works on whole batches and derives its gradients."""

    def run(batch, features):
        W = rng.normal(size=(3, features))
        layer = linear_or_none(student, W, rng.normal(size=3))
        x, dL_dy = rng.normal(size=(batch, features)), rng.normal(size=(batch, 3))
        forward = student.trace(layer.forward, x)
        backward = student.trace(layer.backward, dL_dy).beside(dL_dy @ W)
        return {"Linear.forward": forward, "Linear.backward": backward}

    conduct.on_whole_arrays(run)


@pytest.mark.parametrize(("name", "formula"), named(ACTIVATIONS))
def test_activation(student, rng, name, formula):
    """An activation works on whole batches and derives its gradient."""

    def run(batch, features):
        layer = getattr(student.neural_net, name)()
        x, dL_dy = rng.normal(size=(batch, features)), rng.normal(size=(batch, features))
        forward = student.trace(layer.forward, x)
        backward = student.trace(layer.backward, dL_dy).beside(formula(x, dL_dy))
        return {f"{name}.forward": forward, f"{name}.backward": backward}

    conduct.on_whole_arrays(run)


@pytest.mark.parametrize(("name", "formula"), named(LOSSES))
def test_loss(student, rng, name, formula):
    """A loss works on whole batches and derives its gradient."""

    def run(batch, features):
        loss = getattr(student.losses, name)()
        pred, target = rng.normal(size=(batch, features)), rng.normal(size=(batch, features))
        forward = student.trace(loss.forward, pred, target)
        backward = student.trace(loss.backward).beside(formula(pred, target))
        return {f"{name}.forward": forward, f"{name}.backward": backward}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week1.cross_entropy")
def test_cross_entropy(student, rng):
    """The cross-entropy works on whole batches and derives its gradient."""

    def run(batch, classes):
        loss = student.losses.CrossEntropyLoss()
        pred, target = rng.normal(size=(batch, classes)), rng.integers(0, classes, size=batch)
        forward = student.trace(loss.forward, pred, target)
        exact = (softmax(pred) - np.eye(classes)[target]) / batch
        backward = student.trace(loss.backward).beside(exact)
        return {"CrossEntropyLoss.forward": forward, "CrossEntropyLoss.backward": backward}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week1.network")
def test_network(student, rng):
    """A network adds no loop over the batch to those of its layers."""

    def run(batch, features):
        layers = [student.probe("plain")(np.eye(features)) for _ in range(2)]
        network = student.neural_net.Network(layers)
        x, dL_dy = rng.normal(size=(batch, features)), rng.normal(size=(batch, features))
        forward = student.trace(network.forward, x)
        backward = student.trace(network.backward, dL_dy)
        return {"Network.forward": forward, "Network.backward": backward}

    conduct.on_whole_arrays(run)


@pytest.mark.item("week1.mlp")
def test_mlp(student, rng):
    """The network adds no loop over the batch to those of its layers, which are made-up ones."""

    def run(batch, features):
        model, plain = student.mnist_mlp.TwoLayerMLP(), student.probe("plain")
        sizes = ((8, features), (8, 8), (10, 8))
        model.layers = [plain(rng.normal(size=size)) for size in sizes]
        model.loss_fn = student.probe("plain_loss")()
        x, y = rng.normal(size=(batch, features)), rng.integers(0, 10, size=batch)
        traces = {
            "TwoLayerMLP.train_step": student.trace(model.train_step, x, y, 0.1),
            "TwoLayerMLP.predict": student.trace(model.predict, x),
            "TwoLayerMLP.evaluate": student.trace(model.evaluate, x, y),
        }
        return {name: trace.within("mnist_mlp.py") for name, trace in traces.items()}

    conduct.on_whole_arrays(run)
