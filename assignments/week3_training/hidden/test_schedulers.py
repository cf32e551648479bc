"""Hidden tests of schedulers.py, each against its formula, over 100 epochs in their order.

Where a schedule is wrong already there, tests of something else (two schedulers, arguments by
position, what comes behind a warm-up or an end) look at that alone.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .scheduler_rates import (
    EPOCHS,
    ITEMS,
    SETTINGS,
    TYPICAL,
    asked,
    expect_rates,
    expect_same,
    expect_settings_count,
    make,
    prepared,
    rate,
    right,
    warmup,
    warmup_form,
    warmup_rates,
)


def case(kind, settings, name):
    return pytest.param(kind, settings, marks=pytest.mark.item(ITEMS[kind]), id=name)


each = pytest.mark.parametrize(
    ("kind", "settings"),
    [case(kind, settings, kind) for kind, settings in TYPICAL.items()],
)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [case(kind, settings, f"{kind}-{place}") for place, (kind, settings) in enumerate(SETTINGS)],
)
def test_step(student, rng, kind, settings):
    """step(epoch) sets the formula's learning rate, for each of 100 epochs in their order."""
    scheduler, optimizer, expected = prepared(student, rng, kind, settings)
    received = asked(student, scheduler, optimizer, range(EPOCHS))
    expect_rates("the optimizer's lr, epochs 0 to 99", received, expected)


@each
def test_two_schedulers_share_nothing(student, rng, kind, settings):
    """Two schedulers of one kind, in turn, each set the learning rate of their own optimizer."""
    seeds = [int(seed) for seed in rng.integers(1 << 30, size=2)]
    pairs, alone = (
        [prepared(student, np.random.default_rng(seed), kind, settings) for seed in seeds]
        for _ in range(2)
    )
    epochs = range(2 * settings.get("warmup_epochs", 5))
    received = np.array(
        [[asked(student, *pair[:2], [epoch])[0] for pair in pairs] for epoch in epochs]
    )
    for number, (*made, expected) in enumerate(alone):
        label = f"lr of optimizer {number}, one epoch after the other"
        plain, than = asked(student, *made, epochs), "without the other scheduler"
        expect_same(label, received[:, number], plain, expected[: len(epochs)], than)


# What belongs to one scheduler only.

LISTED = [0.8, 0.4, 0.7, 0.1, 0.6, 0.3, 0.5, 0.2, 0.9]
"""What the made-up base of a warm-up says of its first epochs, and of all after them."""

BY_POSITION = {
    "StepLR": {"step_size": 3, "gamma": 0.4},
    "MultiStepLR": {"milestones": [2, 7], "gamma": 0.4},
    "ExponentialLR": {"gamma": 0.9},
    "CosineAnnealingLR": {"T_max": 12, "eta_min": 0.2},
}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [case(kind, settings, kind) for kind, settings in BY_POSITION.items()],
)
def test_arguments_by_position(student, kind, settings):
    """The constructor takes the optimizer and its settings by position, too."""
    optimizer = student.probe("optimizer")(0.8)
    scheduler = getattr(student.schedulers, kind)(optimizer, *settings.values())
    received = asked(student, scheduler, optimizer, range(10))
    expected = [rate(kind, epoch, 0.8, settings) for epoch in range(10)]
    plain, than = expect_settings_count(student, kind, settings), "with the settings by name"
    expect_same("the optimizer's lr, epochs 0 to 9", received, plain, expected, than)


@pytest.mark.item("week3.step_lr")
def test_step_lr_around_a_change(student):
    """With step_size 10, epochs 0 to 9 have the first learning rate, 10 to 19 the second."""
    scheduler, optimizer = make(student, "StepLR", 0.8, {"step_size": 10, "gamma": 0.5})
    received = asked(student, scheduler, optimizer, range(21))[[0, 7, 9, 10, 19, 20]]
    expected = [0.8, 0.8, 0.8, 0.4, 0.4, 0.2]
    expect_rates("the optimizer's lr, epochs 0, 7, 9, 10, 19, 20", received, expected)


@pytest.mark.item("week3.multi_step_lr")
def test_multi_step_lr_counts_a_milestone_from_its_own_epoch_on(student):
    """With milestones [30, 80], the learning rate changes at epochs 30 and 80, not after them."""
    settings = {"milestones": [30, 80], "gamma": 0.5}
    scheduler, optimizer = make(student, "MultiStepLR", 0.8, settings)
    received = asked(student, scheduler, optimizer, range(82))[[29, 30, 79, 80, 81]]
    expected = [0.8, 0.4, 0.4, 0.2, 0.2]
    expect_rates("the optimizer's lr, epochs 29, 30, 79, 80, 81", received, expected)


