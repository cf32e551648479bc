"""What runs inside this week's sandboxes beside the student's code: arrays to tensors and back.

There are stand-ins for the parts of a network, and models for `generate` and `train`, all with the
examiner's numbers. What they compute is not what any task asks for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

ALLOWED = (
    "torch.optim.Optimizer.__init__",
    "torch.optim.lr_scheduler.LRScheduler.__init__",
)
"""Who is here has written these in week 3."""

MODULE = "transformer"


def tensor(array: np.ndarray) -> Tensor:
    """Return an array as a tensor."""
    return torch.from_numpy(array.copy())


def tensors(arrays: list[Any]) -> list[Any]:
    """Return arrays as tensors, and what else there is as it is."""
    return [tensor(one) if isinstance(one, np.ndarray) else one for one in arrays]


def seed(number: int) -> None:
    """Seed PyTorch's own generator."""
    torch.manual_seed(number)


def generator(number: int) -> torch.Generator:
    """Return a generator of PyTorch's."""
    return torch.Generator().manual_seed(number)


def mode(module: nn.Module, training: bool) -> None:
    """Put a module into training or evaluation mode."""
    module.train(training)


def outputs(function: Callable[..., Any], *arrays: Any) -> Any:
    """Return what a module or a method makes of arrays."""
    with torch.no_grad():
        return function(*tensors([*arrays]))


def said(function: Callable[..., Any], *given: Any) -> Any:
    """Return what a module or a method makes of tensors."""
    with torch.no_grad():
        return function(*given)


def part(module: Any, path: str) -> Any:
    """Return a part of a module, as "blocks.0.up.weight"; None where there is none."""
    for name in path.split("."):
        try:
            module = module[int(name)] if name.isdigit() else getattr(module, name)
        except (AttributeError, IndexError, KeyError, TypeError):
            return None
    return module


def read(module: Any, names: list[str]) -> dict[str, Any]:
    """Return a module's weights by their names, None for those that it lacks."""
    found = {name: part(module, name) for name in names}
    return {
        name: one.detach().numpy().copy() if isinstance(one, Tensor) else None
        for name, one in found.items()
    }


def write(module: Any, arrays: dict[str, np.ndarray]) -> None:
    """Put values into a module's weights, in place; what isn't named stays as it is."""
    with torch.no_grad():
        for name, array in arrays.items():
            part(module, name).copy_(tensor(array))


def slopes(function: Callable[..., Any], arrays: list[Any], upstream: np.ndarray) -> list[Any]:
    """Return the gradient of sum(upstream * function(*arrays)) for each array of numbers."""
    given = tensors(arrays)
    leaves = [one for one in given if isinstance(one, Tensor) and one.dtype.is_floating_point]
    for leaf in leaves:
        leaf.requires_grad_()
    (function(*given) * tensor(upstream)).sum().backward()
    return [None if leaf.grad is None else leaf.grad.numpy() for leaf in leaves]


def reached(module: nn.Module, arrays: list[Any], upstream: np.ndarray) -> list[bool]:
    """Return for each parameter whether a gradient other than 0 gets there."""
    module.zero_grad()
    (module(*tensors(arrays)) * tensor(upstream)).sum().backward()
    found = [parameter.grad for parameter in module.parameters()]
    return [gradient is not None and bool((gradient != 0).any()) for gradient in found]


# Stand-ins for parts of a network


def matrix(rows: int, columns: int) -> nn.Parameter:
    """Return a parameter, zeros until the examiner writes into it."""
    return nn.Parameter(torch.zeros(rows, columns))


def pooled(mask: Any, x: Tensor, queries: int) -> Tensor:
    """Return for each query the sum of the places of x that its mask has, over their number."""
    count, places = x.shape[:2]
    if mask is None:
        mask = torch.ones((), dtype=torch.bool)
    return mask.to(x.dtype).expand(count, queries, places) @ x / places


class Norm(nn.Module):
    """Stands in for a LayerNorm: each number by itself."""

    def __init__(self, d: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(d))
        self.bias = nn.Parameter(torch.zeros(d))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.weight * x) + self.bias


class Attention(nn.Module):
    """Stands in for a MultiHeadAttention."""

    def __init__(self, d_model: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.A, self.B, self.C = (matrix(d_model, d_model) for _ in range(3))

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Any = None) -> Tensor:
        told = torch.tanh(key @ self.B) + value @ self.C
        return torch.tanh(query @ self.A) + pooled(mask, told, query.shape[1])


class Block(nn.Module):
    """Stands in for a TransformerBlock."""

    def __init__(self, d_model: int, num_heads: int, d_ff: int) -> None:
        super().__init__()
        self.A, self.B = (matrix(d_model, d_model) for _ in range(2))

    def forward(self, x: Tensor, mask: Any = None) -> Tensor:
        return x + torch.tanh(x @ self.A) + pooled(mask, x @ self.B, x.shape[1])


