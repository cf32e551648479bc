"""Schedulers: how the learning rate changes from epoch to epoch.

Conventions, for every scheduler in this file:

- Epochs are counted from 0. A new scheduler is at epoch 0 and has set the optimizer's learning rate
  for it; `step()`, called after each epoch, goes on to the next one.
- `lr_at(epoch)` answers for any epoch, in any order, and changes nothing. It depends on the epoch
  and on the scheduler's settings alone. (`step` makes its result a Python float: with a float64 of
  NumPy's as their learning rate, float32 parameters would become float64.)
- `base_lr` is the learning rate that the optimizer had when the scheduler was made. The optimizer's
  present one has been set by a scheduler, so it is nothing to compute from.

    optimizer = SGD(parameters, lr=0.1)
    scheduler = StepLR(optimizer, step_size=30)
    for epoch in range(100):
        ...                     # one epoch, with optimizer.step() for each batch
        scheduler.step()
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
    """What every scheduler does but for its formula, which is `lr_at`. Given.

    Attributes:
        optimizer: anything with an attribute `lr`.
        base_lr: the optimizer's learning rate when the scheduler was made.
        epoch: the present epoch, from 0.
    """

    def __init__(self, optimizer: HasLearningRate, base_lr: float | None = None) -> None:
        """Start at epoch 0 and set the optimizer's learning rate for it.

        `lr_at` is called here, so a subclass stores its own settings first and then calls this.

        Args:
            optimizer: whose learning rate is to change.
            base_lr: the base learning rate; the optimizer's present one if None.
        """
        self.optimizer = optimizer
        self.base_lr = optimizer.lr if base_lr is None else base_lr
        self.epoch = 0
        self.optimizer.lr = float(self.lr_at(0))

    @abstractmethod
    def lr_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch. `epoch`: 0, 1, 2, ..."""

    def step(self) -> None:
        """Go on to the next epoch and set the optimizer's learning rate for it."""
        self.epoch += 1
        self.optimizer.lr = float(self.lr_at(self.epoch))


class InverseTimeLR(Scheduler):
    """Worked example: the learning rate falls like 1 / epoch, lr = base_lr / (1 + rate epoch)."""

    def __init__(self, optimizer: HasLearningRate, rate: float) -> None:
        """Keep the settings. `rate`: positive; after 1 / rate epochs base_lr is halved."""
        self.rate = positive("rate", rate)
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return base_lr / (1 + rate epoch)."""
        return self.base_lr / (1.0 + self.rate * epoch)


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
        self.step_size = count("step_size", step_size)
        self.gamma = positive("gamma", gamma)
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch. `epoch`: 0, 1, 2, ..."""
        # BEGIN SOLUTION week3.step_lr
        return self.base_lr * self.gamma ** (epoch // self.step_size)
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
            milestones: epochs, each at least 1 and named once, in any order.
            gamma: the factor of each change, positive, usually below 1.

        Raises:
            ValueError: if a setting is out of its range, or if a milestone is named twice.
        """
        self.milestones = [count("each milestone", milestone) for milestone in milestones]
        if len(set(self.milestones)) < len(self.milestones):
            raise ValueError(f"milestones must differ from each other, got {self.milestones}")
        self.gamma = positive("gamma", gamma)
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch. `epoch`: 0, 1, 2, ..."""
        # BEGIN SOLUTION week3.multi_step_lr
        passed = sum(milestone <= epoch for milestone in self.milestones)
        return self.base_lr * self.gamma**passed
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
        self.gamma = positive("gamma", gamma)
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch. `epoch`: 0, 1, 2, ..."""
        # BEGIN SOLUTION week3.exponential_lr
        return self.base_lr * self.gamma**epoch
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
        self.T_max = count("T_max", T_max)
        if not 0.0 <= eta_min <= optimizer.lr:
            raise ValueError(
                f"eta_min must be from 0 to the base learning rate {optimizer.lr}, got {eta_min}"
            )
        self.eta_min = eta_min
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch. `epoch`: 0, 1, 2, ..."""
        # BEGIN SOLUTION week3.cosine_lr
        phase = math.pi * min(epoch, self.T_max) / self.T_max
        height = (1.0 + math.cos(phase)) / 2.0
        return self.eta_min + (self.base_lr - self.eta_min) * height
        # END SOLUTION


class WarmupLR(Scheduler):
    """Rises to the base learning rate in equal steps, then does what another scheduler says.

    lr = base_lr (epoch + 1) / warmup_epochs     while epoch < warmup_epochs
    lr = base_scheduler.lr_at(epoch - warmup_epochs)     from then on

    The first epoch has base_lr / warmup_epochs, not 0, which would be an epoch without learning.
    The last epoch of the warm-up has base_lr, and the one after it is the base scheduler's epoch 0.
    """

    def __init__(self, warmup_epochs: int, base_scheduler: Scheduler) -> None:
        """Take over the optimizer and `base_lr` of the base scheduler, which is not to be stepped.

        Args:
            warmup_epochs: how many epochs the rise takes, at least 1.
            base_scheduler: has `optimizer`, `base_lr` and `lr_at(epoch)`.

        Raises:
            ValueError: if `warmup_epochs` is no whole number of at least 1.
        """
        self.warmup_epochs = count("warmup_epochs", warmup_epochs)
        self.base_scheduler = base_scheduler
        super().__init__(base_scheduler.optimizer, base_scheduler.base_lr)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch. `epoch`: 0, 1, 2, ..."""
        # BEGIN SOLUTION week3.warmup_lr
        if epoch < self.warmup_epochs:
            return self.base_lr * (epoch + 1) / self.warmup_epochs
        return self.base_scheduler.lr_at(epoch - self.warmup_epochs)
        # END SOLUTION
