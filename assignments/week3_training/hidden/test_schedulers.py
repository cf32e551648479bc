"""Hidden tests of schedulers.py, each against its formula, over 100 epochs.

Schedulers work on a made-up optimizer that has a learning rate and nothing else; WarmupLR's base
is a made-up scheduler that halves the learning rate after each epoch.
"""

import numpy as np
import pytest

from autograder.suite import expect

EPOCHS = 100

ITEMS = {
    "StepLR": "week3.step_lr",
    "MultiStepLR": "week3.multi_step_lr",
    "ExponentialLR": "week3.exponential_lr",
    "CosineAnnealingLR": "week3.cosine_lr",
    "WarmupLR": "week3.warmup_lr",
}

SETTINGS = [
    ("StepLR", {"step_size": 30}),
    ("StepLR", {"step_size": 1, "gamma": 0.97}),
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [30, 80]}),
    ("MultiStepLR", {"milestones": [1, 99], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [70, 5, 41, 6], "gamma": 0.6}),
    ("ExponentialLR", {"gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.95}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingLR", {"T_max": 120, "eta_min": 0.05}),
    ("WarmupLR", {"warmup_epochs": 2}),
    ("WarmupLR", {"warmup_epochs": 40}),
    ("WarmupLR", {"warmup_epochs": 5}),
]
TYPICAL = dict(SETTINGS)
"""The last of the settings above, for each kind."""


def rate(kind, epoch, base, settings):
    """Return the learning rate of an epoch; gammas are collected by walking there."""
    gamma = settings.get("gamma", 0.1)
    if kind == "StepLR":
        return base * np.prod([gamma for e in range(epoch) if (e + 1) % settings["step_size"] == 0])
    if kind == "MultiStepLR":
        return base * np.prod([gamma for e in range(epoch) if e + 1 in settings["milestones"]])
    if kind == "ExponentialLR":
        return base * np.prod([gamma] * epoch)
    if kind == "CosineAnnealingLR":
        low, share = settings.get("eta_min", 0.0), epoch / settings["T_max"]
        return low + (base - low) * np.cos(np.pi * share / 2) ** 2 if share < 1 else low
    length = settings["warmup_epochs"]
    return base * (epoch + 1) / length if epoch < length else base / 2.0 ** (epoch - length)


def rates(kind, base, settings):
    """Return the learning rates of the epochs 0 to 99."""
    return np.array([rate(kind, epoch, base, settings) for epoch in range(EPOCHS)])


def make(student, kind, base, settings):
    """Return a scheduler, and the optimizer that it works on."""
    optimizer = student.probe("optimizer")(base)
    if kind == "WarmupLR":
        base_scheduler = student.probe("halving")(optimizer)
        return student.schedulers.WarmupLR(base_scheduler=base_scheduler, **settings), optimizer
    return getattr(student.schedulers, kind)(optimizer, **settings), optimizer


def number(label, value):
    """Return a learning rate that the student's code gave, as a float."""
    return float(expect.array(label, value, ()))


def asked(student, scheduler, epochs):
    """Return what lr_at says of these epochs. They are asked for from the last to the first."""
    backwards = [int(epoch) for epoch in epochs][::-1]
    answers = student.drive("rates_at", scheduler, backwards)
    pairs = zip(backwards, answers, strict=True)
    return np.array([number(f"lr_at({epoch})", answer) for epoch, answer in pairs][::-1])


def stepped(student, scheduler, optimizer, epochs):
    """Return the optimizer's learning rate in so many epochs, with a step after each."""
    rates = student.drive("rates_of", scheduler, optimizer, epochs)
    label = "the optimizer's lr, epoch"
    return np.array([number(f"{label} {epoch}", rate) for epoch, rate in enumerate(rates)])


def expect_rates(label, received, expected):
    """Learning rates agree to a millionth of their own size, however small they are."""
    expect.close(label, received, expected, atol=0.0)


def case(kind, settings, name):
    return pytest.param(kind, settings, marks=pytest.mark.item(ITEMS[kind]), id=name)


every_setting = pytest.mark.parametrize(
    ("kind", "settings"),
    [case(kind, settings, f"{kind}-{place}") for place, (kind, settings) in enumerate(SETTINGS)],
)
each = pytest.mark.parametrize(
    ("kind", "settings"),
    [case(kind, settings, kind) for kind, settings in TYPICAL.items()],
)


@every_setting
def test_lr_at(student, rng, kind, settings):
    """lr_at gives the formula's learning rate for each of 100 epochs."""
    base = rng.uniform(0.1, 1.0)
    scheduler, _ = make(student, kind, base, settings)
    received = asked(student, scheduler, range(EPOCHS))
    expect_rates("lr_at, epochs 0 to 99", received, rates(kind, base, settings))


