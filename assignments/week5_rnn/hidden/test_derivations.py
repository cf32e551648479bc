"""Hidden tests of the derivation of gradients through time, on one sequence."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from ..suite_tools.rows import array_of

pytestmark = pytest.mark.item("week5.derive_rnn")

CASES = [
    pytest.param((1, 3), id="one step"),
    pytest.param((2, 4), id="two steps"),
    pytest.param((6, 3), id="six steps"),
]


def rnn_states(h0, Wh, from_inputs, moves):
    """Return h_1 ... h_T; each is moved by an entry of `moves` before it is used."""
    states, h = [], h0
    for z, move in zip(from_inputs, moves, strict=True):
        h = np.tanh(z + h @ Wh) + move
        states.append(h)
    return np.array(states)


def lstm_cells(kept, added, moves):
    """Return c_1 ... c_T for given factors of the cell before, and given sums to add."""
    cells, c = [], np.zeros(kept.shape[1])
    for t, move in enumerate(moves):
        c = kept[t] * c + added[t] + move
        cells.append(c)
    return np.array(cells)


def drawn(rng, case):
    """Return h_0, Wh, what comes from the inputs, and u_1 ... u_T."""
    steps, size = case
    h0, matrix = rng.normal(size=size), rng.normal(size=(size, size))
    return h0, matrix, *rng.normal(size=(2, steps, size))


@pytest.mark.parametrize("case", CASES)
def test_states(student, rng, case):
    """Step 1: dL/dh_t for every t."""
    h0, matrix, inputs, direct = drawn(rng, case)
    none = np.zeros(case)
    wanted = vjp(lambda moves: rnn_states(h0, matrix, inputs, moves), [none], direct)[0]
    h = rnn_states(h0, matrix, inputs, none)
    expect.close("dL/dh", array_of(student.derivations.rnn_dh(direct, h, matrix)), wanted)


def test_what_was_given_stays(student, rng):
    """Step 1: what rnn_dh is given is not changed."""
    _, matrix, inputs, direct = drawn(rng, (5, 3))
    h = np.tanh(inputs)
    lent = [student.keep(array) for array in (direct, h, matrix)]
    received = expect.array("dL/dh", array_of(student.derivations.rnn_dh(*lent)), (5, 3))
    for name, array, handle in zip(("u", "h", "Wh"), (direct, h, matrix), lent, strict=True):
        expect.unchanged(name, array, student.fetch(handle))
    expect.that("dL/dh", np.any(received != direct), "this is u itself, and nothing was computed.")


@pytest.mark.parametrize("case", CASES)
def test_weights(student, rng, case):
    """Step 2: dL/dWh."""
    h0, matrix, inputs, direct = drawn(rng, case)
    none = np.zeros(case)
    h = rnn_states(h0, matrix, inputs, none)
    whole = vjp(lambda moves: rnn_states(h0, matrix, inputs, moves), [none], direct)[0]
    wanted = vjp(lambda moved: rnn_states(h0, moved, inputs, none), [matrix], direct)[0]
    expect.close("dL/dWh", array_of(student.derivations.rnn_dWh(whole, h, h0)), wanted)


@pytest.mark.parametrize("case", CASES)
def test_jacobian(student, rng, case):
    """Step 3: how the last state moves with the first."""
    h0, matrix, inputs, _ = drawn(rng, case)
    none = np.zeros(case)
    wanted = np.array(
        [
            vjp(lambda moved: rnn_states(moved, matrix, inputs, none)[-1], [h0], unit)[0]
            for unit in np.eye(case[1])
        ]
    )
    h = rnn_states(h0, matrix, inputs, none)
    expect.close("J", array_of(student.derivations.rnn_jacobian(h, matrix)), wanted)


@pytest.mark.parametrize("case", CASES)
def test_cells(student, rng, case):
    """Step 4: dL/dc_t for every t."""
    kept, out = rng.uniform(0.1, 0.9, size=(2, *case))
    added, upstream = rng.normal(size=(2, *case))
    none = np.zeros(case)
    wanted = vjp(lambda moves: out * np.tanh(lstm_cells(kept, added, moves)), [none], upstream)[0]
    cells = lstm_cells(kept, added, none)
    expect.close("dL/dc", array_of(student.derivations.lstm_dc(upstream, out, kept, cells)), wanted)
