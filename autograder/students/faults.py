"""Faults that are put around a student's own classes, for trying the student's own tests.

A week's faults stand in tests/faults.toml, one `[[fault]]` each: `on`, the module and the class;
`kind`, one of those below; `says`, what is wrong then. Nothing here knows what is right: a fault
changes what the student's own methods give.

    factor       what `method` returns, or the attribute `of` after it, is multiplied by `number`
    swapped      its axes are exchanged, in the old shape
    first_rows   all rows of it but the first are 0
    added        the attribute `of` is added to what it was before
    ones         `backward` gets an upstream gradient of ones
    stale        `backward` works with what the first `forward` has kept
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

FILE = "faults.toml"

Fault = Mapping[str, Any]
Change = Callable[[Any], Any]


def read_faults(tests: Path) -> list[dict[str, Any]]:
    """Return the faults of a week, by the folder of its public tests; none without the file."""
    file = tests / FILE
    return tomllib.loads(file.read_text("utf-8"))["fault"] if file.is_file() else []


def put_around(fault: Fault, module: Any) -> bool:
    """Change the class of a module as a fault says; False where there is no such class or method.

    `module` is the imported one; `backward` is the method that a fault without `method` is in.
    """
    kind = getattr(module, fault["on"].rpartition(".")[2], None)
    name = fault.get("method", "backward")
    if not (isinstance(kind, type) and callable(getattr(kind, name, None))):
        return False
    PUT[fault["kind"]](kind, name, fault)
    return True


def _replace(kind: type, name: str, around: Callable[..., Any]) -> None:
    """Replace a method by `around(method, self, *arguments)`."""
    method = getattr(kind, name)

    @functools.wraps(method)
    def changed(self: Any, *arguments: Any, **named: Any) -> Any:
        return around(functools.partial(method, self), self, *arguments, **named)

    setattr(kind, name, changed)


def _change(change: Change) -> Callable[[type, str, Fault], None]:
    """Return what puts a change around a method's result, or around an attribute after it."""

    def put(kind: type, name: str, fault: Fault) -> None:
        attribute = fault.get("of")

        def around(method: Any, self: Any, *arguments: Any, **named: Any) -> Any:
            result = method(*arguments, **named)
            if attribute is None:
                return change(result)
            setattr(self, attribute, change(getattr(self, attribute)))
            return result

        _replace(kind, name, around)

    return put


def _factor(kind: type, name: str, fault: Fault) -> None:
    _change(lambda value: value * fault["number"])(kind, name, fault)


def _swapped(value: Any) -> Any:
    array = np.asarray(value)
    return np.ascontiguousarray(array.T).reshape(array.shape)


def _first_rows(value: Any) -> Any:
    array = np.array(value)
    array[1:] = 0
    return array


def _added(kind: type, name: str, fault: Fault) -> None:
    attribute, ran = fault["of"], list[tuple[Any, Any]]()

    def around(method: Any, self: Any, *arguments: Any, **named: Any) -> Any:
        result = method(*arguments, **named)
        before = next((value for owner, value in reversed(ran) if owner is self), 0)
        ran.append((self, getattr(self, attribute) + before))
        setattr(self, attribute, ran[-1][1])
        return result

    _replace(kind, name, around)


def _ones(kind: type, name: str, fault: Fault) -> None:
    def around(method: Any, self: Any, *arguments: Any, **named: Any) -> Any:
        return method(*(np.ones_like(each) for each in arguments), **named)

    _replace(kind, name, around)


def _stale(kind: type, name: str, fault: Fault) -> None:
    """Let an object keep what its first `forward` has stored, but for its parameters."""
    first: list[tuple[Any, dict[str, Any]]] = []

    def around(method: Any, self: Any, *arguments: Any, **named: Any) -> Any:
        before = _state(self)
        result = method(*arguments, **named)
        known = next((kept for owner, kept in first if owner is self), None)
        if known is None:
            now = _state(self)
            first.append((self, {n: now[n] for n in now if now[n] is not before.get(n, now)}))
        for attribute, value in (known or {}).items():
            setattr(self, attribute, value)
        return result

    _replace(kind, "forward", around)


def _state(owner: Any) -> dict[str, Any]:
    """Return what an object holds, in its dict or in slots."""
    names = {*getattr(owner, "__dict__", {})}
    for base in type(owner).__mro__:
        slots = base.__dict__.get("__slots__", ())
        names |= {slots} if isinstance(slots, str) else {*slots}
    return {name: getattr(owner, name) for name in names if hasattr(owner, name)}


PUT: dict[str, Callable[[type, str, Fault], None]] = {
    "factor": _factor,
    "swapped": _change(_swapped),
    "first_rows": _change(_first_rows),
    "added": _added,
    "ones": _ones,
    "stale": _stale,
}
"""The kinds of faults, by name."""
