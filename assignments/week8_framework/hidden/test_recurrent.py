"""Hidden tests of recurrent layers."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import STEP

from . import oracle
from .asking import built, check_backward, check_forward, drawn, drive, entry

RNN = pytest.mark.item("framework.rnn")
LSTM = pytest.mark.item("framework.lstm")
NEEDS = pytest.mark.needs(
    "framework.backward", "framework.arithmetic", "framework.matmul", "framework.shapes"
)
D, H = 3, 4
FORMULAS = {"rnn": oracle.rnn, "lstm": oracle.lstm}


def spec_of(kind, **more):
    """Return the configuration of a layer."""
    return {"name": kind, "input_size": D, "hidden_size": H, **more}


def weights_of(rng, kind):
    """Draw weights."""
    wide = H if kind == "rnn" else 4 * H
    return drawn(rng, {"Wx": (D, wide), "Wh": (H, wide), "b": (wide,)})


def forward(student, rng, kind, steps):
    """Compare states."""
    layer, x = built(student, spec_of(kind)), rng.normal(size=(steps, 2, D))
    check_forward(student, layer, x, weights_of(rng, kind), FORMULAS[kind])


def backward(student, rng, kind, steps):
    """Compare gradients."""
    layer, x = built(student, spec_of(kind)), rng.normal(size=(steps, 2, D))
    check_backward(student, layer, x, weights_of(rng, kind), FORMULAS[kind], rng)


def begins(student, kind, bias):
    """Compare a layer's first biases, and the names of its parameters."""
    more = {"forget_bias": 2.5} if kind == "lstm" else {}
    found = drive(student, "weights", built(student, spec_of(kind, **more)))
    expect.close("b", entry("the parameters", found, "b"), bias)
    shapes = {"Wx": (D, len(bias)), "Wh": (H, len(bias))}
    for name, shape in shapes.items():
        array = expect.array(name, entry("the parameters", found, name), shape)
        expect.differ(name, array, 0, "all its weights are 0.")
    expect.that("the parameters", len(found) == 3, f"there are {len(found)}, not 3.")


@RNN
@NEEDS
@pytest.mark.parametrize("steps", [1, 5])
def test_rnn(student, rng, steps):
    """The states of an RNN."""
    forward(student, rng, "rnn", steps)


@RNN
@NEEDS
@pytest.mark.parametrize("steps", [1, 5])
def test_rnn_backward(student, rng, steps):
    """Backpropagation through time: the gradients of inputs and weights of an RNN."""
    backward(student, rng, "rnn", steps)


@RNN
def test_rnn_begins(student):
    """The parameters of a new RNN."""
    begins(student, "rnn", np.zeros(H))


@LSTM
@NEEDS
@pytest.mark.parametrize("steps", [1, 5])
def test_lstm(student, rng, steps):
    """The states of an LSTM."""
    forward(student, rng, "lstm", steps)


@LSTM
@NEEDS
@pytest.mark.parametrize("steps", [1, 5])
def test_lstm_backward(student, rng, steps):
    """Backpropagation through time: the gradients of inputs and weights of an LSTM."""
    backward(student, rng, "lstm", steps)


@LSTM
def test_lstm_begins(student):
    """The parameters of a new LSTM, and the bias of its forget gate."""
    begins(student, "lstm", np.repeat([0.0, 2.5, 0.0, 0.0], H))


@LSTM
@NEEDS
@pytest.mark.long
def test_lstm_of_a_thousand_steps(student, rng):
    """An LSTM over 1,000 steps: states and gradients."""
    given = weights_of(rng, "lstm")
    given["b"][H : 2 * H] += 3.0
    x = rng.normal(size=(1000, 2, D))
    layer = built(student, spec_of("lstm"))
    drive(student, "fill", layer, given)
    states = oracle.lstm(x, **given)
    upstream = rng.normal(size=states.shape)
    found = drive(student, "run", layer, x, upstream)
    expect.close("the states", entry("the answer", found, "value"), states)
    # One complex step in a direction drawn for each: exact, and one pass instead of thousands.
    for name, array in {"x": x, **given}.items():
        gradient = expect.array(name, entry("the gradients", found, name), array.shape)
        direction = rng.normal(size=array.shape)
        moved = {"x": x, **given, name: array + 1j * STEP * direction}
        slope = (upstream * np.imag(oracle.lstm(**moved)) / STEP).sum()
        found_slope = float((gradient * direction).sum())
        expect.close(f"the gradient of {name} in a direction", found_slope, slope)
