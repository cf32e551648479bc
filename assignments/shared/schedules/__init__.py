"""What schedules are examined with, in each week that asks for some: a driver and two probes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol


class HasRate(Protocol):
    """What a schedule needs of an optimizer."""

    lr: float


class LearningRate:
    """Stands for an optimizer where only its learning rate matters."""

    def __init__(self, lr: float) -> None:
        self.lr = lr


class ListedRates:
    """A scheduler that no task asks for: the learning rate of each epoch comes from a list.

    It may be asked for any epoch in any order. Before the first one and after the last, the rates
    are those of the first and the last.
    """

    def __init__(self, optimizer: HasRate, rates: Sequence[float]) -> None:
        self.optimizer, self.base_lr, self._rates = optimizer, optimizer.lr, list(rates)

    def step(self, epoch: int) -> None:
        """Set the learning rate of an epoch, counted from 0."""
        self.optimizer.lr = self._rates[min(max(epoch, 0), len(self._rates) - 1)]


def rates_of(scheduler: Any, optimizer: HasRate, epochs: Sequence[int]) -> list[Any]:
    """Return the optimizer's learning rate after `step(epoch)`, for each of the epochs in turn."""
    rates = []
    for epoch in epochs:
        scheduler.step(epoch)
        rates.append(optimizer.lr)
    return rates


DRIVERS: dict[str, Callable[..., Any]] = {"rates_of": rates_of}

PROBES: dict[str, object] = {"optimizer": LearningRate, "listed_rates": ListedRates}
