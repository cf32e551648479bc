"""Public tests of optimizers.py and schedulers.py, with numbers worked out by hand."""

import numpy as np
import pytest

from autograder.suite import expect

optimizer = pytest.mark.item("project.optimizer")
schedule = pytest.mark.item("project.schedule")

NEAR = {"rtol": 1e-6, "atol": 1e-8}
HALF = {"lr": 0.1, "betas": (0.5, 0.75), "eps": 1e-12}
"""With these, gradients 1 and 0 give m = 1/2, 1/4 and v = 1/4, 3/16."""
STEP_2 = 0.1 * (1 / 3) / (3 / 7) ** 0.5
"""The second step's length: m_hat = (1/4) / (3/4), v_hat = (3/16) / (7/16)."""


def path_of(student, starts, gradients, options, *more):
    """Return where each parameter (of one entry) is after each step."""
    starts = [np.array([start]) for start in starts]
    gradients = [[g if g is None else np.array([g]) for g in given] for given in gradients]
    found = student.drive("optimize", student.optimizers.Adam, starts, gradients, options, *more)
    expect.equal("parameters are leaves, and keep the gradients given", found["same"], True)
    shape = (len(gradients) + 1, 1)
    return [expect.array("path of a parameter", path, shape)[:, 0] for path in found["path"]]


@optimizer
def test_two_steps(student):
    """Two steps with the gradients 1 and 0, with bias correction."""
    [path] = path_of(student, [2.0], [[1.0], [0.0]], HALF)
    expect.close("parameter after 0, 1, 2 steps", path, [2.0, 1.9, 1.9 - STEP_2], **NEAR)


@optimizer
def test_decoupled_weight_decay(student):
    """With decoupled=True, p shrinks by lr * weight_decay * p, apart from Adam's step."""
    options = {**HALF, "weight_decay": 0.5}
    [path] = path_of(student, [2.0], [[1.0], [0.0]], options)
    first = 2.0 * 0.95 - 0.1
    wanted = [2.0, first, first * 0.95 - STEP_2]
    expect.close("parameter after 0, 1, 2 steps", path, wanted, **NEAR)


@optimizer
def test_weight_decay_in_the_gradient(student):
    """With decoupled=False, weight_decay * p is added to the gradient, which Adam rescales."""
    options = {**HALF, "weight_decay": 0.5, "decoupled": False}
    [path] = path_of(student, [2.0], [[-3.0]], options)
    expect.close("parameter after 0, 1 steps", path, [2.0, 2.1], **NEAR)


@optimizer
def test_a_parameter_without_a_gradient(student):
    """A parameter whose grad is None stays where it is."""
    first, second = path_of(student, [2.0, 5.0], [[1.0, None]], {**HALF, "weight_decay": 0.5})
    expect.close("parameter with a gradient", first, [2.0, 1.8], **NEAR)
    expect.close("parameter without one", second, [5.0, 5.0], **NEAR)


@optimizer
def test_going_on_from_a_state_dict(student):
    """A new optimizer that takes over the state dict goes on as the old one would have."""
    [path] = path_of(student, [2.0], [[1.0], [0.0]], HALF, None, 1)
    expect.close("parameter after 0, 1, 2 steps", path, [2.0, 1.9, 1.9 - STEP_2], **NEAR)


@optimizer
def test_refuses_bad_settings(student):
    """Settings out of their range, and no parameters, raise a ValueError."""
    params = student.prepare("with_gradients", [np.array([1.0])])
    make = student.optimizers.Adam
    for options in ({"lr": 0.0}, {"betas": (0.9, 1.0)}, {"eps": 0.0}, {"weight_decay": -1.0}):
        expect.raises(
            f"Adam with {options}", student.prepare, "ValueError", "made", make, params, options
        )
    expect.raises("Adam([])", make, "ValueError", [])
    make(params).zero_grad()
    expect.equal("gradients after zero_grad", student.drive("gradients_in", params), [None])


def rates(student, base, steps, *settings):
    """Return the learning rates of so many steps."""
    lent = student.probe("optimizer")(base)
    made = student.schedulers.CosineAnnealingLR(lent, *settings)
    return np.array(student.drive("rates_of", made, lent, steps))


@schedule
def test_half_a_cosine(student):
    """From the learning rate at the start down to 0 after T_max steps, and it stays there."""
    wanted = [0.4, 0.3, 0.1, 0.0, 0.0, 0.0]
    expect.close("learning rates, T_max 3", rates(student, 0.4, 6, 3), wanted, **NEAR)


@schedule
def test_a_floor_and_a_warm_up(student):
    """With warmup=2 the rate rises in two steps; then the cosine goes down to eta_min."""
    received = rates(student, 0.5, 7, 5, 0.1, 2)
    wanted = [0.25, 0.5, 0.5, 0.4, 0.2, 0.1, 0.1]
    expect.close("learning rates, T_max 5, eta_min 0.1, warmup 2", received, wanted, **NEAR)


@schedule
def test_going_on_with_a_schedule(student):
    """A new scheduler that takes over a state has set the learning rate of that step."""
    first = student.schedulers.CosineAnnealingLR(student.probe("optimizer")(0.4), 3)
    first.step()
    lent = student.probe("optimizer")(0.4)
    second = student.schedulers.CosineAnnealingLR(lent, 3)
    second.load_state_dict(student.prepare("state_dict_of", first))
    expect.equal("t", second.t, 1)
    expect.close("learning rate", lent.lr, 0.3, **NEAR)


@schedule
def test_refuses_bad_schedules(student):
    """T_max below 1, and a warm-up that leaves no step, raise a ValueError."""
    lent = student.probe("optimizer")(0.4)
    make = student.schedulers.CosineAnnealingLR
    for settings in ((0,), (5, 0.0, 5), (5, -0.1)):
        expect.raises(
            f"CosineAnnealingLR(optimizer, {settings})", make, "ValueError", lent, *settings
        )