PARTS: dict[str, Any] = {"LayerNorm": Norm, "MultiHeadAttention": Attention}


@contextmanager
def exchanged(parts: dict[str, Any]) -> Iterator[None]:
    """While it is entered, these names of the student's module stand for something of ours."""
    module = sys.modules[MODULE]
    held = {name: getattr(module, name) for name in parts if hasattr(module, name)}
    try:
        for name, one in parts.items():
            setattr(module, name, one)
        yield
    finally:
        for name, one in held.items():
            setattr(module, name, one)


def made(make: Callable[..., Any], sizes: list[int], parts: dict[str, Any]) -> Any:
    """Return what `make` makes; of our parts where it can't be made of the student's own."""
    try:
        return make(*sizes)
    except Exception:  # noqa: BLE001 - whatever a part of the student's raises
        with exchanged(parts):
            return make(*sizes)


def replace(module: nn.Module, old: Any, new: nn.Module) -> None:
    """Put a part in another one's place, wherever a module holds that."""
    for owner in [*module.modules()]:
        for table in (owner._modules, owner.__dict__):
            for name in [name for name, one in table.items() if one is old]:
                table[name] = new


def block_of_parts(make: Callable[..., Any], sizes: list[int]) -> Any:
    """Return a block of the student's, whose norms and attention are ours."""
    block = made(make, sizes, PARTS)
    for name, new in (
        ("norm1", Norm(sizes[0])),
        ("attention", Attention(*sizes[:2])),
        ("norm2", Norm(sizes[0])),
    ):
        replace(block, getattr(block, name), new)
    return block


def network_of_parts(make: Callable[..., Any], sizes: list[int]) -> Any:
    """Return a network of the student's, whose blocks and last norm are ours."""
    model = made(make, sizes, {**PARTS, "TransformerBlock": Block})
    _, _, d_model, heads, _ = sizes
    for block in [*model.blocks]:
        replace(model, block, Block(d_model, heads, 4 * d_model))
    replace(model, model.norm, Norm(d_model))
    return model


# A model for `generate`


class Speaker(nn.Module):
    """Logits are a number for each character and how far back it stands; notes how it is asked."""

    def __init__(self, table: np.ndarray) -> None:
        super().__init__()
        self.context = len(table)
        self.table = nn.Parameter(tensor(table))
        self.noted: list[list[bool]] = []

    def forward(self, ids: Tensor) -> Tensor:
        steps = ids.shape[1]
        if steps > self.context:
            raise ValueError(f"{steps} characters are more than the context of {self.context}")
        logits = torch.zeros(*ids.shape, self.table.shape[-1])
        for back in range(steps):
            logits[:, back:] += self.table[back][ids[:, : steps - back]]
        self.noted.append([self.training, logits.requires_grad])
        return logits


def noted(model: Any) -> list[Any]:
    """Return what a model of ours has noted."""
    return [*model.noted]


def in_training(model: nn.Module) -> bool:
    """Tell whether a module is in training mode."""
    return model.training


# A model for `train`


class Pairs(nn.Module):
    """Logits are a row for each character; notes the pieces that it reads, and gradients."""

    def __init__(self, table: np.ndarray, context: int) -> None:
        super().__init__()
        self.context = context
        self.table = nn.Parameter(tensor(table))
        self.noted: list[list[Any]] = []

    def forward(self, ids: Tensor) -> Tensor:
        if ids.shape[1] > self.context:
            raise ValueError(f"a piece has more characters than the context of {self.context}")
        logits = self.table[ids]
        if logits.requires_grad:
            entry = [ids.numpy().copy(), self.training, None]
            self.noted.append(entry)
            logits.register_hook(lambda g: entry.__setitem__(2, g.numpy().copy()))
        return logits


def left(model: Pairs) -> Any:
    """Return the gradient that a model of ours holds; None where it has none."""
    gradient = model.table.grad
    return None if gradient is None else gradient.numpy().copy()


def trained(train: Callable[..., Any], model: Any, *how: Any) -> Any:
    """Run the student's training; return what it returns."""
    return train(model, *how)


DRIVERS: dict[str, Callable[..., object]] = {
    function.__name__: function
    for function in (
        tensor,
        seed,
        generator,
        mode,
        outputs,
        said,
        read,
        write,
        slopes,
        reached,
        block_of_parts,
        network_of_parts,
        noted,
        left,
        in_training,
        trained,
    )
} | {"speaker": Speaker, "pairs": Pairs}
PROBES: dict[str, object] = {}
