"""Public tests of attention.py: one example for each rule, small enough to follow by hand.

Two keys of four features: the products are divided by 2, and scores of ln 3 and 0 have the weights
3/4 and 1/4.
"""

import numpy as np
import pytest

from autograder.suite import expect, whole_arrays

attention = pytest.mark.item("week6.attention")
backward = pytest.mark.item("week6.attention_backward")
positions = pytest.mark.item("week6.positions")

Q = np.array([[2.0 * np.log(3.0), 0.0, 0.0, 0.0]])
"""One query."""
K = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
"""Two keys: the first one has a score of ln 3, the second one of 0."""
V = np.array([[8.0, 1.0, 0.0], [0.0, 1.0, 4.0]])
"""Two values of three columns."""
GRAD = np.array([[1.0, 5.0, 0.0]])
"""A gradient of the result."""
SAME = np.zeros((3, 2))
"""Keys that are all alike: whatever may be attended to gets the same."""

FUNCTIONS = pytest.mark.parametrize("name", ["attention_weights", "scaled_dot_product_attention"])


def asked(student, name, *mask, of=None):
    """Call a function with the arrays above, or with others."""
    arrays = (Q, K, V) if of is None else of
    arrays = arrays[:2] if name == "attention_weights" else arrays
    return getattr(student.attention, name)(*arrays, *mask)


# attention


@attention
def test_two_keys(student):
    """Scores of ln 3 and 0 are weights of 3/4 and 1/4."""
    expect.close("weights", asked(student, "attention_weights"), [[0.75, 0.25]])


@attention
def test_mean_of_values(student):
    """The result is 3/4 of the first value and 1/4 of the second."""
    received = asked(student, "scaled_dot_product_attention")
    expect.close("result", received, [[6.0, 1.0, 1.0]])


@attention
def test_each_query_chooses(student):
    """The weights of each query add to 1: the second query has scores of 0 and ln 9."""
    queries = np.concatenate([Q, [[0.0, 2.0 * np.log(9.0), 0.0, 0.0]]])
    received = student.attention.attention_weights(queries, K)
    expect.close("weights", received, [[0.75, 0.25], [0.1, 0.9]])


@attention
def test_leading_axes(student):
    """Each example of a batch attends to its own keys."""
    queries, keys = np.stack([Q, Q]), np.stack([K, K[::-1]])
    received = student.attention.attention_weights(queries, keys)
    expect.close("weights", received, [[[0.75, 0.25]], [[0.25, 0.75]]])


@attention
@FUNCTIONS
def test_hidden_key(student, name):
    """What is hidden takes no part, and the others share all of the attention."""
    mask = np.array([[True, False, True]])
    received = asked(student, name, mask, of=(np.ones((1, 2)), SAME, np.diag([2.0, 4.0, 6.0])))
    wanted = {"attention_weights": [[0.5, 0.0, 0.5]]}.get(name, [[1.0, 0.0, 3.0]])
    expect.close(name, received, wanted)


@attention
def test_one_mask_for_each_query(student):
    """A row of the mask belongs to a query."""
    mask = np.array([[True, True, False], [False, True, True]])
    received = student.attention.attention_weights(np.ones((2, 2)), SAME, mask)
    expect.close("weights", received, [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]])


@attention
def test_mask_of_numbers(student):
    """Numbers 1 and 0 mean True and False."""
    received = student.attention.attention_weights(np.ones((1, 2)), SAME, np.array([1, 0, 1]))
    expect.close("weights", received, [[0.5, 0.0, 0.5]])


@attention
@FUNCTIONS
def test_nothing_to_attend_to(student, name):
    """A query that may attend to nothing gets zeros."""
    mask = np.array([[False, False, False], [True, True, False]])
    received = asked(student, name, mask, of=(np.ones((2, 2)), SAME, np.diag([2.0, 4.0, 6.0])))
    second = {"attention_weights": [0.5, 0.5, 0.0]}.get(name, [1.0, 2.0, 0.0])
    expect.close(name, received, [[0.0, 0.0, 0.0], second])


@attention
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_large_scores(student, sign):
    """Scores of 10,000, or of -10,000, that are alike have the same weights."""
    received = student.attention.attention_weights(
        np.full((1, 1), sign * 1e4), np.array([[1.0], [1.0]])
    )
    expect.close("weights", received, [[0.5, 0.5]])


@attention
def test_large_score_that_is_hidden(student):
    """The score of a hidden key may be much larger than the others."""
    keys, mask = np.array([[1e4], [0.0], [0.0]]), np.array([False, True, True])
    received = student.attention.attention_weights(np.ones((1, 1)), keys, mask)
    expect.close("weights", received, [[0.0, 0.5, 0.5]])


@attention
@FUNCTIONS
def test_float32(student, name):
    """float32 in, float32 out, with a mask too."""
    arrays = [one.astype("float32") for one in (Q, K, V)]
    for mask in ([], [np.array([True, True])]):
        received = asked(student, name, *mask, of=arrays)
        shape = (1, 2) if name == "attention_weights" else (1, 3)
        first = expect.array(name, received, shape)[0, 0]
        expect.close("first entry", float(first), 0.75 if shape == (1, 2) else 6.0, rtol=1e-5)
        expect.dtype(name, received, "float32")


@attention
def test_arguments_stay(student):
    """Queries, keys, values and the mask are only lent."""
    lent = [student.keep(one) for one in (Q, K, V, np.array([True, True]))]
    received = student.attention.scaled_dot_product_attention(*lent)
    expect.close("result", received, [[6.0, 1.0, 1.0]])
    for label, before, one in zip("QKV", (Q, K, V), lent, strict=False):
        expect.unchanged(label, before, student.fetch(one))


