"""A trained network put to another task: its trunk frozen, its head replaced, what is left trained.

Three functions that work on any PyTorch network whose last linear layer is its head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


def freeze(module: nn.Module) -> None:
    """Let nothing of a module change any more: no gradients, and evaluation mode.

    Batch normalisation changes without any gradient: in training mode each batch moves its running
    statistics, and they are part of what the network has learnt.
    """
    raise NotImplementedError("cifar.transfer: fill in freeze")


def replace_head(network: nn.Module, classes: int) -> nn.Linear:
    """Put a new linear layer for `classes` classes into the place of the last one; return it.

    The last one is that which `named_modules` meets last; it may lie in a module of a module. The
    new one has as many inputs, PyTorch's initial weights, and parameters that can be trained, also
    where the network is frozen.
    """
    raise NotImplementedError("cifar.transfer: fill in replace_head")


def fine_tune(
    network: nn.Module,
    x: Tensor,
    labels: Tensor,
    epochs: int,
    lr: float = 0.01,
    batch_size: int = 32,
    seed: int = 0,
) -> list[float]:
    """Train what is not frozen; return the mean of the batches' losses in each epoch.

    The loss of a batch is the mean cross-entropy of its logits, and a step goes by the gradients of
    one batch, in an order that is new in each epoch. A module that has parameters, all of them
    frozen, is in evaluation mode throughout, with all modules within it; all others are in training
    mode while it lasts, and afterwards all are in evaluation mode. Nothing that is frozen changes
    by a single bit.

    Args:
        network: takes `x`, and is changed.
        x: what goes in, float32, shape (N, ...), not changed.
        labels: int64, shape (N,), not changed.
        epochs: how many.
        lr: the learning rate, of any optimizer that you like.
        batch_size: examples in one step.
        seed: decides the orders.
    """
    generator = torch.Generator().manual_seed(seed)
    raise NotImplementedError("cifar.transfer: fill in fine_tune")


def _thaw_what_is_free(network: nn.Module) -> list[nn.Parameter]:
    """Put what is not frozen into training mode; return its parameters."""
    raise NotImplementedError("cifar.transfer: fill in _thaw_what_is_free")


def _step(network: nn.Module, x: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer) -> float:
    """Take one step on a batch; return the loss before it."""
    raise NotImplementedError("cifar.transfer: fill in _step")
