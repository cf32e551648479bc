"""Drivers that step a student's optimizer on made-up gradients, and go through a loader."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch.nn import functional

from .drivers import batches, tensor

MOST_BATCHES = 200


def optimize(
    make: Any,
    starts: list[np.ndarray],
    gradients: list[list[Any]],
    options: dict[str, Any] | list[float],
    rates: list[float] | None = None,
    moved_at: int | None = None,
    given_as: str = "list",
) -> dict[str, Any]:
    """Take len(gradients) steps with given gradients (None for none); return the paths.

    After `moved_at` steps a new optimizer goes on from the state dict, through safetensors' format.
    The parameters are `given_as` a "list" or an "iterator". Returns {"path": for each parameter,
    (steps + 1, ...), "leaves": whether the parameters are leaves that require gradients still,
    "kept": whether the gradients are as they were}.
    """
    params = [tensor(start).requires_grad_() for start in starts]
    group = list if given_as == "list" else iter
    optimizer = made(make, group(params), options)
    path = [[p.detach().clone() for p in params]]
    leaves = kept = True
    for step, given in enumerate(gradients):
        if step == moved_at:
            state = stored(optimizer.state_dict())
            optimizer = made(make, group(params), options)
            optimizer.load_state_dict(state)
        if rates is not None:
            optimizer.lr = rates[step]
        for p, gradient in zip(params, given, strict=True):
            p.grad = None if gradient is None else tensor(gradient)
        optimizer.step()
        for p, gradient in zip(params, given, strict=True):
            leaves = leaves and p.is_leaf and p.requires_grad
            kept = kept and _kept(p.grad, gradient)
        path.append([p.detach().clone() for p in params])
    moves = [np.stack(moves) for moves in zip(*path, strict=True)]
    return {"path": moves, "leaves": leaves, "kept": kept}


def _kept(received: Any, gradient: np.ndarray | None) -> bool:
    if received is None or gradient is None:
        return received is None and gradient is None
    return bool(np.array_equal(received.detach().numpy(), gradient))


def optimize_two(
    make: Any,
    starts: list[np.ndarray],
    gradients: list[list[np.ndarray]],
    options: dict[str, Any],
    moved_at: int,
) -> list[Any]:
    """Let a second optimizer take over the first one's very state; then both go on, in turn.

    Returns the first parameter as each of them leaves it.
    """
    pairs = []
    params = [tensor(start).requires_grad_() for start in starts]
    pairs.append((make(params, **options), params))
    for step, given in enumerate(gradients):
        if step == moved_at:
            copies = [p.detach().clone().requires_grad_() for p in params]
            second = make(copies, **options)
            second.load_state_dict(pairs[0][0].state_dict())
            pairs.append((second, copies))
        for optimizer, moved in pairs:
            for p, gradient in zip(moved, given, strict=True):
                p.grad = tensor(gradient)
            optimizer.step()
    return [moved[0].detach() for _, moved in pairs]


def made(make: Any, params: Any, options: dict[str, Any] | list[float]) -> Any:
    """Return make(params, **options), or make(params, *options) for a list."""
    return make(params, *options) if isinstance(options, list) else make(params, **options)


def attribute(owner: Any, name: str) -> Any:
    """Return an attribute, as something to keep in the worker."""
    return getattr(owner, name)


def with_gradients(starts: list[np.ndarray]) -> list[Any]:
    """Return parameters that have gradients, of ones."""
    params = [tensor(start).requires_grad_() for start in starts]
    for p in params:
        p.grad = p.detach() * 0 + 1
    return params


def gradients_in(params: list[Any]) -> list[Any]:
    """Return the parameters' gradients."""
    return [p.grad for p in params]


def parameters(module: Any) -> list[Any]:
    """Return a module's parameters."""
    return list(module.parameters())


def state_dict_of(owner: Any) -> dict[str, Any]:
    """Return owner.state_dict(), as something to keep in the worker."""
    return owner.state_dict()


def stored(state: dict[str, Any]) -> dict[str, Any]:
    """Return a state dict as it comes back from a safetensors file."""
    return load(save({str(name): value for name, value in state.items()}))


def kinds_in(state: dict[str, Any]) -> list[str]:
    """Return the names of the types of a dict's values, each once."""
    return sorted({type(value).__name__ for value in state.values()})


def overfit(model: Any, optimizer: Any, pairs: list[list[np.ndarray]], steps: int) -> list[float]:
    """Train with cross-entropy on some batches in turn; return the losses, for the report."""
    model.train()
    losses = []
    for _, (x, y) in zip(range(steps), itertools.cycle(batches(pairs)), strict=False):
        loss = functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def epoch(loader: Any) -> dict[str, Any]:
    """Iterate over a loader once: {"x", "y": joined, "sizes": of the batches, "dtypes": found}."""
    pairs = list(itertools.islice(iter(loader), MOST_BATCHES))
    if not pairs:
        return {"x": None, "y": None, "sizes": [], "dtypes": []}
    return {
        "x": torch.cat([x for x, _ in pairs]).contiguous(),
        "y": torch.cat([y for _, y in pairs]).contiguous(),
        "sizes": [len(x) for x, _ in pairs],
        "dtypes": sorted({f"{x.dtype} {y.dtype}" for x, y in pairs}),
    }


def length(owner: Any) -> int:
    """Return len(owner)."""
    return len(owner)


DRIVERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        optimize,
        optimize_two,
        made,
        attribute,
        with_gradients,
        gradients_in,
        parameters,
        state_dict_of,
        stored,
        kinds_in,
        overfit,
        epoch,
        length,
    )
}