@pytest.mark.item("week3.cosine_lr")
@pytest.mark.weight(2)
def test_cosine_lr_at_its_landmarks(student):
    """The base rate at epoch 0, the middle at T_max / 2, eta_min at T_max."""
    settings = {"T_max": 40, "eta_min": 0.1}
    scheduler, optimizer = make(student, "CosineAnnealingLR", 0.9, settings)
    received = asked(student, scheduler, optimizer, range(41))[[0, 10, 20, 30, 40]]
    quarter = 0.4 * np.sqrt(0.5)
    expected = [0.9, 0.5 + quarter, 0.5, 0.5 - quarter, 0.1]
    expect_rates("the optimizer's lr, epochs 0, 10, 20, 30, 40", received, expected)


@pytest.mark.item("week3.cosine_lr")
def test_cosine_lr_after_its_end(student):
    """After T_max the learning rate stays at eta_min, or goes on along the cosine: both count."""
    settings = {"T_max": 30, "eta_min": 0.1}
    scheduler, optimizer = make(student, "CosineAnnealingLR", 0.9, settings)
    stays = np.array([rate("CosineAnnealingLR", epoch, 0.9, settings) for epoch in range(EPOCHS)])
    goes_on = 0.5 + 0.4 * np.cos(np.pi * np.arange(EPOCHS) / 30)
    received = asked(student, scheduler, optimizer, range(EPOCHS))
    if right(received[:31], stays[:31]):
        expected = goes_on if right(received, goes_on) else stays
        expect_rates("the optimizer's lr, epochs 0 to 99", received, expected)
        return
    moved = bool(np.ptp(received[:31]) > 0)
    expect.that("the optimizer's lr, epochs 0 to 30", moved, "it is always the same.")
    if not right(received[30:61], received[30::-1]):  # along its own curve, mirrored
        late = np.full(EPOCHS - 30, received[30])
        # How it gets there is asked by the tests of the formula; here, that it stays.
        expect.repeated("the optimizer's lr, epochs 30 to 99, with T_max 30", late, received[30:])


def listed_warmup(student, length, count, **how):
    """Return the rates of a warm-up to 0.8 before the made-up base, and what they should be."""
    listed = LISTED + [LISTED[-1]] * EPOCHS
    received = asked(student, *warmup(student, 0.8, length, LISTED, **how), range(count))
    return received, warmup_rates(0.8, length, listed, **warmup_form(student))[:count]


@pytest.mark.item("week3.warmup_lr")
@pytest.mark.weight(2)
def test_warmup_lr_rises(student):
    """During the warm-up the learning rate rises in equal steps, up to its base."""
    received, expected = listed_warmup(student, 4, 8)
    expect_rates(
        "the optimizer's lr, epochs 0 to 3, with warmup_epochs 4", received[:4], expected[:4]
    )


@pytest.mark.item("week3.warmup_lr")
@pytest.mark.weight(2)
def test_warmup_lr_after_its_end(student):
    """After the warm-up, the base scheduler says what the learning rate is."""
    received, expected = listed_warmup(student, 4, 12)
    label = "the optimizer's lr, epochs 4 to 11, with warmup_epochs 4"
    expect_rates(label, received[4:], expected[4:])


@pytest.mark.item("week3.warmup_lr")
def test_warmup_lr_arguments_by_position(student):
    """The constructor takes optimizer, warmup_epochs and base_scheduler by position, too."""
    received, expected = listed_warmup(student, 4, 8, by_name=False)
    plain, _ = listed_warmup(student, 4, 8)
    than = "with the arguments by name"
    expect_same("the optimizer's lr, epochs 0 to 7", received, plain, expected, than)


@pytest.mark.item("week3.warmup_lr")
def test_warmup_lr_of_one_epoch(student):
    """A warm-up of one epoch is over after it, and the base scheduler goes on."""
    received, expected = listed_warmup(student, 1, 6)
    label = "the optimizer's lr, epochs 1 to 5, with warmup_epochs 1"
    expect_rates(label, received[1:], expected[1:])


@pytest.mark.item("week3.warmup_lr")
@pytest.mark.weight(2)
def test_warmup_lr_without_a_base_scheduler(student, rng):
    """Without a base scheduler, the learning rate stays at its base after the warm-up."""
    form, base = warmup_form(student), float(rng.uniform(0.1, 1.0))
    received = asked(student, *warmup(student, base, 6, None), range(20))
    expected = warmup_rates(base, 6, None, **form)[:20]
    moved = bool(np.ptp(received) > 0)
    expect.that("the optimizer's lr, epochs 0 to 19", moved, "it is always the same.")
    label = "the optimizer's lr, epochs 6 to 19, with warmup_epochs 6"
    expect_rates(label, received[6:], expected[6:])
