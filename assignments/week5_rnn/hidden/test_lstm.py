"""Hidden tests of rnn.LSTM: forward, and the weights that it begins with."""

import numpy as np
import pytest

from autograder.suite import expect

from . import forward_checks
from .formulas_rnn import RIGHT
from .forward_checks import expect_states
from .recurrence import H, Layer, N

pytestmark = pytest.mark.item("week5.lstm")


def last_cell(layer):
    """Return the right cell after the last step."""
    return RIGHT["LSTM"].steps(layer.given)[-1].c


@pytest.mark.weight(2)
@pytest.mark.parametrize("steps", [1, 2, 6])
def test_states(student, rng, steps):
    """LSTM.forward gives the state after each step."""
    layer = Layer(student, rng, "LSTM")
    layer.draw(steps=steps)
    expect_states(layer, layer.forward())


@pytest.mark.weight(2)
def test_starts_from_zeros(student, rng):
    """Without h0 and c0, state and cell before the first step are zero."""
    layer = Layer(student, rng, "LSTM")
    layer.draw(started=False)
    expect_states(layer, layer.forward())


@pytest.mark.weight(2)
@pytest.mark.parametrize("name", ["h0", "c0"])
def test_start(student, rng, name):
    """A start other than zero counts, of the state and of the cell each by itself."""
    layer = Layer(student, rng, "LSTM")
    for other in ("h0", "c0"):
        if other != name:
            layer.given[other] = np.zeros_like(layer.given[other])
    expect_states(layer, layer.forward())


@pytest.mark.weight(2)
@pytest.mark.parametrize("block", range(4))
def test_one_block_at_a_time(student, rng, block):
    """Of the four blocks of columns, one is driven by the inputs and the others by biases."""
    layer = Layer(student, rng, "LSTM")
    columns = np.arange(4 * H) // H == block
    for name in ("Wx", "Wh"):
        layer.given[name] = np.where(columns, layer.given[name], 0.0)
    layer.put_weights()
    expect_states(layer, layer.forward())


@pytest.mark.weight(2)
@pytest.mark.parametrize("started", [True, False], ids=["from a start", "from zeros"])
def test_last_cell(student, rng, started):
    """c_last is the cell after the last step of the latest forward."""
    layer = Layer(student, rng, "LSTM")
    layer.forward()
    layer.draw(steps=3, started=started)
    layer.forward()
    expect.close("c_last", layer.own.c_last, last_cell(layer))


def test_array_of_steps(student, rng):
    """The sequence may be one array of shape (T, N, D)."""
    layer = Layer(student, rng, "LSTM")
    expect_states(layer, layer.forward(layer.given["x"]))


def test_long_sequence(student, rng):
    """After 60 steps, the last state is still that of the formula."""
    layer = Layer(student, rng, "LSTM", (2, 3))
    layer.draw(steps=60, rows=1)
    expect_states(layer, layer.forward())


def test_gates_at_their_ends(student, rng):
    """Inputs of 1000 close gates or open them, and overflow nothing."""
    layer = Layer(student, rng, "LSTM")
    layer.draw(steps=3)
    layer.given["x"] *= 1000.0
    expect_states(layer, layer.forward())


def test_each_sequence_for_itself(student, rng):
    """Another forward begins anew, with a cell of zeros too."""
    forward_checks.expect_read_again(Layer(student, rng, "LSTM"))


def test_present_weights(student, rng):
    """Weights that were replaced are what forward uses."""
    forward_checks.expect_present_weights(Layer(student, rng, "LSTM"))


@pytest.mark.weight(2)
def test_first_weights(student):
    """Weights are drawn with deviation 1 / sqrt(fan-in)."""
    forward_checks.expect_first_weights(student, "LSTM", 4)


@pytest.mark.weight(2)
@pytest.mark.parametrize("bias", [None, 2.5], ids=["by default", "as asked for"])
def test_first_biases(student, bias):
    """The biases of the forget gate start at forget_bias, all others at 0."""
    make = student.rnn.LSTM
    layer = make(3, 5) if bias is None else make(3, 5, forget_bias=bias)
    wanted = np.zeros(20)
    wanted[5:10] = 1.0 if bias is None else bias
    expect.close("b", layer.b, wanted)


def test_weights_come_from_the_generator(student):
    """The same generator gives the same weights, another one others."""
    forward_checks.expect_weights_from_generator(student, "LSTM")


def test_dtype_of_weights(student):
    """The weights have the dtype that is asked for."""
    forward_checks.expect_dtype_of_weights(student, "LSTM")


def test_keeps_float32(student, rng):
    """float32 in a layer with float32 weights gives float32."""
    forward_checks.expect_float32(Layer(student, rng, "LSTM"))


def test_last_cell_is_float32(student, rng):
    """c_last is float32 where weights and inputs are."""
    layer = Layer(student, rng, "LSTM")
    layer.put_weights("float32")
    layer.draw(started=False)
    layer.forward(list(layer.given["x"].astype("float32")))
    forward_checks.right_but_for_a_factor(
        "c_last", layer.own.c_last, last_cell(layer), rtol=1e-3, atol=1e-4
    )
    expect.array("c_last", layer.own.c_last, (N, H))
    expect.dtype("c_last", layer.own.c_last, "float32")


def test_keeps_its_arguments(student, rng):
    """forward changes neither the sequence nor h0 and c0."""
    forward_checks.expect_arguments_kept(Layer(student, rng, "LSTM"))
