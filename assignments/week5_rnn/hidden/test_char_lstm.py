"""Hidden tests of language.CharLSTM, with parts of the examiner's in the place of the student's."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import right_but_for_a_factor, something_right

from . import formulas_text as formulas
from .formulas_text import LN2
from .stand_ins_text import Network, V, expect_all

pytestmark = pytest.mark.item("week5.char_lstm")

N, T, LR = 2, 5, 0.05


@pytest.mark.weight(2)
def test_forward(student, rng):
    """forward returns the logits of what comes after each character, row by row."""
    at = Network(student, rng)
    ids = at.ids(N, T)
    expect.close("logits", at.forward(ids), at.own.forward(ids))


@pytest.mark.weight(2)
def test_forward_reads_on(student, rng):
    """A second forward goes on where the first one stopped, in each row."""
    at = Network(student, rng)
    for steps in (T, 3):
        ids = at.ids(N, steps)
        received, wanted = at.forward(ids), at.own.forward(ids)
    expect.close("logits of the second piece", received, wanted)


def test_forward_keeps_where_it_stopped(student, rng):
    """After forward, `state` is the LSTM's last state and cell."""
    at = Network(student, rng)
    ids = at.ids(N, T)
    at.forward(ids)
    at.own.forward(ids)
    for name, received, wanted in zip(("state", "cell"), at.state(N), at.own.state, strict=True):
        expect.close(f"the {name} kept", received, wanted)


def test_forward_begins_with_the_state(student, rng):
    """forward begins with the state that it is given, and after `reset` with none."""
    at = Network(student, rng)
    at.set_state(N)
    ids = at.ids(N, T)
    expect.close("logits", at.forward(ids), at.own.forward(ids))
    at.call("reset")
    at.own.state = None
    expect.close("logits after reset", at.forward(ids), at.own.forward(ids))


@pytest.mark.weight(3)
@pytest.mark.parametrize("begun", [False, True], ids=["from nothing", "from a state"])
def test_gradients(student, rng, begun):
    """backward stores the gradients of all parameters."""
    at = Network(student, rng)
    if begun:
        at.set_state(N)
    ids, upstream = at.ids(N, T), rng.normal(size=(N, T, V))
    for one in (at, at.own):
        one.forward(ids)
    at.call("backward", upstream)
    expect_all("gradient of {}", at.gradients(), at.own.gradients(upstream))


def test_nothing_accumulates(student, rng):
    """After another forward and backward, gradients belong to the latest piece alone."""
    at = Network(student, rng)
    for steps in (4, 3):
        ids, upstream = at.ids(N, steps), rng.normal(size=(N, steps, V))
        at.forward(ids)
        at.own.forward(ids)
        at.call("backward", upstream)
    received, wanted = at.gradients(), at.own.gradients(upstream)
    for name in ("by", "Wy"):
        right_but_for_a_factor(f"gradient of {name}", received[name], wanted[name])
        expect.close(f"gradient of {name}", received[name], wanted[name])


def test_train_step_returns_the_loss(student, rng):
    """train_step returns the mean loss before the step, in nats."""
    at = Network(student, rng)
    x, y = at.ids(N, T), at.ids(N, T)
    wanted = formulas.sequence_loss(at.own.forward(x), y)[0]
    expect.close("loss", at.call("train_step", x, y, LR), wanted)


@pytest.mark.weight(3)
@pytest.mark.parametrize(
    "limits",
    [(50.0, 50.0), (0.02, 50.0), (50.0, 0.01)],
    ids=["short", "the first one clipped", "the second one clipped"],
)
def test_train_step(student, rng, limits):
    """train_step takes the optimizer's step along the clipped gradients, and reads on."""
    at = Network(student, rng)
    for limit in limits:
        x, y = at.ids(N, T), at.ids(N, T)
        at.call("train_step", x, y, LR, limit)
        at.own.train_step(x, y, LR, limit)
    expect_all("{} after two steps", at.weights(), at.own.weights, rtol=1e-5, atol=1e-7)


def test_train_step_keeps_its_arguments(student, rng):
    """train_step changes neither x nor y."""
    at = Network(student, rng)
    x, y = at.ids(N, T), at.ids(N, T)
    wanted = formulas.sequence_loss(at.own.forward(x), y)[0]
    before = at.own.weights["by"].copy()
    kept = student.keep(x), student.keep(y)
    received = at.call("train_step", *kept, LR)
    moved = lambda: expect.differ("by", at.weights()["by"], before, "no step was taken.")  # noqa: E731
    something_right(lambda: expect.close("loss", received, wanted), moved)
    expect.unchanged("x", x, student.fetch(kept[0]))
    expect.unchanged("y", y, student.fetch(kept[1]))


@pytest.mark.weight(2)
@pytest.mark.parametrize("length", [2, 30, 610, 800])
def test_bits(student, rng, length):
    """bits_per_char is the mean over all characters but the first, after everything before."""
    at = Network(student, rng)
    ids = at.ids(length)
    expect.close("bits per character", at.call("bits_per_char", ids), at.own.bits(ids))


@pytest.mark.parametrize("rows", [1, 3])
def test_bits_begin_anew_and_leave_the_state(student, rng, rows):
    """bits_per_char reads from the beginning, and `state` is afterwards what it was."""
    at = Network(student, rng)
    state, ids = at.set_state(rows), at.ids(40)
    received = at.call("bits_per_char", ids)
    expect.close("bits per character", received, at.own.bits(ids))
    for name, now, before in zip(("state", "cell"), at.state(rows), state, strict=True):
        expect.close(f"the {name} kept", now, before)


def test_bits_change_no_weight(student, rng):
    """bits_per_char measures and doesn't train, and keeps its argument."""
    at = Network(student, rng)
    ids = at.ids(25)
    kept = student.keep(ids)
    received = at.call("bits_per_char", kept)
    wanted = at.own.bits(ids)
    factors = (1.0, LN2, 1.0 / LN2, 25.0, 24.0, 24.0 / 25.0, 25.0 / 24.0)
    ways = [lambda f=f: expect.close("bits per character", received, f * wanted) for f in factors]
    something_right(*ways)
    expect_all("{}", at.weights(), at.own.weights)
    expect.unchanged("ids", ids, student.fetch(kept))
