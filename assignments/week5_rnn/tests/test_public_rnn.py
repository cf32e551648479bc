"""Public tests of rnn.py: one example for each rule, small enough to follow by hand.

Where a number stands in a test, it is the formula's: with one feature and one state, each step is a
line of a pocket calculator. The gradients of larger layers are measured: by central differences of
the forward pass, which stands here once more.
"""

import numpy as np
import pytest

from autograder.suite import expect, whole_arrays

rnn = pytest.mark.item("week5.rnn")
rnn_backward = pytest.mark.item("week5.rnn_backward")
lstm = pytest.mark.item("week5.lstm")
lstm_backward = pytest.mark.item("week5.lstm_backward")

# A backward pass is judged where its forward pass is right.
on_rnn = pytest.mark.needs("week5.rnn")
on_lstm = pytest.mark.needs("week5.lstm")

NEAR = {"rtol": 0, "atol": 1e-6}

STEP = 1e-5
"""By how much a number is moved, to see what the loss does."""

BIASES = np.array([0.0, 1.0, 0.5, -0.5])
"""The biases of a small LSTM: input, forget and output gate, candidate."""


def steps(*numbers):
    """Return a sequence of one row and one feature."""
    return [np.array([[float(number)]]) for number in numbers]


def arrays_of(label, received, count, shape):
    """Expect `count` arrays of one shape; return them as a list."""
    several = isinstance(received, (list, tuple, np.ndarray)) and len(received) == count
    expect.that(label, several, f"expected a list of {count} arrays.")
    return [expect.array(label, one, shape) for one in received]


def listed(label, received, count):
    """Expect `count` arrays of one row and one column; return their numbers."""
    return [float(one[0, 0]) for one in arrays_of(label, received, count, (1, 1))]


def wave(scale, *shape):
    """Return an array of this shape, all entries different, none larger than `scale`."""
    return scale * np.sin(1.0 + np.arange(float(np.prod(shape)))).reshape(shape)


N, D, H, T = 2, 3, 2, 3
X, UPSTREAM = wave(1.0, T, N, D), np.cos(np.arange(12.0)).reshape(T, N, H)
STARTS = {"h0": wave(0.5, N, H), "c0": 0.6 - wave(0.7, N, H)}
"""Inputs, upstream gradients and starts of the larger layers."""


def weights_of(blocks):
    """Return weights of a larger layer with so many blocks of H columns."""
    wide = blocks * H
    return {"Wx": wave(0.8, D, wide), "Wh": 0.2 - wave(0.9, H, wide), "b": wave(0.4, wide)}


def measured(loss, arrays):
    """Return the gradient of a loss with respect to each array, by central differences."""
    found = {}
    for name, array in arrays.items():
        found[name] = np.zeros(array.shape)
        for place in np.ndindex(array.shape):
            move = np.zeros(array.shape)
            move[place] = STEP
            ahead = loss(**{**arrays, name: array + move})
            behind = loss(**{**arrays, name: array - move})
            found[name][place] = (ahead - behind) / (2 * STEP)
    return found


def expect_gradients(layer, received, wanted):
    """Compare the gradients of inputs, weights and starts of a larger layer."""
    for number, one in enumerate(arrays_of("dL_dx", received, T, (N, D))):
        expect.close(f"dL_dx of step {number + 1}", one, wanted["x"][number], **NEAR)
    for name in wanted:
        if name != "x":
            expect.close(f"dL_d{name}", getattr(layer, f"dL_d{name}"), wanted[name], **NEAR)


def small_rnn(student):
    """Return an RNN of one feature and one state: h_t = tanh(2 x_t - h_{t-1} + 0.5)."""
    layer = student.rnn.RNN(1, 1)
    layer.Wx, layer.Wh, layer.b = np.array([[2.0]]), np.array([[-1.0]]), np.array([0.5])
    return layer


def small_lstm(student):
    """Return an LSTM of one feature and one state, with other weights in each block."""
    layer = student.rnn.LSTM(1, 1)
    layer.Wx = np.array([[1.0, 0.5, -1.0, 2.0]])
    layer.Wh = np.array([[0.5, -0.5, 1.0, 1.0]])
    layer.b = BIASES
    return layer


