"""Hidden tests of attention_backward.

Whoever makes the weights in one of the common wrong ways loses that item's points; here the
gradients of these weights are right too.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .cases import CASES, MASKED, PLAIN, Case, each
from .work import LABELS, drawn, expect_gradient, gradient_is_right, gradients

pytestmark = pytest.mark.item("week6.attention_backward")

LARGE = Case((2,), 4, 6, 5, 3)

ALL = pytest.mark.parametrize(
    "number", [pytest.param(number, id=label) for number, label in enumerate(LABELS)]
)


@ALL
@pytest.mark.weight(2)
@pytest.mark.parametrize("case", each(CASES))
def test_gradient(student, rng, case, number):
    """attention_backward returns dL/dQ, dL/dK and dL/dV, in this order."""
    expect_gradient(student, rng, number, *drawn(case, rng, number), *case.mask(rng))


@ALL
@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_masks_of_numbers(student, rng, number, dtype):
    """A mask of numbers 0 and 1 means the same as one of truth values."""
    mask = MASKED.mask(rng)[0].astype(dtype)
    expect_gradient(student, rng, number, *drawn(MASKED, rng, number), mask)


@ALL
def test_empty_rows(student, rng, number):
    """A query that may attend to nothing has the gradient 0, and adds nothing to the others."""
    mask = MASKED.mask(rng)[0]
    mask[0, 2], mask[1, 0] = False, False
    expect_gradient(student, rng, number, *drawn(MASKED, rng, number), mask)


@ALL
def test_keys_that_nobody_sees(student, rng, number):
    """A key that is hidden from all queries has zeros in dL/dK and dL/dV."""
    mask = MASKED.mask(rng)[0]
    mask[0, :, 3], mask[1, :, 5] = False, False
    mask[:, :, 0] = True
    expect_gradient(student, rng, number, *drawn(MASKED, rng, number), mask)


@ALL
def test_large_scores(student, rng, number):
    """Scores of 10,000 overflow nowhere."""
    grad, Q, K, V = drawn(LARGE, rng, number)
    # What is large stands in no sum of the gradient that is asked for.
    Q[..., 0], K[..., 0] = (2.0, 3e4) if number == 1 else (3e4, 2.0)
    expect_gradient(student, rng, number, grad, Q, K, V)


@ALL
@pytest.mark.parametrize("case", [PLAIN, MASKED], ids=["no mask", "a mask"])
def test_keeps_float32(student, rng, case, number):
    """The gradient of float32 arrays is a float32 array."""
    gradient_is_right(student, rng)
    arrays = [case.grad(rng), *case.drawn(rng)]
    received = gradients(student, *(one.astype("float32") for one in arrays), *case.mask(rng))
    expect.dtype(LABELS[number], received[number], "float32")


def test_keeps_its_arguments(student, rng):
    """attention_backward changes none of its arguments."""
    names = ("grad", "Q", "K", "V", "mask")
    args = (MASKED.grad(rng), *MASKED.drawn(rng), *MASKED.mask(rng))
    gradient_is_right(student, rng)
    kept = [student.keep(one) for one in args]
    gradients(student, *kept)
    for name, before, one in zip(names, args, kept, strict=True):
        expect.unchanged(name, before, student.fetch(one))
