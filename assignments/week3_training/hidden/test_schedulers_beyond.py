"""Hidden tests of schedulers.py beyond the texts: epochs in any order, and bad settings.

Each test looks at its own side alone: where a schedule is wrong already in the usual order, which
is a matter of another item, it is enough that it gives the same in any.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .scheduler_rates import (
    TYPICAL,
    asked,
    expect_same,
    make,
    prepared,
)

options = pytest.mark.item("week3.options")
robustness = pytest.mark.item("week3.robustness")

FEW = 40


@options
@pytest.mark.parametrize("kind", list(TYPICAL))
def test_epochs_in_any_order(student, rng, kind):
    """The rate depends on the epoch alone: neither on the order, nor on the optimizer's present."""
    seed = int(rng.integers(1 << 30))
    first, second = (
        prepared(student, np.random.default_rng(seed), kind, TYPICAL[kind]) for _ in range(2)
    )
    in_order = asked(student, *first[:2], range(FEW))
    scheduler, optimizer, expected = second
    order = rng.permutation(FEW)
    received = np.empty(FEW)
    for epoch in order:
        optimizer.lr = 7.0
        received[epoch] = asked(student, scheduler, optimizer, [epoch])[0]
    label, than = "the optimizer's lr, epochs in some order", "with epochs 0, 1, 2, ... in order"
    expect_same(label, received, in_order, expected[:FEW], than)


@options
def test_multi_step_lr_with_milestones_in_any_order(student):
    """The milestones need not be sorted."""
    rates = []
    for milestones in ([5, 31], [31, 5]):
        settings = {"milestones": milestones, "gamma": 0.6}
        rates.append(asked(student, *make(student, "MultiStepLR", 0.8, settings), range(FEW)))
    passed = np.searchsorted([5, 31], np.arange(FEW), side="right")
    label = "the optimizer's lr with milestones [31, 5], epochs 0 to 39"
    than = "with the same milestones in order, [5, 31]"
    expect_same(label, rates[1], rates[0], 0.8 * 0.6**passed, than)


def expect_something(label, scheduler, optimizer):
    """step(epoch) does something in one of ten epochs: it sets a rate, or gives a number back."""
    before, numbers = optimizer.lr, (int, float, np.ndarray)
    for epoch in range(10):
        answer = scheduler.step(epoch)
        if type(answer) in numbers or not np.array_equal(optimizer.lr, before):
            return
    expect.that(label, False, "step(epoch) never changes the optimizer's learning rate.")


@robustness
def test_multi_step_lr_keeps_its_milestones(student):
    """The list of milestones is the caller's: it stays as it was."""
    milestones = student.keep([4, 1, 2])
    optimizer = student.probe("optimizer")(1.0)
    scheduler = student.schedulers.MultiStepLR(optimizer, milestones, 0.5)
    expect_something("lr", scheduler, optimizer)
    expect.equal("milestones", student.fetch(milestones), [4, 1, 2])


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


@robustness
@pytest.mark.parametrize("kind", list(TYPICAL))
def test_refuses_bad_settings(student, kind):
    """Settings out of their range raise a ValueError; with good ones, step does something."""
    for bad in BAD_SETTINGS[kind]:
        label = f"{kind} with {', '.join(f'{name} {value}' for name, value in bad.items())}"
        expect.raises(label, make, "ValueError", student, kind, 0.8, bad)
    expect_something(kind, *make(student, kind, 0.8, TYPICAL[kind]))
