"""Public tests of language.py. Those of the network run on top of your own rnn.py."""

import numpy as np
import pytest

from autograder.suite import expect

embedding = pytest.mark.item("week5.embedding")
batches = pytest.mark.item("week5.batches")
loss = pytest.mark.item("week5.loss")
clipping = pytest.mark.item("week5.clipping")
sampling = pytest.mark.item("week5.sampling")
network = pytest.mark.item("week5.char_lstm")
on_parts = pytest.mark.needs("week5.embedding", "week5.lstm")
on_all_parts = pytest.mark.needs(
    "week5.embedding", "week5.loss", "week5.clipping", "week5.lstm", "week5.lstm_backward"
)

V, D, H = 5, 2, 3
TABLE = np.arange(10.0).reshape(V, D) / 8.0 - 0.5
LN2 = 0.6931471805599453

NEAR = {"rtol": 1e-6, "atol": 1e-6}

# What the network with the weights of `small_network` gives, to eight digits.
GREEDY = {(2, 0): [0, 0, 1, 0, 0, 1], (0, 0): [1, 0, 0, 1, 0, 0], (0, 1): [0, 0, 1, 0, 0, 1]}
FIRST = [0.87217663, 0.42476347, -0.41317527, -0.87124257, -0.52829347]
FOURTH = [0.54963114, 0.49785988, -0.01164146, -0.51043969, -0.53994203]
LOSS = 2.10572834
BIASES = [0.79147099, 0.85929743, 0.19112001, -0.80680249, -0.90892428]

# Three pieces of two rows, and for each the limit of a step and the loss before it.
PIECES = [
    ([[1, 4, 2], [3, 0, 4]], [[4, 2, 0], [0, 4, 1]], 50.0, 1.83532255),
    ([[0, 1], [1, 3]], [[1, 2], [3, 3]], 0.05, 2.05534914),
    ([[2, 4, 4], [3, 1, 0]], [[4, 4, 1], [1, 0, 2]], 50.0, 1.58264394),
]
LONG = np.arange(702) ** 2 // 700 % V
LONG_BITS = 2.38420081


# Embedding


@embedding
def test_vectors(student):
    """Each character gets its row of W, whatever the shape of the ids."""
    layer = student.language.Embedding(V, D)
    layer.W = TABLE
    received = layer.forward(np.array([[4, 0, 4], [1, 2, 0]]))
    expect.close("forward output", received, TABLE[[[4, 0, 4], [1, 2, 0]]])


@embedding
def test_a_character_that_occurs_twice(student):
    """A character that occurs several times gets the sum of what its places get."""
    layer = student.language.Embedding(V, D)
    layer.W = TABLE
    for factor in (3.0, 1.0):  # the second backward is what counts
        layer.forward(np.array([[1, 3, 1]]))
        layer.backward(factor * np.array([[[1.0, -2.0], [4.0, 0.5], [0.25, 8.0]]]))
    wanted = [[0.0, 0.0], [1.25, 6.0], [0.0, 0.0], [4.0, 0.5], [0.0, 0.0]]
    expect.close("dL_dW", layer.dL_dW, wanted)


@embedding
def test_numbers_that_change(student):
    """Whoever owns the ids may use their array for others before backward."""
    layer = student.language.Embedding(V, D)
    lent = student.keep(np.array([1, 3]))
    layer.forward(lent)
    lent.flat = np.array([0, 0])
    layer.backward(np.array([[1.0, -2.0], [4.0, 0.5]]))
    wanted = [[0.0, 0.0], [1.0, -2.0], [0.0, 0.0], [4.0, 0.5], [0.0, 0.0]]
    expect.close("dL_dW", layer.dL_dW, wanted)


@embedding
def test_drawn_vectors(student):
    """W is drawn with deviation 1."""
    W = expect.array("W", student.language.Embedding(40, 50).W, (40, 50))
    expect.close("deviation of W", float(W.std()), 1.0, rtol=0.1)
    small = student.language.Embedding(V, D, dtype=student.probe("float32"))
    expect.dtype("W", small.W, "float32")


# batches


@batches
@pytest.mark.parametrize(("length", "steps", "count"), [(17, 3, 2), (26, 4, 3)])
def test_pieces(student, length, steps, count):
    """Two rows in pieces, from a text in which each character is its place."""
    ids, half, shape = np.arange(length), length // 2, (2, steps)
    pieces = student.drive("text_pieces", student.language.batches, ids, 2, steps)
    expect.equal("number of pieces", len(pieces), count)
    inputs = [expect.array("inputs", x, shape) for x, _ in pieces]
    for number, (x, (_, y)) in enumerate(zip(inputs, pieces, strict=True)):
        ahead = expect.array("targets", y, shape) - x
        expect.equal(f"targets of piece {number}, minus inputs", ahead, np.ones(shape, int))
    begins = inputs[0][1, 0]
    # Both rows have half of the text, or one character fewer.
    message = f"the second row begins at character {begins}, expected {half - 1} or {half}."
    expect.that("rows", begins in (half - 1, half), message)
    second = half - 1 if begins == half - 1 else half
    for number, x in enumerate(inputs):
        first = np.array([[0], [second]]) + steps * number + np.arange(steps)
        expect.equal(f"inputs of piece {number}", x, first)


