"""CIFAR-10: loading, augmentation, batches."""

import os

import numpy as np
import torch

MEAN = torch.tensor([0.4914, 0.4822, 0.4465])
STD = torch.tensor([0.2470, 0.2435, 0.2616])


def load_cifar10(folder, split="train"):
    """Return images (N, 3, 32, 32) as bytes and labels."""
    with np.load(os.path.join(folder, "cifar10.npz")) as file:
        images = torch.from_numpy(file["x_" + split]).permute(0, 3, 1, 2)
        labels = torch.from_numpy(file["y_" + split]).long()
    return images, labels


def normalise(images):
    """Return (images / 255 - mean) / std."""
    mean = MEAN.view(1, 3, 1, 1).to(images.device)
    std = STD.view(1, 3, 1, 1).to(images.device)
    return (images.float() / 255 - mean) / std


def random_crop(images, padding, generator):
    """Pad by zeros and crop each image at random."""
    n, c, h, w = images.shape
    padded = torch.zeros(n, c, h + 2 * padding, w + 2 * padding, device=images.device)
    padded[:, :, padding : padding + h, padding : padding + w] = images
    result = torch.zeros(n, c, h, w, device=images.device)
    for i in range(n):
        top, left = torch.randint(0, 2 * padding + 1, (2,), generator=generator).tolist()
        result[i] = padded[i, :, top : top + h, left : left + w]
    return result


def random_flip(images, generator):
    """Mirror each image with probability 1/2."""
    flip = torch.rand(images.shape[0], generator=generator) < 0.5
    result = images.clone()
    result[flip] = images[flip].flip(3)
    return result


class CIFAR10Loader:
    """Batches of images and labels."""

    def __init__(self, images, labels, batch_size, *, train, seed=0, device="cpu"):
        self.images, self.labels = images.to(device), labels.to(device)
        self.batch_size = batch_size
        self.train = train
        self.generator = torch.Generator().manual_seed(seed)

    def __len__(self):
        """Return the number of batches."""
        return (len(self.images) + self.batch_size - 1) // self.batch_size

    def __iter__(self):
        """Yield one epoch."""
        n = len(self.images)
        if self.train:
            indices = torch.randperm(n, generator=self.generator)
        else:
            indices = torch.arange(n)
        for start in range(0, n, self.batch_size):
            batch = indices[start : start + self.batch_size]
            x = normalise(self.images[batch])
            if self.train:
                x = random_crop(x, 4, self.generator)
                x = random_flip(x, self.generator)
            yield x, self.labels[batch]
