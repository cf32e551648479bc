"""Batches of a data set, epoch after epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


class Loader:
    """Yields pairs of batches. Each `iter` is an epoch, with every example once.

    With `shuffle` each epoch has an order of its own; the same seed gives the same orders. The last
    batch holds what is left over.
    """

    def __init__(
        self, x: np.ndarray, y: np.ndarray, batch: int, shuffle: bool = True, seed: int = 0
    ) -> None:
        """Keep the examples: x[n] and y[n] belong together."""
        if len(x) != len(y):
            raise ValueError(f"there are {len(x)} inputs and {len(y)} targets")
        self.x, self.y, self.batch, self.shuffle = x, y, batch, shuffle
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Return how many batches an epoch has."""
        return -(-len(self.x) // self.batch)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the batches of an epoch."""
        order = np.arange(len(self.x))
        if self.shuffle:
            self.rng.shuffle(order)
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
            yield self.x[rows], self.y[rows]
