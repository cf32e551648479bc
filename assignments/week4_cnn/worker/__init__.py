"""What runs inside this week's sandboxes beside the student's code: parts that the examiner speaks.

A test hands parts to student code, layers of a network or functions that layers call, and runs one
of the student's functions. Each call of a part becomes a question, which the examiner answers
(`hidden/stand_ins.py` is the other end): what a part computes is not known here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Ask = Callable[[list[Any]], Any]

FORWARD, BACKWARD = 0, 1

_open: list[Ask] = []
"""What asks the examiner, while a function of the student's runs."""


def _asked(question: list[Any]) -> Any:
    """Return the examiner's answer. Raises ValueError where it is a text."""
    if not _open:
        raise RuntimeError("this part works only while the test calls your function")
    answer = _open[-1](question)
    if type(answer) is str:
        raise ValueError(answer)
    return answer


def begin(ask: Ask, function: Callable[..., Any], args: list[Any]) -> list[Any]:
    """Call a function of the student's, whose layers may be parts; return [result]."""
    _open.append(ask)
    try:
        return [function(*args)]
    finally:
        _open.clear()


class Part:
    """A layer, with W and b or without: its number says which to ask."""

    def __init__(self, number: int, parameters: dict[str, np.ndarray]) -> None:
        self._number = number
        for name, array in parameters.items():
            setattr(self, name, array.copy())
            setattr(self, f"dL_d{name}", np.zeros_like(array))

    def forward(self, x: Any) -> Any:
        """Return the output."""
        held = [self.W, self.b] if hasattr(self, "W") else []
        return _asked([self._number, FORWARD, *map(np.asarray, [x, *held])])

    def backward(self, dL_dy: Any) -> Any:
        """Return the gradient with respect to the input; store dL_dW and dL_db."""
        answer = _asked([self._number, BACKWARD, np.asarray(dL_dy)])
        if type(answer) is not list:
            return answer
        result, self.dL_dW, self.dL_db = answer
        return result

    __call__ = forward


def put_in(model: Any, parts: list[Any]) -> None:
    """Put other layers in the place of a network's: in its list, and wherever it keeps them."""
    old = list(model.layers)
    model.layers = list(parts)
    for name, value in list(getattr(model, "__dict__", {}).items()):
        for layer, part in zip(old, parts, strict=False):
            if value is layer:
                setattr(model, name, part)


def with_functions(
    ask: Ask, modules: list[str], names: list[str], function: Callable[..., Any], args: list[Any]
) -> list[Any]:
    """Call a function of the student's while functions of the first module are the examiner's.

    They are that wherever one of the modules has them, whatever it calls them.
    """
    source, *_ = held = [sys.modules[name] for name in modules if name in sys.modules]
    changed: list[tuple[Any, str, Any]] = []
    for name in names:
        own = getattr(source, name, None)
        places = [(m, key) for m in held for key, value in vars(m).items() if value is own]
        for module, key in places if own is not None else []:
            changed.append((module, key, own))
            setattr(module, key, _standing_in(name))
    try:
        return begin(ask, function, args)
    finally:
        for module, key, own in changed:
            setattr(module, key, own)


def _standing_in(name: str) -> Callable[..., Any]:
    """Return a function that asks the examiner for the value of the one of this name."""

    def asking(*args: Any, **named: Any) -> Any:
        given = {key: _plain(value) for key, value in named.items()}
        return _asked([name, [_plain(value) for value in args], given])

    return asking


def _plain(value: Any) -> Any:
    """Return a value as it can be sent: NumPy's numbers as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def images_of(images: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """Return (images - mean) / deviation with one channel: (N, H, W) uint8 to (N, H, W, 1)."""
    return (images.astype(np.float64)[..., np.newaxis] - mean) / deviation


DRIVERS: dict[str, Callable[..., object]] = {
    "part": Part,
    "begin": begin,
    "put_in": put_in,
    "with_functions": with_functions,
    "images_of": images_of,
}
PROBES: dict[str, object] = {}
