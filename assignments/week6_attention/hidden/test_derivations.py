"""Hidden tests of the derivation of attention's gradients, for one query."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp
from autograder.suite.hidden.sides import right_but_for_a_factor

pytestmark = pytest.mark.item("week6.derive_attention")

CASES = [
    pytest.param((2, 5, 3), id="two keys"),
    pytest.param((4, 3, 2), id="four keys"),
    pytest.param((5, 6, 1), id="values of one column"),
]
"""Keys, features and columns of the values."""


def scores(q, K):
    """Return s; the arrays may be complex."""
    return K @ q / np.sqrt(len(q))


def softmax(s):
    """Return p, of scores that may be complex."""
    exponentials = np.exp(s - s.real.max())
    return exponentials / exponentials.sum()


def drawn(rng, case):
    """Return a query, keys, values and an upstream gradient."""
    n, d, dv = case
    q, K, V = rng.normal(size=d), rng.normal(size=(n, d)), rng.normal(size=(n, dv))
    return q, K, V, rng.normal(size=dv)


@pytest.mark.parametrize("d", [2, 7, 100])
def test_products(student, rng, d):
    """Step 1: the standard deviation of a product of random vectors."""
    sigma_q, sigma_k = rng.uniform(0.5, 3.0, size=2).tolist()
    # The variance of a sum of independent products, each with a variance of its own.
    wanted = float(np.sum(np.full(d, sigma_q**2) * np.full(d, sigma_k**2))) ** 0.5
    received = student.derivations.product_deviation(d, sigma_q, sigma_k)
    expect.close("the standard deviation", received, wanted)


@pytest.mark.parametrize("case", CASES)
def test_values(student, rng, case):
    """Step 2: dL/dV."""
    q, K, V, g = drawn(rng, case)
    p = softmax(scores(q, K))
    wanted = vjp(lambda moved: p @ moved, [V], g)[0]
    expect.close("dL/dV", student.derivations.attention_dV(g, p), wanted)


@pytest.mark.parametrize("case", CASES)
def test_scores(student, rng, case):
    """Step 3: dL/ds."""
    q, K, V, g = drawn(rng, case)
    s = scores(q, K)
    wanted = vjp(lambda moved: softmax(moved) @ V, [s], g)[0]
    expect.close("dL/ds", student.derivations.attention_ds(g, softmax(s), V), wanted)


@pytest.mark.parametrize("case", CASES)
def test_query(student, rng, case):
    """Step 4: dL/dq."""
    q, K, _, _ = drawn(rng, case)
    upstream = rng.normal(size=len(K))
    wanted = vjp(lambda moved: scores(moved, K), [q], upstream)[0]
    expect.close("dL/dq", student.derivations.attention_dq(upstream, K), wanted)


@pytest.mark.parametrize("case", CASES)
def test_keys(student, rng, case):
    """Step 4: dL/dK."""
    q, K, _, _ = drawn(rng, case)
    upstream = rng.normal(size=len(K))
    wanted = vjp(lambda moved: scores(q, moved), [K], upstream)[0]
    expect.close("dL/dK", student.derivations.attention_dK(upstream, q), wanted)


@pytest.mark.parametrize("name", ["attention_dV", "attention_ds", "attention_dq", "attention_dK"])
def test_what_was_given_stays(student, rng, name):
    """What the functions are given is not changed."""
    q, K, V, g = drawn(rng, (4, 3, 2))
    s, upstream = scores(q, K), rng.normal(size=4)
    p = softmax(s)
    given, wanted = {
        "attention_dV": ((g, p), vjp(lambda moved: p @ moved, [V], g)[0]),
        "attention_ds": ((g, p, V), vjp(lambda moved: softmax(moved) @ V, [s], g)[0]),
        "attention_dq": ((upstream, K), vjp(lambda moved: scores(moved, K), [q], upstream)[0]),
        "attention_dK": ((upstream, q), vjp(lambda moved: scores(q, moved), [K], upstream)[0]),
    }[name]
    lent = [student.keep(one) for one in given]
    right_but_for_a_factor(name, getattr(student.derivations, name)(*lent), wanted)
    for before, one in zip(given, lent, strict=True):
        expect.unchanged("an argument", before, student.fetch(one))
