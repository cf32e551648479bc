"""CIFAR-10 from an npz file, augmented as bytes and normalised afterwards."""

from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

CIFAR_MEAN = (0.4914, 0.4822, 0.4465)
CIFAR_STD = (0.2023, 0.1994, 0.2010)


def load_cifar10(folder, split="train"):
    """Return [images, labels] of a split."""
    archive = np.load(Path(folder) / "cifar10.npz")
    images = np.ascontiguousarray(np.transpose(archive[f"x_{split}"], (0, 3, 1, 2)))
    labels = archive[f"y_{split}"].astype("int64")
    return [torch.tensor(images), torch.tensor(labels)]


def normalise(images):
    """Return normalised images."""
    x = images.to(torch.float32) / 255
    for c in range(3):
        x[:, c] = (x[:, c] - CIFAR_MEAN[c]) / CIFAR_STD[c]
    return x


def random_crop(images, padding, generator):
    """Crop each image out of its padded self."""
    _, _, height, width = images.shape
    padded = F.pad(images, (padding,) * 4)
    tops = torch.randint(2 * padding + 1, (len(images),), generator=generator)
    lefts = torch.randint(2 * padding + 1, (len(images),), generator=generator)
    crops = [
        image[:, top : top + height, left : left + width]
        for image, top, left in zip(padded, tops, lefts, strict=True)
    ]
    return torch.stack(crops)


def random_flip(images, generator):
    """Flip each image with probability 1/2."""
    coins = torch.rand(len(images), generator=generator)
    return torch.stack(
        [image.flip(-1) if coin > 0.5 else image for image, coin in zip(images, coins, strict=True)]
    )


class CIFAR10Loader:
    """An iterable over batches."""

    def __init__(self, images, labels, batch_size, *, train, seed=0, device="cpu"):
        self.dataset = images, labels
        self.batch_size, self.train, self.device = batch_size, train, device
        self.rng = torch.Generator().manual_seed(seed)

    def __len__(self):
        """Return how many batches an epoch has."""
        return int(np.ceil(len(self.dataset[0]) / self.batch_size))

    def __iter__(self):
        """Go through one epoch."""
        images, labels = self.dataset
        order = torch.arange(len(images))
        if self.train:
            order = order[torch.randperm(len(images), generator=self.rng)]
        for batch in torch.split(order, self.batch_size):
            x = images[batch]
            if self.train:
                x = random_flip(random_crop(x, 4, self.rng), self.rng)
            yield normalise(x).to(self.device), labels[batch].to(self.device)
