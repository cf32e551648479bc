"""Schedules: what becomes of the learning rate from epoch to epoch.

The rate is a function of the number of epochs and of the first rate alone, never of the last one:
so rounding does not add up, and a run can be resumed anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from handmade.optimizers import Optimizer


class Schedule:
    """Sets an optimizer's rate to its first rate times `factor(epochs so far)`."""

    def __init__(self, optimizer: Optimizer, factor: Callable[[int], float]) -> None:
        """Keep the rate that the optimizer has now as the first one."""
        self.optimizer, self.factor = optimizer, factor
        self.first, self.epochs = optimizer.lr, 0

    def advance(self) -> None:
        """An epoch is over: set the rate of the next one."""
        self.epochs += 1
        self.optimizer.lr = self.first * self.factor(self.epochs)


def step(optimizer: Optimizer, size: int, gamma: float = 0.1) -> Schedule:
    """Multiply the rate by gamma after every `size` epochs."""
    return Schedule(optimizer, lambda epochs: gamma ** (epochs // size))


def exponential(optimizer: Optimizer, gamma: float) -> Schedule:
    """Multiply the rate by gamma after every epoch."""
    return Schedule(optimizer, lambda epochs: gamma**epochs)


def cosine(optimizer: Optimizer, epochs: int, lowest: float = 0.0) -> Schedule:
    """Go down to the share `lowest` of the first rate along half a cosine, and stay there."""

    def factor(done: int) -> float:
        way = min(done / epochs, 1.0)
        return lowest + (1.0 - lowest) * 0.5 * (1.0 + math.cos(math.pi * way))

    return Schedule(optimizer, factor)