def expect_deviations(layer, *shapes):
    """Expect that Wx and Wh of these shapes are drawn with deviation 1 / sqrt(fan-in)."""
    for name, shape in zip(("Wx", "Wh"), shapes, strict=True):
        W = expect.array(name, getattr(layer, name), shape)
        expect.close(f"deviation of {name}", float(W.std()), 1 / np.sqrt(shape[0]), rtol=0.1)


def float32_layer(student, kind, starts):
    """Return a float32 layer, and what its forward is given: inputs, and so many starts."""
    layer = kind(D, H, dtype=student.probe("float32"))
    given = [array.astype("float32") for array in (X, *list(STARTS.values())[:starts])]
    return layer, given


def expect_float32(student, kind, starts):
    """Expect float32 weights and states, and that inputs and starts are not changed."""
    layer, given = float32_layer(student, kind, starts)
    for name in ("Wx", "Wh", "b"):
        expect.dtype(name, getattr(layer, name), "float32")
    lent = [student.keep(array) for array in given]
    for arguments in (lent, lent[:1]):  # with starts, and without
        for state in arrays_of("states", layer.forward(*arguments), T, (N, H)):
            expect.dtype("state", state, "float32")
    for name, array, handle in zip(("the inputs", *STARTS), given, lent, strict=False):
        expect.unchanged(name, array, student.fetch(handle))


def expect_float32_gradients(student, kind, starts):
    """Expect float32 gradients in a float32 layer."""
    layer, given = float32_layer(student, kind, starts)
    layer.forward(*given)
    for one in arrays_of("dL_dx", layer.backward(UPSTREAM.astype("float32")), T, (N, D)):
        expect.dtype("dL_dx", one, "float32")
    for name in ("Wx", "Wh", "b", *list(STARTS)[:starts]):
        expect.dtype(f"dL_d{name}", getattr(layer, f"dL_d{name}"), "float32")


# RNN, forward


@rnn
def test_rnn_two_steps(student):
    """The second step has the first one's state in it: tanh(2 - tanh(0.5) + 0.5)."""
    states = listed("states", small_rnn(student).forward(steps(0, 1)), 2)
    first = np.tanh(0.5)
    expect.close("states", np.array(states), [first, np.tanh(2.0 - first + 0.5)], **NEAR)


@rnn
def test_rnn_from_a_start(student):
    """With a start of 0.5, and an input of 0, nothing is left: the state is 0."""
    states = listed("states", small_rnn(student).forward(steps(0), np.array([[0.5]])), 1)
    expect.close("states", np.array(states), [0.0], **NEAR)


@rnn
def test_rnn_matrices(student):
    """Row k of Wh says what state k does to all states of the next step."""
    layer = student.rnn.RNN(1, 2)
    layer.Wx, layer.b = np.zeros((1, 2)), np.zeros(2)
    layer.Wh = np.array([[0.0, 3.0], [0.0, 0.0]])
    received = layer.forward(steps(7), np.array([[1.0, 2.0]]))
    expect.close("first state", received[0], [[0.0, np.tanh(3.0)]], **NEAR)


@rnn
def test_rnn_begins_anew(student):
    """Two layers and two sequences in turn: each forward starts from zeros."""
    one, other = small_rnn(student), small_rnn(student)
    for layer in (one, other, one):
        states = listed("states", layer.forward(steps(0)), 1)
        expect.close("states", np.array(states), [np.tanh(0.5)], **NEAR)


@rnn
def test_rnn_first_weights(student):
    """Shapes of the weights and how large they are drawn; biases begin at 0."""
    layer = student.rnn.RNN(2, 3)
    expect.array("Wx", layer.Wx, (2, 3))
    expect.array("Wh", layer.Wh, (3, 3))
    expect.close("b", layer.b, np.zeros(3))
    expect_deviations(student.rnn.RNN(100, 40), (100, 40), (40, 40))


@rnn
def test_rnn_float32(student):
    """float32 weights and inputs give float32 states, and what is given stays as it is."""
    expect_float32(student, student.rnn.RNN, 1)


# RNN, backward


@rnn_backward
@on_rnn
def test_rnn_one_step_back(student):
    """At the state 0 the slope of tanh is 1: only weights are left."""
    layer = small_rnn(student)
    layer.forward(steps(0), np.array([[0.5]]))
    found = listed("dL_dx", layer.backward(steps(3)), 1)
    expect.close("dL_dx", np.array(found), [6.0], **NEAR)
    expect.close("dL_dWx", layer.dL_dWx, [[0.0]], **NEAR)
    expect.close("dL_dWh", layer.dL_dWh, [[1.5]], **NEAR)
    expect.close("dL_db", layer.dL_db, [3.0], **NEAR)
    expect.close("dL_dh0", layer.dL_dh0, [[-3.0]], **NEAR)


