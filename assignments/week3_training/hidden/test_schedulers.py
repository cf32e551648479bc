"""Hidden tests of schedulers.py, each against its formula, over 100 epochs in their order."""

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
    make,
    prepared,
    rate,
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
    pairs = [prepared(student, rng, kind, settings) for _ in range(2)]
    received = np.array(
        [
            [asked(student, *pair[:2], [epoch])[0] for pair in pairs]
            for epoch in range(2 * settings.get("warmup_epochs", 5))
        ]
    )
    for number, (_, _, expected) in enumerate(pairs):
        label = f"lr of optimizer {number}, one epoch after the other"
        expect_rates(label, received[:, number], expected[: len(received)])


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
    expect_rates("the optimizer's lr, epochs 0 to 9", received, expected)


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
    stays = [rate("CosineAnnealingLR", epoch, 0.9, settings) for epoch in range(EPOCHS)]
    goes_on = 0.5 + 0.4 * np.cos(np.pi * np.arange(EPOCHS) / 30)
    received = asked(student, scheduler, optimizer, range(EPOCHS))
    periodic = np.allclose(received, goes_on, rtol=1e-6, atol=0.0)
    expect_rates(
        "the optimizer's lr, epochs 0 to 99", received, goes_on if periodic else np.array(stays)
    )


@pytest.mark.item("week3.warmup_lr")
@pytest.mark.weight(2)
@pytest.mark.parametrize("by_name", [True, False], ids=["by_name", "by_position"])
def test_warmup_lr_around_its_end(student, by_name):
    """The learning rate rises in equal steps, and then the base scheduler says what it is."""
    form = warmup_form(student)
    scheduler, optimizer = warmup(student, 0.8, 4, LISTED, by_name=by_name)
    received = asked(student, scheduler, optimizer, range(8))
    listed = LISTED + [LISTED[-1]] * EPOCHS
    expected = warmup_rates(0.8, 4, listed, **form)[:8]
    expect_rates("the optimizer's lr, epochs 0 to 7", received, expected)


@pytest.mark.item("week3.warmup_lr")
def test_warmup_lr_of_one_epoch(student):
    """A warm-up of one epoch is over after it, and the base scheduler goes on."""
    form, listed = warmup_form(student), LISTED + [LISTED[-1]] * EPOCHS
    received = asked(student, *warmup(student, 0.8, 1, LISTED), range(4))
    expected = warmup_rates(0.8, 1, listed, **form)[:4]
    expect_rates("the optimizer's lr, epochs 0 to 3", received, expected)


@pytest.mark.item("week3.warmup_lr")
@pytest.mark.weight(2)
def test_warmup_lr_without_a_base_scheduler(student, rng):
    """Without a base scheduler, the learning rate stays at its base after the warm-up."""
    form, base = warmup_form(student), float(rng.uniform(0.1, 1.0))
    received = asked(student, *warmup(student, base, 6, None), range(20))
    expected = warmup_rates(base, 6, None, **form)[:20]
    expect_rates("the optimizer's lr, epochs 0 to 19", received, expected)
