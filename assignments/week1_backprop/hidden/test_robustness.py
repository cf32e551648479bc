"""Hidden tests of what layers and losses do beyond the texts (item week1.robustness).

Each looks at its own side only. "Keeps float32" asks for the dtype of all results, that of float64
too, and for one right value among them, so that nothing right earns nothing.
"""

from functools import partial

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import proportional, something_right
from autograder.suite.hidden.warned import no_warnings

from ..suite_tools.layout import layout_of, linear
from .cross_entropy import cross_entropy

pytestmark = pytest.mark.item("week1.robustness")

needs_cross_entropy = pytest.mark.needs("week1.cross_entropy")

SINGLE = {"rtol": 1e-4, "atol": 1e-5}
"""The tolerance for results in float32."""


PRECISIONS = (np.float32, np.float64)


def expect_precision(precision, received, expected):
    """Expect every array to be of that precision, and one to be right; both by the same labels."""
    for label, array in received.items():
        if label != "loss":
            expect.dtype(label, array, precision)

    def is_right(label):
        return lambda: proportional(label, received[label], expected[label], **SINGLE)

    something_right(*(is_right(label) for label in expected))


# Layers


def logistic(x):
    """Return the sigmoid of x in float64, by its two safe forms."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def softmax(x):
    """Return the softmax of each row, in float64."""
    exponentials = np.exp(x - x.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def softmax_gradient(x, dL_dy):
    """Return dL/dx of the softmax."""
    y = softmax(x)
    return y * (dL_dy - (dL_dy * y).sum(axis=1, keepdims=True))


ACTIVATIONS = {
    "ReLU": (lambda x: np.where(x > 0, x, 0.0), lambda x, g: np.where(x > 0, g, 0.0)),
    "LeakyReLU": (
        lambda x: np.where(x > 0, x, 0.01 * x),
        lambda x, g: np.where(x > 0, g, 0.01 * g),
    ),
    "Sigmoid": (logistic, lambda x, g: g * logistic(x) * logistic(-x)),
    "Tanh": (np.tanh, lambda x, g: g * (1 - np.tanh(x) ** 2)),
    "Softmax": (softmax, softmax_gradient),
}


def activations():
    """Return a parameter for each activation; whether it is right is for its own item to say."""
    items = {"ReLU": "relu", "LeakyReLU": "leaky_relu"}
    return [
        pytest.param(name, marks=pytest.mark.needs(f"week1.{items.get(name, name.lower())}"))
        for name in ACTIVATIONS
    ]


@pytest.mark.parametrize("name", activations())
def test_activations_keep_float32(student, rng, name):
    """With a float32 batch, outputs and gradients of the activations are float32.

    With a float64 batch they are float64.
    """
    function, gradient = ACTIVATIONS[name]
    x, dL_dy = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    x = np.where(np.abs(x) < 0.05, 0.3, x)
    expected = {"forward output": function(x), "dL_dx": gradient(x, dL_dy)}
    for precision in PRECISIONS:
        layer = getattr(student.neural_net, name)()
        y = layer.forward(x.astype(precision))
        received = {"forward output": y, "dL_dx": layer.backward(dL_dy.astype(precision))}
        expect_precision(precision, received, expected)


@pytest.mark.needs("week1.linear")
def test_linear_keeps_float32(student, rng):
    """With float32 inputs and parameters, results and gradients of Linear are float32.

    With float64 ones they are float64.
    """
    form = layout_of(student)
    W, b = rng.normal(size=(3, 4)), rng.normal(size=3)
    x, dL_dy = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    expected = {"forward output": x @ W.T + b, "dL_dx": dL_dy @ W}
    expected["dL_dW"] = form.weights(dL_dy.T @ x)
    for precision in PRECISIONS:
        layer = student.neural_net.Linear(4, 3)
        layer.W = form.weights(W).astype(precision)
        layer.b = form.biases(b).astype(precision)
        received = {"forward output": layer.forward(x.astype(precision))}
        received["dL_dx"] = layer.backward(dL_dy.astype(precision))
        received |= {"dL_dW": layer.dL_dW, "dL_db": layer.dL_db}
        expect_precision(precision, received, expected)


@pytest.mark.needs("week1.sigmoid")
def test_sigmoid_of_large_numbers_does_not_warn(student, rng):
    """Sigmoid of +-1000 overflows nowhere: NumPy gives no RuntimeWarning, in either precision."""
    x = np.array([[1000.0, -1000.0, 0.5], [-1000.0, 1000.0, -0.5]])
    dL_dy, layer = rng.normal(size=x.shape), student.neural_net.Sigmoid()
    y = layer.forward(x)
    expected = dL_dy * logistic(x) * logistic(-x)
    dL_dx = layer.backward(dL_dy)
    something_right(
        lambda: proportional("forward output", y, logistic(x)),
        lambda: proportional("dL_dx", dL_dx, expected),
    )
    no_warnings(student)
    layer.forward(x.astype(np.float32))
    no_warnings(student, "float32")


# Backward passes without a forward pass between them


def same_again(backward, forward, gradient):
    """Expect a second `backward()` to give what the first one gave, and something to be right.

    `forward` and `gradient` are received and expected values: what forward gave, and the gradient.
    """
    first, second = backward(), backward()
    something_right(
        lambda: proportional("forward", *forward),
        lambda: proportional("gradient", first, gradient),
    )
    first = expect.array("gradient", first, gradient.shape)
    # Only one of the two has to be right, so that this tells nothing but whether they are alike.
    expect.repeated("gradient, asked for again", first, second)


@pytest.mark.parametrize("name", activations())
def test_activations_give_the_same_gradient_again(student, rng, name):
    """A second backward of an activation, for the same forward, gives the same gradient."""
    x, dL_dy = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    layer, (function, gradient) = getattr(student.neural_net, name)(), ACTIVATIONS[name]
    forward = (layer.forward(x), function(x))
    same_again(lambda: layer.backward(dL_dy), forward, gradient(x, dL_dy))


@pytest.mark.needs("week1.linear")
def test_linear_gives_the_same_gradient_again(student, rng):
    """A second backward of Linear, for the same forward, gives the same dL/dx and dL_dW."""
    W, b = rng.normal(size=(3, 4)), rng.normal(size=3)
    layer, _ = linear(student, W, b)
    x, dL_dy = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    stored = []

    def backward():
        dL_dx = layer.backward(dL_dy)
        stored.append(layer.dL_dW)
        return dL_dx

    same_again(backward, (layer.forward(x), x @ W.T + b), dL_dy @ W)
    # What it should be is asked by another test; here, only whether it adds up.
    expect.repeated("dL_dW, asked for again", *stored)


@needs_cross_entropy
def test_cross_entropy_gives_the_same_gradient_again(student, rng):
    """A second backward of the cross-entropy gives the same gradient."""
    z, target = 2 * rng.normal(size=(5, 4)), np.array([0, 3, 1, 2, 1])
    loss, (value, gradient) = student.losses.CrossEntropyLoss(), cross_entropy(z, target)
    # Looked up when it is called: a loss may make its `backward` in `forward`, as a closure.
    same_again(lambda: loss.backward(), (loss.forward(z, target), value), gradient)


# Losses


def residuals(rng):
    """Return predictions, targets and their difference, all between -1 and 1."""
    y_pred, y_true = rng.uniform(-0.5, 0.5, size=(2, 5, 3))
    return y_pred, y_true, y_pred - y_true


both_losses = pytest.mark.parametrize(
    ("name", "factor"),
    [
        pytest.param("MSELoss", 1.0, marks=pytest.mark.needs("week1.mse")),
        pytest.param("HuberLoss", 0.5, marks=pytest.mark.needs("week1.huber")),
    ],
)


def right_in_one(loss, rng, factor, dtype):
    """Run a batch; expect a right value or gradient, in one of the legal forms; return the latter.

    `factor` is that of the mean square of the differences.
    """
    y_pred, y_true, r = residuals(rng)
    value = loss.forward(y_pred.astype(dtype), y_true.astype(dtype))
    gradient = loss.backward()
    something_right(
        lambda: expect.close("loss", value, factor * np.mean(r**2), **SINGLE),
        lambda: expect.close("loss", value, factor * np.mean(r**2) * 3, **SINGLE),
        lambda: proportional("dL_dy_pred", gradient, 2 * factor * r / r.size, **SINGLE),
    )
    return gradient


@both_losses
def test_losses_keep_float32(student, rng, name, factor):
    """MSELoss and HuberLoss give float32 gradients for float32 predictions, else float64 ones."""
    for precision in PRECISIONS:
        gradient = right_in_one(getattr(student.losses, name)(), rng, factor, precision)
        expect.dtype("dL_dy_pred", gradient, precision)


@needs_cross_entropy
def test_cross_entropy_keeps_float32(student, rng):
    """Float32 logits give float32 gradients, in either form of targets; float64 ones float64."""
    z, target = 2 * rng.normal(size=(5, 4)), np.array([0, 3, 1, 2, 1])
    value, gradient = cross_entropy(z, target)
    for precision in PRECISIONS:
        for form in (target, np.eye(4)[target]):
            loss = student.losses.CrossEntropyLoss()
            received = {"loss": loss.forward(z.astype(precision), form)}
            received["dL_dlogits"] = loss.backward()
            expect_precision(precision, received, {"loss": value, "dL_dlogits": gradient})


@needs_cross_entropy
def test_labels_as_they_come_from_files(student, rng):
    """Class indices of dtype uint8, as in MNIST's files, work."""
    z, target = 2 * rng.normal(size=(6, 10)), rng.permutation(10)[:6]
    value, gradient = cross_entropy(z, target)
    loss = student.losses.CrossEntropyLoss()
    received = loss.forward(z, target.astype(np.uint8))
    something_right(
        lambda: expect.close("loss", received, value),
        lambda: proportional("dL_dlogits", loss.backward(), gradient),
    )


