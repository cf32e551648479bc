"""What lets a check of a side look at it: something right, if only up to a factor."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.expect import Wrong
from autograder.suite.hidden.sides import (
    LATER,
    proportional,
    right_but_for_a_factor,
    something_right,
)

WANTED = np.array([[1.0, -2.0], [0.5, 3.0]])


@pytest.mark.parametrize("factor", [1.0, 2.0, -0.01, 1e6])
def test_a_factor_does_not_matter(factor):
    proportional("y", factor * WANTED, WANTED)
    right_but_for_a_factor("y", factor * WANTED, WANTED)


@pytest.mark.parametrize(
    "received",
    [0.0 * WANTED, WANTED + 0.1, WANTED.T, WANTED[:1], WANTED > 0, np.nan * WANTED, 3.0, None],
)
def test_anything_else_does(received):
    with pytest.raises(Wrong) as caught:
        proportional("y", received, WANTED)
    assert LATER not in caught.value.message


@pytest.mark.parametrize(("received", "expected"), [(2.0, 1.0), ([4.0], [2.0]), (1.0, 0.0)])
def test_a_single_number_has_to_be_right(received, expected):
    received = np.asarray(received) if isinstance(received, list) else received
    with pytest.raises(Wrong):
        proportional("y", received, np.asarray(expected))


def test_who_gives_zeros_has_nothing_right():
    with pytest.raises(Wrong):
        proportional("y", np.zeros(3), np.ones(3))
    proportional("y", np.zeros(3), np.zeros(3))  # where zeros are right, they are


def test_what_is_wrong_first_is_told_once_and_keeps_what_identifies_it():
    received = WANTED + 0.1
    with pytest.raises(Wrong) as caught:
        something_right(
            lambda: right_but_for_a_factor("y", received, WANTED),
            lambda: expect.that("words", False, "they are wrong."),
        )
    fault = caught.value
    assert fault.label == "y"
    assert fault.message.startswith("y: 4 of 4 entries differ")
    assert fault.message.count(LATER) == 1
    assert np.array_equal(fault.received, received)


def test_one_way_that_holds_is_enough():
    something_right(
        lambda: expect.close("loss", 2.0, 1.0), lambda: proportional("y", 3 * WANTED, WANTED)
    )
