"""Hidden tests of optimizers.py: a gradient of zeros is a gradient, and a step with it counts.

The expected numbers are worked out by hand for a parameter of one entry. Where plain steps are
wrong already, it is enough that the next step is another one.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .optimizer_sides import expect_zero_counts, plain_steps_fit


def judged_by_the_formula(student, kind):
    """Tell whether plain steps are right; where they are not, a gradient of 0 has to count."""
    right = plain_steps_fit(student, kind)
    if not right:
        expect_zero_counts(student, kind)
    return right


def change(student, kind, gradients, **options):
    """Return how far one entry moves by steps with these gradients."""
    p = student.probe("parameter")(np.array([[0.0]]))
    optimizer = getattr(student.optimizers, kind)([p], **options)
    for gradient in gradients:
        p.grad = np.array([[gradient]])
        optimizer.step()
    return expect.array("data", p.data, (1, 1))


@pytest.mark.item("week3.momentum")
def test_velocity_with_a_gradient_of_zero(student):
    """A step with a gradient of 0, and not None, coasts on: v fades, and the data moves by it."""
    if not judged_by_the_formula(student, "SGDMomentum"):
        return
    received = change(student, "SGDMomentum", [1.0, 0.0, 3.0], lr=0.1, momentum=0.5)
    expect.close("change by the gradients 1, 0 and 3", received, [[-0.475]])


@pytest.mark.item("week3.rmsprop")
def test_mean_square_with_a_gradient_of_zero(student):
    """A gradient of 0, and not None, enters the mean square like any other."""
    if not judged_by_the_formula(student, "RMSprop"):
        return
    received = change(student, "RMSprop", [1.0, 0.0, 1.0], lr=0.1, beta=0.5, epsilon=1e-12)
    expected = -0.1 * (0.5**-0.5 + 0.625**-0.5)
    expect.close("change by the gradients 1, 0 and 1", received, [[expected]])


@pytest.mark.item("week3.adam")
def test_means_with_a_gradient_of_zero(student):
    """A step with a gradient of 0, and not None, is a step: both means fade, and the data moves."""
    if not judged_by_the_formula(student, "Adam"):
        return
    settings = {"lr": 0.1, "beta1": 0.5, "beta2": 0.75, "epsilon": 1e-12}
    received = change(student, "Adam", [1.0, 0.0], **settings)
    expected = -0.1 * (1.0 + (1.0 / 3.0) / (3.0 / 7.0) ** 0.5)
    expect.close("change by the gradients 1 and 0", received, [[expected]])
