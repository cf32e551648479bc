"""What students read about two arrays that differ: where, how far, and in what simple form."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.suite.compare import describe

SQUARE = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, -6.0], [7.0, 8.0, 9.5]])


def form_of(received, expected) -> str:
    """Return the sentence on the form of the difference."""
    received, expected = np.asarray(received, float), np.asarray(expected, float)
    text = describe(received, expected, received != expected)
    start, _, form = text.partition("expected ")
    assert start
    return form.partition(". ")[2]


@pytest.mark.parametrize(
    ("received", "form"),
    [
        (SQUARE * 5, "Yours is 5 times the expected value everywhere."),
        (SQUARE / 5, "Yours is 0.2 times the expected value everywhere."),
        (SQUARE * -2, "Yours is -2 times the expected value everywhere."),
        (-SQUARE, "Yours has the opposite sign everywhere."),
        (SQUARE.T, "Yours is the transpose of what is expected."),
        (SQUARE + 0.25, "Yours is off by the same 0.25 everywhere."),
        (SQUARE - 3, "Yours is off by the same -3 everywhere."),
        (SQUARE * 0, "Yours is zero everywhere."),
        (SQUARE**2, ""),
        (SQUARE[::-1], ""),
        (SQUARE * (1 + 1e-9), ""),
        (SQUARE + 1e-12, ""),
    ],
)
def test_a_simple_relation_is_named(received, form):
    assert form_of(received, SQUARE) == form


def test_one_wrong_entry_is_no_relation():
    received = SQUARE.copy()
    received[0, 0] = 100.0
    assert form_of(received, SQUARE) == ""


def test_no_relation_is_read_into_zeros_or_a_single_number():
    assert form_of(np.ones(3), np.zeros(3)) == ""
    assert form_of([4.0], [2.0]) == ""
    assert form_of(4.0, 2.0) == ""


def test_a_single_entry_that_is_not_zero_has_no_factor_but_one_that_is_exact():
    expected = np.zeros((2, 3))
    expected[1, 0] = 6.0
    assert form_of(expected / 3, expected) == ""
    expected[1, 0] = 2.84201171
    assert form_of(expected * 0.3271, expected) == ""
    assert form_of(expected / 3, expected) == "Yours is 0.3333 times the expected value (1/3)."
    expected[0, 1] = 1.0
    assert form_of(expected / 3, expected).endswith("times the expected value everywhere.")


@pytest.mark.parametrize(
    ("factor", "form"),
    [
        (1 / np.log(2), "Yours is 1.443 times the expected value (1/log(2))."),
        (np.log(10), "Yours is 2.303 times the expected value (log(10))."),
        (12, "Yours is 12 times the expected value."),
        (-3, "Yours is -3 times the expected value."),
        (1 / 12, "Yours is 0.08333 times the expected value (1/12)."),
        (2 / 3, "Yours is 0.6667 times the expected value (2/3)."),
        (-1, "Yours has the opposite sign."),
        (1.0001, ""),
        (1 / np.log(2) + 1e-7, ""),
        (np.pi, ""),
        (0, ""),
        (1e300, ""),
    ],
)
def test_the_factor_of_a_number_is_named_where_it_is_exact(factor, form):
    assert form_of(2.84201171 * factor, 2.84201171) == form
    assert form_of([2.84201171 * factor], [2.84201171]) == form


def test_a_ratio_of_numbers_of_few_digits_tells_nothing():
    for expected in (3.0, 0.75, -12.5, 0.0, 1e20):
        assert form_of(2 * expected + (not expected), expected) == ""


def test_the_worst_of_the_wrong_entries_is_shown():
    expected = np.array([[1e6, 2.0], [3.0, 4.0]])
    received = expected + np.array([[0.5, 0.0], [0.25, 0.125]])
    bad = np.abs(received - expected) > 1e-6 * expected
    assert describe(received, expected, bad).startswith(
        "2 of 4 entries differ; the largest difference is at [1, 0]: got 3.25, expected 3."
    )


def test_numbers_are_short():
    assert describe(np.array([1 / 3]), np.array([2 / 3]), np.array([True])) == (
        "got 0.333333, expected 0.666667. Yours is 0.5 times the expected value (1/2)."
    )


def test_numbers_that_look_alike_are_shown_with_all_their_digits():
    got, wanted = np.array(3.99359001), np.array(3.99359002)
    assert describe(got, wanted, got != wanted) == "got 3.99359001, expected 3.99359002."
    row = np.array([1.0, 2.00000001]), np.array([1.0, 2.00000002])
    assert "got 2.00000001, expected 2.00000002" in describe(*row, row[0] != row[1])
