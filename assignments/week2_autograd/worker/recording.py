"""A stand-in for a tensor that has no numbers: it notes what is done with it, and nothing else.

A layer that is given such stand-ins shows what it computes, whatever the engine is worth. The note
goes to the examiner, who puts its own numbers in.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

Note = Any
"""A name; or a list: the operation, then the notes of its operands, numbers and axes."""


def _operator(symbol: str) -> tuple[Callable[..., Recording], Callable[..., Recording]]:
    """Return the methods for a stand-in on the left of an operator, and for one on its right."""
    return (
        lambda self, other: recording([symbol, note_of(self), note_of(other)]),
        lambda self, other: recording([symbol, note_of(other), note_of(self)]),
    )


class Recording:
    """Something of which every operation is a longer note."""

    __array_ufunc__ = None

    __add__, __radd__ = _operator("+")
    __sub__, __rsub__ = _operator("-")
    __mul__, __rmul__ = _operator("*")
    __matmul__, __rmatmul__ = _operator("@")

    def __getattr__(self, name: str) -> Recording:
        if name.startswith("__"):
            raise AttributeError(name)
        return recording([name, note_of(self)])

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{name} can't be set here")

    def __call__(self, *arguments: Any, **named: Any) -> Recording:
        given = [*map(note_of, arguments), *map(note_of, named.values())]
        return recording(["()", note_of(self), *given])

    def __neg__(self) -> Recording:
        return recording(["-", 0.0, note_of(self)])


_notes: weakref.WeakKeyDictionary[Recording, Note] = weakref.WeakKeyDictionary()


def recording(note: Note) -> Recording:
    """Return a stand-in; only what is done with it shows what it stands for."""
    made = Recording()
    _notes[made] = note
    return made


def note_of(value: Any) -> Note:
    """Return the note of a stand-in; numbers and tuples of them as they are."""
    if type(value) is Recording:
        return _notes[value]
    if type(value) in (int, float, type(None)):
        return value
    if type(value) in (tuple, list) and all(type(part) is int for part in value):
        return list(value)
    raise TypeError(f"{type(value).__name__} can't be noted")


def note(result: Any) -> Note:
    """Return what was noted, for the examiner."""
    if type(result) is not Recording:
        raise TypeError("the result does not come from what the layer was given")
    return _notes[result]


DRIVERS: dict[str, Callable[..., Any]] = {"note": note}
PROBES: dict[str, Any] = {"recording": recording}