@both_losses
def test_losses_refuse_different_shapes(student, rng, name, factor):
    """MSELoss and HuberLoss raise a ValueError for shapes that NumPy would broadcast."""
    loss = getattr(student.losses, name)()
    right_in_one(loss, rng, factor, np.float64)
    for first, second in (((5, 1), (5,)), ((5, 3), (1, 3))):
        label = f"forward of predictions {first} with targets {second}"
        arrays = rng.normal(size=first), rng.normal(size=second)
        expect.raises(label, loss.forward, "ValueError", *arrays)


def logits_and_loss(student, rng):
    """Return logits (3, 4) and a loss that has given a right value or gradient for them."""
    z, target = rng.normal(size=(3, 4)), np.array([0, 3, 1])
    loss = student.losses.CrossEntropyLoss()
    received, gradient = loss.forward(z, target), loss.backward()
    something_right(
        lambda: expect.close("loss", received, cross_entropy(z, target)[0]),
        lambda: proportional("dL_dlogits", gradient, cross_entropy(z, target)[1]),
    )
    return z, loss


@needs_cross_entropy
def test_cross_entropy_refuses_a_label_that_is_too_large(student, rng):
    """A class index of C raises a ValueError: the classes are 0 to C - 1."""
    z, loss = logits_and_loss(student, rng)
    label = "forward with label 4 and 4 classes"
    expect.raises(label, loss.forward, "ValueError", z, np.array([0, 4, 1]))


@needs_cross_entropy
def test_cross_entropy_refuses_a_negative_label(student, rng):
    """A class index of -1 raises a ValueError; it must not count as the last class."""
    z, loss = logits_and_loss(student, rng)
    expect.raises("forward with label -1", loss.forward, "ValueError", z, np.array([0, -1, 1]))


@needs_cross_entropy
def test_cross_entropy_refuses_targets_of_another_shape(student, rng):
    """Targets of the wrong length or the wrong number of classes raise a ValueError."""
    z, loss = logits_and_loss(student, rng)
    for shape in ((2,), (3, 5), (3, 1)):
        label = f"forward of logits (3, 4) with targets {shape}"
        expect.raises(label, loss.forward, "ValueError", z, np.zeros(shape, dtype=np.int64))
