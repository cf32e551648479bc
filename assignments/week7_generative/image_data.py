"""The images that this week's networks learn from, as rows of numbers from 0 to 1. Given."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Images:
    """Images to learn from and images to measure on.

    Attributes:
        name: "mnist" or "digits".
        x_train, x_test: pixels from 0 (background) to 1, float32, shape (N, 784).
        y_train, y_test: the digit of each image, int64, shape (N,).
    """

    name: str
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor


def load_images() -> Images:
    """Return MNIST where it is in data/cache, otherwise the digits that come with the course."""
    # The course's `data` package lies in the repository's root, two folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import data

    found = data.load_or_digits("mnist")
    parts = []
    for part in ("train", "test"):
        pixels = getattr(found, f"x_{part}").reshape(-1, 784).astype(np.float32) / 255.0
        labels = getattr(found, f"y_{part}").astype(np.int64)
        parts += [torch.from_numpy(pixels), torch.from_numpy(labels)]
    return Images(found.name, *parts)


def binarise(images: Tensor) -> Tensor:
    """Return images of zeros and ones: 1 where a pixel is above 0.5.

    For grey pixels the loss of a Bernoulli decoder has a floor above 0 that says nothing about the
    network: no probability fits a pixel of 0.5 without loss. With zeros and ones the nats are those
    of a proper log-probability, and comparable.
    """
    return (images > 0.5).to(images.dtype)
