"""Hidden tests of schedulers.py: cosine annealing and a warm-up, by each epoch's learning rate.

`step(epoch)` is called with 0, 1, 2, ... A rise may go through base (e + 1) / w or base e / w, and
the scheduler behind it may be given e - w or e, in all epochs alike: short schedules tell. Where a
curve is wrong already, tests of something else compare with the scheduler's own plain answers.
"""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("project.schedule")

NEAR = {"rtol": 1e-6, "atol": 1e-12}
EVERY_COSINE = pytest.mark.parametrize(
    "settings",
    [{"T_max": 10}, {"T_max": 7, "eta_min": 0.02}, {"T_max": 1}, {"T_max": 100, "eta_min": 0.001}],
    ids=["plain", "floor", "short", "long"],
)
WARMUPS = pytest.mark.parametrize("length", [1, 4, 5])


def cosine(epochs, base, T_max, eta_min=0.0):
    """Return the learning rates of epochs up to T_max."""
    share = np.asarray(epochs) / T_max
    return eta_min + (base - eta_min) * (1 + np.cos(np.pi * share)) / 2


def plain_cosine(student, base, count, **settings):
    """Return the rates of the student's cosine alone, which have to change."""
    optimizer = optimizer_of(student, base)
    scheduler = student.schedulers.CosineAnnealingLR(optimizer, **settings)
    own = rates(student, scheduler, optimizer, count)
    message = "step(epoch) never changes the optimizer's learning rate."
    expect.that("learning rates", bool(np.ptp(own) > 0), message)
    return own


def expect_right_or_own(label, received, wanted, own, own_wanted):
    """Rates are right; or, where the plain ones (`own`) are wrong, they are what those are."""
    if np.allclose(own, own_wanted, **NEAR):
        expect.close(label, received, wanted, **NEAR)
    else:
        # Which rates these should be is asked by the tests of the curve.
        expect.repeated(label, own[-len(wanted) :], received, **NEAR)


def optimizer_of(student, lr):
    return student.probe("optimizer")(lr)


def rates(student, scheduler, optimizer, count):
    """Return the learning rates of so many epochs."""
    received = student.drive("rates_of", scheduler, optimizer, list(range(count)))
    return np.array([float(expect.array("lr", rate, ())) for rate in received])


def listed(student, optimizer, given):
    """Return a made-up scheduler, with a learning rate for each epoch."""
    return student.probe("listed_rates")(optimizer, given)


# CosineAnnealingLR


@pytest.mark.weight(3)
@EVERY_COSINE
def test_cosine(student, settings):
    """From the base at epoch 0 the learning rate falls along half a cosine to eta_min at T_max."""
    optimizer = optimizer_of(student, 0.3)
    scheduler = student.schedulers.CosineAnnealingLR(optimizer, **settings)
    count = settings["T_max"] + 1
    received = rates(student, scheduler, optimizer, count)
    label = f"learning rates of {settings}"
    expect.close(label, received, cosine(np.arange(count), 0.3, **settings), **NEAR)


def test_cosine_settings_in_their_order(student):
    """CosineAnnealingLR(optimizer, T_max, eta_min) takes its settings in this order too."""
    optimizer = optimizer_of(student, 0.8)
    scheduler = student.schedulers.CosineAnnealingLR(optimizer, 6, 0.2)
    received, wanted = rates(student, scheduler, optimizer, 7), cosine(np.arange(7), 0.8, 6, 0.2)
    own = plain_cosine(student, 0.8, 7, T_max=6, eta_min=0.2)
    expect_right_or_own("learning rates", received, wanted, own, wanted)


