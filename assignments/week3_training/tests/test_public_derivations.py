"""Public tests of the derivation in derivations.ipynb: one small case, worked out on paper."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week3.derive_batch_norm")

X_HAT = np.array([[1.0, -1.0], [-1.0, 1.0]])
G = np.array([[2.0, 1.0], [4.0, 3.0]])
S = np.array([2.0, 0.5])


def test_parameters(student):
    """Step 1: dL/dgamma and dL/dbeta, both of shape (D,)."""
    received = student.derivations.batch_norm_parameters(G, X_HAT)
    two = isinstance(received, list | tuple) and len(received) == 2
    expect.that("the gradients", two, "it returns two arrays, dL/dgamma and dL/dbeta")
    expect.close("dL/dgamma", received[0], [-2.0, 2.0])
    expect.close("dL/dbeta", received[1], [6.0, 4.0])


def test_variance_and_mean(student):
    """Steps 2 and 3, for deviations of 2 and 1/2."""
    notebook = student.derivations
    expect.close("dL/dv", notebook.batch_norm_dv(G, X_HAT, S), [0.25, -4.0])
    expect.close("dL/dmu", notebook.batch_norm_dmu(G, S), [-3.0, -8.0])


def test_input(student):
    """Step 4: dL/dx, for a batch of two."""
    received = student.derivations.batch_norm_dx(G, X_HAT, S)
    expect.close("dL/dx", received, np.zeros((2, 2)))
