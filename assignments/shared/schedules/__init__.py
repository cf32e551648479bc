"""What schedules are examined with, in each week that asks for some: drivers and a probe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class LearningRate:
    """Stands for an optimizer where only its learning rate matters."""

    def __init__(self, lr: float) -> None:
        self.lr = lr


def rates_at(scheduler: Any, epochs: list[int]) -> list[Any]:
    """Return what `scheduler.lr_at` says of each epoch, asked in this order."""
    return [scheduler.lr_at(epoch) for epoch in epochs]


def rates_of(scheduler: Any, optimizer: Any, epochs: int) -> list[Any]:
    """Return the optimizer's learning rate in so many epochs, with a step after each."""
    rates = [optimizer.lr]
    for _ in range(1, epochs):
        scheduler.step()
        rates.append(optimizer.lr)
    return rates


DRIVERS: dict[str, Callable[..., Any]] = {"rates_at": rates_at, "rates_of": rates_of}

PROBES: dict[str, object] = {"optimizer": LearningRate}
