"""Cosine annealing with a warm-up, counted in steps of the optimizer, not in epochs."""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor


class HasLearningRate(Protocol):
    """What a scheduler needs of an optimizer. Given."""

    lr: float


class CosineAnnealingLR:
    """Rises in a short warm-up, then falls along half a period of a cosine, and stays down.

    With base, the learning rate that the optimizer had when the scheduler was made:

        t < warmup:           base (t + 1) / warmup
        warmup <= t < T_max:  eta_min + (base - eta_min) (1 + cos(pi s)) / 2
                              with s = (t - warmup) / (T_max - warmup)
        t >= T_max:           eta_min

    (Loshchilov and Hutter, 2017, without their restarts.) A new scheduler is at t = 0 and has set
    the optimizer's `lr` for it; `step()`, called after each of the optimizer's steps, goes on to
    the next t.

    Attributes:
        t: how many steps were done.
    """

    def __init__(
        self, optimizer: HasLearningRate, T_max: int, eta_min: float = 0.0, warmup: int = 0
    ) -> None:
        """Start at t = 0 and set the optimizer's learning rate for it.

        Args:
            optimizer: whose `lr` is to change.
            T_max: the step at which eta_min is reached, at least 1.
            eta_min: the lowest learning rate, not negative.
            warmup: how many steps the rise takes, from 0 to T_max - 1.

        Raises:
            ValueError: if a setting is out of its range.
        """
        raise NotImplementedError("project.schedule: fill in CosineAnnealingLR.__init__")

    def lr_at(self, t: int) -> float:
        """Return the learning rate of step t, counted from 0, for any t; changes nothing."""
        raise NotImplementedError("project.schedule: fill in CosineAnnealingLR.lr_at")

    def step(self) -> None:
        """Go on to the next step and set the optimizer's learning rate for it."""
        raise NotImplementedError("project.schedule: fill in CosineAnnealingLR.step")

    def state_dict(self) -> dict[str, Tensor]:
        """Return t, as a flat dict of tensors. The settings are given to the new scheduler."""
        raise NotImplementedError("project.schedule: fill in CosineAnnealingLR.state_dict")

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go to the step that `state_dict` was taken at, and set the optimizer's `lr` for it."""
        raise NotImplementedError("project.schedule: fill in CosineAnnealingLR.load_state_dict")
