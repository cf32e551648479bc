"""Hidden tests of broadcasting: Tensors of other shapes meet, and gradients have their own shape.

Whatever + and * do with operands of equal shapes is another item's: of these two, one that is wrong
there is not asked here.
"""

import numpy as np
import pytest

from autograder.channel.faults import Fault
from autograder.suite import expect

from ..suite_tools.engine import shapes_text
from .without_backward import check_tensors

pytestmark = pytest.mark.item("week2.broadcasting")

OPERATIONS = {"+": lambda a, b: a + b, "*": lambda a, b: a * b}


def check(student, rng, symbol, *shapes):
    """Compare a + b or a * b for operands of these shapes."""
    arrays = [np.asarray(rng.uniform(0.5, 2.0, size=shape)) for shape in shapes]
    upstream = np.asarray(rng.normal(size=np.broadcast_shapes(*shapes)))
    label = f"a {symbol} b, shapes {shapes_text(*arrays)}"
    check_tensors(student, label, OPERATIONS[symbol], arrays, upstream)


def check_pairs(student, rng, *pairs):
    """Compare both operators for these pairs of shapes; one that is wrong by itself is left out."""
    for pair in pairs:
        expect.any_of(
            lambda pair=pair: [check(student, rng, symbol, *pair) for symbol in OPERATIONS],
            lambda pair=pair: but_for_one(student, rng, "*", "+", pair),
            lambda pair=pair: but_for_one(student, rng, "+", "*", pair),
        )


def but_for_one(student, rng, wrong, right, pair):
    """One operator is wrong even without broadcasting; the other one broadcasts."""
    try:
        check(student, rng, wrong, (2, 3), (2, 3))
    except Fault:
        check(student, rng, right, *pair)
    else:
        check(student, rng, wrong, *pair)
        check(student, rng, right, *pair)


@pytest.mark.weight(3)
def test_row_and_matrix(student, rng):
    """A row meets every row of a matrix, from either side; its gradient sums over them."""
    check_pairs(student, rng, ((3, 4), (4,)), ((4,), (3, 4)), ((3, 4), (1, 4)), ((1, 4), (3, 4)))


@pytest.mark.weight(2)
def test_square_matrices(student, rng):
    """Where all axes have the same length, the gradient sums over the right ones all the same."""
    check_pairs(student, rng, ((3, 3), (3,)), ((1, 3), (3, 3)), ((3, 3), (3, 1)))


@pytest.mark.weight(2)
def test_columns(student, rng):
    """A column of shape (3, 1) is stretched to a matrix, also together with a row."""
    check_pairs(student, rng, ((3, 4), (3, 1)), ((3, 1), (3, 4)), ((3, 1), (1, 4)), ((4,), (3, 1)))


@pytest.mark.weight(2)
def test_three_dimensions(student, rng):
    """Operands of three dimensions, with ones in the middle, are broadcast like all others."""
    check_pairs(student, rng, ((2, 3, 4), (2, 1, 4)), ((2, 3, 4), (3, 1)), ((2, 1, 1), (1, 3, 4)))


@pytest.mark.weight(2)
def test_single_numbers(student, rng):
    """A Tensor of one number, of shape (), (1,) or (1, 1), combines with any other."""
    check_pairs(student, rng, ((), (2, 3)), ((2, 3), ()), ((1,), (2, 3)), ((1, 1), (3,)))