# sequence_loss

WEIGHTS = [[[1, 2, 1], [3, 1, 4], [1, 1, 2]], [[2, 1, 1], [4, 1, 3], [1, 2, 1]]]
LOGITS = np.log(np.array(WEIGHTS, dtype=float))
TARGETS = np.array([[1, 0, 2], [0, 2, 1]])


@loss
def test_loss(student):
    """Two rows of three places: the mean of -ln(1/2), four times, and -ln(3/8), twice."""
    received, _ = student.language.sequence_loss(LOGITS, TARGETS)
    expect.close("loss", received, (4.0 * np.log(2.0) + 2.0 * np.log(8.0 / 3.0)) / 6.0)
    message = f"expected a float, got {expect.kind_of(received)}."
    expect.that("loss", type(received) is float, message)


@loss
def test_gradient(student):
    """The gradient of the mean over six places."""
    _, received = student.language.sequence_loss(LOGITS, TARGETS)
    wanted = [
        [[0.25, -0.5, 0.25], [-0.625, 0.125, 0.5], [0.25, 0.25, -0.5]],
        [[-0.5, 0.25, 0.25], [0.5, 0.125, -0.625], [0.25, -0.5, 0.25]],
    ]
    expect.close("gradient", received, np.array(wanted) / 6.0)


@loss
def test_large_logits(student):
    """Logits of 1000 and -1000 overflow nowhere."""
    logits = np.array([[[1000.0, -1000.0]]])
    received, gradient = student.language.sequence_loss(logits, np.array([[1]]))
    expect.close("loss", received, 2000.0)
    expect.close("gradient", gradient, [[[1.0, -1.0]]])


# clip_gradients

GRADS = [np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([12.0])]


def clipped(student, grads, limit):
    """Return the entries of all arrays that clip_gradients gives, one after the other."""
    lent = [student.keep(grad) for grad in grads]
    found = student.language.clip_gradients(lent, limit)
    several = isinstance(found, (list, tuple)) and len(found) == len(grads)
    expect.that("clip_gradients", several, f"expected a list of {len(grads)} arrays.")
    for number, (one, grad) in enumerate(zip(found, grads, strict=True)):
        expect.array(f"gradient {number}", one, grad.shape)
    for number, (grad, handle) in enumerate(zip(grads, lent, strict=True)):
        expect.unchanged(f"gradient {number}", grad, student.fetch(handle))
    return np.concatenate([np.ravel(one) for one in found])


@clipping
def test_too_long(student):
    """The entries 3 0 0 4 and 12 of two arrays have together the length 13; the limit is 2."""
    found = clipped(student, GRADS, 2.0)
    wanted = np.array([3.0, 0.0, 0.0, 4.0, 12.0]) * 2.0 / 13.0
    expect.close("entries of all gradients", found, wanted, rtol=1e-5)


@clipping
def test_short_enough(student):
    """With a limit of 20 they stay, and so do zeros."""
    found = clipped(student, [*GRADS, np.zeros(2)], 20.0)
    wanted = [3.0, 0.0, 0.0, 4.0, 12.0, 0.0, 0.0]
    expect.close("entries of all gradients", found, wanted, rtol=1e-5)
    expect.close("entries of all gradients", clipped(student, [np.zeros(2)], 1.0), np.zeros(2))


@clipping
def test_float32_gradients(student):
    """float32 arrays come back as float32 arrays."""
    given = [grad.astype("float32") for grad in GRADS]
    for limit in (2.0, 20.0):
        found = clipped(student, given, limit)
        expect.dtype("entries of all gradients", found, "float32")


# sample, generate


def drawn(student, logits, temperature, seed, count):
    """Return characters that sample gives, drawn with one generator."""
    found = student.drive("characters", student.language.sample, logits, temperature, seed, count)
    kinds = [expect.kind_of(one) for one in found if type(one) is not int]
    expect.that("sample", not kinds, f"expected an int, got {kinds[0] if kinds else None}.")
    return expect.array("characters", np.array(found), (count,))


@sampling
def test_the_likeliest(student):
    """At temperature 0 the likeliest character is chosen, of several the first."""
    found = drawn(student, np.array([0.5, 2.0, -1.0, 2.0]), 0.0, 1, 3)
    expect.equal("characters", found, np.array([1, 1, 1]))


@sampling
@pytest.mark.parametrize("temperature", [1.0, 0.02])
def test_large_logits_are_drawn(student, temperature):
    """Logits of 1000 and 1100 overflow nowhere: the second character is all but certain."""
    found = drawn(student, np.array([1000.0, 1100.0]), temperature, 1, 3)
    expect.equal("characters", found, np.array([1, 1, 1]))


