"""CIFAR-10 in another correct style: images cropped one by one, an epoch's iterator of its own."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

MEAN = torch.tensor([0.4914, 0.4822, 0.4465])
STD = torch.tensor([0.2470, 0.2435, 0.2616])


def load_cifar10(folder: str | Path, split: str = "train") -> tuple[Tensor, Tensor]:
    """Return a split's images, uint8 (N, 3, 32, 32), and labels, int64 (N,)."""
    keys = {"train": ("x_train", "y_train"), "test": ("x_test", "y_test")}
    if split not in keys:
        raise ValueError(f"no such split: {split!r}")
    name = os.path.join(folder, "cifar10.npz")
    if not os.path.exists(name):
        raise FileNotFoundError(f"{name} is missing")
    with np.load(name) as archive:
        try:
            pixels, classes = (archive[key] for key in keys[split])
        except KeyError as error:
            raise ValueError(f"{name} lacks the {split} split") from error
    return (
        torch.tensor(np.moveaxis(pixels, -1, 1).copy(), dtype=torch.uint8),
        torch.tensor(classes, dtype=torch.int64),
    )


def normalise(images: Tensor) -> Tensor:
    """Return bytes (N, 3, H, W) as float32 of mean 0 and deviation 1, channel by channel."""
    planes = [
        (images[:, channel].to(torch.float32) / 255 - float(MEAN[channel])) / float(STD[channel])
        for channel in range(3)
    ]
    return torch.stack(planes, dim=1)


def random_crop(images: Tensor, padding: int, generator: torch.Generator) -> Tensor:
    """Return, for each image (C, H, W), a window of its own of the image in a frame of zeros."""
    if padding < 0:
        raise ValueError("padding below 0")
    height, width = images.shape[-2:]
    framed = F.pad(images, [padding] * 4)
    cut = torch.empty_like(images)
    for index in range(images.shape[0]):
        top, left = _two_offsets(padding, generator)
        cut[index] = framed[index, :, top : top + height, left : left + width]
    return cut


def _two_offsets(padding: int, generator: torch.Generator) -> list[int]:
    drawn = torch.randint(2 * padding + 1, size=(2,), generator=generator, device=generator.device)
    return drawn.tolist()


def random_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return the images, each mirrored left-right with probability 1/2."""
    shape = (images.shape[0], 1, 1, 1)
    heads = torch.randint(2, size=shape, generator=generator, device=generator.device)
    mirrored = images[..., torch.arange(images.shape[-1] - 1, -1, -1, device=images.device)]
    return torch.where(heads.to(images.device) == 1, mirrored, images)


class CIFAR10Loader:
    """Gives every image once per pass, in batches; shuffles and augments if `train`."""

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        batch_size: int,
        *,
        train: bool,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        """Keep the images as bytes on the device."""
        if images.shape[0] != labels.shape[0]:
            raise ValueError("images and labels differ in number")
        if not batch_size > 0:
            raise ValueError("a batch needs at least one image")
        self._device = torch.device(device)
        self._pixels = images.to(self._device)
        self._classes = labels.to(self._device)
        self._size = batch_size
        self._augment = train
        self._seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        """Return how many batches a pass has."""
        return math.ceil(self._classes.shape[0] / self._size)

    def set_epoch(self, epoch: int) -> None:
        """Choose the next pass, from 0."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Begin a pass: pairs (x, y) on the device."""
        return self._batches(self.epoch)

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        coins = torch.Generator(device=self._device)
        coins.manual_seed(self._seed * 1_000_003 + epoch)
        pixels, classes = self._pixels, self._classes
        if self._augment:
            keys = torch.rand(len(classes), generator=coins, device=self._device)
            order = torch.argsort(keys)
            pixels, classes = pixels[order], classes[order]
        for first in range(0, len(classes), self._size):
            x = normalise(pixels[first : first + self._size])
            if self._augment:
                x = random_crop(random_flip(x, coins), 4, coins)
            yield x, classes[first : first + self._size]
        self.epoch = epoch + 1
