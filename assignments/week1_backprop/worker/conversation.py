"""Layers, losses and functions in the worker whose answers the examiner gives, call by call.

A test hands parts to student code and runs one of its functions by `begin`; each call of a part
becomes a question. What a part computes is known to the examiner alone. Nothing here tells a right
part from a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

FORWARD, BACKWARD = 0, 1


_open: list[Callable[[list[Any]], Any]] = []
"""What asks the examiner, while a function of the student's runs."""


def begin(
    ask: Callable[[list[Any]], Any],
    function: Callable[..., Any],
    args: list[Any],
    kwargs: dict[str, Any],
) -> list[Any]:
    """Call a function of the student's, whose parts may ask; return [result]."""
    _open[:] = [ask]
    try:
        return [function(*args, **kwargs)]
    finally:
        _open.clear()


def _asked(question: list[Any]) -> Any:
    """Return the examiner's answer. Raises ValueError where it is a text."""
    if not _open:
        raise RuntimeError("this layer works only while the test calls your function")
    answer = _open[0](question)
    if type(answer) is str:
        raise ValueError(answer)
    return answer


def forward(layer: Any, number: int, *arrays: Any) -> Any:
    """Ask for the output for these arrays, with the parameters that the layer has now."""
    held = [layer.W, layer.b] if getattr(layer, "W", None) is not None else []
    return _asked([number, FORWARD, *map(np.asarray, [*arrays, *held])])


def backward(layer: Any, number: int, *arrays: Any) -> Any:
    """Ask for the gradient of the latest output; store those of the parameters."""
    answer = _asked([number, BACKWARD, *map(np.asarray, arrays)])
    if type(answer) is not list:
        return answer
    result, layer.dL_dW, layer.dL_db = answer
    return result


class Part:
    """A layer, with W and b or without, a loss, or a function: its number says which to ask."""

    def __init__(self, number: int, parameters: dict[str, np.ndarray]) -> None:
        self._number = number
        for name, array in parameters.items():
            setattr(self, name, array.copy())
            setattr(self, f"dL_d{name}", np.zeros_like(array))

    def forward(self, *arrays: Any) -> Any:
        """Return the output."""
        return forward(self, self._number, *arrays)

    def backward(self, *arrays: Any) -> Any:
        """Return the gradient with respect to the input; store dL_dW and dL_db."""
        return backward(self, self._number, *arrays)

    __call__ = forward


_taken: list[tuple[Any, int]] = []
"""Layers of the student's that have become parts, with their numbers."""


def listen(kind: type) -> None:
    """Let layers of a class ask the examiner, once they have become parts; others stay as they are.

    This comes before a network is made that may keep their bound methods.
    """
    for name, ask in (("forward", forward), ("backward", backward), ("__call__", forward)):
        own = next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
        if own is not None and getattr(own, "__module__", "") != __name__:
            setattr(kind, name, _asking(own, ask))
    for name in ("dL_dW", "dL_db"):
        own = next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
        if isinstance(own, property) and own.fset is None:
            setattr(kind, name, _settable(own, name))


def _settable(own: property, name: str) -> property:
    """Return a property that may only be read, made one that holds what parts are given."""
    given: list[tuple[Any, Any]] = []

    def held(layer: Any) -> Any:
        known = [value for owner, value in given if owner is layer]
        return known[-1] if known else own.__get__(layer)

    return property(held, lambda layer, value: given.append((layer, value)))


def _asking(own: Callable[..., Any], ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that asks for a layer which has become a part."""

    def method(self: Any, *arrays: Any, **named: Any) -> Any:
        number = next((number for layer, number in reversed(_taken) if layer is self), None)
        if number is None:
            return own(self, *arrays, **named)
        return ask(self, number, *arrays)

    return method


def become(layer: Any, number: int) -> None:
    """Make a layer of the student's a part, wherever it is kept; all else that it has stays."""
    listen(type(layer))
    _taken.append((layer, number))
    for name in {"forward", "backward"} & getattr(layer, "__dict__", {}).keys():
        delattr(layer, name)


class Plain:
    """A layer x W^T that asks nobody, for tests that count the lines that code around it runs."""

    def __init__(self, W: np.ndarray) -> None:
        self.W, self.b = W.copy(), np.zeros(len(W))

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the output."""
        self._x = x
        return x @ self.W.T

    def backward(self, dL_dy: np.ndarray) -> np.ndarray:
        """Return dL/dx; store dL_dW and dL_db."""
        self.dL_dW, self.dL_db = dL_dy.T @ self._x, dL_dy.sum(axis=0)
        return dL_dy @ self.W

    __call__ = forward


class PlainLoss:
    """A loss beside it: the mean of all predictions."""

    def forward(self, y: np.ndarray, t: np.ndarray) -> float:
        """Return the loss."""
        self._y = y
        return float(np.mean(y))

    def backward(self) -> np.ndarray:
        """Return dL/dy."""
        return np.full_like(self._y, 1.0 / self._y.size)

    __call__ = forward