@rnn_backward
@on_rnn
def test_rnn_two_steps_back(student):
    """The loss uses the last state alone. Both states are 0 here, so that all slopes are 1."""
    layer = small_rnn(student)
    layer.forward(steps(0, -0.25), np.array([[0.5]]))
    found = listed("dL_dx", layer.backward([None, *steps(1)]), 2)
    expect.close("dL_dx", np.array(found), [-2.0, 2.0], **NEAR)
    expect.close("dL_dWx", layer.dL_dWx, [[-0.25]], **NEAR)
    expect.close("dL_dWh", layer.dL_dWh, [[-0.5]], **NEAR)
    expect.close("dL_db", layer.dL_db, [0.0], **NEAR)


@rnn_backward
@on_rnn
def test_rnn_slope_of_the_loss(student):
    """The gradient of the bias is what the sum of three states changes by, when the bias does."""

    def loss(b):
        states = [0.0]
        for x in (-0.1, -0.3, -0.2):
            states.append(np.tanh(2.0 * x - states[-1] + b))
        return sum(states)

    layer = small_rnn(student)
    layer.forward(steps(-0.1, -0.3, -0.2))
    layer.backward(steps(1, 1, 1))
    slope = (loss(0.5 + STEP) - loss(0.5 - STEP)) / (2 * STEP)
    expect.close("dL_db", layer.dL_db, [slope], **NEAR)


@rnn_backward
@on_rnn
def test_rnn_all_gradients(student):
    """Two rows, three steps, three features, two states: all gradients, and all of them again."""

    def loss(x, h0, Wx, Wh, b):
        h, total = h0, 0.0
        for step, u in zip(x, UPSTREAM, strict=True):
            h = np.tanh(step @ Wx + h @ Wh + b)
            total += np.sum(u * h)
        return total

    layer, weights, h0 = student.rnn.RNN(D, H), weights_of(1), STARTS["h0"]
    layer.Wx, layer.Wh, layer.b = weights["Wx"], weights["Wh"], weights["b"]
    wanted = measured(loss, {"x": X, **weights, "h0": h0})
    layer.forward(list(-X))
    lent = student.keep(UPSTREAM)
    for _ in range(2):
        layer.forward(list(X), h0)
        expect_gradients(layer, layer.backward(lent), wanted)
        expect.unchanged("the gradients", UPSTREAM, student.fetch(lent))


@rnn_backward
@on_rnn
def test_rnn_float32_gradients(student):
    """A float32 layer has float32 gradients."""
    expect_float32_gradients(student, student.rnn.RNN, 1)


@rnn_backward
@on_rnn
def test_rnn_nothing_accumulates(student):
    """Two layers, used in turn: the gradients belong to each one's latest forward."""
    layers = small_rnn(student), small_rnn(student)
    for layer, gradient in zip(layers * 2, (1, 2, 3, 4), strict=True):
        layer.forward(steps(0), np.array([[0.5]]))
        layer.backward(steps(gradient))
        expect.close("dL_db", layer.dL_db, [float(gradient)], **NEAR)


@rnn_backward
@on_rnn
def test_rnn_keeps_the_gradients(student):
    """backward does not change what it is given, and may be called again."""
    layer, given = small_rnn(student), np.array([[[1.0]], [[2.0]]])
    layer.forward(steps(0, -0.25), np.array([[0.5]]))
    kept = student.keep(given)
    for _ in range(2):
        found = listed("dL_dx", layer.backward(kept), 2)
        expect.close("dL_dx", np.array(found), [-2.0, 4.0], **NEAR)
        expect.unchanged("the gradients", given, student.fetch(kept))


# LSTM, forward


def next_step(z, c):
    """Return state and cell after a step, from the four blocks and the cell before."""
    *gates, g = np.split(z, 4, axis=-1)
    i, f, o = (1 / (1 + np.exp(-gate)) for gate in gates)
    c = f * c + i * np.tanh(g)
    return o * np.tanh(c), c