@sampling
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_shares(student, temperature):
    """Of logits ln 1 and ln 3, 3/4 of the draws are the second at temperature 1, 9/10 at 1/2."""
    found = drawn(student, np.log([1.0, 3.0]), temperature, 2, 2000)
    share = float(np.mean(found))
    wanted = {1.0: 0.75, 0.5: 0.9}[temperature]
    message = f"{share:.3f} of the draws are the second character, expected about {wanted}."
    expect.that("sample", abs(share - wanted) < 0.05, message)


@sampling
def test_generator_draws(student):
    """The same generator draws the same characters, another one others."""
    first, again, other = (drawn(student, np.zeros(4), 1.0, seed, 60) for seed in (3, 3, 4))
    expect.differ("characters from another seed", first, other, "two seeds gave the same.")
    # Which characters a seed gives is the student's affair, and test_shares counts them.
    expect.repeated("characters from the same seed", first, again)


def small_network(student):
    """Return a CharLSTM of five characters with known weights."""
    model = student.language.CharLSTM(V, D, H, dtype="float64")
    wave = lambda *shape: np.sin(1.0 + np.arange(float(np.prod(shape)))).reshape(shape)  # noqa: E731
    weights = [TABLE, wave(D, 4 * H), wave(H, 4 * H), wave(4 * H), 2.0 * wave(H, V), wave(V)]
    student.drive("write_text_weights", model, weights)
    return model


@sampling
@on_parts
def test_greedy_text(student):
    """At temperature 0, generate writes the likeliest characters, and leaves `state` as it was."""
    model = small_network(student)
    for start, wanted in GREEDY.items():
        text = student.drive("write_text", model, np.array(start), 6, 0.0, 1)
        expect.equal(f"text after {start[0]} {start[1]}", text, np.array(wanted))
        expect.equal("state", model.state, None)


@sampling
@on_parts
def test_a_text_in_between(student):
    """Whatever was read before, a text begins anew; what is read afterwards goes on as before."""
    model = small_network(student)
    model.forward(np.array([[1, 4, 2]]))
    for start, wanted in GREEDY.items():
        text = student.drive("write_text", model, np.array(start), 6, 0.0, 1)
        expect.equal(f"text after {start[0]} {start[1]}", text, np.array(wanted))
    expect.close("logits of the next piece", model.forward(np.array([[0]])), [[FOURTH]], **NEAR)


# CharLSTM


@network
@on_parts
def test_logits(student):
    """forward reads on: two pieces give the logits of one."""
    model = small_network(student)
    first, second = model.forward(np.array([[1, 4, 2]])), model.forward(np.array([[0]]))
    expect.close("first logits", expect.array("logits", first, (1, 3, V))[0, 0], FIRST, **NEAR)
    expect.close("logits of the second piece", second, [[FOURTH]], **NEAR)
    model.reset()
    whole = expect.array("logits", model.forward(np.array([[1, 4, 2, 0]])), (1, 4, V))
    expect.close("last logits after reset", whole[0, 3], FOURTH, **NEAR)


@network
@on_parts
def test_rows(student):
    """Of two rows that are read side by side, each gets its own logits."""
    model = small_network(student)
    received = model.forward(np.array([[3, 0, 1, 1], [1, 4, 2, 0]]))
    logits = expect.array("logits", received, (2, 4, V))
    expect.close("first logits of the second row", logits[1, 0], FIRST, **NEAR)
    expect.close("last logits of the second row", logits[1, 3], FOURTH, **NEAR)


@network
@on_all_parts
def test_a_step(student):
    """train_step returns the loss, and the step makes it smaller."""
    model = small_network(student)
    x, y = np.array([[1, 4, 2]]), np.array([[4, 2, 0]])
    before = model.train_step(x, y, 0.05)
    expect.close("loss", before, LOSS, **NEAR)
    expect.close("by after the step", model.by, BIASES, **NEAR)
    model.reset()
    after = model.train_step(x, y, 0.05)
    expect.that("loss", after < before, "it is no smaller after a step.")


@network
@on_all_parts
def test_three_steps(student):
    """Each step begins where the last one stopped, with its own gradients, clipped at its limit."""
    model = small_network(student)
    for number, (x, y, limit, wanted) in enumerate(PIECES):
        received = model.train_step(np.array(x), np.array(y), 0.05, limit)
        expect.close(f"loss of piece {number}", received, wanted, **NEAR)


@network
@on_parts
@pytest.mark.needs("week5.loss")
def test_bits(student):
    """bits_per_char is the mean loss of all but the first character, in bits."""
    model = small_network(student)
    short = np.array([1, 4, 2, 0])
    expect.close("bits per character", model.bits_per_char(short), LOSS / LN2, **NEAR)
    expect.close("bits of a long text", model.bits_per_char(LONG), LONG_BITS, **NEAR)


@network
@on_parts
@pytest.mark.needs("week5.loss")
def test_bits_in_between(student):
    """Whatever was read before, the text begins anew; what is read afterwards goes on as before."""
    model = small_network(student)
    model.forward(np.array([[1, 4, 2]]))
    expect.close("bits of a long text", model.bits_per_char(LONG), LONG_BITS, **NEAR)
    expect.close("logits of the next piece", model.forward(np.array([[0]])), [[FOURTH]], **NEAR)
