"""Hidden tests of optimizers.py: a gradient of zeros is a gradient, and a step with it counts.

The expected numbers are worked out by hand for a parameter of one entry. A gradient that is None is
something else, and is looked at in test_optimizers.py.
"""

import numpy as np
import pytest

from autograder.suite import expect


def change(student, kind, gradients, start=0.0, **options):
    """Return how far one entry moves by steps with these gradients."""
    p = student.probe("parameter")(np.array([[start]]))
    optimizer = getattr(student.optimizers, kind)([p], **options)
    for gradient in gradients:
        p.grad = np.array([[gradient]])
        optimizer.step()
    return expect.array("data", p.data, (1, 1)) - start


@pytest.mark.item("week3.sgd")
def test_decay_with_a_gradient_of_zero(student):
    """Where the gradient is 0, and not None, weight decay still shrinks the data."""
    received = change(student, "SGD", [3.0, 0.0], start=2.0, lr=0.1, weight_decay=0.5)
    expect.close("change of 2.0 by the gradients 3 and 0", received, [[-0.48]])


@pytest.mark.item("week3.momentum")
def test_velocity_with_a_gradient_of_zero(student):
    """A step with a gradient of 0, and not None, coasts on: v fades, and the data moves by it."""
    received = change(student, "SGDMomentum", [1.0, 0.0, 3.0], lr=0.1, beta=0.5)
    expect.close("change by the gradients 1, 0 and 3", received, [[-0.475]])


@pytest.mark.item("week3.rmsprop")
def test_mean_square_with_a_gradient_of_zero(student):
    """A gradient of 0, and not None, enters the mean square like any other."""
    received = change(student, "RMSprop", [1.0, 0.0, 1.0], lr=0.1, alpha=0.5, eps=1e-12)
    expected = -0.1 * (0.5**-0.5 + 0.625**-0.5)
    expect.close("change by the gradients 1, 0 and 1", received, [[expected]])


@pytest.mark.item("week3.adam")
def test_means_with_a_gradient_of_zero(student):
    """A step with a gradient of 0, and not None, is a step: both means fade, and the data moves."""
    received = change(student, "Adam", [1.0, 0.0], lr=0.1, betas=(0.5, 0.75), eps=1e-12)
    expected = -0.1 * (1.0 + (1.0 / 3.0) / (3.0 / 7.0) ** 0.5)
    expect.close("change by the gradients 1 and 0", received, [[expected]])
