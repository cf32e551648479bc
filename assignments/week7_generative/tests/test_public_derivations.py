"""Public tests of the derivation in derivations.ipynb: one small case, worked out on paper."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.rows import array_of

pytestmark = pytest.mark.item("week7.derive_bound")

# Variances of 1, 4 and 0.25.
MU = np.array([0.0, 1.0, -2.0])
LOGVAR = np.array([0.0, 1.3862943611198906, -1.3862943611198906])
EPS = np.array([1.0, -0.5, 2.0])
U = np.array([3.0, -1.0, 4.0])


def test_divergence(student):
    """Step 3: three coordinates, the first of which is standard normal."""
    received = array_of(student.derivations.normal_kl(MU, LOGVAR))
    expect.close("KL", received, [0.0, 1.3068528194400547, 2.3181471805599454])


def test_slope_by_means(student):
    """Step 4: the gradient of the whole loss for three means."""
    expect.close(
        "dL/dmu", array_of(student.derivations.loss_dmu(U, MU, LOGVAR, EPS)), [3.0, 0.0, 2.0]
    )


def test_slope_by_variances(student):
    """Step 4: the gradient of the whole loss for three logarithms of variances."""
    received = array_of(student.derivations.loss_dlogvar(U, MU, LOGVAR, EPS))
    expect.close("dL/dlogvar", received, [1.5, 2.0, 1.625])


def test_codes_of_a_number(student):
    """Step 5: what a decoder with slope 2 and variance 4 has made of a code, seen as 3."""
    pair = array_of(student.derivations.posterior(3.0, 2.0, 4.0))
    expect.close("mean and logvar of p(z|x)", pair, [0.75, -0.6931471805599453])
