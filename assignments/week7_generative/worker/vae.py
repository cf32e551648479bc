"""What the suites of vae.py need beside the student's code: arrays to tensors and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def tensor(array: np.ndarray) -> Tensor:
    """Return an array as a tensor."""
    return torch.from_numpy(np.array(array))


def seed(number: int) -> None:
    """Seed PyTorch's own generator."""
    torch.manual_seed(number)


def mode(module: nn.Module, training: bool) -> None:
    """Put a module into training or evaluation mode."""
    module.train(training)


def double(module: nn.Module) -> None:
    """Let a module compute in float64."""
    module.double()


def state(module: nn.Module) -> dict[str, np.ndarray]:
    """Return parameters and buffers by their names."""
    return {name: value.detach().numpy().copy() for name, value in module.state_dict().items()}


def fill(module: nn.Module, arrays: dict[str, np.ndarray]) -> None:
    """Put arrays into a module's parameters and buffers, by their names."""
    module.load_state_dict({name: tensor(array) for name, array in arrays.items()})


def asked(function: Callable[..., Any], *arrays: np.ndarray) -> Any:
    """Return what a function makes of arrays, without gradients."""
    with torch.no_grad():
        return function(*map(tensor, arrays))


def asked_of_tensors(function: Callable[..., Any], *given: Tensor) -> Any:
    """Return what a function makes of tensors that are here already, without gradients."""
    with torch.no_grad():
        return function(*given)


def slopes(
    function: Callable[..., Tensor], arrays: Sequence[np.ndarray], upstream: np.ndarray
) -> list[np.ndarray | None]:
    """Return the gradients of sum(upstream * function(*arrays)), None where none arrives."""
    leaves = [tensor(array).requires_grad_() for array in arrays]
    (function(*leaves) * tensor(upstream)).sum().backward()
    return [None if leaf.grad is None else leaf.grad.numpy() for leaf in leaves]


def size(module: nn.Module) -> int:
    """Return how many numbers a module's parameters hold."""
    return sum(parameter.numel() for parameter in module.parameters())


def stir(module: nn.Module, number: int, scale: float) -> None:
    """Draw a module's parameters anew, from a normal distribution."""
    generator = torch.Generator().manual_seed(number)
    with torch.no_grad():
        for parameter in module.parameters():
            drawn = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(scale * drawn)


def reached(model: Any, x: np.ndarray, upstream: list[np.ndarray]) -> list[bool]:
    """Return for each parameter whether a gradient other than 0 gets there.

    It is that of sum(u0 * mu) + sum(u1 * logvar) + sum(u2 * decode(mu + logvar)).
    """
    model.zero_grad()
    mu, logvar = model.encode(tensor(x))
    results = mu, logvar, model.decode(mu + logvar)
    sums = [(one * tensor(u)).sum() for one, u in zip(results, upstream, strict=True)]
    torch.stack(sums).sum().backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    return [gradient is not None and bool((gradient != 0).any()) for gradient in gradients]


TERMS = ("reparameterize", "kl_to_standard_normal", "bernoulli_nll")


def give_terms(module: Any, *arrays: np.ndarray) -> dict[str, Any]:
    """Put linear functions in the place of a module's terms; return those that were there."""
    (p, q, r), s, t, v, w = map(tensor, arrays)
    given: list[Callable[..., Tensor]] = [
        lambda mu, logvar, eps: p * mu + q * logvar + r * eps,
        lambda mu, logvar: mu @ s + logvar @ t,
        lambda logits, x: logits @ v + (x * logits) @ w,
    ]
    before = {name: getattr(module, name) for name in TERMS}
    for name, function in zip(TERMS, given, strict=True):
        setattr(module, name, function)
    return before


def take_terms(module: Any, before: dict[str, Any]) -> None:
    """Put a module's own terms back."""
    for name, function in before.items():
        setattr(module, name, function)


def give_parts(model: Any, *arrays: np.ndarray) -> list[Tensor]:
    """Put an encoder and a decoder of one matrix each in the place of a model's own."""
    numbers = [tensor(array).requires_grad_() for array in arrays]
    A, a, B, b, C, c = numbers
    model.encode = lambda x: (x @ A + a, x @ B + b)
    model.decode = lambda z: z @ C + c
    return numbers


def loss_slopes(
    model: Any, numbers: list[Tensor], x: np.ndarray, eps: np.ndarray
) -> list[np.ndarray | None]:
    """Return the gradients of a model's loss for the numbers of the parts it was given."""
    for number in numbers:
        number.grad = None
    model.loss(tensor(x), tensor(eps)).backward()
    return [None if number.grad is None else number.grad.numpy() for number in numbers]


def trained(train: Callable[..., Any], model: Any, *how: Any) -> Any:
    """Run the student's training; return what it returns."""
    return train(model, *how)


class Bowl(nn.Module):
    """Stands for an autoencoder: its loss is the squared distance of its numbers from pixels.

    It notes of each loss the beginnings of the images, the noise and the mode, and which gradients
    arrive.
    """

    def __init__(self, W: np.ndarray, latent: int) -> None:
        super().__init__()
        self.W = nn.Parameter(tensor(W))
        self.latent = latent
        self.seen: list[tuple[np.ndarray, np.ndarray, bool]] = []
        self.arrived: list[np.ndarray] = []
        self.W.register_post_accumulate_grad_hook(self._note)

    def _note(self, parameter: Tensor) -> None:
        if parameter.grad is not None:
            self.arrived.append(parameter.grad.numpy().copy())

    def loss(self, x: Tensor, eps: Tensor | None = None) -> Tensor:
        eps = torch.randn(len(x), self.latent) if eps is None else eps
        first = len(self.W)
        self.seen.append((x[:, : 2 * first].numpy().copy(), eps.numpy().copy(), self.training))
        return (self.W - x[:, first : 2 * first]).square().sum(dim=1).mean()

    def forward(self, x: Tensor) -> Tensor:
        return self.loss(x)


def seen_by(bowl: Bowl) -> dict[str, list[Any]]:
    """Return what a Bowl has noted."""
    return {
        "images": [x for x, _, _ in bowl.seen],
        "noise": [eps for _, eps, _ in bowl.seen],
        "training": [training for _, _, training in bowl.seen],
        "arrived": bowl.arrived,
        "afterwards": [bowl.training],
    }


DRIVERS: dict[str, Callable[..., object]] = {
    function.__name__: function
    for function in (
        tensor,
        seed,
        mode,
        double,
        state,
        fill,
        asked,
        asked_of_tensors,
        slopes,
        size,
        stir,
        reached,
        give_terms,
        take_terms,
        give_parts,
        loss_slopes,
        trained,
        seen_by,
    )
} | {"bowl": Bowl}
PROBES: dict[str, object] = {}
