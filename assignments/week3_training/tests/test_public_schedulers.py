"""Public tests of schedulers.py, on a made-up optimizer that has a learning rate and nothing else.

WarmupLR's base is a made-up scheduler, whose learning rates come from a list.
"""

import numpy as np
import pytest

from autograder.suite import expect

step_lr = pytest.mark.item("week3.step_lr")
multi_step_lr = pytest.mark.item("week3.multi_step_lr")
exponential_lr = pytest.mark.item("week3.exponential_lr")
cosine_lr = pytest.mark.item("week3.cosine_lr")
warmup_lr = pytest.mark.item("week3.warmup_lr")
options = pytest.mark.item("week3.options")
robustness = pytest.mark.item("week3.robustness")


def make(student, kind, *settings, **named):
    """Return a scheduler of an optimizer whose learning rate is 0.8, and that optimizer."""
    optimizer = student.probe("optimizer")(0.8)
    return getattr(student.schedulers, kind)(optimizer, *settings, **named), optimizer


def rates(scheduler, optimizer, epochs):
    """Return the optimizer's learning rate after `step(epoch)`, for each of the epochs in turn."""
    received = []
    for epoch in epochs:
        scheduler.step(epoch)
        received.append(expect.array(f"the optimizer's lr, epoch {epoch}", optimizer.lr, ()))
    return np.array(received)


def expect_rates(scheduler, optimizer, expected):
    """The learning rates of the epochs 0, 1, 2, ... are those expected."""
    label = f"the optimizer's lr, epochs 0 to {len(expected) - 1}"
    expect.close(label, rates(scheduler, optimizer, range(len(expected))), expected)


@step_lr
def test_step_lr(student):
    """StepLR multiplies by gamma every step_size epochs, for the first time at that epoch."""
    expected = [0.8] * 10 + [0.4] * 10 + [0.2] * 10
    expect_rates(*make(student, "StepLR", 10, gamma=0.5), expected)


@step_lr
def test_step_lr_of_two_epochs(student):
    """With step_size 2, two epochs have the same learning rate; gamma is 0.1 by default."""
    expect_rates(*make(student, "StepLR", step_size=2), [0.8, 0.8, 0.08, 0.08, 0.008, 0.008])


@multi_step_lr
def test_multi_step_lr(student):
    """MultiStepLR multiplies by gamma at each milestone, from that very epoch on."""
    expected = [0.8] * 3 + [0.4] * 5 + [0.2] * 4
    expect_rates(*make(student, "MultiStepLR", [3, 8], gamma=0.5), expected)


@exponential_lr
def test_exponential_lr(student):
    """ExponentialLR multiplies by gamma after every epoch; epoch 0 has the base rate."""
    expect_rates(*make(student, "ExponentialLR", 0.5), [0.8, 0.4, 0.2, 0.1, 0.05, 0.025])


@cosine_lr
def test_cosine_lr(student):
    """The cosine starts at the base rate, is half-way at T_max / 2, and ends at eta_min."""
    expected = 0.45 + 0.35 * np.cos(np.pi * np.arange(31) / 30)
    expect_rates(*make(student, "CosineAnnealingLR", 30, eta_min=0.1), expected)


@cosine_lr
def test_cosine_lr_to_zero(student):
    """Without eta_min the cosine ends at 0."""
    expected = 0.4 + 0.4 * np.cos(np.pi * np.arange(7) / 6)
    expect_rates(*make(student, "CosineAnnealingLR", T_max=6), expected)


LISTED = [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
"""What WarmupLR's base says of its epochs."""


@warmup_lr
def test_warmup_lr(student):
    """The rate rises in equal steps; then the base scheduler says what it is.

    The rise may begin above 0 or at 0, and the base scheduler may count the warm-up's epochs.
    """
    optimizer = student.probe("optimizer")(0.8)
    base = student.probe("listed_rates")(optimizer, LISTED)
    scheduler = student.schedulers.WarmupLR(optimizer, 4, base)
    received = rates(scheduler, optimizer, range(7))
    from_zero = bool(abs(received[0]) < 1e-12)
    rise = [0.0, 0.2, 0.4, 0.6] if from_zero else [0.2, 0.4, 0.6, 0.8]
    after = [[0.8, 0.7, 0.6], [0.4, 0.3, 0.2]] + [[0.8, 0.3, 0.2]] * from_zero
    legal = [np.array(rise + rates) for rates in after]
    fits = (one for one in legal if np.allclose(received[4:6], one[4:6]))
    expect.close("the optimizer's lr, epochs 0 to 6", received, next(fits, legal[0]))


@warmup_lr
def test_warmup_lr_without_a_base_scheduler(student):
    """Without a base scheduler the rate stays at the base rate after the warm-up."""
    received = rates(*make(student, "WarmupLR", warmup_epochs=2), range(5))
    rise = [0.0, 0.4] if abs(received[0]) < 1e-12 else [0.4, 0.8]
    expect.close("the optimizer's lr, epochs 0 to 4", received, [*rise, 0.8, 0.8, 0.8])


# Beyond the texts


@options
def test_epochs_in_any_order(student):
    """The rate depends on the epoch alone, so a run may be resumed in the middle."""
    scheduler, optimizer = make(student, "StepLR", 10, gamma=0.5)
    received = rates(scheduler, optimizer, [25, 3, 10, 0])
    expect.close("the optimizer's lr, epochs 25, 3, 10, 0", received, [0.2, 0.8, 0.4, 0.8])


@options
def test_multi_step_lr_in_any_order(student):
    """The milestones need not be sorted."""
    expected = [0.8, 0.4, 0.4, 0.2, 0.1, 0.1]
    expect_rates(*make(student, "MultiStepLR", [3, 1, 4], gamma=0.5), expected)


@robustness
def test_step_lr_refuses_bad_settings(student):
    """A step_size of 0 raises a ValueError; with a good one step(epoch) sets a learning rate."""
    expect.raises("step_size 0", make, "ValueError", student, "StepLR", 0)
    expect_rates(*make(student, "StepLR", 1, 0.5), [0.8, 0.4, 0.2])
