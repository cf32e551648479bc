"""Hidden tests of rnn.RNN: forward, and the weights that it begins with."""

import numpy as np
import pytest

from autograder.suite import expect

from . import forward_checks
from .forward_checks import expect_states
from .recurrence import Layer

pytestmark = pytest.mark.item("week5.rnn")


@pytest.mark.weight(2)
@pytest.mark.parametrize("steps", [1, 2, 6])
def test_states(student, rng, steps):
    """RNN.forward gives the state after each step."""
    layer = Layer(student, rng, "RNN")
    layer.draw(steps=steps)
    expect_states(layer, layer.forward())


@pytest.mark.weight(2)
def test_starts_from_zeros(student, rng):
    """Without h0, the state before the first step is zero."""
    layer = Layer(student, rng, "RNN")
    layer.draw(started=False)
    expect_states(layer, layer.forward())


@pytest.mark.weight(2)
def test_what_the_first_state_does(student, rng):
    """Where the inputs are zero, only the start and the bias are left."""
    layer = Layer(student, rng, "RNN")
    layer.given["x"] = np.zeros_like(layer.given["x"])
    expect_states(layer, layer.forward())


def test_array_of_steps(student, rng):
    """The sequence may be one array of shape (T, N, D)."""
    layer = Layer(student, rng, "RNN")
    expect_states(layer, layer.forward(layer.given["x"]))


def test_long_sequence(student, rng):
    """After 60 steps, the last state is still that of the formula."""
    layer = Layer(student, rng, "RNN", (2, 5))
    layer.draw(steps=60, rows=1)
    expect_states(layer, layer.forward())


def test_each_sequence_for_itself(student, rng):
    """Another forward begins anew."""
    forward_checks.expect_read_again(Layer(student, rng, "RNN"))


def test_present_weights(student, rng):
    """Weights that were replaced are what forward uses."""
    forward_checks.expect_present_weights(Layer(student, rng, "RNN"))


@pytest.mark.weight(2)
def test_first_weights(student):
    """Weights are drawn with deviation 1 / sqrt(fan-in)."""
    forward_checks.expect_first_weights(student, "RNN", 1)


def test_first_biases(student):
    """Biases start at 0, beside weights that don't."""
    layer = student.rnn.RNN(3, 5)
    expect.differ("Wx", layer.Wx, 0, "all weights start at 0.")
    expect.close("b", layer.b, np.zeros(5))


def test_weights_come_from_the_generator(student):
    """The same generator gives the same weights, another one others."""
    forward_checks.expect_weights_from_generator(student, "RNN")


def test_dtype_of_weights(student):
    """The weights have the dtype that is asked for."""
    forward_checks.expect_dtype_of_weights(student, "RNN")


def test_keeps_float32(student, rng):
    """float32 in a layer with float32 weights gives float32."""
    forward_checks.expect_float32(Layer(student, rng, "RNN"))


def test_keeps_its_arguments(student, rng):
    """forward changes neither the sequence nor h0."""
    forward_checks.expect_arguments_kept(Layer(student, rng, "RNN"))
