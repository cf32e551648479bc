"""Hidden tests of rnn.RNN: backward through time."""

import pytest

from . import backward_checks as checks
from .recurrence import Layer, T

pytestmark = pytest.mark.item("week5.rnn_backward")

ALL = pytest.mark.parametrize("name", checks.gradients_of("RNN"))


@ALL
@pytest.mark.weight(3)
def test_gradient(student, rng, name):
    """RNN.backward gives this gradient, where the loss uses all states."""
    layer = Layer(student, rng, "RNN")
    layer.both()
    layer.expect_gradient(name)


@pytest.mark.weight(2)
@pytest.mark.parametrize(
    ("name", "place"), [*(("x", place) for place in range(T)), *(("Wh", t) for t in range(1, T))]
)
def test_one_step_counts(student, rng, name, place):
    """The loss uses one state alone, each in turn; the gradients of the others are None."""
    checks.expect_at_one_step(Layer(student, rng, "RNN"), place, name)


@ALL
def test_some_steps_count(student, rng, name):
    """The loss uses some of the states, and the last one not."""
    checks.expect_at_some_steps(Layer(student, rng, "RNN"), name)


@pytest.mark.parametrize("name", checks.gradients_of("RNN", but="Wh"))
def test_single_step(student, rng, name):
    """A sequence of one step."""
    layer = Layer(student, rng, "RNN")
    layer.draw(steps=1, rows=3)
    layer.both()
    layer.expect_gradient(name)


@ALL
def test_from_zeros(student, rng, name):
    """Where no start was given, the gradients are those at a start of zeros."""
    checks.expect_from_zeros(Layer(student, rng, "RNN"), name)


@ALL
def test_latest_forward(student, rng, name):
    """After two forwards, the gradients belong to the second."""
    checks.expect_latest_forward(Layer(student, rng, "RNN"), name)


@ALL
def test_nothing_adds_up(student, rng, name):
    """After another forward and backward, nothing of the first is left."""
    checks.expect_nothing_added_up(Layer(student, rng, "RNN"), name)


@ALL
def test_same_again(student, rng, name):
    """backward called twice after one forward gives the same twice."""
    checks.expect_same_again(Layer(student, rng, "RNN"), name)


@pytest.mark.parametrize("name", ["x", "Wh"])
def test_array_of_gradients(student, rng, name):
    """The gradients of the states may come as one array of shape (T, N, H)."""
    checks.expect_array_of_gradients(Layer(student, rng, "RNN"), name)


@pytest.mark.parametrize("name", ["x", "Wx"])
def test_present_weights(student, rng, name):
    """Weights that were replaced before forward are what backward uses."""
    checks.expect_present_weights(Layer(student, rng, "RNN"), name)


@pytest.mark.weight(2)
def test_from_far(student, rng):
    """What comes from the last of 50 states to the first input has all its digits."""
    layer = Layer(student, rng, "RNN", (2, 3), scale=0.5)
    layer.draw(steps=50, rows=1)
    checks.expect_from_far(layer)


def test_keeps_float32(student, rng):
    """Gradients of float32 arrays are float32 arrays."""
    names = [parameter.values[0] for parameter in checks.gradients_of("RNN")]
    checks.expect_float32(Layer(student, rng, "RNN"), names)


def test_keeps_what_it_is_given(student, rng):
    """backward changes neither the gradients that it is given nor the weights."""
    checks.expect_arguments_kept(Layer(student, rng, "RNN"))
