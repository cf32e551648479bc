"""Made-up parts for whole runs of train.py, sent to the sandbox as text: see `parts.py`.

They stand for the optimizer, the schedule and the loader, so that a mistake in one of these costs
the runs nothing. Student code can read this text, so nothing in it is the answer to a task.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor


class Walker:
    """Stands for Adam: p <- p - lr (g + drag), where drag grows in each step."""

    def __init__(self, parameters: Any, lr: float = 0.01, *_: Any, **__: Any) -> None:
        self.parameters, self.lr = list(parameters), lr
        self.drag = torch.zeros(())

    @torch.no_grad()
    def step(self, *_: Any, **__: Any) -> None:
        for parameter in self.parameters:
            if parameter.grad is not None:
                parameter -= self.lr * (parameter.grad + self.drag)
        self.drag += 0.001

    def zero_grad(self, *_: Any, **__: Any) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Tensor]:
        return {"drag": self.drag.clone()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.drag = state["drag"].clone()


class Fading:
    """Stands for every schedule: the rate at the start times 0.8^epoch."""

    def __init__(self, optimizer: Any, *_: Any, **__: Any) -> None:
        self.optimizer, self.first = optimizer, optimizer.lr

    def step(self, epoch: int) -> None:
        self.optimizer.lr = self.first * 0.8**epoch


def normalise(images: Tensor) -> Tensor:
    """Stand for the student's: bytes become numbers from -0.5 to 0.5."""
    return images.float() / 255.0 - 0.5


def load_cifar10(folder: str | Path, split: str = "train") -> tuple[Tensor, Tensor]:
    """Stand for the student's: read a file of another layout, which the test has put there."""
    with np.load(Path(folder) / "made_up.npz") as found:
        return torch.from_numpy(found[f"images_{split}"]), torch.from_numpy(
            found[f"labels_{split}"]
        )


class CIFAR10Loader:
    """Stands for the loader: for training, an order that turns by the epoch, and shifted images."""

    def __init__(
        self, images: Tensor, labels: Tensor, batch_size: int, train: bool, *_: Any, **__: Any
    ) -> None:
        self.images, self.labels, self.train, self.epoch = images, labels, train, 0
        self.batch_size = batch_size

    def __len__(self) -> int:
        return len(self.labels.split(self.batch_size))

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        images, labels = normalise(self.images), self.labels
        if self.train:
            turn = 7 * self.epoch + 1
            images, labels = images.roll(turn, 0).roll(3, 2), labels.roll(turn, 0)
        yield from zip(images.split(self.batch_size), labels.split(self.batch_size), strict=True)
        self.epoch += 1


PARTS = {
    "optimizers": {"Adam": Walker},
    "schedulers": {"CosineAnnealingLR": Fading, "WarmupLR": Fading},
    "data.cifar10_loader": {
        "normalise": normalise,
        "load_cifar10": load_cifar10,
        "CIFAR10Loader": CIFAR10Loader,
    },
}
"""What stands for what, by the names of modules."""
