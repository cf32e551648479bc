"""Hidden tests of causal_mask and sinusoidal_positions."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import something_right

from . import formulas

pytestmark = pytest.mark.item("week6.positions")


def compare_mask(student, T):
    """Compare the mask's entries, whatever their dtype."""
    received = expect.array(f"causal_mask({T})", student.attention.causal_mask(T), (T, T))
    wanted = formulas.causal_mask(T).astype(np.float64)
    expect.close(f"causal_mask({T})", received.astype(np.float64), wanted)


def compare_positions(student, T, d):
    """Compare the table with its formula."""
    received = student.attention.sinusoidal_positions(T, d)
    wanted = formulas.sinusoidal_positions(T, d)
    expect.close(f"sinusoidal_positions({T}, {d})", received, wanted)


@pytest.mark.weight(2)
@pytest.mark.parametrize("T", [2, 5, 9])
def test_mask(student, T):
    """Position t may attend to itself and to what was before it."""
    compare_mask(student, T)


def test_mask_of_truth_values(student):
    """The mask is boolean."""
    received = student.attention.causal_mask(4)
    entries = expect.array("causal_mask(4)", received, (4, 4)).astype(np.float64)
    shows = [np.tri(4), np.tri(4, k=1), np.tri(4, k=-1)]
    wanted = [*shows, *(1.0 - one for one in shows)]  # those that look ahead are among these
    something_right(
        *(lambda one=one: expect.close("causal_mask(4)", entries, one) for one in wanted)
    )
    expect.dtype("causal_mask(4)", received, "bool")


def test_mask_of_one(student):
    """A single position attends to itself."""
    compare_mask(student, 3)
    compare_mask(student, 1)


@pytest.mark.weight(2)
@pytest.mark.parametrize(("T", "d"), [(5, 6), (7, 4), (3, 10), (200, 8)])
def test_positions(student, T, d):
    """Sines and cosines alternate, each pair more slowly than the one before."""
    compare_positions(student, T, d)


@pytest.mark.parametrize(("T", "d"), [(6, 5), (4, 7), (8, 3)])
def test_odd_columns(student, T, d):
    """With an odd number of columns the last one is a sine."""
    compare_positions(student, T, d)


def test_one_column(student):
    """A single column is the sine of the position."""
    compare_positions(student, 6, 1)


def test_one_position(student):
    """The first position alone is the first row of any table with as many columns."""
    first = [
        lambda d=d: compare_positions(student, 4, d) for d in (2, 6)
    ]  # with two columns there is one pair, whatever becomes of the exponents
    something_right(*first)
    compare_positions(student, 1, 6)
    compare_positions(student, 1, 5)


def test_dtype(student):
    """Positions are float64."""
    something_right(
        lambda: compare_positions(student, 4, 2),
        lambda: compare_positions(student, 4, 1),
    )
    expect.dtype("sinusoidal_positions", student.attention.sinusoidal_positions(4, 6), "float64")
