"""Schedulers: how the learning rate changes from epoch to epoch.

Conventions, for every scheduler in this file:

- `step(epoch)` sets the optimizer's learning rate for that epoch. It is called at the beginning of
  each epoch, with 0, 1, 2, ... in turn.
- `base_lr` is the learning rate that the optimizer had when the scheduler was made. The optimizer's
  present one has been set for an earlier epoch: it is safer not to compute from it.

    optimizer = SGD(parameters, lr=0.1)
    scheduler = StepLR(optimizer, step_size=30)
    for epoch in range(100):
        scheduler.step(epoch)
        ...                     # one epoch, with optimizer.step() for each batch

Beyond the texts (`week3.options`): the rate depends on the epoch and on the scheduler's settings
alone. So epochs may be asked for in any order, and a run may be resumed in the middle.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from numbers import Integral
from typing import Protocol


class HasLearningRate(Protocol):
    """What a scheduler needs of an optimizer."""

    lr: float


class EpochScheduler(Protocol):
    """What a warm-up needs of the scheduler after it."""

    def step(self, epoch: int) -> None:
        """Set the learning rate of an epoch."""


def positive(name: str, value: float) -> float:
    """Return `value`; raise a ValueError unless it is positive and finite. Given."""
    if not 0.0 < value < math.inf:
        raise ValueError(f"{name} must be a positive number, got {value}")
    return value


def count(name: str, value: int) -> int:
    """Return `value`; raise a ValueError unless it is a whole number of at least 1. Given."""
    if not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value}")
    return int(value)


class Scheduler(ABC):
    """What every scheduler has: an optimizer and its learning rate at the start. Given.

    Attributes:
        optimizer: anything with an attribute `lr`.
        base_lr: the optimizer's learning rate when the scheduler was made.
    """

    def __init__(self, optimizer: HasLearningRate) -> None:
        """Keep the optimizer, and the learning rate that it has now."""
        self.optimizer = optimizer
        self.base_lr = float(optimizer.lr)

    @abstractmethod
    def step(self, epoch: int) -> None:
        """Set the optimizer's learning rate for an epoch: 0, 1, 2, ..."""


class InverseTimeLR(Scheduler):
    """Worked example: the learning rate falls like 1 / epoch, lr = base_lr / (1 + rate epoch)."""

    def __init__(self, optimizer: HasLearningRate, rate: float) -> None:
        """Keep the settings. `rate`: positive; after 1 / rate epochs base_lr is halved."""
        super().__init__(optimizer)
        self.rate = positive("rate", rate)

    def step(self, epoch: int) -> None:
        """Set the optimizer's learning rate to base_lr / (1 + rate epoch)."""
        self.optimizer.lr = self.base_lr / (1.0 + self.rate * epoch)