@every_setting
def test_step(student, rng, kind, settings):
    """step sets the optimizer's learning rate for the next epoch, over 100 epochs."""
    base = rng.uniform(0.1, 1.0)
    received = stepped(student, *make(student, kind, base, settings), EPOCHS)
    expect_rates("the optimizer's lr, epochs 0 to 99", received, rates(kind, base, settings))


@each
def test_new_scheduler(student, rng, kind, settings):
    """A new scheduler is at epoch 0 and has set the optimizer's learning rate for it."""
    base = rng.uniform(0.1, 1.0)
    scheduler, optimizer = make(student, kind, base, settings)
    expected = rate(kind, 0, base, settings)
    expect_rates("the optimizer's lr, epoch 0", number("lr", optimizer.lr), expected)
    expect.equal("epoch", scheduler.epoch, 0)
    expect.close("base_lr", scheduler.base_lr, base)


@each
def test_base_lr_is_that_of_the_start(student, rng, kind, settings):
    """What happens to the optimizer's learning rate later does not change the schedule."""
    base = rng.uniform(0.1, 1.0)
    scheduler, optimizer = make(student, kind, base, settings)
    received = []
    for epoch in range(1, 60):
        optimizer.lr = 7.0
        scheduler.step()
        received.append(number(f"the optimizer's lr, epoch {epoch}", optimizer.lr))
    expected = rates(kind, base, settings)[1:60]
    expect_rates("the optimizer's lr, epochs 1 to 59", np.array(received), expected)


@each
def test_lr_at_changes_nothing(student, rng, kind, settings):
    """lr_at answers for epochs in any order, and changes neither the epoch nor the optimizer."""
    base = rng.uniform(0.1, 1.0)
    scheduler, optimizer = make(student, kind, base, settings)
    for _ in range(3):
        scheduler.step()
    order = rng.permutation(EPOCHS)
    received = asked(student, scheduler, order)
    expected = rates(kind, base, settings)
    expect_rates("lr_at, epochs in some order", received, expected[order])
    expect.equal("epoch", scheduler.epoch, 3)
    expect_rates("the optimizer's lr", number("lr", optimizer.lr), expected[3])


BAD_SETTINGS = {
    "StepLR": [{"step_size": 0}, {"step_size": -3}, {"step_size": 5, "gamma": 0.0}],
    "MultiStepLR": [
        {"milestones": [0, 5]},
        {"milestones": [5, 5]},
        {"milestones": [2], "gamma": -1},
    ],
    "ExponentialLR": [{"gamma": 0.0}, {"gamma": -0.5}, {"gamma": float("nan")}],
    "CosineAnnealingLR": [
        {"T_max": 0},
        {"T_max": 9, "eta_min": -0.1},
        {"T_max": 9, "eta_min": 2.0},
    ],
    "WarmupLR": [{"warmup_epochs": 0}, {"warmup_epochs": -1}, {"warmup_epochs": 2.5}],
}


@each
def test_refuses_bad_settings(student, rng, kind, settings):
    """Settings out of their range raise a ValueError; with good ones the schedule is right."""
    base = rng.uniform(0.1, 1.0)
    for bad in BAD_SETTINGS[kind]:
        label = f"{kind} with {', '.join(f'{name} {value}' for name, value in bad.items())}"
        expect.raises(label, make, "ValueError", student, kind, base, bad)
    scheduler, _ = make(student, kind, base, settings)
    expected = rates(kind, base, settings)[:50]
    expect_rates("lr_at, epochs 0 to 49", asked(student, scheduler, range(50)), expected)


# What belongs to one scheduler only.


@pytest.mark.item("week3.step_lr")
def test_step_lr_around_a_change(student):
    """With step_size 10, epochs 0 to 9 have the first learning rate, 10 to 19 the second."""
    scheduler, _ = make(student, "StepLR", 0.8, {"step_size": 10, "gamma": 0.5})
    expected = [0.8, 0.8, 0.8, 0.4, 0.4, 0.2]
    received = asked(student, scheduler, [0, 7, 9, 10, 19, 20])
    expect_rates("lr_at, epochs 0, 7, 9, 10, 19, 20", received, expected)


