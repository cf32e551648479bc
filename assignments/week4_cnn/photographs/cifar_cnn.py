"""A small convolutional network for photographs, and the loop that trains it (PyTorch).

    python cifar_cnn.py                 train SmallCNN for 5 epochs, and say how it does
    python cifar_cnn.py --lenet         the same with LeNet, to compare

Images are tensors of shape (N, C, H, W) here, as everywhere in PyTorch: the channel comes before
rows and columns. Pixels come as whole numbers from 0 to 255 (torch.uint8), and are brought to the
range of a network by `normalise`.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

PARAMETERS = 500_000
"""A small network has at most so many parameters."""


def normalise(images: Tensor) -> Tensor:
    """Return images as float32, 0 to 255 brought to -2 to 2. Given.

    `images`: uint8 (N, C, H, W). The same numbers for all: a network must meet each image on the
    scale that it has learnt on.
    """
    return (images.float() - 127.5) / 63.75


class LeNet(nn.Module):
    """Given, to compare with: two convolutions, two poolings, three linear layers (LeCun, 1998)."""

    def __init__(self, in_channels: int = 3, classes: int = 10) -> None:
        """Create the layers, for images of 32 x 32 or of 28 x 28."""
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 6, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(5),
        )
        self.classifier = nn.Sequential(
            nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()
        )
        self.last = nn.Linear(84, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, classes) of normalised images."""
        return self.last(self.classifier(self.features(x).flatten(1)))


class SmallCNN(nn.Module):
    """A network of your own for normalised images (N, in_channels, H, W), H and W at least 16.

    What is in it is yours to choose: batch normalisation, pooling, a mean over all places instead
    of a large linear layer. Two convolutions or more have windows larger than 1 x 1, and there are
    at most PARAMETERS numbers in parameters and buffers together. What the network knows is in
    these alone. In evaluation mode an image gets the same logits whatever else is in its batch.
    A new network already gives different images different logits, and a gradient gets to all
    parameters: its last layer does not begin at 0.
    """

    def __init__(self, in_channels: int = 3, classes: int = 10) -> None:
        """Create the layers."""
        super().__init__()
        raise NotImplementedError("cifar.network: fill in SmallCNN.__init__")

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (N, classes): numbers of both signs, and no probabilities."""
        raise NotImplementedError("cifar.network: fill in SmallCNN.forward")


def augment(images: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Return every image moved by up to 2 pixels in both directions, and half of them mirrored.

    Each image draws its own movement, -2 to 2 rows and columns, and whether it is mirrored, left to
    right. What comes in at the borders is 0.

    Args:
        images: any dtype, shape (N, C, H, W), not changed.
        generator: where the random numbers come from; torch's own if None.

    Returns:
        Images of the same shape and dtype.
    """
    raise NotImplementedError("cifar.network: fill in augment")


def train(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    epochs: int,
    batch_size: int = 128,
    lr: float = 0.01,
    seed: int = 0,
) -> list[float]:
    """Train a network; return the mean of the batches' losses in each epoch.

    Every epoch goes through all images once, in a new order, in batches; the last one may be
    smaller. The loss of a batch is the mean cross-entropy of its logits, and a step goes by the
    gradients of one batch. What else is done (augmentation, the optimizer, a schedule, weight
    decay) is yours to choose. The network is in training mode meanwhile, and afterwards in
    evaluation mode. The same seed, with the same network, gives the same result.

    Args:
        network: takes normalised images, and is changed.
        images: uint8, shape (N, C, H, W), not changed.
        labels: int64, shape (N,), not changed.
        epochs: how many.
        batch_size: images in one step.
        lr: the largest learning rate.
        seed: decides orders and movements.
    """
    generator = torch.Generator().manual_seed(seed)
    raise NotImplementedError("cifar.network: fill in train")


def _epoch(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    batch_size: int,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    generator: torch.Generator,
) -> float:
    """Take one step for each batch of a new order; return the mean of the losses."""
    raise NotImplementedError("cifar.network: fill in _epoch")


def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the share of images whose largest logit is that of their label. Given."""
    with torch.no_grad():
        found = [network(normalise(part)).argmax(dim=1) for part in images.split(500)]
    return float((torch.cat(found) == labels).float().mean())


def load_photographs() -> tuple[str, list[Tensor]]:
    """Return a name, and images and labels for training and testing. Given.

    CIFAR-10 where it is in data/cache, otherwise the digits that come with the course.
    """
    # The course's `data` package lies in the repository's root, three folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[3]))
    import data

    found = data.load_or_digits("cifar10")
    tensors = []
    for name in ("train", "test"):
        x = torch.from_numpy(getattr(found, f"x_{name}"))
        x = x.unsqueeze(1) if x.ndim == 3 else x.permute(0, 3, 1, 2).contiguous()
        tensors += [x, torch.from_numpy(getattr(found, f"y_{name}")).long()]
    return found.name, tensors


def main() -> None:
    """Train, and say how it does. Given."""
    parser = argparse.ArgumentParser(description="Train a small network on CIFAR-10.")
    parser.add_argument("--lenet", action="store_true", help="LeNet instead of SmallCNN")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    name, (x_train, y_train, x_test, y_test) = load_photographs()
    network = (LeNet if options.lenet else SmallCNN)(x_train.shape[1])
    count = sum(parameter.numel() for parameter in network.parameters())
    print(f"{type(network).__name__}: {count} parameters; {name}: {len(x_train)} images")
    started = time.process_time()
    losses = train(network, x_train, y_train, options.epochs, lr=options.lr, seed=options.seed)
    print("losses:", ", ".join(f"{loss:.3f}" for loss in losses))
    right = accuracy(network, x_test, y_test)
    print(f"test accuracy {right:.1%} after {time.process_time() - started:.0f} CPU seconds")


if __name__ == "__main__":
    main()
