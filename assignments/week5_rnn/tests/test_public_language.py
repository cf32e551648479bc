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
GREEDY = [0, 0, 1, 0, 0, 1]
FIRST = [0.87217663, 0.42476347, -0.41317527, -0.87124257, -0.52829347]
FOURTH = [0.54963114, 0.49785988, -0.01164146, -0.51043969, -0.53994203]
LOSS = 2.10572834
BIASES = [0.79147099, 0.85929743, 0.19112001, -0.80680249, -0.90892428]


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
def test_drawn_vectors(student):
    """W is drawn with deviation 1."""
    W = expect.array("W", student.language.Embedding(40, 50).W, (40, 50))
    expect.close("deviation of W", float(W.std()), 1.0, rtol=0.1)


# batches


@batches
def test_pieces(student):
    """Two rows in pieces of three columns, from a text in which each character is its place."""
    ids = np.arange(17)
    pieces = student.drive("text_pieces", student.language.batches, ids, 2, 3)
    expect.equal("number of pieces", len(pieces), 2)
    begins = expect.array("inputs", pieces[0][0], (2, 3))[1, 0]
    # Rows of 8 characters, or of one fewer.
    message = f"the second row begins at character {begins}, expected 7 or 8."
    expect.that("rows", begins in (7, 8), message)
    second = 7 if begins == 7 else 8
    for number, (x, y) in enumerate(pieces):
        first = np.array([[0], [second]]) + 3 * number + np.arange(3)
        expect.equal(f"inputs of piece {number}", x, first)
        expect.equal(f"targets of piece {number}", y, first + 1)


# sequence_loss

LOGITS = np.log([[[1.0, 2.0, 1.0], [3.0, 1.0, 4.0]]])
TARGETS = np.array([[1, 0]])


@loss
def test_loss(student):
    """The mean of -ln(1/2) and -ln(3/8)."""
    received, _ = student.language.sequence_loss(LOGITS, TARGETS)
    expect.close("loss", received, (np.log(2.0) + np.log(8.0 / 3.0)) / 2.0)


@loss
def test_gradient(student):
    """The gradient of the mean over two places."""
    _, received = student.language.sequence_loss(LOGITS, TARGETS)
    wanted = [[[0.125, -0.25, 0.125], [-0.3125, 0.0625, 0.25]]]
    expect.close("gradient", received, wanted)


@loss
def test_large_logits(student):
    """Logits of 1000 and -1000 overflow nowhere."""
    logits = np.array([[[1000.0, -1000.0]]])
    received, gradient = student.language.sequence_loss(logits, np.array([[1]]))
    expect.close("loss", received, 2000.0)
    expect.close("gradient", gradient, [[[1.0, -1.0]]])


# clip_gradients

GRADS = [np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([12.0])]


@clipping
def test_too_long(student):
    """All gradients together have the length 13; the limit is 6.5."""
    found = student.language.clip_gradients(GRADS, 6.5)
    for number, (received, grad) in enumerate(zip(found, GRADS, strict=True)):
        expect.close(f"gradient {number}", received, grad / 2.0, rtol=1e-5)


@clipping
def test_short_enough(student):
    """With a limit of 20 they stay, and so do zeros."""
    found = student.language.clip_gradients([*GRADS, np.zeros(2)], 20.0)
    for number, (received, grad) in enumerate(zip(found, [*GRADS, np.zeros(2)], strict=True)):
        expect.close(f"gradient {number}", received, grad, rtol=1e-5)
    for received in student.language.clip_gradients([np.zeros(2)], 1.0):
        expect.close("gradient", received, np.zeros(2))


# sample, generate


@sampling
def test_the_likeliest(student):
    """At temperature 0 the likeliest character is chosen, of several the first."""
    logits = np.array([0.5, 2.0, -1.0, 2.0])
    found = student.drive("characters", student.language.sample, logits, 0.0, 1, 3)
    expect.equal("characters", found, [1, 1, 1])


@sampling
@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_shares(student, temperature):
    """Of logits ln 1 and ln 3, 3/4 of the draws are the second at temperature 1, 9/10 at 1/2."""
    logits = np.log([1.0, 3.0])
    found = student.drive("characters", student.language.sample, logits, temperature, 2, 2000)
    share = float(np.mean(found))
    wanted = {1.0: 0.75, 0.5: 0.9}[temperature]
    message = f"{share:.3f} of the draws are the second character, expected about {wanted}."
    expect.that("sample", abs(share - wanted) < 0.05, message)


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
    text = student.drive("write_text", model, np.array([2, 0]), 6, 0.0, 1)
    expect.equal("text", text, np.array(GREEDY))
    expect.equal("state", model.state, None)


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
@on_parts
@pytest.mark.needs("week5.loss")
def test_bits(student):
    """bits_per_char is the mean loss of all but the first character, in bits."""
    model = small_network(student)
    expect.close(
        "bits per character", model.bits_per_char(np.array([1, 4, 2, 0])), LOSS / LN2, **NEAR
    )
