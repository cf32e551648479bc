"""Public tests of the rules that hold for every layer and every loss: one test for each rule.

Two of a kind are used one after the other, and twice, with batches of different sizes: what is kept
in the wrong place, or from the wrong call, shows there. What they compute is looked at in
test_public_neural_net.py and test_public_losses.py.
"""

import numpy as np
import pytest

from autograder.suite import derivatives, expect, whole_arrays

from ..suite_tools.layout import layout_of
from ..suite_tools.layout import linear as linear_with

LAYERS = ("Linear", "ReLU", "LeakyReLU", "Sigmoid", "Tanh", "Softmax")
ITEMS = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "MSELoss": "mse", "HuberLoss": "huber"}
ITEMS |= {"CrossEntropyLoss": "cross_entropy"}
SLOPE = 0.01
"""LeakyReLU's, on the negative side."""

SINGLE = {"rtol": 1e-4, "atol": 1e-5}
"""How near results in float32 come."""


def each(*names, beyond=False):
    """Return a mark that runs a test for each class: in its item, or in week1.robustness."""
    own = {name: f"week1.{ITEMS.get(name, name.lower())}" for name in names}
    return pytest.mark.parametrize(
        "name",
        [
            pytest.param(
                name,
                marks=[pytest.mark.item("week1.robustness"), pytest.mark.needs(item)]
                if beyond
                else pytest.mark.item(item),
                id=name,
            )
            for name, item in own.items()
        ],
    )


activations = each(*LAYERS[1:])


# What the layers compute, for real and for complex numbers, and of +-1000 too


def stable(x):
    """Return 1 / (1 + exp(-x))."""
    with np.errstate(all="ignore"):
        e = np.exp(np.where(np.real(x) > 0, -x, x))
        return np.where(np.real(x) > 0, 1 / (1 + e), e / (1 + e))


