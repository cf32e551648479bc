"""What runs inside this week's sandboxes beside the student's code: probes and a driver by name."""

from collections.abc import Callable
from typing import Any

from .probes import PROBES


def put_in(model: Any, parts: list[Any]) -> None:
    """Put other layers in the place of a network's: in its list, and wherever it keeps them."""
    old = list(model.layers)
    model.layers = list(parts)
    for name, value in list(getattr(model, "__dict__", {}).items()):
        for layer, part in zip(old, parts, strict=False):
            if value is layer:
                setattr(model, name, part)


DRIVERS: dict[str, Callable[..., object]] = {"put_in": put_in}

__all__ = ["DRIVERS", "PROBES"]
