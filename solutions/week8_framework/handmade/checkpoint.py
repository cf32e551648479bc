"""Checkpoints: a network and its optimizer in one npz file, arrays alone and no pickle.

Whoever opens a pickle runs the code that is in it; an npz file of plain arrays is only data.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from handmade.module import Module
from handmade.optimizers import Optimizer

LAYER, OPTIMIZER = "layer/", "optimizer/"


def save(path: str | Path, layer: Module, optimizer: Optimizer | None = None) -> None:
    """Write parameters, buffers and what the optimizer remembers to exactly this path."""
    arrays = {f"{LAYER}{name}": array for name, array in layer.state().items()}
    if optimizer is not None:
        arrays |= {f"{OPTIMIZER}{name}": one for name, one in optimizer.state_arrays().items()}
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def load(path: str | Path, layer: Module, optimizer: Optimizer | None = None) -> None:
    """Read what `save` has written into a network and an optimizer of the same form."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    layer.load_state(below(arrays, LAYER))
    if optimizer is not None:
        optimizer.load_arrays(below(arrays, OPTIMIZER))


def below(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Return the arrays whose names begin with a prefix, without it."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