def by_formula(x, h, c, b=BIASES):
    """Return state and cell of `small_lstm` after one step."""
    blocks = np.array([1.0, 0.5, -1.0, 2.0]) * x + np.array([0.5, -0.5, 1.0, 1.0]) * h
    h, c = next_step(blocks + b, c)
    return float(h[0]), float(c[0])


@lstm
def test_lstm_two_steps(student):
    """The formulas of the docstring, twice."""
    layer = small_lstm(student)
    states = listed("states", layer.forward(steps(1, -0.5)), 2)
    first = by_formula(1.0, 0.0, 0.0)
    second = by_formula(-0.5, *first)
    expect.close("states", np.array(states), [first[0], second[0]], **NEAR)
    expect.close("c_last", layer.c_last, [[second[1]]], **NEAR)


@lstm
def test_lstm_reads_on(student):
    """The last state and the last cell are all that is needed to read on."""
    layer = small_lstm(student)
    h, c = by_formula(1.0, 0.0, 0.0)
    received = layer.forward(steps(-0.5), np.array([[h]]), np.array([[c]]))
    states = listed("states", received, 1)
    expect.close("states", np.array(states), [by_formula(-0.5, h, c)[0]], **NEAR)


@lstm
def test_lstm_remembers(student):
    """With an open forget gate and a closed input gate, the cell stays what it was."""
    layer = student.rnn.LSTM(1, 1)
    layer.Wx, layer.Wh = np.zeros((1, 4)), np.zeros((1, 4))
    layer.b = np.array([-1000.0, 1000.0, 1000.0, 5.0])
    start = np.array([[0.0]]), np.array([[0.75]])
    states = listed("states", layer.forward(steps(3, -7, 2), *start), 3)
    expect.close("states", np.array(states), [np.tanh(0.75)] * 3, **NEAR)
    expect.close("c_last", layer.c_last, [[0.75]], **NEAR)


@lstm
def test_lstm_first_weights(student):
    """Shapes and size of the weights; the forget gate's block begins at forget_bias."""
    layer = student.rnn.LSTM(3, 2, 1.5)
    expect.array("Wx", layer.Wx, (3, 8))
    expect.array("Wh", layer.Wh, (2, 8))
    expect.close("b", layer.b, [0.0, 0.0, 1.5, 1.5, 0.0, 0.0, 0.0, 0.0])
    expect_deviations(student.rnn.LSTM(100, 20), (100, 80), (20, 80))


@lstm
def test_lstm_float32(student):
    """float32 weights and inputs give float32 states, and what is given stays as it is."""
    expect_float32(student, student.rnn.LSTM, 2)


@lstm
def test_lstm_begins_anew(student):
    """Two layers and two sequences in turn: each forward starts from zeros."""
    one, other = small_lstm(student), small_lstm(student)
    for layer in (one, other, one):
        states = listed("states", layer.forward(steps(1)), 1)
        expect.close("states", np.array(states), [by_formula(1.0, 0.0, 0.0)[0]], **NEAR)


# LSTM, backward


def remembering(student):
    """Return an LSTM that keeps its cell of 0, for as long as its bias is not changed.

    All gates are half open, and the candidate is 0: each slope can be worked out on paper.
    """
    layer = student.rnn.LSTM(1, 1)
    layer.Wx, layer.Wh, layer.b = np.array([[0.0, 0.0, 0.0, 4.0]]), np.zeros((1, 4)), np.zeros(4)
    return layer


@lstm_backward
@on_lstm
def test_lstm_one_step_back(student):
    """The input reaches the state through the candidate: 4, times two gates of a half."""
    layer = remembering(student)
    layer.forward(steps(0))
    found = listed("dL_dx", layer.backward(steps(3)), 1)
    expect.close("dL_dx", np.array(found), [3.0], **NEAR)
    expect.close("dL_db", layer.dL_db, [0.0, 0.0, 0.0, 0.75], **NEAR)
    expect.close("dL_dc0", layer.dL_dc0, [[0.75]], **NEAR)
    expect.close("dL_dh0", layer.dL_dh0, [[0.0]], **NEAR)


@lstm_backward
@on_lstm
def test_lstm_memory_halves(student):
    """The loss uses the last state alone: on its way back, each step halves what the cell gets."""
    layer = remembering(student)
    layer.forward(steps(0, 0, 0))
    found = listed("dL_dx", layer.backward([None, None, *steps(8)]), 3)
    expect.close("dL_dx", np.array(found), [2.0, 4.0, 8.0], **NEAR)


