"""Cosine annealing in another correct style: (1 + cos x) / 2 = cos^2(x / 2), one line for all t."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from optimizers import Adam


class CosineAnnealingLR:
    """A linear rise of `warmup` steps, then half a cosine down to eta_min at step T_max."""

    def __init__(self, optimizer: Adam, T_max: int, eta_min: float = 0.0, warmup: int = 0) -> None:
        """Set the rate of step 0; ValueError for what is out of range."""
        if T_max <= 0 or warmup < 0 or warmup >= T_max or eta_min < 0:
            raise ValueError(f"T_max={T_max}, eta_min={eta_min}, warmup={warmup} don't fit")
        self._optimizer = optimizer
        self._top = optimizer.lr
        self._bottom = eta_min
        self._rise, self._end = warmup, T_max
        self.t = 0
        self._apply()

    def _apply(self) -> None:
        self._optimizer.lr = self.lr_at(self.t)

    def lr_at(self, t: int) -> float:
        """Return the rate of step t, from 0."""
        if t < self._rise:
            return self._top / self._rise * (t + 1)
        done = min(1.0, (t - self._rise) / (self._end - self._rise))
        height = math.cos(0.5 * math.pi * done) ** 2
        return height * self._top + (1.0 - height) * self._bottom

    def step(self) -> None:
        """Go on by one step."""
        self.t += 1
        self._apply()

    def state_dict(self) -> dict[str, Tensor]:
        """Return the steps done."""
        return {"steps": torch.tensor([self.t])}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go to where the state was taken."""
        self.t = int(state["steps"][0])
        self._apply()
