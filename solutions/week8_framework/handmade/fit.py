"""The training loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from handmade.loader import Loader
from handmade.module import Module
from handmade.optimizers import Optimizer
from handmade.schedules import Schedule
from handmade.tensor import Tensor


def fit(
    layer: Module,
    loader: Loader,
    loss: Callable[[Tensor, np.ndarray], Tensor],
    optimizer: Optimizer,
    epochs: int,
    schedule: Schedule | None = None,
) -> list[float]:
    """Train a layer; return the mean loss of each epoch's examples.

    It trains in training mode, and leaves the layer in evaluation mode. The schedule advances
    after each epoch.
    """
    layer.train()
    losses = []
    for _ in range(epochs):
        total, count = 0.0, 0
        for x, y in loader:
            optimizer.zero_grad()
            found = loss(layer(as_input(x)), y)
            found.backward()
            optimizer.step()
            # The number alone: a tensor in this sum would keep every graph of the epoch.
            total += float(found.data) * len(x)
            count += len(x)
        losses.append(total / count)
        if schedule is not None:
            schedule.advance()
    layer.eval()
    return losses


def as_input(x: np.ndarray) -> Any:
    """Return what a layer gets: real numbers as a tensor, whole numbers (symbols) as they are."""
    return Tensor(x) if x.dtype.kind == "f" else x
