"""Hidden tests of MultiHeadAttention: weights set here, each head computed here by itself."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from .asking import NEAR, asked, fill, known, normal
from .formulas import drawn, head_shapes, head_weights, multi_head, wide

pytestmark = pytest.mark.item("gpt.heads")

N, TQ, TK, D = 2, 4, 5, 12
HEADS = 3


def filled(student, rng, heads=HEADS, d=D):
    """Return attention with drawn weights, and these."""
    made = student.transformer.MultiHeadAttention(d, heads)
    w = drawn(rng, head_shapes(d))
    fill(student, made, w)
    return made, wide(w)


def inputs(rng, tq=TQ, tk=TK, d=D, count=N):
    """Draw queries, keys and values."""
    return normal(rng, count, tq, d), normal(rng, count, tk, d), normal(rng, count, tk, d)


def holes(rng, *shape):
    """Draw a mask whose rows all allow something, and forbid something."""
    while True:
        mask = rng.random(shape) < 0.6
        if mask.any(axis=-1).all() and not mask.all(axis=-1).any():
            return mask


def mask_of(rng, kind):
    """Return a mask of a kind."""
    return {
        "none": None,
        "causal": np.tri(TQ, TK, dtype=bool),
        "another for each text": holes(rng, N, TQ, TK),
        "keys": holes(rng, N, 1, TK),
    }[kind]


KINDS = ["none", "causal", "another for each text", "keys"]


def compare(student, made, w, heads, given, mask):
    """Expect what the formula gives."""
    shape = *given[0].shape[:2], len(w["out_proj.bias"])
    received = asked(student, made, shape, *given, mask)
    expected = multi_head(w, heads, *(one.astype(float) for one in given), mask)
    expect.close("attention", received, expected, **NEAR)
    return received


@pytest.mark.weight(4)
@pytest.mark.parametrize("heads", [1, 2, 3, 6, 12])
def test_heads(student, rng, heads):
    """So many heads are as many single heads, each on its own block of columns."""
    made, w = filled(student, rng, heads)
    compare(student, made, w, heads, inputs(rng), None)


@pytest.mark.weight(2)
def test_more_heads_than_columns_of_one(student, rng):
    """Four heads of two columns, and two of four: each has the scale of its own columns."""
    for heads in (4, 2):
        made, w = filled(student, rng, heads, 8)
        compare(student, made, w, heads, inputs(rng, 3, 6, 8), None)


@pytest.mark.weight(3)
@pytest.mark.parametrize("kind", KINDS[1:])
def test_masks(student, rng, kind):
    """A query takes from those keys alone that its mask allows."""
    made, w = filled(student, rng)
    compare(student, made, w, HEADS, inputs(rng), mask_of(rng, kind))


@pytest.mark.weight(2)
def test_nothing_allowed(student, rng):
    """Where a query may attend to nothing, what is left is the bias of out_proj."""
    made, w = filled(student, rng)
    mask = holes(rng, N, TQ, TK)
    mask[0, 2], mask[1, 0] = False, False
    compare(student, made, w, HEADS, inputs(rng), mask)


def test_gradient_where_nothing_is_allowed(student, rng):
    """Where a query may attend to nothing, the gradients of the others are as without it."""
    made, w = filled(student, rng)
    mask = holes(rng, N, TQ, TK)
    mask[0, 2] = False
    same_gradients(student, rng, made, w, mask)


def test_lengths(student, rng):
    """Queries may be more or fewer than keys, or a single one."""
    made, w = filled(student, rng)
    for tq, tk in ((6, 2), (1, 5), (3, 1), (4, 4)):
        compare(student, made, w, HEADS, inputs(rng, tq, tk), None)


@pytest.mark.parametrize("kind", KINDS)
def test_weights(student, rng, kind):
    """`weights` gives each head's weights: rows add to 1, and are 0 where nothing is allowed."""
    made, w = filled(student, rng)
    query, key, _ = inputs(rng)
    mask = mask_of(rng, kind)
    label = "weights(query, key, mask)"
    received = asked(student, made.weights, (N, HEADS, TQ, TK), query, key, mask, label=label)
    expected = head_weights(w, HEADS, query.astype(float), key.astype(float), mask)
    expect.close(label, received, expected, **NEAR)
    zeros = bool((received[expected == 0.0] == 0.0).all())
    expect.that(label, zeros, "one that the mask forbids is not exactly 0.")


