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
    # BEGIN SOLUTION cifar.transfer
    for parameter in module.parameters():
        parameter.requires_grad = False
    module.eval()
    # END SOLUTION


def replace_head(network: nn.Module, classes: int) -> nn.Linear:
    """Put a new linear layer for `classes` classes into the place of the last one; return it.

    The last one is that which `named_modules` meets last; it may lie in a module of a module. The
    new one has as many inputs, PyTorch's initial weights, and parameters that can be trained, also
    where the network is frozen.
    """
    # BEGIN SOLUTION cifar.transfer
    name, old = [
        (name, part) for name, part in network.named_modules() if isinstance(part, nn.Linear)
    ][-1]
    head = nn.Linear(old.in_features, classes)
    parent, _, attribute = name.rpartition(".")
    setattr(network.get_submodule(parent), attribute, head)
    return head
    # END SOLUTION


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
    # BEGIN SOLUTION cifar.transfer
    free = _thaw_what_is_free(network)
    optimizer, losses = torch.optim.Adam(free, lr=lr), []
    for _ in range(epochs):
        total, order = [], torch.randperm(len(x), generator=generator)
        for rows in order.split(batch_size):
            total.append(_step(network, x[rows], labels[rows], optimizer))
        losses.append(sum(total) / len(total))
    network.eval()
    return losses
    # END SOLUTION


def _thaw_what_is_free(network: nn.Module) -> list[nn.Parameter]:
    """Put what is not frozen into training mode; return its parameters."""
    # BEGIN SOLUTION cifar.transfer
    network.train()
    for module in network.modules():
        own = list(module.parameters())
        if own and not any(parameter.requires_grad for parameter in own):
            module.eval()
    return [parameter for parameter in network.parameters() if parameter.requires_grad]
    # END SOLUTION


def _step(network: nn.Module, x: Tensor, labels: Tensor, optimizer: torch.optim.Optimizer) -> float:
    """Take one step on a batch; return the loss before it."""
    # BEGIN SOLUTION cifar.transfer
    loss = functional.cross_entropy(network(x), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    # END SOLUTION
