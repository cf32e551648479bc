"""CIFAR-10: reading it, and batches of it, shuffled and augmented on the device that trains.

The 50,000 training images are 154 MB as bytes, so they are put on the device once, and shuffling,
cropping and mirroring are operations on whole batches there. No image is handled on its own, and
nothing is copied from the host while training. (That is for speed: a loop over images will do.)

Randomness comes from the `torch.Generator` that is passed or owned. That it never comes from
torch's global one, and that arguments are not changed, is looked at in `project.robustness`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

MEAN = torch.tensor([0.4914, 0.4822, 0.4465])
"""Mean of the training images, in 0..1: red, green, blue. Shape (3,)."""

STD = torch.tensor([0.2470, 0.2435, 0.2616])
"""Standard deviation of the training images, in 0..1: red, green, blue. Shape (3,)."""

PADDING = 4


@cache
def channel_statistics(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return MEAN and STD on a device, each of shape (1, 3, 1, 1), copied there once. Given."""
    return MEAN.view(1, 3, 1, 1).to(device), STD.view(1, 3, 1, 1).to(device)


def load_cifar10(folder: str | Path, split: str = "train") -> tuple[Tensor, Tensor]:
    """Read one split from `folder`/cifar10.npz.

    The file holds x_train, y_train and, not always, x_test, y_test: images as uint8 of shape
    (N, 32, 32, 3), labels as uint8 of shape (N,). A file without test images has to do.
    (That the other split is not read at all is looked at in `project.robustness`.)

    Args:
        folder: where cifar10.npz is.
        split: "train" or "test".

    Returns:
        images, uint8, shape (N, 3, 32, 32), 0..255; and labels, int64, shape (N,), 0..9.

    Raises (`project.robustness`):
        ValueError: if `split` is something else, or if the file does not have this split.
        FileNotFoundError: if there is no cifar10.npz in the folder; the message says where it was
            looked for.
    """
    # BEGIN SOLUTION project.augmentation
    if split not in ("train", "test"):
        raise ValueError(f'split must be "train" or "test", got {split!r}')
    path = Path(folder) / "cifar10.npz"
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}")
    with np.load(path) as arrays:
        if f"x_{split}" not in arrays or f"y_{split}" not in arrays:
            raise ValueError(f"{path} has no {split} images, only {', '.join(arrays)}")
        images, labels = arrays[f"x_{split}"], arrays[f"y_{split}"]
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    return planes, torch.from_numpy(labels.astype(np.int64))
    # END SOLUTION


def normalise(images: Tensor) -> Tensor:
    """Return (images / 255 - MEAN) / STD, each channel with its own mean and deviation.

    `images`: uint8, shape (N, 3, H, W), on any device. Returns float32, the same shape and device.
    (Deviations of 0.2023, 0.1994, 0.2010, which are often met, are accepted, and so are means and
    deviations of 0.5; the same ones everywhere.)
    """
    # BEGIN SOLUTION project.augmentation
    mean, std = channel_statistics(images.device)
    return images.float().div_(255.0).sub_(mean).div_(std)
    # END SOLUTION


def random_crop(images: Tensor, padding: int, generator: torch.Generator) -> Tensor:
    """Pad each image with zeros on all four sides and cut a piece of the old size out of it.

    Every image has an offset of its own, and its vertical and horizontal parts are independent and
    uniform over the whole numbers 0..2 padding. (padding, padding) gives the image back.

    Args:
        images: shape (N, C, H, W), any dtype. Normalised images, usually: there 0 is
            the mean colour.
        padding: how many rows and columns of zeros, not negative.
        generator: where the offsets come from; it may be on another device than the images.

    Returns:
        The pieces: the same shape, dtype and device.

    Raises:
        ValueError: if `padding` is negative (`project.robustness`).
    """
    # BEGIN SOLUTION project.augmentation
    if padding < 0:
        raise ValueError(f"padding must be 0 or more pixels, got {padding}")
    count, _, height, width = images.shape
    offsets = torch.randint(
        0, 2 * padding + 1, (2, count), generator=generator, device=generator.device
    )
    down, right = offsets.to(images.device)
    padded = functional.pad(images, (padding, padding, padding, padding))
    # All pieces of all images, as a view: (N, C, 2 padding + 1, 2 padding + 1, H, W). Indexing
    # copies one of each image.
    pieces = padded.unfold(2, height, 1).unfold(3, width, 1)
    return pieces[torch.arange(count, device=images.device), :, down, right]
    # END SOLUTION


