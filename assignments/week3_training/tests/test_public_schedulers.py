"""Public tests of schedulers.py, on a made-up optimizer that has a learning rate and nothing else.

WarmupLR's base is a made-up scheduler that halves the learning rate after each epoch.
"""

import numpy as np
import pytest

from autograder.suite import expect

step_lr = pytest.mark.item("week3.step_lr")
multi_step_lr = pytest.mark.item("week3.multi_step_lr")
exponential_lr = pytest.mark.item("week3.exponential_lr")
cosine_lr = pytest.mark.item("week3.cosine_lr")
warmup_lr = pytest.mark.item("week3.warmup_lr")


def expect_lr(scheduler, expected):
    """lr_at gives the learning rates that `expected` lists by epoch."""
    epochs = sorted(expected)
    received = [expect.array(f"lr_at({epoch})", scheduler.lr_at(epoch), ()) for epoch in epochs]
    label = f"lr_at, epochs {', '.join(map(str, epochs))}"
    expect.close(label, np.array(received), [expected[epoch] for epoch in epochs])


def expect_steps(scheduler, optimizer, expected):
    """The optimizer has the learning rates `expected`, with a step of the scheduler after each."""
    received = []
    for epoch in range(len(expected)):
        if epoch:
            scheduler.step()
        received.append(expect.array(f"the optimizer's lr, epoch {epoch}", optimizer.lr, ()))
    label = f"the optimizer's lr, epochs 0 to {len(expected) - 1}"
    expect.close(label, np.array(received), expected)


@step_lr
def test_step_lr(student):
    """StepLR multiplies by gamma every step_size epochs, for the first time at that epoch."""
    scheduler = student.schedulers.StepLR(student.probe("optimizer")(0.8), 10, gamma=0.5)
    expect_lr(scheduler, {0: 0.8, 5: 0.8, 9: 0.8, 10: 0.4, 19: 0.4, 20: 0.2, 35: 0.1})


@step_lr
def test_step_lr_sets_the_optimizers_rate(student):
    """Each step sets the optimizer's learning rate: with step_size 2, two epochs have the same."""
    optimizer = student.probe("optimizer")(0.8)
    scheduler = student.schedulers.StepLR(optimizer, 2)
    expect_steps(scheduler, optimizer, [0.8, 0.8, 0.08, 0.08, 0.008, 0.008])


@multi_step_lr
def test_multi_step_lr(student):
    """MultiStepLR multiplies by gamma at each milestone, from that very epoch on."""
    optimizer = student.probe("optimizer")(0.8)
    scheduler = student.schedulers.MultiStepLR(optimizer, [30, 80], gamma=0.5)
    expect_lr(scheduler, {0: 0.8, 29: 0.8, 30: 0.4, 31: 0.4, 79: 0.4, 80: 0.2, 200: 0.2})


@multi_step_lr
def test_multi_step_lr_in_any_order(student):
    """The milestones need not be sorted."""
    optimizer = student.probe("optimizer")(0.8)
    scheduler = student.schedulers.MultiStepLR(optimizer, [3, 1, 4], gamma=0.5)
    expect_steps(scheduler, optimizer, [0.8, 0.4, 0.4, 0.2, 0.1, 0.1])


@exponential_lr
def test_exponential_lr(student):
    """ExponentialLR multiplies by gamma after every epoch; epoch 0 has the base rate."""
    optimizer = student.probe("optimizer")(0.8)
    scheduler = student.schedulers.ExponentialLR(optimizer, 0.5)
    expect_lr(scheduler, {0: 0.8, 1: 0.4, 2: 0.2, 5: 0.025})
    expect_steps(scheduler, optimizer, [0.8, 0.4, 0.2, 0.1])


@cosine_lr
def test_cosine_lr(student):
    """The cosine starts at the base rate, is half-way at T_max / 2, and ends at eta_min."""
    optimizer = student.probe("optimizer")(0.9)
    scheduler = student.schedulers.CosineAnnealingLR(optimizer, 30, eta_min=0.1)
    expect_lr(scheduler, {0: 0.9, 10: 0.7, 15: 0.5, 20: 0.3, 30: 0.1})


@cosine_lr
def test_cosine_lr_to_zero(student):
    """Without eta_min the cosine ends at 0."""
    optimizer = student.probe("optimizer")(0.8)
    scheduler = student.schedulers.CosineAnnealingLR(optimizer, 6)
    expect_steps(scheduler, optimizer, 0.4 + 0.4 * np.cos(np.pi * np.arange(7) / 6))


@warmup_lr
def test_warmup_lr(student):
    """The rate rises to the base rate in equal steps; then the base scheduler starts at epoch 0."""
    optimizer = student.probe("optimizer")(0.8)
    base = student.probe("halving")(optimizer)
    scheduler = student.schedulers.WarmupLR(4, base)
    expect_lr(scheduler, {0: 0.2, 1: 0.4, 2: 0.6, 3: 0.8, 4: 0.8, 5: 0.4, 6: 0.2})


@warmup_lr
def test_warmup_lr_sets_the_optimizers_rate(student):
    """Each step sets the optimizer's learning rate, from the first epoch on."""
    optimizer = student.probe("optimizer")(0.8)
    scheduler = student.schedulers.WarmupLR(2, student.probe("halving")(optimizer))
    expect_steps(scheduler, optimizer, [0.4, 0.8, 0.8, 0.4, 0.2])
