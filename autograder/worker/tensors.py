"""PyTorch in a worker: one thread, the seed, tensors as values, and forbidden functions disabled.

Every function here has no effect unless torch has been imported.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection
from typing import Any, NoReturn

SHUT = (
    "torch.optim.Optimizer.__init__",
    "torch.optim.lr_scheduler.LRScheduler.__init__",
    "torch.nn.modules.batchnorm._NormBase.__init__",
    "torch.nn.functional.batch_norm",
    "torch.batch_norm",
    "torch.native_batch_norm",
)
"""Functions of torch that students write themselves; calling them raises an error, but for those
that a week's worker package names in its ALLOWED."""


def prepare(threads: int = 1) -> None:
    """Prepare torch for workers.

    The parent of all workers must have a single thread, since a fork loses all others.
    """
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)


def shut(allowed: Collection[str] = ()) -> None:
    """Disable what students write themselves, before any of their code runs."""
    if "torch" in sys.modules:
        for path in SHUT:
            if path not in allowed:
                _shut(path)


def _shut(path: str) -> None:
    """Replace the function at `path` by one that raises an error saying that it is forbidden."""
    *parts, name = path.split(".")
    target: Any = importlib.import_module(parts[0])
    for part in parts[1:]:
        target = getattr(target, part)
    setattr(target, name, _refusal(path.removesuffix(".__init__")))


def _refusal(path: str) -> Callable[..., NoReturn]:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(f"{path} is not to be used in this assignment: write your own.")

    return refuse


def seed(number: int) -> None:
    """Seed torch's global generator."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(number % 2**63)


def as_values(result: Any) -> Any:
    """Return a result with its tensors replaced by arrays, also in lists, tuples and dicts.

    Only exact types are replaced: an instance of a subclass of a tensor stays an object.
    """
    torch = sys.modules.get("torch")
    return result if torch is None else _converted(result, torch, 0)


DEEPEST = 16


def _converted(value: Any, torch: Any, depth: int) -> Any:
    kind = type(value)
    if kind is torch.Tensor or kind is torch.nn.Parameter:
        plain = value.detach().cpu()
        return (plain.float() if plain.dtype is torch.bfloat16 else plain).numpy()
    if depth < DEEPEST:
        if kind is list or kind is tuple:
            return kind([_converted(part, torch, depth + 1) for part in value])
        if kind is dict:
            return {key: _converted(part, torch, depth + 1) for key, part in value.items()}
    return value