def test_no_two_schedules_meet(student):
    """Two schedules of two optimizers share nothing."""
    first, second = optimizer_of(student, 0.2), optimizer_of(student, 0.9)
    one = student.schedulers.CosineAnnealingLR(first, 8)
    other = student.schedulers.CosineAnnealingLR(second, 4)
    rates(student, one, first, 4)
    rates(student, other, second, 2)
    for name, optimizer, base, count, T_max in (
        ("first", first, 0.2, 4, 8),
        ("second", second, 0.9, 2, 4),
    ):
        wanted, own = (
            cosine(np.arange(count), base, T_max),
            plain_cosine(student, base, count, T_max=T_max),
        )
        received = expect.array("lr", optimizer.lr, ()).reshape(1)
        label = f"{name} optimizer's rate"
        expect_right_or_own(label, received, wanted[-1:], own, wanted)


# WarmupLR


def rise(student, base, length):
    """Return the rates of the rise by the student's convention: an experiment with one of 2 epochs.

    Epoch 0 has half of the base, or nothing.
    """
    optimizer = optimizer_of(student, 1.0)
    scheduler = student.schedulers.WarmupLR(optimizer, 2)
    from_zero = abs(rates(student, scheduler, optimizer, 1)[0]) < 0.25
    return base * (np.arange(length) + (0 if from_zero else 1)) / length


def shift_of(student):
    """Find out which epoch the scheduler behind the warm-up is given: return what is taken off.

    Behind a warm-up of one epoch, epoch 1 has its rate of epoch 0, or that of epoch 1.
    """
    optimizer = optimizer_of(student, 1.0)
    behind = listed(student, optimizer, [0.5, 0.25, 0.125])
    scheduler = student.schedulers.WarmupLR(optimizer, 1, behind)
    is_same_epoch = abs(rates(student, scheduler, optimizer, 2)[1] - 0.25) < 0.01
    return lambda length: 0 if is_same_epoch else length


@pytest.mark.weight(2)
@pytest.mark.parametrize("length", [2, 4, 5])
def test_warm_up_alone(student, length):
    """The learning rate rises in equal parts; behind the warm-up it is the base."""
    optimizer = optimizer_of(student, 0.6)
    scheduler = student.schedulers.WarmupLR(optimizer, length)
    received = rates(student, scheduler, optimizer, length + 4)
    wanted = np.concatenate([rise(student, 0.6, length), np.full(4, 0.6)])
    expect.close(f"learning rates, warm-up of {length} epochs", received, wanted, **NEAR)


@pytest.mark.weight(2)
@WARMUPS
def test_warm_up_before_another_scheduler(student, rng, length):
    """Behind the warm-up the base scheduler sets the learning rate."""
    given = [float(one) for one in rng.uniform(0.1, 1.0, length + 6)]
    optimizer = optimizer_of(student, 0.6)
    behind = listed(student, optimizer, given)
    scheduler = student.schedulers.WarmupLR(optimizer, length, base_scheduler=behind)
    received = rates(student, scheduler, optimizer, length + 5)
    first = length - shift_of(student)(length)
    label = f"learning rates behind a warm-up of {length} epochs"
    expect.close(label, received[length:], np.array(given[first : first + 5]), **NEAR)


def test_warm_up_before_a_cosine(student):
    """Behind a warm-up the cosine of this file sets the learning rate."""
    length, T_max = 3, 12
    optimizer = optimizer_of(student, 0.5)
    behind = student.schedulers.CosineAnnealingLR(optimizer, T_max)
    scheduler = student.schedulers.WarmupLR(optimizer, length, behind)
    received = rates(student, scheduler, optimizer, T_max)
    later = np.arange(length, T_max) - shift_of(student)(length)
    own, label = plain_cosine(student, 0.5, T_max, T_max=T_max), "learning rates behind the warm-up"
    if np.allclose(own, cosine(np.arange(T_max), 0.5, T_max), **NEAR):
        expect.close(label, received[length:], cosine(later, 0.5, T_max), **NEAR)
    else:
        # Which rates these should be is asked by the tests of the cosine.
        expect.repeated(label, own[later], received[length:], **NEAR)
