"""What the suites of gan.py need beside the student's code: two small networks and what they note.

Their numbers are drawn by the suite; how they compute is no secret, and what they must become in a
step is computed where no submission is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def leaf(array: np.ndarray) -> nn.Parameter:
    """Return an array as a parameter."""
    return nn.Parameter(torch.from_numpy(np.array(array)))


class Maker(nn.Module):
    """A layer with a sigmoid, which makes images of noise."""

    names = ("W", "b")

    def __init__(self, W: np.ndarray, b: np.ndarray) -> None:
        super().__init__()
        self.W, self.b = leaf(W), leaf(b)
        self.latent = len(W)

    def forward(self, z: Tensor) -> Tensor:
        return torch.sigmoid(z @ self.W + self.b)


class Teller(nn.Module):
    """Two layers with batch normalisation and tanh between them: a logit for each image."""

    names = ("W", "gamma", "beta", "v", "c")

    def __init__(self, *arrays: np.ndarray) -> None:
        super().__init__()
        self.W, self.gamma, self.beta, self.v, self.c = map(leaf, arrays)
        self.norm = nn.BatchNorm1d(len(self.gamma))
        self.norm.weight, self.norm.bias = self.gamma, self.beta

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.norm(x @ self.W)) @ self.v + self.c


class Marks:
    """A loss of another game: squared differences between logits and marks that the suite draws."""

    def __init__(self, *marks: float) -> None:
        self.marks = marks

    def __call__(self, *logits: Tensor) -> Tensor:
        parts = zip(logits, self.marks, strict=True)
        return sum((one - mark).square().mean() for one, mark in parts)  # type: ignore[return-value]


def gan_of(
    kind: Callable[..., Any], made: Sequence[np.ndarray], told: Sequence[np.ndarray], lr: float
) -> Any:
    """Return a GAN of the student's with two networks of these numbers."""
    return kind(Maker(*made), Teller(*told), lr)


def gan_plain(gan: Any, rate: float) -> None:
    """Put plain gradient descent into the places of both optimizers."""
    gan.generator_optimizer = torch.optim.SGD(gan.generator.parameters(), lr=rate)
    gan.discriminator_optimizer = torch.optim.SGD(gan.discriminator.parameters(), lr=rate)


def gan_littered(gan: Any, of_made: Sequence[np.ndarray], of_told: Sequence[np.ndarray]) -> None:
    """Put gradients into both networks, as something before may have left them."""
    for network, arrays in ((gan.generator, of_made), (gan.discriminator, of_told)):
        for number, array in zip(named(network), arrays, strict=True):
            number.grad = torch.from_numpy(np.array(array))


def named(network: Maker | Teller) -> list[nn.Parameter]:
    """Return the numbers of a Maker or a Teller in the order in which it was given them."""
    return [getattr(network, name) for name in network.names]


def gan_numbers(gan: Any) -> list[list[np.ndarray]]:
    """Return copies of the numbers of both networks."""
    both = gan.generator, gan.discriminator
    return [[one.detach().numpy().copy() for one in named(network)] for network in both]


def gan_gradients(gan: Any) -> list[list[np.ndarray | None]]:
    """Return copies of the gradients that both networks hold."""
    both = gan.generator, gan.discriminator
    return [
        [None if one.grad is None else one.grad.numpy().copy() for one in named(network)]
        for network in both
    ]


def gan_stepped(step: Callable[..., Any], *arrays: Tensor) -> Any:
    """Take a step; return what it returns."""
    return step(*arrays)


def gan_reached(network: nn.Module, x: np.ndarray, upstream: np.ndarray) -> list[bool]:
    """Return for each parameter of a network whether a gradient other than 0 gets there."""
    network.zero_grad()
    (network(torch.from_numpy(x.copy())) * torch.from_numpy(upstream.copy())).sum().backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    return [gradient is not None and bool((gradient != 0).any()) for gradient in gradients]


class Diary:
    """Stands for a GAN: notes what each step is given and in which modes, and moves nothing."""

    def __init__(self, latent: int, losses: np.ndarray) -> None:
        self.generator, self.discriminator = nn.Linear(latent, 3), nn.Linear(3, 1)
        self.generator.latent = latent  # type: ignore[assignment]
        self.generator.eval()
        self.discriminator.eval()
        self.losses = [tuple(map(float, pair)) for pair in losses]
        self.steps: list[tuple[np.ndarray, np.ndarray, bool]] = []

    def train_step(self, x: Tensor, z: Tensor) -> tuple[float, ...]:
        training = self.generator.training and self.discriminator.training
        self.steps.append((x[:, :12].numpy().copy(), z.numpy().copy(), training))
        return self.losses[(len(self.steps) - 1) % len(self.losses)]


def gan_diary(diary: Diary) -> dict[str, list[Any]]:
    """Return what a Diary has noted."""
    return {
        "images": [x for x, _, _ in diary.steps],
        "noise": [z for _, z, _ in diary.steps],
        "training": [training for _, _, training in diary.steps],
        "afterwards": [diary.generator.training, diary.discriminator.training],
    }


DRIVERS: dict[str, Callable[..., object]] = {
    function.__name__: function
    for function in (
        gan_of,
        gan_plain,
        gan_littered,
        gan_numbers,
        gan_gradients,
        gan_stepped,
        gan_reached,
        gan_diary,
    )
} | {"diary": Diary, "gan_marks": Marks}
PROBES: dict[str, object] = {}
