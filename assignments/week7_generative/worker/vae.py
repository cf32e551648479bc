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
    )
}
PROBES: dict[str, object] = {}
