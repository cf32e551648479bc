"""Public tests of optimizers.py and schedulers.py, with numbers worked out by hand."""

import numpy as np
import pytest

from autograder.suite import expect

optimizer = pytest.mark.item("project.optimizer")
schedule = pytest.mark.item("project.schedule")
beyond = pytest.mark.item("project.robustness")
of_adam = pytest.mark.needs("project.optimizer")

NEAR = {"rtol": 1e-5, "atol": 1e-6}
HALF = {"lr": 0.1, "beta1": 0.5, "beta2": 0.75, "epsilon": 1e-8}
"""With these, gradients 1 and 0 give m = 1/2, 1/4 and v = 1/4, 3/16."""
STEP_2 = 0.1 * (1 / 3) / (3 / 7) ** 0.5
"""The second step's length: m_hat = (1/4) / (3/4), v_hat = (3/16) / (7/16)."""


def path_of(student, starts, gradients, options, *more):
    """Return where each parameter (of one entry) is after each step."""
    starts = [np.array([start], np.float32) for start in starts]
    gradients = [
        [g if g is None else np.array([g], np.float32) for g in given] for given in gradients
    ]
    found = student.drive("optimize", student.optimizers.Adam, starts, gradients, options, *more)
    expect.equal("parameters are leaves that require gradients", found["leaves"], True)
    shape = (len(gradients) + 1, 1)
    return [expect.array("path of a parameter", path, shape)[:, 0] for path in found["path"]]


@optimizer
def test_two_steps(student):
    """Two steps with the gradients 1 and 0, with bias correction."""
    [path] = path_of(student, [2.0], [[1.0], [0.0]], HALF)
    expect.close("parameter after 0, 1, 2 steps", path, [2.0, 1.9, 1.9 - STEP_2], **NEAR)


@optimizer
def test_epsilon(student):
    """epsilon is added to the root, or to what is under it."""
    [path] = path_of(student, [2.0], [[3.0]], {"lr": 1.0, "epsilon": 1.0})
    outside, inside = 2.0 - 3.0 / 4.0, 2.0 - 3.0 / 10.0**0.5
    wanted = inside if abs(path[1] - inside) < 0.01 else outside
    expect.close("parameter after one step", path[1:], [wanted], **NEAR)


@optimizer
def test_zero_grad(student):
    """zero_grad sets every gradient to zeros, or to None."""
    params = student.prepare("with_gradients", [np.array([1.0]), np.array([2.0])])
    student.optimizers.Adam(params, lr=0.1).zero_grad()
    left = [g for g in student.drive("gradients_in", params) if g is not None]
    fine = all(type(g) is np.ndarray and not g.any() for g in left)
    expect.that("gradients after zero_grad", fine, "some are neither zeros nor None.")


@beyond
@of_adam
def test_decoupled_weight_decay(student):
    """Beyond the texts: with decoupled=True, p shrinks by lr * weight_decay * p, apart."""
    options = {**HALF, "weight_decay": 0.5}
    [path] = path_of(student, [2.0], [[1.0], [0.0]], options)
    first = 2.0 * 0.95 - 0.1
    wanted = [2.0, first, first * 0.95 - STEP_2]
    expect.close("parameter after 0, 1, 2 steps", path, wanted, **NEAR)


@beyond
@of_adam
def test_weight_decay_in_the_gradient(student):
    """Beyond the texts: with decoupled=False, weight_decay * p is added to the gradient."""
    options = {**HALF, "weight_decay": 0.5, "decoupled": False}
    [path] = path_of(student, [2.0], [[-3.0]], options)
    expect.close("parameter after 0, 1 steps", path, [2.0, 2.1], **NEAR)


@beyond
@of_adam
def test_a_parameter_without_a_gradient(student):
    """Beyond the texts: a parameter whose grad is None stays where it is."""
    first, second = path_of(student, [2.0, 5.0], [[1.0, None]], {**HALF, "weight_decay": 0.5})
    expect.close("parameter with a gradient", first, [2.0, 1.8], **NEAR)
    expect.close("parameter without one", second, [5.0, 5.0], **NEAR)


@beyond
@of_adam
def test_going_on_from_a_state_dict(student):
    """Beyond the texts: a new optimizer that takes over the state goes on as the old one would."""
    [path] = path_of(student, [2.0], [[1.0], [0.0]], HALF, None, 1)
    expect.close("parameter after 0, 1, 2 steps", path, [2.0, 1.9, 1.9 - STEP_2], **NEAR)


@beyond
def test_refuses_bad_settings(student):
    """Beyond the texts: settings out of their range, and no parameters, raise a ValueError."""
    params = student.prepare("with_gradients", [np.array([1.0])])
    make = student.optimizers.Adam
    for options in ({"lr": 0.0}, {"lr": 0.1, "beta2": 1.0}, {"lr": 0.1, "epsilon": 0.0}):
        expect.raises(
            f"Adam with {options}", student.prepare, "ValueError", "made", make, params, options
        )
    expect.raises("Adam([], 0.1)", make, "ValueError", [], 0.1)


def rates(student, scheduler, lent, count):
    """Return the learning rates of so many epochs: step(0), step(1), ..."""
    return np.array(student.drive("rates_of", scheduler, lent, list(range(count))))


@schedule
def test_half_a_cosine(student):
    """From the learning rate at the start down to eta_min at epoch T_max."""
    for eta_min, wanted in ((0.0, [0.4, 0.3, 0.1, 0.0]), (0.1, [0.4, 0.325, 0.175, 0.1])):
        lent = student.probe("optimizer")(0.4)
        made = student.schedulers.CosineAnnealingLR(lent, 3, eta_min)
        received = rates(student, made, lent, 4)
        expect.close(f"learning rates, T_max 3, eta_min {eta_min}", received, wanted, **NEAR)


@schedule
def test_a_warm_up_alone(student):
    """The rate rises in equal parts, from a share or from 0, and then stays at the base."""
    lent = student.probe("optimizer")(0.6)
    made = student.schedulers.WarmupLR(lent, 3)
    received = rates(student, made, lent, 6)
    first = 0.0 if abs(received[0]) < 0.1 else 0.2
    wanted = [first, first + 0.2, first + 0.4, 0.6, 0.6, 0.6]
    expect.close("learning rates, warm-up of 3 epochs", received, wanted, **NEAR)


@schedule
def test_a_warm_up_before_another_scheduler(student):
    """Behind the warm-up the base scheduler sets the rate, by its own count or by that of all."""
    lent = student.probe("optimizer")(0.6)
    listed = [0.5, 0.45, 0.4, 0.35, 0.3, 0.25]
    made = student.schedulers.WarmupLR(lent, 2, student.probe("listed_rates")(lent, listed))
    received = rates(student, made, lent, 5)[2:]
    first = 2 if abs(received[0] - listed[2]) < 0.01 else 0
    wanted = listed[first : first + 3]
    expect.close("learning rates of epochs 2, 3, 4", received, wanted, **NEAR)


@beyond
def test_refuses_bad_schedules(student):
    """Beyond the texts: a T_max below 1 and a negative warm-up raise a ValueError."""
    lent = student.probe("optimizer")(0.4)
    cosine, warmup = student.schedulers.CosineAnnealingLR, student.schedulers.WarmupLR
    expect.raises("CosineAnnealingLR(optimizer, 0)", cosine, "ValueError", lent, 0)
    expect.raises("WarmupLR(optimizer, -1)", warmup, "ValueError", lent, -1)
