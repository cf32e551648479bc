"""Pictures of generated images, and of losses in training. Given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window: the pictures go to files

import numpy as np
from matplotlib import pyplot as plt
from torch import Tensor

SIDE = 28
"""Pixels in a row of an image, and rows."""


def as_sheet(images: Tensor, columns: int) -> np.ndarray:
    """Return images (N, 784), row by row, as one picture: whatever is missing at its end is 0."""
    pixels = images.detach().numpy()
    rows = -(-len(pixels) // columns)
    sheet = np.zeros((rows * columns, SIDE, SIDE), dtype=pixels.dtype)
    sheet[: len(pixels)] = pixels.reshape(-1, SIDE, SIDE)
    blocks = sheet.reshape(rows, columns, SIDE, SIDE)
    return blocks.transpose(0, 2, 1, 3).reshape(rows * SIDE, columns * SIDE)


def draw_images(images: Tensor, columns: int, path: Path) -> None:
    """Draw images (N, 784) with pixels from 0 to 1 on one sheet, `columns` in each row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plt.imsave(path, as_sheet(images, columns), cmap="gray", vmin=0.0, vmax=1.0)
    print(f"wrote {path}")


def draw_losses(losses: Sequence[Sequence[float]], names: Sequence[str], path: Path) -> None:
    """Draw several losses over the steps, each smoothed over 50 of them."""
    figure, axis = plt.subplots(figsize=(6.4, 3.2))
    values = np.asarray(losses, dtype=float)
    width = max(1, min(50, len(values)))
    for column, name in zip(values.T, names, strict=True):
        smooth = np.convolve(column, np.full(width, 1.0 / width), mode="valid")
        axis.plot(np.arange(len(smooth)) + width, smooth, label=name)
    axis.set_xlabel("step")
    axis.set_ylabel(f"loss, mean of {width} steps")
    axis.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, bbox_inches="tight")
    plt.close(figure)
    print(f"wrote {path}")