@attention
def test_whole_arrays(student):
    """No loop runs over queries or features."""

    def lines(length, features):
        arrays = np.random.default_rng(0).normal(size=(3, length, features))
        attend = student.attention.scaled_dot_product_attention
        received, count = whole_arrays.run(student, attend, *arrays)
        expect.array("result", received, (length, features))
        return count

    whole_arrays.no_loop("scaled_dot_product_attention", lines)


# attention_backward


def gradients(student, *args):
    """Return dL/dQ, dL/dK and dL/dV."""
    received = student.attention.attention_backward(*args)
    three = isinstance(received, (tuple, list)) and len(received) == 3
    expect.that("attention_backward", three, "expected three arrays, dL/dQ, dL/dK and dL/dV.")
    return received


@backward
def test_gradient_of_the_values(student):
    """A value gets its weight's share of the gradient of the result."""
    _, _, dV = gradients(student, GRAD, Q, K, V)
    expect.close("dL/dV", dV, [[0.75, 3.75, 0.0], [0.25, 1.25, 0.0]])


@backward
def test_gradient_of_the_queries(student):
    """Measured: if the first feature of the query grows by 0.001, the loss grows by 0.00075."""
    dQ, _, _ = gradients(student, GRAD, Q, K, V)
    expect.close("dL/dQ", dQ, [[0.75, -0.75, 0.0, 0.0]])


@backward
def test_gradient_of_the_keys(student):
    """Only the first feature of the query is not 0, so only that one of the keys counts."""
    _, dK, _ = gradients(student, GRAD, Q, K, V)
    first = 1.5 * np.log(3.0)
    expect.close("dL/dK", dK, [[first, 0.0, 0.0, 0.0], [-first, 0.0, 0.0, 0.0]])


@backward
def test_leading_axes_backward(student):
    """Each example of a batch has gradients of its own, in the shapes of Q, K and V."""
    arrays = [np.stack([one, one]) for one in (GRAD, Q, K, V)]
    arrays[0][1] *= 2.0
    dQ, dK, dV = gradients(student, *arrays)
    first = 1.5 * np.log(3.0) * np.array([[1.0, 0.0, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0]])
    expect.close("dL/dQ", dQ, [[[0.75, -0.75, 0.0, 0.0]], [[1.5, -1.5, 0.0, 0.0]]])
    expect.close("dL/dK", dK, [first, 2.0 * first])
    expect.close("dL/dV of the first", np.asarray(dV)[0], [[0.75, 3.75, 0.0], [0.25, 1.25, 0.0]])


@backward
def test_hidden_key_backward(student):
    """A key that nobody sees gets no gradient, and neither does its value."""
    dQ, dK, dV = gradients(student, GRAD, Q, K, V, np.array([True, False]))
    expect.close("dL/dV", dV, [[1.0, 5.0, 0.0], [0.0, 0.0, 0.0]])
    expect.close("dL/dK", dK, np.zeros((2, 4)))
    expect.close("dL/dQ", dQ, np.zeros((1, 4)))


@backward
def test_nothing_to_attend_to_backward(student):
    """A query that may attend to nothing has no gradient, and gives none."""
    queries, grad = np.concatenate([Q, Q]), np.concatenate([GRAD, 7.0 * GRAD])
    mask = np.array([[True, True], [False, False]])
    dQ, _, dV = gradients(student, grad, queries, K, V, mask)
    expect.close("dL/dQ", dQ, [[0.75, -0.75, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    expect.close("dL/dV", dV, [[0.75, 3.75, 0.0], [0.25, 1.25, 0.0]])


@backward
def test_float32_backward(student):
    """float32 in, float32 out, and what is lent stays as it is."""
    arrays = [one.astype("float32") for one in (GRAD, Q, K, V)]
    lent = [student.keep(one) for one in arrays]
    received = gradients(student, *lent)
    first = expect.array("dL/dV", received[2], V.shape)[0, 0]
    expect.close("first entry of dL/dV", float(first), 0.75, rtol=1e-5)
    for label, one in zip(("dL/dQ", "dL/dK", "dL/dV"), received, strict=True):
        expect.dtype(label, one, "float32")
    for label, before, one in zip(("grad", "Q", "K", "V"), arrays, lent, strict=True):
        expect.unchanged(label, before, student.fetch(one))


# positions


@positions
def test_causal_mask(student):
    """A position sees itself and what was before it."""
    wanted = np.array([[True, False, False], [True, True, False], [True, True, True]])
    expect.equal("causal_mask(3)", student.attention.causal_mask(3), wanted)


@positions
def test_first_position(student):
    """At position 0 all sines are 0 and all cosines are 1; they alternate."""
    table = expect.array("positions", student.attention.sinusoidal_positions(2, 4), (2, 4))
    expect.close("first row", table[0], [0.0, 1.0, 0.0, 1.0])


@positions
def test_second_pair_is_slower(student):
    """With four columns, the second pair is a hundred times as slow as the first."""
    table = expect.array("positions", student.attention.sinusoidal_positions(3, 4), (3, 4))
    wanted = [np.sin(2.0), np.cos(2.0), np.sin(0.02), np.cos(0.02)]
    expect.close("last row", table[2], wanted)


@positions
def test_odd_columns(student):
    """With three columns, the last one is a sine; its exponent is 2/3."""
    received = student.attention.sinusoidal_positions(2, 3)
    table = expect.array("positions", received, (2, 3))
    expect.close("last row", table[1], [np.sin(1.0), np.cos(1.0), np.sin(10000.0 ** (-2.0 / 3.0))])
    expect.dtype("positions", received, "float64")