def random_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror each image left-right with probability 1/2, independently of the others.

    Args:
        images: shape (N, C, H, W), any dtype.
        generator: where the coins come from; it may be on another device than the images.

    Returns:
        The images, some of them mirrored: the same shape, dtype and device.
    """
    # BEGIN SOLUTION project.augmentation
    coins = torch.rand(len(images), generator=generator, device=generator.device) < 0.5
    return torch.where(coins.to(images.device).view(-1, 1, 1, 1), images.flip(3), images)
    # END SOLUTION


class CIFAR10Loader:
    """Batches of (x, y): x float32 (B, 3, 32, 32), normalised; y int64 (B,); both on the device.

    Each pass over it, an epoch, gives every image exactly once; the last batch may be smaller.

    - For training: in an order drawn anew for each epoch, images and labels together, and each
      normalised batch is cropped at random (padding 4) and flipped at random.
    - Otherwise: in the given order, and nothing is random.

    Beyond the texts (`project.robustness`): what is drawn depends on `seed` and the epoch alone,
    not on what was drawn before, so a run that is resumed at epoch k sees what a run without
    interruption sees there. (The generators of a CPU and of a GPU differ, so on another kind of
    device it is another order.)

    Attributes:
        epoch: the epoch of the next pass, from 0. Goes up by one after each full pass;
            a pass that is broken off does not count.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        batch_size: int,
        *,
        train: bool,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ) -> None:
        """Put the images and labels on the device, as the bytes that they are.

        Args:
            images: uint8, shape (N, 3, 32, 32), as `load_cifar10` returns them.
            labels: int64, shape (N,).
            batch_size: images per batch, at least 1.
            train: True to shuffle and augment.
            seed: not negative.
            device: where the batches are to be.

        Raises:
            ValueError: if there are not as many labels as images, or if `batch_size` is below 1
                (`project.robustness`).
        """
        # BEGIN SOLUTION project.augmentation
        if len(images) != len(labels):
            raise ValueError(f"{len(images)} images, but {len(labels)} labels")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.images, self.labels = images.to(device), labels.to(device)
        self.batch_size, self.train, self.seed = batch_size, train, seed
        self.epoch = 0
        # END SOLUTION

    def __len__(self) -> int:
        """Return the number of batches of an epoch: N / batch_size, rounded up."""
        # BEGIN SOLUTION project.augmentation
        return -(-len(self.images) // self.batch_size)
        # END SOLUTION

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next pass is, counted from 0."""
        # BEGIN SOLUTION project.augmentation
        self.epoch = epoch
        # END SOLUTION

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of one epoch."""
        # BEGIN SOLUTION project.augmentation
        epoch, device = self.epoch, self.images.device
        generator = self._generator(epoch)
        order = torch.arange(len(self.images), device=device)
        if self.train:
            order = torch.randperm(len(self.images), generator=generator, device=device)
        for rows in order.split(self.batch_size):
            x = normalise(self.images[rows])
            if self.train:
                x = random_flip(random_crop(x, PADDING, generator), generator)
            yield x, self.labels[rows]
        self.epoch = epoch + 1
        # END SOLUTION

    # BEGIN SOLUTION project.augmentation
    def _generator(self, epoch: int) -> torch.Generator:
        """Return a generator, on the device, whose state depends on the seed and `epoch` alone."""
        # Mixed, since seed + epoch would give seed 1 the epochs of seed 0 once more.
        mixed = np.random.SeedSequence((self.seed, epoch)).generate_state(1)
        return torch.Generator(self.images.device).manual_seed(int(mixed[0]))

    # INSTEAD
    # # A generator for each epoch, from seed and epoch, fits well into a helper here.
    # END SOLUTION
