"""Learning rates that change from epoch to epoch: a cosine, and a warm-up in front of it.

Epochs are counted from 0. `step(epoch)` is called once before each epoch, with 0, 1, 2, ... in this
order, and sets the optimizer's `lr` for that epoch. To make a scheduler changes no learning rate.
"""

from __future__ import annotations

import math
from typing import Protocol


class HasLearningRate(Protocol):
    """What a scheduler needs of an optimizer. Given."""

    lr: float


class Scheduler(Protocol):
    """What a warm-up needs of the scheduler behind it. Given."""

    def step(self, epoch: int) -> None:
        """Set the optimizer's learning rate for an epoch, counted from 0."""


class CosineAnnealingLR:
    """Falls from the base learning rate to eta_min along half a period of a cosine.

    With base, the learning rate that the optimizer had when the scheduler was made:

        lr of epoch e = eta_min + (base - eta_min) (1 + cos(pi e / T_max)) / 2

    (Loshchilov and Hutter, 2017, without their restarts.) From T_max on it stays at eta_min. (That
    is beyond the formula, `project.robustness`: no run here has more than T_max epochs.)
    """

    def __init__(self, optimizer: HasLearningRate, T_max: int, eta_min: float = 0) -> None:
        """Keep the settings and the optimizer's present learning rate.

        Args:
            optimizer: whose `lr` is to change.
            T_max: the epoch at which eta_min is reached, at least 1.
            eta_min: the lowest learning rate, not negative.

        Raises:
            ValueError: if a setting is out of its range (`project.robustness`).
        """
        # BEGIN SOLUTION project.schedule
        if T_max < 1:
            raise ValueError(f"T_max must be at least 1, got {T_max}")
        if not 0.0 <= eta_min < math.inf:
            raise ValueError(f"eta_min must not be negative, got {eta_min}")
        self.optimizer, self.initial_lr = optimizer, optimizer.lr
        self.T_max, self.eta_min = T_max, eta_min
        # END SOLUTION

    def step(self, epoch: int) -> None:
        """Set the optimizer's learning rate for an epoch, counted from 0."""
        # BEGIN SOLUTION project.schedule
        share = min(epoch / self.T_max, 1.0)
        height = (1.0 + math.cos(math.pi * share)) / 2.0
        self.optimizer.lr = self.eta_min + (self.initial_lr - self.eta_min) * height
        # END SOLUTION


class WarmupLR:
    """Rises to the base learning rate in equal parts, then leaves it to another scheduler.

    With base, the learning rate that the optimizer had when the scheduler was made, and w =
    warmup_epochs:

        e < w:   lr of epoch e = base (e + 1) / w, so that epoch w - 1 has the base itself
        e >= w:  base_scheduler.step(e - w) sets it; without a base_scheduler it is base

    Two things may be otherwise, in all epochs alike: the rise may be base e / w, and the scheduler
    behind it may be given e instead of e - w.
    """

    def __init__(
        self,
        optimizer: HasLearningRate,
        warmup_epochs: int,
        base_scheduler: Scheduler | None = None,
    ) -> None:
        """Keep the settings and the optimizer's present learning rate.

        Args:
            optimizer: whose `lr` is to change.
            warmup_epochs: how many epochs the rise takes, not negative.
            base_scheduler: what comes after it, made for the same optimizer; None for nothing.

        Raises:
            ValueError: if warmup_epochs is negative (`project.robustness`).
        """
        # BEGIN SOLUTION project.schedule
        if warmup_epochs < 0:
            raise ValueError(f"warmup_epochs must not be negative, got {warmup_epochs}")
        self.optimizer, self.initial_lr = optimizer, optimizer.lr
        self.warmup_epochs, self.base_scheduler = warmup_epochs, base_scheduler
        # END SOLUTION

    def step(self, epoch: int) -> None:
        """Set the optimizer's learning rate for an epoch, counted from 0."""
        # BEGIN SOLUTION project.schedule
        if epoch < self.warmup_epochs:
            self.optimizer.lr = self.initial_lr * (epoch + 1) / self.warmup_epochs
        elif self.base_scheduler is not None:
            self.base_scheduler.step(epoch - self.warmup_epochs)
        else:
            self.optimizer.lr = self.initial_lr
        # END SOLUTION