@pytest.mark.item("week3.multi_step_lr")
def test_multi_step_lr_counts_a_milestone_from_its_own_epoch_on(student):
    """With milestones [80, 30], the learning rate changes at epochs 30 and 80, not after them."""
    scheduler, _ = make(student, "MultiStepLR", 0.8, {"milestones": [80, 30], "gamma": 0.5})
    expected = [0.8, 0.4, 0.4, 0.2, 0.2]
    received = asked(student, scheduler, [29, 30, 79, 80, 81])
    expect_rates("lr_at, epochs 29, 30, 79, 80, 81", received, expected)


@pytest.mark.item("week3.multi_step_lr")
def test_multi_step_lr_keeps_its_milestones(student):
    """The list of milestones is the caller's: it stays as it was."""
    milestones = student.keep([40, 10, 20])
    optimizer = student.probe("optimizer")(1.0)
    scheduler = student.schedulers.MultiStepLR(optimizer, milestones, 0.5)
    expect_rates(
        "lr_at, epochs 0, 15, 50", asked(student, scheduler, [0, 15, 50]), [1.0, 0.5, 0.125]
    )
    expect.equal("milestones", student.fetch(milestones), [40, 10, 20])


@pytest.mark.item("week3.exponential_lr")
def test_exponential_lr_of_a_growing_rate(student):
    """gamma may be above 1: the learning rate then grows."""
    scheduler, _ = make(student, "ExponentialLR", 0.001, {"gamma": 1.5})
    expected = 0.001 * np.cumprod([1.0] + [1.5] * 19)
    expect_rates("lr_at, epochs 0 to 19", asked(student, scheduler, range(20)), expected)


@pytest.mark.item("week3.cosine_lr")
@pytest.mark.weight(2)
def test_cosine_lr_at_its_landmarks(student):
    """base_lr at epoch 0, the middle at T_max / 2, eta_min at T_max."""
    scheduler, _ = make(student, "CosineAnnealingLR", 0.9, {"T_max": 40, "eta_min": 0.1})
    received = asked(student, scheduler, [0, 10, 20, 30, 40])
    quarter = 0.4 * np.sqrt(0.5)
    expected = [0.9, 0.5 + quarter, 0.5, 0.5 - quarter, 0.1]
    expect_rates("lr_at, epochs 0, 10, 20, 30, 40", received, expected)


@pytest.mark.item("week3.cosine_lr")
def test_cosine_lr_after_its_end(student):
    """After T_max the learning rate stays at eta_min, or goes on along the cosine: both count."""
    settings = {"T_max": 30, "eta_min": 0.1}
    scheduler, optimizer = make(student, "CosineAnnealingLR", 0.9, settings)
    stays = rates("CosineAnnealingLR", 0.9, settings)
    goes_on = 0.5 + 0.4 * np.cos(np.pi * np.arange(EPOCHS) / 30)
    received = asked(student, scheduler, range(EPOCHS))
    periodic = np.allclose(received, goes_on, rtol=1e-6, atol=0.0)
    expected = goes_on if periodic else stays
    expect_rates("lr_at, epochs 0 to 99", received, expected)
    received = stepped(student, scheduler, optimizer, EPOCHS)
    expect_rates("the optimizer's lr, epochs 0 to 99", received, expected)


@pytest.mark.item("week3.warmup_lr")
@pytest.mark.weight(2)
def test_warmup_lr_around_its_end(student):
    """The last epoch of the warm-up has base_lr, the next one is the base scheduler's epoch 0."""
    scheduler, _ = make(student, "WarmupLR", 0.8, {"warmup_epochs": 4})
    expected = [0.2, 0.4, 0.6, 0.8, 0.8, 0.4, 0.2]
    expect_rates("lr_at, epochs 0 to 6", asked(student, scheduler, range(7)), expected)


@pytest.mark.item("week3.warmup_lr")
def test_warmup_lr_of_one_epoch(student):
    """A warm-up of one epoch has base_lr in it, and the base scheduler begins after it."""
    scheduler, _ = make(student, "WarmupLR", 0.8, {"warmup_epochs": 1})
    expect_rates("lr_at, epochs 0, 1 and 2", asked(student, scheduler, range(3)), [0.8, 0.8, 0.4])


@pytest.mark.item("week3.warmup_lr")
def test_warmup_lr_takes_over_the_base_lr(student):
    """The base learning rate is the base scheduler's, not what the optimizer has by then."""
    optimizer = student.probe("optimizer")(0.8)
    base = student.probe("halving")(optimizer)
    optimizer.lr = 5.0
    scheduler = student.schedulers.WarmupLR(2, base)
    expect_rates("the optimizer's lr, epoch 0", number("lr", optimizer.lr), 0.4)
    expect_rates("lr_at, epochs 0 to 3", asked(student, scheduler, range(4)), [0.4, 0.8, 0.8, 0.4])
