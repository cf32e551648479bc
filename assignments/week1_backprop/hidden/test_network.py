"""Hidden tests of neural_net.Network.

The layers are made-up ones wherever possible. Where training needs the student's own Linear, what
is expected comes from that same Linear, called by hand in a second copy. Such layers are square,
and so is the batch: a gradient of Linear with its axes exchanged must not show here again.
"""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week1.network")

needs_linear = pytest.mark.needs("week1.linear")

SIZE = 5
LR = 0.3


def made_up_layers(student):
    """Return three layers for inputs (N, D) and outputs (N, D - 1); their order matters."""
    return [student.probe("bump")(), student.probe("pairs")(), student.probe("bump")(scale=0.5)]


def linear_pair(student, parameters):
    """Return Linear, a made-up activation and Linear, with the given parameters."""
    first = student.neural_net.Linear(SIZE, SIZE)
    second = student.neural_net.Linear(SIZE, SIZE)
    first.W, first.b, second.W, second.b = parameters
    return [first, student.probe("bump")(scale=0.5), second]


def training(student, rng):
    """Return a batch, a network ready for a step, and a copy's layers with their gradients."""
    parameters = [0.5 * rng.normal(size=s) for s in ((SIZE, SIZE), SIZE, (SIZE, SIZE), SIZE)]
    x, y = rng.normal(size=(SIZE, SIZE)), rng.normal(size=(SIZE, SIZE))
    layers = linear_pair(student, parameters)
    network = student.neural_net.Network(layers)
    copies, loss = linear_pair(student, parameters), student.probe("cosine_loss")()
    values = x
    for layer in copies:
        values = layer.forward(values)
    value = loss.forward(values, y)
    upstream = loss.backward()
    for layer in reversed(copies):
        upstream = layer.backward(upstream)
    for place in (0, 2):
        for name in ("dL_dW", "dL_db"):
            gradient = expect.array(name, getattr(copies[place], name))
            expect.that(name, bool(np.any(gradient)), "Linear's gradient is zero everywhere")
    return x, y, network, layers, copies, value, parameters


def test_forward(student, rng):
    """forward hands every layer's output to the next layer."""
    x = rng.normal(size=(4, 6))
    expected = x
    for layer in made_up_layers(student):
        expected = layer.forward(expected)
    network = student.neural_net.Network(made_up_layers(student))
    expect.close("forward output", network.forward(x), expected)


@pytest.mark.weight(2)
def test_backward(student, rng):
    """backward goes through the layers last to first and returns dL/dx."""
    x, dL_dy = rng.normal(size=(4, 6)), rng.normal(size=(4, 5))
    layers = made_up_layers(student)
    values, expected = x, dL_dy
    for layer in layers:
        values = layer.forward(values)
    for layer in reversed(layers):
        expected = layer.backward(expected)
    network = student.neural_net.Network(made_up_layers(student))
    network.forward(x)
    expect.close("dL_dx", network.backward(dL_dy), expected)


def test_latest_batch(student, rng):
    """backward belongs to the latest forward and gives the same when called again."""
    network = student.neural_net.Network(made_up_layers(student))
    network.forward(rng.normal(size=(7, 6)))
    network.backward(rng.normal(size=(7, 5)))
    x, dL_dy = rng.normal(size=(1, 6)), rng.normal(size=(1, 5))
    layers = made_up_layers(student)
    values, expected = x, dL_dy
    for layer in layers:
        values = layer.forward(values)
    for layer in reversed(layers):
        expected = layer.backward(expected)
    network.forward(x)
    expect.close("dL_dx", network.backward(dL_dy), expected)
    expect.close("dL_dx, asked for again", network.backward(dL_dy), expected)


@needs_linear
def test_train_step_returns_the_loss_before_the_step(student, rng):
    """train_step returns the loss that the batch had before the parameters changed."""
    x, y, network, _, _, value, _ = training(student, rng)
    loss = student.probe("cosine_loss")()
    expect.close("loss", network.train_step(x, y, loss, LR), value)


@needs_linear
@pytest.mark.weight(2)
def test_train_step_updates_weights(student, rng):
    """train_step changes every Linear's W to W - lr dL_dW."""
    x, y, network, layers, copies, _, parameters = training(student, rng)
    network.train_step(x, y, student.probe("cosine_loss")(), LR)
    for name, place in (("W of the first Linear", 0), ("W of the last Linear", 2)):
        expected = parameters[place] - LR * expect.array("dL_dW", copies[place].dL_dW)
        expect.close(name, layers[place].W, expected)


@needs_linear
def test_train_step_updates_biases(student, rng):
    """train_step changes every Linear's b to b - lr dL_db."""
    x, y, network, layers, copies, _, parameters = training(student, rng)
    network.train_step(x, y, student.probe("cosine_loss")(), LR)
    for name, place in (("b of the first Linear", 0), ("b of the last Linear", 2)):
        expected = parameters[place + 1] - LR * expect.array("dL_db", copies[place].dL_db)
        expect.close(name, layers[place].b, expected)


def test_train_step_without_parameters(student, rng):
    """train_step works with layers that have nothing to learn; it changes neither x nor y."""
    x, y = rng.normal(size=(3, 6)), rng.normal(size=(3, 5))
    values = x
    for layer in made_up_layers(student):
        values = layer.forward(values)
    expected = student.probe("cosine_loss")().forward(values, y)
    network = student.neural_net.Network(made_up_layers(student))
    loss = student.probe("cosine_loss")()
    kept_x, kept_y = student.keep(x), student.keep(y)
    expect.close("loss", network.train_step(kept_x, kept_y, loss, LR), expected)
    expect.unchanged("x", x, student.fetch(kept_x))
    expect.unchanged("y", y, student.fetch(kept_y))
