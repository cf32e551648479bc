"""Public tests of the derivation in derivations.ipynb: one small case, worked out on paper."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.rows import array_of

pytestmark = pytest.mark.item("week5.derive_rnn")

WH = np.array([[1.0, 10.0], [100.0, 0.0]])
UPSTREAM = np.array([[1.0, 2.0], [3.0, 4.0]])
# At these states the slopes of tanh are 1, 0.75 in the first step and 0.64, 0.36 in the second.
STATES = np.array([[0.0, 0.5], [0.6, 0.8]])


def test_states(student):
    """Step 1: two steps, two states; the first state also acts on the second."""
    received = array_of(student.derivations.rnn_dh(UPSTREAM, STATES, WH))
    expect.close("dL/dh", received, [[17.32, 194.0], [3.0, 4.0]])


def test_states_of_three_steps(student):
    """Step 1: a third state of 0, with an upstream gradient of its own."""
    upstream, states = np.vstack([UPSTREAM, [1.0, -1.0]]), np.vstack([STATES, [0.0, 0.0]])
    received = array_of(student.derivations.rnn_dh(upstream, states, WH))
    expect.close("dL/dh", received, [[371.56, -382.0], [-6.0, 104.0], [1.0, -1.0]])


def test_what_was_given_stays(student):
    """Step 1: what rnn_dh is given is not changed."""
    lent = student.keep(UPSTREAM)
    received = expect.array("dL/dh", array_of(student.derivations.rnn_dh(lent, STATES, WH)), (2, 2))
    expect.unchanged("u", UPSTREAM, student.fetch(lent))
    expect.that("dL/dh", np.any(received != UPSTREAM), "this is u itself.")


def test_weights(student):
    """Step 2: the matrix was used at both steps."""
    received = array_of(student.derivations.rnn_dWh(UPSTREAM, STATES, np.array([1.0, -1.0])))
    expect.close("dL/dWh", received, [[1.0, 1.5], [-0.04, -0.78]])


def test_jacobian_of_one_step(student):
    """Step 3: J of one step; row j is about entry j of the last state."""
    received = array_of(student.derivations.rnn_jacobian(STATES[1:], WH))
    expect.close("J", received, [[0.64, 64.0], [3.6, 0.0]])


def test_jacobian_of_two_steps(student):
    """Step 3: J of two steps."""
    received = array_of(student.derivations.rnn_jacobian(STATES, WH))
    expect.close("J", received, [[480.64, 64.0], [3.6, 360.0]])


def test_cells(student):
    """Step 4: two steps, two cells."""
    out, kept = np.array([[0.5, 0.25], [0.5, 1.0]]), np.array([[0.9, 0.8], [0.1, 0.5]])
    cells = np.arctanh([[0.0, 0.0], [0.6, 0.8]])
    received = array_of(student.derivations.lstm_dc(UPSTREAM, out, kept, cells))
    expect.close("dL/dc", received, [[0.596, 1.22], [0.96, 1.44]])