def rows(x):
    """Return the softmax of each row."""
    e = np.exp(x - np.real(x).max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


COMPUTED = {
    "ReLU": derivatives.relu,
    "LeakyReLU": lambda x: np.where(np.real(x) > 0, x, SLOPE * x),
    "Sigmoid": stable,
    "Tanh": np.tanh,
    "Softmax": rows,
}


class Kind:
    """Layers of one class of the student's, and what such a layer computes."""

    def __init__(self, student, name, rng):
        self.student, self.name = student, name
        self.W, self.b = rng.normal(size=(3, 3)), rng.normal(size=3)

    def make(self):
        """Return a new layer; a Linear has the weights W and biases b."""
        if self.name == "Linear":
            return linear_with(self.student, self.W, self.b)[0]
        return getattr(self.student.neural_net, self.name)()

    def formula(self, x):
        """Return its output."""
        if self.name == "Linear":
            return np.einsum("ni,oi->no", x, self.W) + self.b
        return COMPUTED[self.name](x)

    def gradient(self, x, dL_dy):
        """Return the gradient with respect to its input."""
        return derivatives.vjp(self.formula, [x], dL_dy)[0]

    def gradients_of_parameters(self, x, dL_dy):
        """Return those with respect to W and b of a Linear, in the form that the layer has."""
        form = layout_of(self.student)
        function = lambda W, b: x @ W.T + b  # noqa: E731 - it is short
        dL_dW, dL_db = derivatives.vjp(function, [self.W, self.b], dL_dy)
        return {"dL_dW": form.weights(dL_dW), "dL_db": form.biases(dL_db)}


def inputs(rng, *shape):
    """Return numbers that are not near a kink."""
    x = rng.normal(size=shape)
    return np.where(np.abs(x) < 0.1, 0.5, x)


# Layers


@each(*LAYERS)
def test_backward_belongs_to_the_latest_forward(student, rng, name):
    """Two layers one after the other: backward belongs to the latest forward, of another size."""
    kind = Kind(student, name, rng)
    first, last = kind.make(), kind.make()
    for count in (5, 2):
        x, dL_dy = inputs(rng, count, 3), rng.normal(size=(count, 3))
        between = kind.formula(x)
        y = last.forward(first.forward(x))
        expect.close(f"output of the second of two, {count} examples", y, kind.formula(between))
        upstream = kind.gradient(between, dL_dy)
        received = first.backward(last.backward(dL_dy))
        expect.close(f"dL_dx of both, {count} examples", received, kind.gradient(x, upstream))
    if name == "Linear":
        for attribute, wanted in kind.gradients_of_parameters(x, upstream).items():
            received = getattr(first, attribute)
            expect.close(f"{attribute} of the first, {count} examples", received, wanted)


@each(*LAYERS)
def test_arguments_stay_as_they_are(student, rng, name):
    """Neither forward nor backward changes the array that it is given."""
    kind, x, dL_dy = Kind(student, name, rng), inputs(rng, 4, 3), rng.normal(size=(4, 3))
    layer, kept_x, kept_upstream = kind.make(), student.keep(x), student.keep(dL_dy)
    expect.close("forward output", layer.forward(kept_x), kind.formula(x))
    expect.unchanged("x after forward", x, student.fetch(kept_x))
    expect.close("dL_dx", layer.backward(kept_upstream), kind.gradient(x, dL_dy))
    expect.unchanged("dL_dy after backward", dL_dy, student.fetch(kept_upstream))
    expect.unchanged("x after backward", x, student.fetch(kept_x))


@activations
def test_numbers_of_1000(student, rng, name):
    """Entries of +-1000 are ordinary inputs, forward and backward."""
    kind, dL_dy = Kind(student, name, rng), rng.normal(size=(2, 3))
    x, layer = np.array([[1000.0, -1000.0, 0.5], [-0.5, 1000.0, -1000.0]]), kind.make()
    expect.close("forward output", layer.forward(x), kind.formula(x))
    expect.close("dL_dx", layer.backward(dL_dy), kind.gradient(x, dL_dy))


@each(*LAYERS)
def test_whole_batches(student, rng, name):
    """No Python loop runs over the examples or the features."""

    def lines(examples, features):
        layer = getattr(student.neural_net, name)(*((features, 3) if name == "Linear" else ()))
        x = inputs(rng, examples, features)
        y, forward = whole_arrays.run(student, layer.forward, x)
        shape = (examples, 3 if name == "Linear" else features)
        dL_dy = rng.normal(size=expect.array("forward output", y, shape).shape)
        dL_dx, backward = whole_arrays.run(student, layer.backward, dL_dy)
        expect.array("dL_dx", dL_dx, x.shape)
        return forward + backward

    whole_arrays.no_loop("forward and backward", lines)


@each(*LAYERS, beyond=True)
def test_float32(student, rng, name):
    """With float32 inputs, upstream gradients and parameters, all results are float32."""
    kind, x, dL_dy = Kind(student, name, rng), inputs(rng, 4, 3), rng.normal(size=(4, 3))
    layer = kind.make()
    if name == "Linear":
        form = layout_of(student)
        layer.W = form.weights(kind.W).astype(np.float32)
        layer.b = form.biases(kind.b).astype(np.float32)
    received = {"forward output": layer.forward(x.astype(np.float32))}
    received["dL_dx"] = layer.backward(dL_dy.astype(np.float32))
    if name == "Linear":
        received |= {"dL_dW": layer.dL_dW, "dL_db": layer.dL_db}
    for label, array in received.items():
        expect.dtype(label, array, np.float32)
    expect.close("forward output", received["forward output"], kind.formula(x), **SINGLE)


@pytest.mark.item("week1.linear")
def test_linear_uses_its_present_parameters(student, rng):
    """W and b may be replaced at any time: forward and backward use the present ones."""
    kind, form = Kind(student, "Linear", rng), layout_of(student)
    x, dL_dy, layer = inputs(rng, 4, 3), rng.normal(size=(4, 3)), kind.make()
    layer.forward(x)
    layer.backward(dL_dy)
    kind.W, kind.b = rng.normal(size=(3, 3)), rng.normal(size=3)
    layer.W, layer.b = form.weights(kind.W), form.biases(kind.b)
    expect.close("forward output with other parameters", layer.forward(x), kind.formula(x))
    received = layer.backward(dL_dy)
    expect.close("dL_dx with other parameters", received, kind.gradient(x, dL_dy))


# Losses


def mean_cross_entropy(z, t):
    """Return the mean of -log p[t] over the batch."""
    shifted = z - np.real(z).max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(t)), t])


