"""Hidden tests of optimizers.py: Adam on tensors, against its formula in NumPy, in float64.

epsilon may stand at one of three places, in every step alike: a step with a large one tells. Where
plain steps are wrong already, tests of something else look at that alone (adam_sides.py).
"""

import numpy as np
import pytest

from autograder.suite import expect

from . import lists
from .adam import expect_paths, gradients_of, optimize, place_of, starts_of
from .adam_sides import (
    expect_rates_count,
    expect_same_paths,
    expect_settings_count,
    expect_usual_settings,
    expect_zeros_count,
    plain_steps_fit,
)

pytestmark = pytest.mark.item("project.optimizer")


@pytest.mark.weight(5)
def test_twenty_steps(student, rng):
    """Twenty steps of Adam lead where the formula leads."""
    starts, gradients = starts_of(rng), gradients_of(rng, 20)
    options = {"lr": 0.05, "beta1": 0.8, "beta2": 0.95}
    expect_paths(optimize(student, starts, gradients, options), starts, gradients, **options)


@pytest.mark.weight(2)
def test_defaults(student, rng):
    """beta1 is 0.9, beta2 0.999 and epsilon 1e-8 if nothing else is said."""
    starts, gradients = starts_of(rng), gradients_of(rng, 5)
    options = {"lr": 0.01}
    if not plain_steps_fit(student):
        expect_usual_settings(student, starts, gradients)
        return
    expect_paths(optimize(student, starts, gradients, options), starts, gradients, **options)


def test_settings_in_their_order(student, rng):
    """Adam(parameters, lr, beta1, beta2, epsilon) takes its settings in this order too."""
    if not plain_steps_fit(student):
        expect_settings_count(student, ["lr", "beta1", "beta2", "epsilon"], by_position=True)
        return
    starts, gradients = starts_of(rng), gradients_of(rng, 3)
    received = optimize(student, starts, gradients, [0.05, 0.7, 0.9, 0.5])
    options = {"lr": 0.05, "beta1": 0.7, "beta2": 0.9, "epsilon": 0.5}
    expect_paths(received, starts, gradients, place=place_of(student), **options)


def test_epsilon(student, rng):
    """epsilon is added to the root of v_hat, or to v_hat itself, after the correction."""
    starts, gradients = starts_of(rng), gradients_of(rng, 4)
    options = {"lr": 0.1, "epsilon": 0.5}
    received = optimize(student, starts, gradients, options)
    expect_paths(received, starts, gradients, place=place_of(student), **options)


def test_gradients_of_zero(student):
    """A gradient of zeros is a gradient: the moments fade, and nothing becomes NaN."""
    starts = [np.array([1.0, -2.0], np.float32)]
    given = ([0.0, 3.0], [0.0, 0.0], [0.0, -1.0], [0.0, 0.0])
    gradients = [[np.array(one, np.float32)] for one in given]
    options = {"lr": 0.1, "beta1": 0.5, "beta2": 0.75}
    if not plain_steps_fit(student):
        expect_zeros_count(student, starts, gradients, options)
        return
    expect_paths(optimize(student, starts, gradients, options), starts, gradients, **options)


def test_learning_rate_may_change(student, rng):
    """Each step uses the `lr` that the optimizer has at that moment."""
    starts, gradients = starts_of(rng), gradients_of(rng, 5)
    rates = [0.1, 0.1, 0.02, 0.5, 0.0]
    if not plain_steps_fit(student):
        expect_rates_count(student, starts, gradients, rates)
        return
    received = optimize(student, starts, gradients, {"lr": 0.1}, rates)
    expect_paths(received, starts, gradients, rates=rates, lr=0.1)


def expect_a_step(student, rng):
    """One step goes where the formula leads, with gradients to which epsilon is nothing.

    Where steps are wrong anyway, it is enough that they are led by the gradients.
    """
    if plain_steps_fit(student):
        starts, gradients = starts_of(rng), gradients_of(rng, 1)
        received = optimize(student, starts, gradients, {"lr": 0.05})
        expect_paths(received, starts, gradients, lr=0.05)


def test_attributes(student, rng):
    """lr is the learning rate, parameters holds the parameters."""
    params = student.prepare("with_gradients", starts_of(rng))
    optimizer = student.optimizers.Adam(params, lr=0.25)
    expect_a_step(student, rng)
    expect.close("lr", optimizer.lr, 0.25)
    count = student.drive("length", student.prepare("attribute", optimizer, "parameters"))
    expect.equal("number of parameters", count, len(starts_of(rng)))


def test_two_optimizers_share_nothing(student, rng):
    """A second optimizer begins with moments of 0, whatever the first one has seen."""
    right = plain_steps_fit(student)
    starts, gradients = starts_of(rng), gradients_of(rng, 3)
    first = optimize(student, starts, gradients, {"lr": 0.05})
    optimize(student, starts, gradients_of(rng, 2), {"lr": 0.05})
    second = optimize(student, starts, gradients, {"lr": 0.05})
    if right:
        for received in (first, second):
            expect_paths(received, starts, gradients, lr=0.05)
    else:
        expect_same_paths("of a second optimizer and of the first", second, first)


def test_zero_grad(student, rng):
    """zero_grad sets every gradient to zeros, or to None."""
    params = student.prepare("with_gradients", starts_of(rng))
    expect_a_step(student, rng)
    student.optimizers.Adam(params, lr=0.1).zero_grad()
    found = [_kind(gradient) for gradient in student.drive("gradients_in", params)]
    wanted = found[:1] if found[:1] == ["zeros"] else ["None"]
    lists.equal("gradients after zero_grad", found, wanted * len(starts_of(rng)))


def _kind(gradient):
    """Say what became of a gradient of ones."""
    if gradient is None:
        return "None"
    zeros = type(gradient) is np.ndarray and not gradient.any()
    return "zeros" if zeros else "numbers"
