"""Public tests of the derivation in derivations.ipynb: one small case, worked out on paper."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week6.derive_attention")

P = np.array([0.75, 0.25])
"""Weights of two keys."""
V = np.array([[8.0, 1.0], [0.0, 1.0]])
G = np.array([1.0, 5.0])
"""Two values, and the gradient of the result."""


def test_products(student):
    """Step 1: with entries of the standard deviations 2 and 0.5, nine products have 3."""
    received = student.derivations.product_deviation(9, 2.0, 0.5)
    expect.close("the standard deviation", received, 3.0)


def test_values(student):
    """Step 2: three quarters of the result are the first value."""
    received = student.derivations.attention_dV(G, P)
    expect.close("dL/dV", received, [[0.75, 3.75], [0.25, 1.25]])


def test_scores(student):
    """Step 3: only the first column tells the values apart; what one gains, the other loses."""
    expect.close("dL/ds", student.derivations.attention_ds(G, P, V), [1.5, -1.5])


def test_query(student):
    """Step 4: with four features, a score is half a product."""
    keys = np.array([[1.0, 0.0, 2.0, 0.0], [0.0, 1.0, 2.0, 0.0]])
    received = student.derivations.attention_dq(np.array([1.5, -1.5]), keys)
    expect.close("dL/dq", received, [0.75, -0.75, 0.0, 0.0])


def test_keys(student):
    """Step 4: each key has acted in its own score."""
    slopes, query = np.array([1.5, -1.5]), np.array([4.0, 0.0, 0.0, 2.0])
    received = student.derivations.attention_dK(slopes, query)
    expect.close("dL/dK", received, [[3.0, 0.0, 0.0, 1.5], [-3.0, 0.0, 0.0, -1.5]])
