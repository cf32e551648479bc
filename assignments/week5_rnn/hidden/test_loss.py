"""Hidden tests of language.sequence_loss."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import right_but_for_a_factor

from . import formulas_text as formulas

pytestmark = pytest.mark.item("week5.loss")

SHAPES = [(3, 5, 7), (1, 6, 4), (4, 1, 3)]


def drawn(rng, shape, scale=2.0):
    """Draw logits and targets."""
    return scale * rng.normal(size=shape), rng.integers(0, shape[2], size=shape[:2])


def both(student, logits, targets):
    """Return loss and gradient, as the student's function gives them."""
    found = student.language.sequence_loss(logits, targets)
    two = isinstance(found, (tuple, list)) and len(found) == 2
    expect.that("sequence_loss", two, "expected the loss and its gradient.")
    return found


@pytest.mark.weight(2)
@pytest.mark.parametrize("shape", SHAPES)
def test_loss(student, rng, shape):
    """The loss is the mean cross-entropy of all places."""
    logits, targets = drawn(rng, shape)
    wanted = formulas.sequence_loss(logits, targets)[0]
    expect.close("loss", both(student, logits, targets)[0], wanted)


@pytest.mark.weight(2)
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient(student, rng, shape):
    """The gradient is that of the loss, of the shape of the logits."""
    logits, targets = drawn(rng, shape)
    wanted = formulas.sequence_loss(logits, targets)[1]
    expect.close("gradient", both(student, logits, targets)[1], wanted)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_loss_of_large_logits(student, rng, sign):
    """The loss is right where logits are above 1000, or below -1000."""
    logits, targets = drawn(rng, (2, 3, 5))
    logits = logits + sign * rng.uniform(1000.0, 1500.0, size=(2, 3, 1))
    wanted = formulas.sequence_loss(logits, targets)[0]
    expect.close("loss", both(student, logits, targets)[0], wanted)


def test_gradient_of_large_logits(student, rng):
    """The gradient is right where logits are above 1000."""
    logits, targets = drawn(rng, (2, 3, 5))
    logits = logits + rng.uniform(1000.0, 1500.0, size=(2, 3, 1))
    wanted = formulas.sequence_loss(logits, targets)[1]
    expect.close("gradient", both(student, logits, targets)[1], wanted)


@pytest.mark.parametrize("below", [900.0, 2000.0])
def test_loss_far_from_the_target(student, rng, below):
    """The loss is large, and finite, where the target is all but impossible."""
    logits, targets = rng.normal(size=(2, 4, 3)), np.full((2, 4), 1)
    logits[..., 1] -= below
    wanted = formulas.sequence_loss(logits, targets)[0]
    expect.close("loss", both(student, logits, targets)[0], wanted)


def test_type_of_the_loss(student, rng):
    """The loss is a Python float."""
    logits, targets = drawn(rng, (2, 3, 5))
    received = both(student, logits, targets)[0]
    other = both(student, 2.0 * logits, targets)[0]
    expect.differ("loss", received, other, "it is the same for other logits.")
    kind = type(received) is float
    expect.that("loss", kind, f"expected a float, got {expect.kind_of(received)}.")


def test_keeps_its_arguments(student, rng):
    """Neither logits nor targets are changed."""
    logits, targets = drawn(rng, (3, 4, 5))
    kept = student.keep(logits), student.keep(targets)
    _, gradient = both(student, *kept)
    wanted = formulas.sequence_loss(logits, targets)[1]
    right_but_for_a_factor("gradient", gradient, wanted)
    expect.unchanged("logits", logits, student.fetch(kept[0]))
    expect.unchanged("targets", targets, student.fetch(kept[1]))
