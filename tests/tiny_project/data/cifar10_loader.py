"""Loads and normalises images."""

from pathlib import Path

import numpy as np
import torch


def load_cifar10(folder: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the training images, uint8 (N, 3, 32, 32), and labels."""
    with np.load(Path(folder) / "cifar10.npz") as file:
        images, labels = file["x_train"], file["y_train"]
    x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return x, torch.from_numpy(labels.astype(np.int64))


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Return the images in 0..1 as float32."""
    return images.float() / 255