@lstm_backward
@on_lstm
def test_lstm_slope_of_the_loss(student):
    """The gradient of the biases is what h_1 + 2 h_3 changes by, when one of them does."""

    def loss(b):
        states, c = [0.0], 0.0
        for x in (1.0, -0.5, 0.3):
            h, c = by_formula(x, states[-1], c, b)
            states.append(h)
        return states[1] + 2.0 * states[3]

    layer = small_lstm(student)
    layer.forward(steps(1, -0.5, 0.3))
    layer.backward([*steps(1), None, *steps(2)])
    moves = STEP * np.eye(4)
    slopes = [(loss(BIASES + move) - loss(BIASES - move)) / (2 * STEP) for move in moves]
    expect.close("dL_db", layer.dL_db, slopes, **NEAR)


@lstm_backward
@on_lstm
def test_lstm_all_gradients(student):
    """Two rows, three steps, three features, two states: all gradients, and all of them again."""

    def loss(x, h0, c0, Wx, Wh, b):
        h, c, total = h0, c0, 0.0
        for step, u in zip(x, UPSTREAM, strict=True):
            h, c = next_step(step @ Wx + h @ Wh + b, c)
            total += np.sum(u * h)
        return total

    layer, weights = student.rnn.LSTM(D, H), weights_of(4)
    layer.Wx, layer.Wh, layer.b = weights["Wx"], weights["Wh"], weights["b"]
    wanted = measured(loss, {"x": X, **weights, **STARTS})
    layer.forward(list(-X))
    lent = student.keep(UPSTREAM)
    for _ in range(2):
        layer.forward(list(X), STARTS["h0"], STARTS["c0"])
        expect_gradients(layer, layer.backward(lent), wanted)
        expect.unchanged("the gradients", UPSTREAM, student.fetch(lent))


@lstm_backward
@on_lstm
def test_lstm_float32_gradients(student):
    """A float32 layer has float32 gradients."""
    expect_float32_gradients(student, student.rnn.LSTM, 2)


@lstm_backward
@on_lstm
def test_lstm_nothing_accumulates(student):
    """Two layers, used in turn: the gradients belong to each one's latest forward."""
    layers = remembering(student), remembering(student)
    for layer, gradient in zip(layers * 2, (4, 8, 12, 16), strict=True):
        layer.forward(steps(0))
        layer.backward(steps(gradient))
        expect.close("dL_db", layer.dL_db, [0.0, 0.0, 0.0, gradient / 4.0], **NEAR)


@lstm_backward
@on_lstm
def test_lstm_keeps_the_gradients(student):
    """backward does not change what it is given, and may be called again."""
    layer, given = remembering(student), np.array([[[4.0]], [[8.0]]])
    layer.forward(steps(0, 0))
    kept = student.keep(given)
    for _ in range(2):
        found = listed("dL_dx", layer.backward(kept), 2)
        expect.close("dL_dx", np.array(found), [8.0, 8.0], **NEAR)
        expect.unchanged("the gradients", given, student.fetch(kept))


# all four


def no_loop(student, kind, method):
    """Expect that a method runs no more lines for a larger batch, or for more features."""

    def lines(examples, features):
        layer, ramp = getattr(student.rnn, kind)(features, 3), np.linspace(-1, 1, 2 * examples)
        x = np.tile(ramp.reshape(2, examples, 1), features)
        states, forward = whole_arrays.run(student, layer.forward, list(x))
        expect.array("first state", states[0], (examples, 3))
        if method == "forward":
            return forward
        gradients = np.tile(ramp.reshape(2, examples, 1), 3)
        dx, backward = whole_arrays.run(student, layer.backward, list(gradients))
        expect.array("first dL_dx", dx[0], (examples, features))
        return backward

    whole_arrays.no_loop(f"{kind}.{method}", lines)


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        pytest.param("RNN", "forward", marks=rnn),
        pytest.param("RNN", "backward", marks=[rnn_backward, on_rnn]),
        pytest.param("LSTM", "forward", marks=lstm),
        pytest.param("LSTM", "backward", marks=[lstm_backward, on_lstm]),
    ],
)
def test_whole_batches(student, kind, method):
    """A Python loop runs over the time, and over nothing else."""
    no_loop(student, kind, method)
