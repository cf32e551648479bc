"""Hidden tests of last_valid and LSTMClassifier: weights set here, logits computed in NumPy."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from .formula import (
    drawn_lengths,
    drawn_reviews,
    drawn_weights,
    logits,
    shapes,
)

pytestmark = pytest.mark.item("sentiment.classifier")

NEAR = {"rtol": 1e-4, "atol": 1e-5}
V, D, H = 11, 4, 5


def taken(student, states, lengths):
    """Return what last_valid gives, and the tensors that it was given."""
    given = student.prepare("tensor", states), student.prepare("tensor", lengths)
    received = student.sentiment.last_valid(*given)
    shape = len(states), states.shape[2]
    return expect.array("last_valid(states, lengths)", received, shape), given


def filled(student, weights):
    """Return a classifier with these weights, in evaluation mode."""
    vocab, embed = weights["embedding.weight"].shape
    hidden = weights["head.weight"].shape[1]
    made = student.sentiment.LSTMClassifier(vocab, embed, hidden)
    known(student, made, vocab, embed, hidden)
    student.drive("fill", made, weights)
    student.drive("mode", made, False)
    return made


def known(student, made, vocab, embed, hidden):
    """Return a classifier's weights by their names; fail where one has another shape."""
    state = student.drive("state", made)
    found = {}
    for name, shape in shapes(vocab, embed, hidden).items():
        there = isinstance(state, dict) and name in state
        expect.that("LSTMClassifier", there, f"there is no {name} among its weights.")
        found[name] = expect.array(name, state[name], shape)
    return found


def answered(student, made, ids, lengths):
    """Return a classifier's logits."""
    received = student.drive("answers", made, ids, lengths)
    return expect.array("logits", received, (len(ids),))


# last_valid


SIZES = [(6, 9, 4), (4, 7, 5), (9, 5, 3)]


@pytest.mark.weight(2)
@pytest.mark.parametrize("size", SIZES, ids=[f"{n} x {t} x {h}" for n, t, h in SIZES])
def test_last_valid(student, rng, size):
    """last_valid gives the state after the last word, lengths 1 and T among them."""
    states = rng.normal(size=size).astype(np.float32)
    lengths = drawn_lengths(rng, *size[:2])
    received, _ = taken(student, states, lengths)
    expect.close("last_valid(states, lengths)", received, states[np.arange(size[0]), lengths - 1])


def test_one_review_alone(student, rng):
    """last_valid of a single review, and of reviews of a single word."""
    for n, t in ((1, 6), (5, 1)):
        states = rng.normal(size=(n, t, 3)).astype(np.float32)
        lengths = np.full(n, t if t == 1 else 4)
        received, _ = taken(student, states, lengths)
        expect.close("last_valid(states, lengths)", received, states[np.arange(n), lengths - 1])


def test_gradient_of_the_states(student, rng):
    """The gradient flows to the state that was taken, and to no other."""
    states, lengths = rng.normal(size=(5, 8, 3)), drawn_lengths(rng, 5, 8)
    upstream = rng.normal(size=(5, 3))
    received = student.drive(
        "states_gradient", student.sentiment.last_valid, states, lengths, upstream
    )
    expected = np.zeros_like(states)
    expected[np.arange(5), lengths - 1] = upstream
    expect.close("the gradient for the states", received, expected)


def test_last_valid_keeps_its_arguments(student, rng):
    """last_valid leaves states and lengths as they are."""
    states, lengths = rng.normal(size=(6, 7, 3)), drawn_lengths(rng, 6, 7)
    received, given = taken(student, states, lengths)
    expect.that("last_valid", bool(received.any()), "it gives zeros.")
    expect.unchanged("states", states, student.fetch(given[0]))
    expect.unchanged("lengths", lengths, student.fetch(given[1]))


# LSTMClassifier


