"""What runs inside this week's sandboxes beside the student's code: arrays to tensors and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch._dynamo  # the first optimizer does, for a second of what would be the student's time
from torch import Tensor, nn

ALLOWED = (
    "torch.optim.Optimizer.__init__",
    "torch.optim.lr_scheduler.LRScheduler.__init__",
)
"""Who is here has written these in week 3."""


def tensor(array: np.ndarray) -> Tensor:
    """Return an array as a tensor."""
    return torch.from_numpy(array.copy())


def seed(number: int) -> None:
    """Seed PyTorch's own generator."""
    torch.manual_seed(number)


def trained(train: Callable[..., Any], model: Any, *how: Any) -> Any:
    """Run the student's training; return what it returns."""
    return train(model, *how)


def mode(module: nn.Module, training: bool) -> None:
    """Put a module into training or evaluation mode."""
    module.train(training)


def state(module: nn.Module) -> dict[str, np.ndarray]:
    """Return parameters and buffers by their names."""
    return {name: value.detach().numpy().copy() for name, value in module.state_dict().items()}


def fill(module: nn.Module, arrays: dict[str, np.ndarray]) -> None:
    """Load arrays into a module's state by their names; what isn't named stays as it is."""
    found = {name: tensor(array) for name, array in arrays.items()}
    module.load_state_dict({**module.state_dict(), **found})


def answers(model: Any, ids: np.ndarray, lengths: np.ndarray) -> Any:
    """Return the logits of reviews."""
    return said(model, tensor(ids), tensor(lengths))


def said(model: Any, ids: Tensor, lengths: Tensor) -> Any:
    """Return the logits of reviews that are tensors already."""
    with torch.no_grad():
        return model(ids, lengths)


def gradients(
    model: nn.Module, ids: np.ndarray, lengths: np.ndarray, upstream: np.ndarray
) -> dict[str, np.ndarray | None]:
    """Return the gradient of sum(upstream * logits) with respect to each parameter."""
    model.zero_grad()
    (model(tensor(ids), tensor(lengths)) * tensor(upstream)).sum().backward()
    return {
        name: None if parameter.grad is None else parameter.grad.numpy().copy()
        for name, parameter in model.named_parameters()
    }


def states_gradient(
    last_valid: Callable[..., Tensor], states: np.ndarray, lengths: np.ndarray, upstream: np.ndarray
) -> np.ndarray:
    """Return the gradient of sum(upstream * last_valid(states, lengths)) for the states."""
    leaf = tensor(states).requires_grad_()
    (last_valid(leaf, tensor(lengths)) * tensor(upstream)).sum().backward()
    assert leaf.grad is not None
    return leaf.grad.numpy()


class Reader(nn.Module):
    """A model that adds up a number for each word and part of a review's length.

    It notes what it is asked, and which gradients arrive.
    """

    def __init__(self, W: np.ndarray, b: np.ndarray) -> None:
        super().__init__()
        self.W = nn.Parameter(tensor(W))
        self.b = nn.Parameter(tensor(b))
        self.asked: list[tuple[np.ndarray, np.ndarray, bool]] = []
        self.of_logits: list[np.ndarray] = []
        self.of_b: list[np.ndarray] = []
        self.b.register_post_accumulate_grad_hook(self._note_b)

    def _note_b(self, parameter: Tensor) -> None:
        if parameter.grad is not None:
            self.of_b.append(parameter.grad.numpy().copy())

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            self.asked.append((ids.numpy().copy(), lengths.numpy().copy(), self.training))
        valid = torch.arange(ids.shape[1]) < lengths[:, None]
        logits = (self.W[ids] * valid).sum(dim=1) + self.b[0] + self.b[1] * lengths
        if logits.requires_grad:
            logits.register_hook(lambda g: self.of_logits.append(g.numpy().copy()))
        return logits


def notes(reader: Reader) -> dict[str, list[Any]]:
    """Return what a Reader has noted."""
    return {
        "ids": [ids for ids, _, _ in reader.asked],
        "lengths": [lengths for _, lengths, _ in reader.asked],
        "training": [training for _, _, training in reader.asked],
        "of_logits": reader.of_logits,
        "of_b": reader.of_b,
        "afterwards": [reader.training],
    }


DRIVERS: dict[str, Callable[..., object]] = {
    function.__name__: function
    for function in (
        tensor,
        seed,
        mode,
        state,
        fill,
        answers,
        said,
        gradients,
        states_gradient,
        notes,
        trained,
    )
} | {"reader": Reader}
PROBES: dict[str, object] = {}
