"""Hidden tests of schedulers.py: cosine annealing with a warm-up."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("project.schedule")

NEAR = {"rtol": 1e-9, "atol": 1e-12}
SETTINGS = {
    "plain": {"T_max": 10},
    "floor": {"T_max": 7, "eta_min": 0.02},
    "warm-up": {"T_max": 12, "warmup": 4},
    "warm-up and floor": {"T_max": 9, "eta_min": 0.05, "warmup": 3},
    "short": {"T_max": 1},
    "long warm-up": {"T_max": 5, "warmup": 4},
    "warm-up of one step": {"T_max": 5, "warmup": 1},
}
EVERY = pytest.mark.parametrize("settings", list(SETTINGS.values()), ids=list(SETTINGS))


def rates(base, steps, T_max, eta_min=0.0, warmup=0):
    """Return the learning rates of steps 0 to steps - 1."""
    t = np.arange(steps)
    share = np.clip((t - warmup) / (T_max - warmup), 0.0, 1.0)
    cosine = eta_min + (base - eta_min) * (1 + np.cos(np.pi * share)) / 2
    return np.where(t < warmup, base * (t + 1) / max(warmup, 1), cosine)


def schedule(student, base, settings):
    """Return a scheduler, and the optimizer whose learning rate it sets."""
    optimizer = student.probe("optimizer")(base)
    return student.schedulers.CosineAnnealingLR(optimizer, **settings), optimizer


@pytest.mark.weight(2)
@EVERY
def test_rates_of_a_run(student, settings):
    """Over a whole run, and a while beyond, every step has its learning rate."""
    scheduler, optimizer = schedule(student, 0.3, settings)
    steps = settings["T_max"] + 8
    received = student.drive("rates_of", scheduler, optimizer, steps)
    label = f"learning rates of {settings}"
    expect.close(label, np.array(received), rates(0.3, steps, **settings), **NEAR)


@EVERY
def test_lr_at(student, settings):
    """lr_at tells the learning rate of any step, in any order, and changes nothing."""
    scheduler, optimizer = schedule(student, 0.5, settings)
    wanted = rates(0.5, settings["T_max"] + 40, **settings)
    asked = [settings["T_max"] + 39, 3, 0, settings["T_max"], 1, settings["T_max"] - 1, 0]
    received = student.drive("rates_at", scheduler, asked)
    expect.close(f"lr_at of the steps {asked}", np.array(received), wanted[asked], **NEAR)
    expect.close("learning rate afterwards", optimizer.lr, wanted[0], **NEAR)
    expect.equal("t afterwards", scheduler.t, 0)


def test_the_first_rate_is_set_at_once(student):
    """A new scheduler has set the learning rate of step 0, and t counts the steps."""
    for warmup in (0, 5):
        scheduler, optimizer = schedule(student, 0.4, {"T_max": 20, "warmup": warmup})
        wanted = rates(0.4, 4, 20, warmup=warmup)
        for t in range(4):
            expect.equal("t", scheduler.t, t)
            expect.close(
                f"learning rate at t = {t}, warm-up {warmup}", optimizer.lr, wanted[t], **NEAR
            )
            scheduler.step()


def test_base_is_the_rate_at_the_start(student):
    """What happens to the optimizer's lr later does not change the schedule."""
    scheduler, optimizer = schedule(student, 0.2, {"T_max": 6})
    optimizer.lr = 7.0
    scheduler.step()
    expect.close("learning rate at t = 1", optimizer.lr, rates(0.2, 2, 6)[1], **NEAR)


def test_it_stays_down(student):
    """After T_max the learning rate stays at eta_min: there is no restart."""
    scheduler, optimizer = schedule(student, 0.2, {"T_max": 5, "eta_min": 0.01})
    received = student.drive("rates_of", scheduler, optimizer, 30)
    expect.close("learning rates from T_max on", np.array(received)[5:], np.full(25, 0.01), **NEAR)
    expect.close("learning rate in the middle", received[2], rates(0.2, 3, 5, 0.01)[2], **NEAR)


def test_no_two_schedules_meet(student):
    """Two schedules of two optimizers share nothing."""
    first, one = schedule(student, 0.2, {"T_max": 8})
    second, other = schedule(student, 0.9, {"T_max": 4, "warmup": 2})
    for _ in range(3):
        first.step()
    second.step()
    expect.close("first optimizer's rate", one.lr, rates(0.2, 4, 8)[3], **NEAR)
    expect.close("second optimizer's rate", other.lr, rates(0.9, 2, 4, warmup=2)[1], **NEAR)


@EVERY
def test_state_dict(student, settings):
    """A new scheduler that takes over a state goes on from there, with the rate set at once."""
    first, _ = schedule(student, 0.3, settings)
    for _ in range(3):
        first.step()
    state = student.prepare("state_dict_of", first)
    expect.equal("types in the state dict", student.drive("kinds_in", state), ["Tensor"])
    second, other = schedule(student, 0.3, settings)
    second.load_state_dict(student.prepare("stored", state))
    wanted = rates(0.3, 10, **settings)
    expect.equal("t after load_state_dict", second.t, 3)
    expect.close("learning rate after load_state_dict", other.lr, wanted[3], **NEAR)
    received = student.drive("rates_of", second, other, 7)
    expect.close("learning rates from there on", np.array(received), wanted[3:], **NEAR)


@pytest.mark.parametrize(
    "settings",
    [
        {"T_max": 0},
        {"T_max": -3},
        {"T_max": 5, "warmup": 5},
        {"T_max": 5, "warmup": 8},
        {"T_max": 5, "warmup": -1},
        {"T_max": 5, "eta_min": -0.1},
    ],
    ids=lambda settings: "-".join(f"{name} {value}" for name, value in settings.items()),
)
def test_refuses_bad_settings(student, settings):
    """A setting that is out of its range raises a ValueError."""
    optimizer = student.probe("optimizer")(0.1)
    call = lambda: student.schedulers.CosineAnnealingLR(optimizer, **settings)  # noqa: E731
    expect.raises(f"CosineAnnealingLR(optimizer, {settings})", call, "ValueError")
