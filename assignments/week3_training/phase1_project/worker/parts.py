"""Drivers that put made-up parts into a student's modules, and tell which layer is which.

A made-up part stands where another of the student's parts would. So a mistake in one part fails the
tests of no other.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch

from .drivers import fill
from .probes import Fading, Mixer, Pixel, Shift, Walker, stands_for

LAYERS, RESNET = "models.layers", "models.resnet"


def with_parts(norm: bool, block: bool) -> ModuleType:
    """Import models.resnet with made-up parts: in place of BatchNorm2d, and of BasicBlock too."""
    _forget()
    if norm:
        layers = _module(LAYERS)
        layers.BatchNorm2d = stands_for(getattr(layers, "BatchNorm2d", None), Shift)
    resnet = importlib.import_module(RESNET)
    if block:
        resnet.BasicBlock = stands_for(getattr(resnet, "BasicBlock", None), Mixer)
    return resnet


def _module(name: str) -> Any:
    """Import a module; where that fails, an empty one stands for it, to put made-up parts into."""
    try:
        return importlib.import_module(name)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, tests of its own will say
        empty = ModuleType(name)
        empty.__loader__ = _loader()
        return sys.modules.setdefault(name, empty)


def _loader() -> Any:
    """Return what loads the student's modules, without an import of any."""
    spec = importlib.util.find_spec("models") or importlib.util.find_spec("train")
    return spec.loader if spec else None


def _theirs() -> dict[str, ModuleType]:
    """Return the student's modules that have been imported, helpers too, and the empty ones."""
    loader = _loader()
    found = {name: getattr(module, "__loader__", None) for name, module in sys.modules.items()}
    return {name: sys.modules[name] for name, its in found.items() if its and its is loader}


def _forget() -> None:
    """Forget the student's modules, so that they are imported anew, as they are in the files."""
    for name in _theirs():
        del sys.modules[name]


def _put(stand_in: Any, place: str, name: str) -> None:
    """Put something in the place of a module's object, in all modules that have imported it."""
    module = _module(place)
    own = getattr(module, name, None)
    setattr(module, name, stand_in)
    for other in () if own is None else _theirs().values():
        for known, value in list(vars(other).items()):
            if value is own:
                setattr(other, known, stand_in)


def layers(module: Any) -> list[dict[str, Any]]:
    """Return what a block or a network is made of, in the order in which it was made.

    {"name", "kind"} of each convolution, normalisation, block and linear layer, and of a
    convolution or a block that is made up what it was made with.
    """
    found = []
    for name, part in module.named_modules():
        kind = _kind(part) if name else ""
        if kind:
            found.append({"name": name, "kind": kind, **_made(part)})
    return found


def _kind(part: Any) -> str:
    """Say what a layer is: "conv", "norm", "block", "linear", or "" for anything else."""
    kinds = {
        "conv": torch.nn.Conv2d,
        "linear": torch.nn.Linear,
        "norm": getattr(importlib.import_module(LAYERS), "BatchNorm2d", None),
        "block": getattr(importlib.import_module(RESNET), "BasicBlock", None),
    }
    fits = (kind for kind, cls in kinds.items() if isinstance(cls, type) and isinstance(part, cls))
    return next(fits, "")


def _made(part: Any) -> dict[str, Any]:
    if isinstance(part, torch.nn.Conv2d):
        return {
            "channels": [part.in_channels, part.out_channels],
            "kernel": list(part.kernel_size),
            "stride": list(part.stride),
            "bias": part.bias is not None,
        }
    made = vars(part).get("sizes", ())
    return {"made": list(made)} if len(made) == 3 else {}


# A made-up network, optimizer and schedule


def _pixel() -> type[Pixel]:
    """Return the made-up network, which has seen nothing yet."""
    Pixel.__name__ = "ResNet18"  # in messages to students
    Pixel.passes.clear()
    Pixel.stop_at = None
    return Pixel


def with_network(source: str = "") -> ModuleType:
    """Import train with a made-up network, and with the PARTS that `source` makes, in places."""
    made: dict[str, Any] = {"__name__": "made_up", "PARTS": {}}
    exec(source, made)
    _forget()
    for place, parts in {RESNET: {"ResNet18": _pixel()}, **made["PARTS"]}.items():
        for name, part in parts.items():
            _put(part, place, name)
    return importlib.import_module("train")


def trio(lr: float, values: dict[str, np.ndarray]) -> list[Any]:
    """Return a made-up network with such weights, an optimizer and a schedule, as handles."""
    network = _pixel()(len(values["bias"]))
    fill(network, values)
    optimizer = Walker(list(network.parameters()), lr)
    return [network, optimizer, Fading(optimizer)]


def forward_passes() -> list[list[Any]]:
    """Return what the made-up network's forward passes were given (see Pixel)."""
    return Pixel.passes


def interrupted(train: ModuleType, options: list[str], passes: int) -> bool:
    """Run train.main(options) until the made-up network has trained on so many batches, no longer.

    Tells whether that came to pass.
    """
    network = _pixel()
    network.stop_at = passes
    try:
        train.main(options)
    except KeyboardInterrupt:
        return True
    finally:
        network.stop_at = None
    return False


def main_of(train: ModuleType, options: list[str]) -> None:
    """Run train.main(options), which may take as long as training does."""
    train.main(options)


DRIVERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        with_parts,
        layers,
        with_network,
        trio,
        forward_passes,
        interrupted,
        main_of,
    )
}
