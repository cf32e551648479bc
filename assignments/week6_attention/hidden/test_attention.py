"""Hidden tests of attention_weights and scaled_dot_product_attention."""

import numpy as np
import pytest

from autograder.suite import expect

from . import formulas
from .cases import CASES, MASKED, PLAIN, Case, each
from .work import FUNCTIONS, arguments, asked, one_is_right

pytestmark = pytest.mark.item("week6.attention")

BOTH = pytest.mark.parametrize("name", FUNCTIONS)


def compare(student, name, Q, K, V, *mask):
    """Compare what a function gives with its formula."""
    args = (*arguments(name, Q, K, V), *mask)
    expect.close(name, asked(student, name, *args), FUNCTIONS[name](*args))


@pytest.mark.weight(2)
@pytest.mark.parametrize("case", each(CASES))
def test_result(student, rng, case):
    """scaled_dot_product_attention gives each query its mean of the values."""
    compare(student, "scaled_dot_product_attention", *case.drawn(rng), *case.mask(rng))


@pytest.mark.weight(2)
@pytest.mark.parametrize("case", each(CASES))
def test_weights(student, rng, case):
    """attention_weights says how much each query takes from each value."""
    compare(student, "attention_weights", *case.drawn(rng), *case.mask(rng))


@BOTH
def test_no_mask(student, rng, name):
    """A mask of None allows everything, as does one that is True everywhere."""
    args = arguments(name, *Case((2,), 3, 4, 5, 6).drawn(rng))
    wanted = FUNCTIONS[name](*args)
    expect.close(name, asked(student, name, *args, None), wanted)
    expect.close(name, asked(student, name, *args, np.ones((3, 4), dtype=bool)), wanted)


@BOTH
@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_masks_of_numbers(student, rng, name, dtype):
    """A mask of numbers 0 and 1 means the same as one of truth values."""
    args = arguments(name, *MASKED.drawn(rng))
    mask = MASKED.mask(rng)[0]
    expect.close(
        name, asked(student, name, *args, mask.astype(dtype)), FUNCTIONS[name](*args, mask)
    )


@BOTH
def test_empty_rows(student, rng, name):
    """A query that may attend to nothing gets zeros; the others get what they should."""
    args, mask = arguments(name, *MASKED.drawn(rng)), MASKED.mask(rng)[0]
    mask[0, 2], mask[1, 0] = False, False
    expect.close(name, asked(student, name, *args, mask), FUNCTIONS[name](*args, mask))


@pytest.mark.parametrize("kind", ["each", "keys", "causal"])
def test_hidden_weights(student, rng, kind):
    """The weight of a hidden key is exactly 0."""
    case = Case((2,), 5, 6, 4, 3, kind)
    Q, K, _ = case.drawn(rng)
    mask = case.mask(rng)[0]
    wanted = formulas.weights(Q, K, mask)
    received = student.attention.attention_weights(Q, K, mask)
    expect.close("attention_weights", received, wanted)
    hidden = expect.array("attention_weights", received, wanted.shape)[wanted == 0.0]
    message = "there are weights of hidden keys that are not exactly 0."
    expect.that("attention_weights", not hidden.any(), message)


@pytest.mark.parametrize("kind", ["each", "keys", "padding"])
def test_hidden_values(student, rng, kind):
    """What stands in hidden values, however large, is in no result."""
    case = Case((2,), 4, 6, 5, 3, kind)
    (Q, K, V), mask = case.drawn(rng), case.mask(rng)[0]
    mask[..., 0], mask[..., 1] = True, False  # the second one is hidden from all
    V[~np.broadcast_to(mask, (2, 4, 6)).any(axis=1)] = 1e12
    compare(student, "scaled_dot_product_attention", Q, K, V, mask)


def test_the_future(student, rng):
    """With a causal mask, what comes later changes nothing before it."""
    Q, K, V = Case((2,), 6, 6, 4, 3).drawn(rng)
    mask = formulas.causal_mask(6)
    before = formulas.output(Q, K, V, mask)[:, :4]
    K[:, 4:], V[:, 4:] = 3.0 * rng.normal(size=(2, 2, 4)), 1e6
    received = student.attention.scaled_dot_product_attention(Q, K, V, mask)
    received = expect.array("scaled_dot_product_attention", received, (2, 6, 3))
    expect.close("the first four of six positions", received[:, :4], before)


def test_order_of_keys(student, rng):
    """Keys that change places together with their values change no result."""
    Q, K, V = Case((2,), 4, 5, 6, 3).drawn(rng)
    order = rng.permutation(5)
    received = student.attention.scaled_dot_product_attention(Q, K[:, order], V[:, order])
    expect.close("scaled_dot_product_attention", received, formulas.output(Q, K, V))


def test_order_of_queries(student, rng):
    """Queries that change places take their results with them."""
    Q, K, V = Case((2,), 5, 4, 6, 3).drawn(rng)
    order = rng.permutation(5)
    received = student.attention.scaled_dot_product_attention(Q[:, order], K, V)
    expect.close("scaled_dot_product_attention", received, formulas.output(Q, K, V)[:, order])


def large(rng, case):
    """Return queries, keys and values: the scores of a row are large, and near each other."""
    Q, K, V = case.drawn(rng)
    signs = np.where(np.arange(case.queries) % 2, 1e4, -1e4)
    Q[..., 0], K[..., 0] = signs * (1.0 + np.abs(Q[..., 0])), 2.0
    return Q, K, V


@BOTH
@pytest.mark.parametrize("case", [PLAIN, MASKED], ids=["no mask", "a mask"])
def test_large_scores(student, rng, name, case):
    """Scores of 10,000 and of -10,000 overflow nowhere."""
    compare(student, name, *large(rng, case), *case.mask(rng))


@BOTH
def test_hidden_scores_are_the_largest(student, rng, name):
    """The score of a hidden key may be larger than the others by thousands."""
    Q, K, V = Case((2,), 4, 6, 5, 3).drawn(rng)
    Q[..., 0] = 1.0 + np.abs(Q[..., 0])
    K[:, [1, 4], 0] = 1e4
    mask = np.array([True, False, True, True, False, True])
    compare(student, name, Q, K, V, mask)


@BOTH
@pytest.mark.parametrize("case", [PLAIN, MASKED], ids=["no mask", "a mask"])
def test_keeps_float32(student, rng, name, case):
    """Of float32 arrays, the result is a float32 array."""
    args = arguments(name, *(one.astype("float32") for one in case.drawn(rng)))
    one_is_right(student, rng, name)
    expect.dtype(name, asked(student, name, *args, *case.mask(rng)), "float32")


@BOTH
def test_keeps_its_arguments(student, rng, name):
    """Queries, keys, values and the mask stay as they are."""
    args = (*arguments(name, *MASKED.drawn(rng)), *MASKED.mask(rng))
    one_is_right(student, rng, name)
    kept = [student.keep(one) for one in args]
    asked(student, name, *kept)
    labels = (*arguments(name, "Q", "K", "V"), "mask")
    for label, before, one in zip(labels, args, kept, strict=True):
        expect.unchanged(label, before, student.fetch(one))
