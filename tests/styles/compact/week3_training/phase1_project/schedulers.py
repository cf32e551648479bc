"""Schedules in another correct style: (1 + cos x) / 2 = cos^2(x / 2), rates as functions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizers import Adam


class CosineAnnealingLR:
    """Half a cosine down to eta_min at epoch T_max."""

    def __init__(self, optimizer: Adam, T_max: int, eta_min: float = 0.0) -> None:
        """Keep the settings; ValueError for what is out of range."""
        if T_max <= 0 or eta_min < 0:
            raise ValueError(f"T_max={T_max}, eta_min={eta_min} don't fit")
        self._optimizer = optimizer
        self._top, self._bottom, self._end = optimizer.lr, eta_min, T_max

    def step(self, epoch: int) -> None:
        """Set the rate of an epoch."""
        height = math.cos(0.5 * math.pi * min(1.0, epoch / self._end)) ** 2
        self._optimizer.lr = height * self._top + (1.0 - height) * self._bottom


class WarmupLR:
    """A rise of so many epochs, then what another schedule says of the epochs from there on."""

    def __init__(
        self, optimizer: Adam, warmup_epochs: int, base_scheduler: Any | None = None
    ) -> None:
        """Keep the settings; ValueError for what is out of range."""
        if warmup_epochs < 0:
            raise ValueError(f"warmup_epochs={warmup_epochs} is below 0")
        self._optimizer, self._top = optimizer, optimizer.lr
        self._rise, self._rest = warmup_epochs, base_scheduler

    def step(self, epoch: int) -> None:
        """Set the rate of an epoch."""
        after = epoch - self._rise
        if after >= 0 and self._rest is not None:
            self._rest.step(after)
        else:
            self._optimizer.lr = self._top * min(1.0, (epoch + 1) / max(self._rise, 1))
