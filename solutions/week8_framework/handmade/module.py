"""What a layer is: a module with parameters, buffers, modules inside it, and two modes.

A module's parameters are found by walking through its attributes: tensors, modules, and lists of
them, nested as they like. So a layer is written by assigning attributes, and nothing is registered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from handmade.tensor import Tensor

Parts = Sequence[Any]


class Module:
    """Base of all layers. A layer defines `forward`; the array attributes in `buffers` are state.

    Attributes:
        training: whether it is in training mode; `train` and `eval` change it, inside as well.
        buffers: names of attributes that are no parameters and belong to a checkpoint all the same.
    """

    buffers: tuple[str, ...] = ()

    def __init__(self) -> None:
        """Begin in training mode."""
        self.training = True

    def forward(self, x: Any) -> Tensor:
        """Return what the layer makes of x."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, x: Any) -> Tensor:
        """Return what the layer makes of x."""
        return self.forward(x)

    def children(self) -> Iterator[tuple[str, Any]]:
        """Yield what lies in the attributes, by name: tensors and modules, those in lists too."""
        for name, attribute in vars(self).items():
            yield from _parts(name, attribute)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield this module and all inside it, each once, with the names of their places."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            place, module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield place, module
            inner = [(n, one) for n, one in module.children() if isinstance(one, Module)]
            stack += [(f"{place}{name}.", one) for name, one in reversed(inner)]

    def named_parameters(self) -> dict[str, Tensor]:
        """Return the parameters by name, each once however often it is used."""
        found: dict[str, Tensor] = {}
        for place, module in self.named_modules():
            for name, one in module.children():
                if isinstance(one, Tensor) and not any(one is known for known in found.values()):
                    found[f"{place}{name}"] = one
        return found

    def parameters(self) -> list[Tensor]:
        """Return the parameters, each once."""
        return list(self.named_parameters().values())

    def state(self) -> dict[str, np.ndarray]:
        """Return copies of all arrays that a checkpoint needs: parameters and buffers by name."""
        state = {name: one.data.copy() for name, one in self.named_parameters().items()}
        for place, module in self.named_modules():
            state |= {f"{place}{name}": np.array(getattr(module, name)) for name in module.buffers}
        return state

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state` returned. Raises KeyError or ValueError where it does not fit."""
        for name, one in self.named_parameters().items():
            if state[name].shape != one.shape:
                raise ValueError(
                    f"{name} has shape {one.shape}, the checkpoint {state[name].shape}"
                )
            one.data = state[name].copy()
        for place, module in self.named_modules():
            for name in module.buffers:
                setattr(module, name, state[f"{place}{name}"].copy())

    def train(self, training: bool = True) -> None:
        """Go over to training mode, or to evaluation mode, with everything inside."""
        for _, module in self.named_modules():
            module.training = training

    def eval(self) -> None:
        """Go over to evaluation mode."""
        self.train(False)

    def freeze(self) -> None:
        """Let the parameters want no gradient any more: no step moves them."""
        for one in self.parameters():
            one.requires_grad, one.grad = False, None


def _parts(name: str, attribute: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(attribute, Tensor | Module):
        yield name, attribute
    elif isinstance(attribute, list | tuple):
        for number, one in enumerate(attribute):
            yield from _parts(f"{name}.{number}" if name else str(number), one)


class Sequential(Module):
    """Layers one after the other. A list among them is a part that runs in its own order."""

    def __init__(self, layers: Parts) -> None:
        """Keep the layers: modules, and lists of them."""
        super().__init__()
        self.layers = list(layers)

    def children(self) -> Iterator[tuple[str, Any]]:
        """Yield the layers by their numbers alone: "0.weight", "1.2.bias"."""
        yield from _parts("", self.layers)

    def forward(self, x: Any) -> Tensor:
        """Return what the last layer makes of it."""
        return _run(self.layers, x)


def _run(layers: Parts, x: Any) -> Any:
    for layer in layers:
        x = _run(layer, x) if isinstance(layer, list | tuple) else layer(x)
    return x
