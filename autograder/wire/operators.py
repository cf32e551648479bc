"""Operators and indices on the wire: a symbol with its operands; an index encoded as values.

Used on both sides: by the examiner's operands and by the worker.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

OPERATORS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "@": operator.matmul,
    "negative": operator.neg,
    "[]": lambda target, index: target[decode_index(index)],
}


def operate(symbol: str, *operands: Any) -> Any:
    """Apply an operator to its operands: one for "negative", two for the others."""
    return OPERATORS[symbol](*operands)


def encode_index(index: Any) -> Any:
    """Return an index encoded as a value, since slices, Ellipsis and None can't be sent."""
    if isinstance(index, slice):
        return ["slice", index.start, index.stop, index.step]
    if index is Ellipsis:
        return ["ellipsis"]
    if index is None:
        return ["new axis"]
    if isinstance(index, tuple):
        return ["tuple", *map(encode_index, index)]
    return ["at", index]


def decode_index(encoded: list[Any]) -> Any:
    """Return the index that `encode_index` was given."""
    kind, *parts = encoded
    if kind == "slice":
        return slice(*parts)
    if kind == "tuple":
        return tuple(map(decode_index, parts))
    return {"ellipsis": Ellipsis, "new axis": None}[kind] if kind != "at" else parts[0]
