"""Hidden tests of TransformerBlock.

Its norms and its attention are stand-ins here, so that the block alone is looked at; one test has
the student's own.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from .asking import asked, fill, known, near_either, normal
from .formulas import block, block_shapes, drawn, feed_shapes, wide
from .stand_ins import block_of_parts, part_shapes

pytestmark = pytest.mark.item("gpt.block")

N, T, D, HEADS, WIDE = 2, 5, 6, 2, 11


def of_parts(student, rng, wide_=WIDE):
    """Return a block of stand-ins with drawn weights, and these."""
    make = student.transformer.TransformerBlock
    made = student.prepare("block_of_parts", make, [D, HEADS, wide_])
    w = drawn(rng, feed_shapes(D, wide_) | part_shapes(D))
    fill(student, made, w)
    return made, wide(w)


def masks(rng):
    """Return masks of all kinds: none, causal, and another for each text."""
    return None, np.tri(T, dtype=bool), rng.random((N, T, T)) < 0.6


def compare(student, made, w, x, mask):
    """Expect what the formula gives, with one of the two forms of GELU."""
    received = asked(student, made, x.shape, x, mask, label="block(x)")
    near_either("block(x)", received, lambda form: block_of_parts(w, x.astype(float), mask, form))


@pytest.mark.weight(3)
@pytest.mark.parametrize("kind", [0, 1, 2], ids=["no mask", "causal", "another for each text"])
def test_values(student, rng, kind):
    """A block adds what attention makes of x, then what two layers make of that."""
    made, w = of_parts(student, rng)
    compare(student, made, w, normal(rng, N, T, D), masks(rng)[kind])


def test_large_and_small(student, rng):
    """Of large and small numbers too, x itself is what the parts are added to."""
    made, w = of_parts(student, rng)
    for size in (8.0, 0.05):
        compare(student, made, w, normal(rng, N, T, D, scale=size), None)


def test_one_place(student, rng):
    """A text of one character, and a single text."""
    made, w = of_parts(student, rng)
    for shape in ((3, 1, D), (1, 4, D)):
        compare(student, made, w, normal(rng, *shape), None)


def test_narrow(student, rng):
    """The inner layer has the width that is asked for, also a smaller one than x."""
    made, w = of_parts(student, rng, 3)
    compare(student, made, w, normal(rng, N, T, D), masks(rng)[1])


@pytest.mark.weight(2)
@pytest.mark.needs("gpt.layer_norm", "gpt.heads")
def test_whole(student, rng):
    """A block with your own LayerNorm and MultiHeadAttention."""
    made = student.transformer.TransformerBlock(D, HEADS, WIDE)
    w = drawn(rng, block_shapes(D, WIDE))
    fill(student, made, w)
    for mask in masks(rng)[:2]:
        x = normal(rng, N, T, D)
        received = asked(student, made, x.shape, x, mask, label="block(x)")
        near_either("block(x)", received, lambda f: block(wide(w), HEADS, x.astype(float), mask, f))  # noqa: B023


def test_parts(student, rng):
    """The two linear layers are there, and are drawn."""
    found = []
    for number in rng.integers(2**31, size=2):
        student.drive("seed", int(number))
        make = student.transformer.TransformerBlock
        made = student.prepare("block_of_parts", make, [D, HEADS, WIDE])
        found.append(known(student, made, feed_shapes(D, WIDE)))
    for name in ("up.weight", "down.weight"):
        expect.differ(name, found[0][name], found[1][name], "it is the same in each new block.")
    made, w = of_parts(student, rng)
    compare(student, made, w, normal(rng, N, T, D), None)


def test_gradient(student, rng):
    """The gradient reaches x on all ways, and each parameter."""
    made, w = of_parts(student, rng)
    x, upstream, mask = normal(rng, N, T, D), normal(rng, N, T, D), masks(rng)[1]
    received = student.drive("slopes", made, [x, mask], upstream)[0]

    def wanted(form):
        return vjp(lambda z: block_of_parts(w, z, mask, form), [x], upstream)[0]

    # The two forms of GELU differ more in their slopes than in their values.
    near_either("the gradient for x", received, wanted, atol=1e-4)
    got = student.drive("reached", made, [x, mask], upstream)
    expect.that("gradients", all(got), "none gets to some of the parameters.")


def test_again(student, rng):
    """In evaluation mode the same x gives the same, once and again."""
    made, w = of_parts(student, rng)
    x = normal(rng, N, T, D)
    for _ in range(3):
        compare(student, made, w, x, None)


def test_keeps_its_arguments(student, rng):
    """x and the mask stay as they are."""
    made, w = of_parts(student, rng)
    given = normal(rng, N, T, D), masks(rng)[2]
    held = [student.prepare("tensor", one) for one in given]
    received = expect.array("block(x)", student.drive("said", made, *held), (N, T, D))
    x, mask = given[0].astype(float), given[1]
    near_either("block(x)", received, lambda form: block_of_parts(w, x, mask, form))
    for name, one, two in zip(("x", "mask"), given, held, strict=True):
        expect.unchanged(name, one, student.fetch(two))