def test_weights_of_an_empty_row(student, rng):
    """`weights` gives zeros where a query may attend to nothing."""
    made, w = filled(student, rng)
    query, key, _ = inputs(rng)
    mask = holes(rng, N, TQ, TK)
    mask[1, 3] = False
    label = "weights(query, key, mask)"
    received = asked(student, made.weights, (N, HEADS, TQ, TK), query, key, mask, label=label)
    expected = head_weights(w, HEADS, query.astype(float), key.astype(float), mask)
    expect.close(label, received, expected, **NEAR)


def test_large_scores(student, rng):
    """Scores of 10,000 overflow nowhere: one key has all."""
    made = student.transformer.MultiHeadAttention(D, HEADS)
    mask = np.tri(3, 6, 2, dtype=bool)
    while True:
        w = drawn(rng, head_shapes(D))
        for name in ("q_proj.weight", "q_proj.bias"):
            w[name] = w[name] * np.float32(8e3)
        given = inputs(rng, 3, 6)
        each = [head_weights(wide(w), HEADS, *given[:2], one) for one in (None, mask)]
        # Where two scores are near each other, rounding decides.
        if min(one.max(axis=-1).min() for one in each) > 1 - 1e-9:
            break
    fill(student, made, w)
    for one in (None, mask):
        compare(student, made, wide(w), HEADS, given, one)


def test_forbidden_keys_change_nothing(student, rng):
    """Keys and values that no query may attend to change nothing, whatever their size."""
    made, w = filled(student, rng)
    query, key, value = inputs(rng)
    mask = np.array([True, False, True, True, False])
    first = compare(student, made, w, HEADS, (query, key, value), mask)
    for size in (50.0, -50.0):
        key[:, ~mask], value[:, ~mask] = size, 1e3
        again = asked(student, made, first.shape, query, key, value, mask)
        # That the first one is right was asked just now.
        expect.repeated("attention with other forbidden keys", first, again, **NEAR)


def same_gradients(student, rng, made, w, mask):
    """Expect the gradients for queries, keys and values."""
    given, upstream = inputs(rng), normal(rng, N, TQ, D)
    received = student.drive("slopes", made, [*given, mask], upstream)
    wanted = vjp(lambda *x: multi_head(w, HEADS, *x, mask), given, upstream)
    for name, one, two in zip(("query", "key", "value"), received, wanted, strict=True):
        expect.close(f"the gradient for {name}", one, two, **NEAR)


@pytest.mark.parametrize("kind", ["none", "another for each text"])
def test_gradients(student, rng, kind):
    """The gradients for queries, keys and values."""
    made, w = filled(student, rng)
    same_gradients(student, rng, made, w, mask_of(rng, kind))


def test_parts(student, rng):
    """The four layers are there, differ from each other, and a gradient gets to each parameter."""
    found = []
    for number in rng.integers(2**31, size=2):
        student.drive("seed", int(number))
        made = student.transformer.MultiHeadAttention(D, HEADS)
        found.append(known(student, made, head_shapes(D)))
    names = [name for name in found[0] if name.endswith("weight")]
    for name in names:
        expect.differ(name, found[0][name], found[1][name], "it is the same in each new one.")
    for name in names[1:]:
        message = "it has the numbers of another layer."
        expect.differ(name, found[0][name], found[0][names[0]], message)
    expect.equal("num_heads", made.num_heads, HEADS)
    got = student.drive("reached", made, [*inputs(rng), None], normal(rng, N, TQ, D))
    # The bias of keys adds the same to all scores of a row: its gradient is 0 up to rounding.
    expect.that("gradients", sum(got) >= len(got) - 1, "none gets to some of the parameters.")
    made, w = filled(student, rng)
    compare(student, made, w, HEADS, inputs(rng), None)


def test_both_modes(student, rng):
    """In training mode and without it, once and again, the result is the same."""
    made, w = filled(student, rng)
    given = inputs(rng)
    for training in (True, False, False):
        student.drive("mode", made, training)
        compare(student, made, w, HEADS, given, None)


def test_keeps_its_arguments(student, rng):
    """Queries, keys, values and the mask stay as they are."""
    made, w = filled(student, rng)
    given = *inputs(rng), holes(rng, N, TQ, TK)
    held = [student.prepare("tensor", one) for one in given]
    received = expect.array("attention", student.drive("said", made, *held), (N, TQ, D))
    wanted = multi_head(w, HEADS, *(one.astype(float) for one in given[:3]), given[3])
    expect.close("attention", received, wanted, **NEAR)
    for name, one, two in zip(("query", "key", "value", "mask"), given, held, strict=True):
        expect.unchanged(name, one, student.fetch(two))
