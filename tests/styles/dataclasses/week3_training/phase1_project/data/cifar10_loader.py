"""CIFAR-10: a dataclass of images and labels that makes batches, one image's window by index."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

MEAN = torch.tensor([0.4914, 0.4822, 0.4465])
STD = torch.tensor([0.2470, 0.2435, 0.2616])
PADDING = 4


def load_cifar10(folder, split="train"):
    """Read images and labels of a split."""
    if split not in ("train", "test"):
        raise ValueError(f"split must be train or test, got {split!r}")
    path = Path(folder) / "cifar10.npz"
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}")
    with np.load(path) as file:
        if f"x_{split}" not in file.files:
            raise ValueError(f"{path} has no {split} images")
        images, labels = file[f"x_{split}"], file[f"y_{split}"]
    images = torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, -1, 1)))
    return images, torch.from_numpy(labels.astype(np.int64)).flatten()


def normalise(images):
    """Return float32 images with mean 0 and deviation 1."""
    mean, std = (one.to(images.device)[:, None, None] for one in (MEAN, STD))
    return images.float().div(255).sub(mean).div(std)


def _drawn(high, count, generator, device):
    return torch.randint(high, (count,), generator=generator, device=generator.device).to(device)


def random_crop(images, padding, generator):
    """Cut a window out of each padded image."""
    if padding < 0:
        raise ValueError(f"padding must not be negative, got {padding}")
    count, _, height, width = images.shape
    padded = images.new_zeros((*images.shape[:2], height + 2 * padding, width + 2 * padding))
    padded[:, :, padding : padding + height, padding : padding + width] = images
    top, left = (_drawn(2 * padding + 1, count, generator, images.device) for _ in range(2))
    number = torch.arange(count, device=images.device)[:, None, None]
    rows = (top[:, None] + torch.arange(height, device=images.device))[:, :, None]
    columns = (left[:, None] + torch.arange(width, device=images.device))[:, None, :]
    return padded.movedim(1, -1)[number, rows, columns].movedim(-1, 1).contiguous()


def random_flip(images, generator):
    """Mirror half of the images."""
    result = images.clone()
    chosen = _drawn(2, len(images), generator, images.device).bool()
    result[chosen] = images[chosen].flip(-1)
    return result


@dataclass(eq=False)
class CIFAR10Loader:
    """Batches of normalised images and labels."""

    images: Any
    labels: Any
    batch_size: int
    _: KW_ONLY
    train: bool
    seed: int = 0
    device: Any = "cpu"
    epoch = 0

    def __post_init__(self):
        if len(self.images) != len(self.labels):
            raise ValueError(f"{len(self.images)} images, but {len(self.labels)} labels")
        if self.batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {self.batch_size}")
        self.device = torch.device(self.device)
        self.images, self.labels = self.images.to(self.device), self.labels.to(self.device)

    @cached_property
    def _starts(self):
        return range(0, len(self.images), self.batch_size)

    def __len__(self):
        return len(self._starts)

    def set_epoch(self, epoch):
        """Say which epoch comes next."""
        self.epoch = epoch

    def __iter__(self):
        generator = torch.Generator(self.device).manual_seed(self.seed * 1_000_003 + self.epoch)
        count = len(self.images)
        order = torch.arange(count, device=self.device)
        if self.train:
            order = torch.randperm(count, generator=generator, device=self.device)
        for start in self._starts:
            rows = order[start : start + self.batch_size]
            x = normalise(self.images[rows])
            if self.train:
                x = random_flip(random_crop(x, PADDING, generator), generator)
            yield x, self.labels[rows]
        self.epoch += 1
