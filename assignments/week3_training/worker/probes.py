"""A parameter for an optimizer to move, and a schedule that no task asks for."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Parameter:
    """Something to optimize: `data`, and its gradient `grad` (arrays, or None for no gradient)."""

    def __init__(self, data: np.ndarray, grad: np.ndarray | None = None) -> None:
        self.data, self.grad = data.copy(), None if grad is None else grad.copy()

    def overwrite(self, grad: np.ndarray) -> None:
        """Write the next gradient into the array that holds the present one."""
        self.grad[...] = grad


class HasRate(Protocol):
    """What a schedule needs of an optimizer."""

    lr: float


class Halving:
    """A schedule that no task asks for: the learning rate is halved after each epoch."""

    def __init__(self, optimizer: HasRate) -> None:
        self.optimizer, self.base_lr, self.epoch = optimizer, optimizer.lr, 0

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        return self.base_lr * 0.5**epoch

    def step(self) -> None:
        """Go on to the next epoch."""
        self.epoch += 1
        self.optimizer.lr = self.lr_at(self.epoch)


PROBES: dict[str, object] = {"parameter": Parameter, "halving": Halving}