def test_weights(student, rng):
    """LSTMClassifier has the weights that it promises, of their shapes, and draws them."""
    sizes = tuple(int(n) for n in rng.permutation(np.arange(3, 15))[:3])
    made = []
    for number in rng.integers(2**31, size=2):
        student.drive("seed", int(number))
        made.append(known(student, student.sentiment.LSTMClassifier(*sizes), *sizes))
    for name in ("embedding.weight", "lstm.weight_hh_l0", "head.weight"):
        expect.differ(name, made[0][name], made[1][name], "it is the same in each new classifier.")


BATCHES = [(6, 8), (3, 5), (1, 4), (7, 1)]


@pytest.mark.weight(3)
@pytest.mark.parametrize("size", BATCHES, ids=[f"{n} x {t}" for n, t in BATCHES])
def test_logits(student, rng, size):
    """LSTMClassifier gives one logit for each review: that of its weights."""
    weights = drawn_weights(rng, V, D, H)
    if size[0] > 1 and size[1] > 1:
        ids, lengths = drawn_reviews(rng, *size, V)
    else:
        ids, lengths = rng.integers(1, V, size=size), np.full(size[0], size[1])
    received = answered(student, filled(student, weights), ids, lengths)
    expect.close("logits", received, logits(weights, ids, lengths), **NEAR)


@pytest.mark.weight(2)
def test_padding(student, rng):
    """What stands behind the end of a review changes nothing: more zeros, or other words."""
    weights = drawn_weights(rng, V, D, H)
    made = filled(student, weights)
    ids, lengths = drawn_reviews(rng, 6, 8, V)
    expected = logits(weights, ids, lengths)
    behind = np.arange(11) >= lengths[:, None]
    for wide in (np.zeros((6, 11), dtype=np.int64), rng.integers(1, V, size=(6, 11))):
        wide[:, :8] = np.where(behind[:, :8], wide[:, :8], ids)
        expect.close("logits", answered(student, made, wide, lengths), expected, **NEAR)


def test_order(student, rng):
    """The same words in another order give another logit, that of the new order."""
    weights = drawn_weights(rng, V, D, H)
    made = filled(student, weights)
    words = 1 + rng.permutation(V - 1)[:7]
    ids = np.stack([words, words[::-1], np.roll(words, 3)])
    lengths = np.full(3, 7)
    expect.close(
        "logits", answered(student, made, ids, lengths), logits(weights, ids, lengths), **NEAR
    )


def test_answers_again(student, rng):
    """A second question gets its own answer, whatever was asked before."""
    weights = drawn_weights(rng, V, D, H)
    made = filled(student, weights)
    first, other = drawn_reviews(rng, 5, 6, V), drawn_reviews(rng, 5, 6, V)
    for ids, lengths in (first, other, first):
        expect.close(
            "logits", answered(student, made, ids, lengths), logits(weights, ids, lengths), **NEAR
        )


def test_gradients(student, rng):
    """The gradients of all parameters are those of the logits."""
    weights = drawn_weights(rng, 6, 3, 4)
    made = filled(student, weights)
    ids, lengths = drawn_reviews(rng, 5, 6, 6)
    upstream = rng.normal(size=5)
    received = student.drive("gradients", made, ids, lengths, upstream.astype(np.float32))
    names = list(weights)
    expected = vjp(
        lambda *arrays: logits(dict(zip(names, arrays, strict=True)), ids, lengths),
        [weights[name] for name in names],
        upstream,
    )
    for name, one in zip(names, expected, strict=True):
        there = isinstance(received, dict) and received.get(name) is not None
        expect.that(name, there, "no gradient gets there.")
        expect.close(f"the gradient of {name}", received[name], one, rtol=1e-3, atol=1e-4)


def test_arguments(student, rng):
    """forward leaves ids and lengths as they are."""
    weights = drawn_weights(rng, V, D, H)
    made = filled(student, weights)
    ids, lengths = drawn_reviews(rng, 6, 8, V)
    given = student.prepare("tensor", ids), student.prepare("tensor", lengths)
    received = expect.array("logits", student.drive("said", made, *given), (6,))
    expect.close("logits", received, logits(weights, ids, lengths), **NEAR)
    expect.unchanged("ids", ids, student.fetch(given[0]))
    expect.unchanged("lengths", lengths, student.fetch(given[1]))