class StepLR(Scheduler):
    """Multiplies the learning rate by gamma every `step_size` epochs.

    lr = base_lr gamma^k, where k is how many whole times step_size fits into epoch.

    With step_size 30, epochs 0 to 29 have base_lr, epochs 30 to 59 have base_lr gamma, and so on.
    """

    def __init__(self, optimizer: HasLearningRate, step_size: int, gamma: float = 0.1) -> None:
        """Keep the settings.

        Args:
            optimizer: whose learning rate is to change.
            step_size: epochs between two changes, at least 1.
            gamma: the factor of each change, positive, usually below 1.

        Raises:
            ValueError: if a setting is out of its range.
        """
        super().__init__(optimizer)
        self.step_size = count("step_size", step_size)
        self.gamma = positive("gamma", gamma)

    def step(self, epoch: int) -> None:
        """Set the optimizer's learning rate for an epoch: 0, 1, 2, ..."""
        # BEGIN SOLUTION week3.step_lr
        self.optimizer.lr = self.base_lr * self.gamma ** (epoch // self.step_size)
        # END SOLUTION


class MultiStepLR(Scheduler):
    """Multiplies the learning rate by gamma at each of the given epochs.

    lr = base_lr gamma^k, where k is the number of milestones that are not after epoch.

    A milestone counts from its own epoch on: with milestones [30, 80], epochs 0 to 29 have base_lr,
    epochs 30 to 79 have base_lr gamma, and from epoch 80 on it is base_lr gamma^2.
    """

    def __init__(
        self, optimizer: HasLearningRate, milestones: Iterable[int], gamma: float = 0.1
    ) -> None:
        """Keep the settings.

        Args:
            optimizer: whose learning rate is to change.
            milestones: epochs, each at least 1 and named once, smallest first. Beyond the texts
                (`week3.options`): in any order.
            gamma: the factor of each change, positive, usually below 1.

        Raises:
            ValueError: if a setting is out of its range, or if a milestone is named twice.
        """
        super().__init__(optimizer)
        self.milestones = [count("each milestone", milestone) for milestone in milestones]
        if len(set(self.milestones)) < len(self.milestones):
            raise ValueError(f"milestones must differ from each other, got {self.milestones}")
        self.gamma = positive("gamma", gamma)

    def step(self, epoch: int) -> None:
        """Set the optimizer's learning rate for an epoch: 0, 1, 2, ..."""
        # BEGIN SOLUTION week3.multi_step_lr
        passed = sum(milestone <= epoch for milestone in self.milestones)
        self.optimizer.lr = self.base_lr * self.gamma**passed
        # END SOLUTION


class ExponentialLR(Scheduler):
    """Multiplies the learning rate by gamma after every epoch: lr = base_lr gamma^epoch."""

    def __init__(self, optimizer: HasLearningRate, gamma: float) -> None:
        """Keep the settings.

        Args:
            optimizer: whose learning rate is to change.
            gamma: the factor from each epoch to the next, positive, usually a little below 1.

        Raises:
            ValueError: if gamma is not a positive number.
        """
        super().__init__(optimizer)
        self.gamma = positive("gamma", gamma)

    def step(self, epoch: int) -> None:
        """Set the optimizer's learning rate for an epoch: 0, 1, 2, ..."""
        # BEGIN SOLUTION week3.exponential_lr
        self.optimizer.lr = self.base_lr * self.gamma**epoch
        # END SOLUTION


class CosineAnnealingLR(Scheduler):
    """Falls from base_lr to eta_min along half a period of a cosine.

    lr = eta_min + (base_lr - eta_min) (1 + cos(pi epoch / T_max)) / 2

    So epoch 0 has base_lr, epoch T_max / 2 the middle of the two, and epoch T_max has eta_min.
    (Loshchilov and Hutter, 2017, without their restarts.) After T_max the learning rate stays at
    eta_min; to go on with the formula, so that it rises again as in PyTorch, is accepted too.
    """

    def __init__(self, optimizer: HasLearningRate, T_max: int, eta_min: float = 0.0) -> None:
        """Keep the settings.

        Args:
            optimizer: whose learning rate is to change.
            T_max: the epoch at which the lowest learning rate is reached, at least 1.
            eta_min: the lowest learning rate, from 0 to the optimizer's present one.

        Raises:
            ValueError: if a setting is out of its range.
        """
        super().__init__(optimizer)
        self.T_max = count("T_max", T_max)
        if not 0.0 <= eta_min <= self.base_lr:
            raise ValueError(
                f"eta_min must be from 0 to the base learning rate {self.base_lr}, got {eta_min}"
            )
        self.eta_min = eta_min

    def step(self, epoch: int) -> None:
        """Set the optimizer's learning rate for an epoch: 0, 1, 2, ..."""
        # BEGIN SOLUTION week3.cosine_lr
        phase = math.pi * min(epoch, self.T_max) / self.T_max
        height = (1.0 + math.cos(phase)) / 2.0
        self.optimizer.lr = self.eta_min + (self.base_lr - self.eta_min) * height
        # END SOLUTION


class WarmupLR(Scheduler):
    """Rises to the base learning rate in equal steps, then leaves it to another scheduler.

    lr = base_lr (epoch + 1) / warmup_epochs     while epoch < warmup_epochs
    base_scheduler.step(epoch - warmup_epochs)   from then on; base_lr where there is none

    The first epoch has base_lr / warmup_epochs, not 0, which would be an epoch without learning.
    The last epoch of the warm-up has base_lr, and the one after it is the base scheduler's epoch 0.

    Accepted too: a rise from 0, lr = base_lr epoch / warmup_epochs, and a base scheduler that
    counts all epochs, base_scheduler.step(epoch).
    """

    def __init__(
        self,
        optimizer: HasLearningRate,
        warmup_epochs: int,
        base_scheduler: EpochScheduler | None = None,
    ) -> None:
        """Keep the settings.

        Args:
            optimizer: whose learning rate is to change.
            warmup_epochs: how many epochs the rise takes, at least 1.
            base_scheduler: a scheduler of the same optimizer, which nobody else calls; if None, the
                learning rate stays at base_lr after the warm-up.

        Raises:
            ValueError: if `warmup_epochs` is no whole number of at least 1.
        """
        super().__init__(optimizer)
        self.warmup_epochs = count("warmup_epochs", warmup_epochs)
        self.base_scheduler = base_scheduler

    def step(self, epoch: int) -> None:
        """Set the optimizer's learning rate for an epoch: 0, 1, 2, ..."""
        # BEGIN SOLUTION week3.warmup_lr
        if epoch < self.warmup_epochs:
            self.optimizer.lr = self.base_lr * (epoch + 1) / self.warmup_epochs
        elif self.base_scheduler is None:
            self.optimizer.lr = self.base_lr
        else:
            self.base_scheduler.step(epoch - self.warmup_epochs)
        # END SOLUTION