def mean_huber(p, t):
    """Return the mean Huber loss."""
    r = p - t
    size = np.where(np.real(r) < 0, -r, r)
    return np.mean(np.where(np.real(size) <= 1, r**2 / 2, size - 0.5))


VALUES = {
    "MSELoss": lambda p, t: np.mean((p - t) ** 2),
    "HuberLoss": mean_huber,
    "CrossEntropyLoss": mean_cross_entropy,
}


def batch(rng, name, *shape):
    """Return predictions and targets of a loss."""
    pred = 2 * rng.normal(size=shape)
    return pred, rng.integers(shape[1], size=shape[0]) if "Entropy" in name else inputs(rng, *shape)


def value_and_gradient(name, received, pred, target):
    """Return what the loss should be, and its gradient.

    A loss that adds up over the features of a row instead of taking their mean is right as well.
    """
    value = float(VALUES[name](pred, target))
    sums = name != "CrossEntropyLoss" and np.isclose(
        expect.array("loss", received, ()), value * pred.shape[1]
    )
    share = pred.shape[1] if sums else 1
    slopes = derivatives.vjp(lambda p: VALUES[name](p, target), [pred], share)[0]
    return share * value, slopes


@each(*VALUES)
def test_gradient_of_the_latest_loss(student, rng, name):
    """Two losses in turns, with batches of other sizes: each one's backward is of its latest."""
    make = getattr(student.losses, name)
    one, other = make(), make()
    for shape in ((5, 3), (2, 4)):
        pred, target = batch(rng, name, *shape)
        received = one.forward(pred, target)
        other.forward(*batch(rng, name, 3, 2))
        value, gradient = value_and_gradient(name, received, pred, target)
        expect.close(f"loss of {shape[0]} examples", received, value)
        expect.close(f"its gradient, {shape[0]} examples", one.backward(), gradient)


@each(*VALUES)
def test_predictions_stay_as_they_are(student, rng, name):
    """A loss changes neither its predictions nor its targets."""
    pred, target = batch(rng, name, 4, 3)
    kept, labels, loss = (
        student.keep(pred),
        student.keep(target),
        getattr(student.losses, name)(),
    )
    received = loss.forward(kept, labels)
    value, gradient = value_and_gradient(name, received, pred, target)
    expect.close("loss", received, value)
    expect.unchanged("predictions after forward", pred, student.fetch(kept))
    expect.close("gradient", loss.backward(), gradient)
    expect.unchanged("predictions after backward", pred, student.fetch(kept))
    expect.unchanged("targets after backward", target, student.fetch(labels))


@each(*VALUES)
def test_whole_batches_of_losses(student, rng, name):
    """No Python loop of a loss runs over the examples or the features."""

    def lines(examples, features):
        loss = getattr(student.losses, name)()
        pred, target = batch(rng, name, examples, features)
        value, forward = whole_arrays.run(student, loss.forward, pred, target)
        expect.array("loss", value, ())
        gradient, backward = whole_arrays.run(student, loss.backward)
        expect.array("gradient", gradient, pred.shape)
        return forward + backward

    whole_arrays.no_loop("forward and backward", lines)


@each(*VALUES, beyond=True)
def test_float32_of_losses(student, rng, name):
    """Float32 predictions give float32 gradients."""
    pred, target = batch(rng, name, 4, 3)
    target = target.astype(np.float32) if target.dtype.kind == "f" else target
    loss = getattr(student.losses, name)()
    received = loss.forward(pred.astype(np.float32), target)
    value, _ = value_and_gradient(name, received, pred, target)
    expect.dtype("gradient", loss.backward(), np.float32)
    expect.close("loss", received, value, **SINGLE)
