"""What the student's layers compute, as expressions: they are given stand-ins for tensors.

A stand-in (the probe `recording`) has no numbers and only notes what is done with it. The numbers
are put in here. So a layer that is right is found right on a faulty engine, too.
"""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.derivatives import relu, vjp
from autograder.suite.student import Student

LONGEST = 40
"""Operations of an expression; the layers of this week need four."""


_words: weakref.WeakKeyDictionary[Student, dict[str, str]] = weakref.WeakKeyDictionary()
"""What the worker knows each stand-in by: a word of this run, which says nothing."""


def recording(student: Student, name: str) -> Handle:
    """Return a stand-in for a tensor."""
    word = secrets.token_hex(8)
    _words.setdefault(student, {})[name] = word
    return student.probe("recording")(word)


def recorded(student: Student, layer: Any, name: str) -> Any:
    """Put stand-ins into a linear layer: W<name> and b<name>, which have to require gradients."""
    for part in ("W", "b"):
        expect.equal(f"{part}.requires_grad", getattr(layer, part).requires_grad, True)
        setattr(layer, part, recording(student, f"{part}{name}"))
    return layer


def expression(student: Student, result: Any) -> Callable[..., np.ndarray]:
    """Return the function of numbers by name that a layer computed from stand-ins."""
    note = student.drive("note", result)
    expect.that("the layer's operations", _size(note) <= LONGEST, "there are more than expected.")

    words = dict(_words[student])

    def value(**numbers: np.ndarray) -> Any:
        try:
            return _value(note, {words[name]: array for name, array in numbers.items()})
        except (ValueError, TypeError, IndexError) as error:
            what = "they don't go together with the shapes of W, b and x."
            raise expect.Wrong("the layer's operations", what) from error

    return value


def _size(note: Any) -> int:
    return 1 + sum(map(_size, note)) if isinstance(note, list) else 1


OPERATORS = {"+": np.add, "-": np.subtract, "*": np.multiply, "@": np.matmul}


def _value(note: Any, numbers: dict[str, np.ndarray]) -> Any:
    """Return what a note says, with numbers in the place of names."""
    if isinstance(note, str) and note in numbers:
        return numbers[note]
    if type(note) in (int, float):
        return note
    if isinstance(note, list) and len(note) == 3 and note[0] in OPERATORS:
        return OPERATORS[note[0]](*(_value(part, numbers) for part in note[1:]))
    if isinstance(note, list) and len(note) == 2 and note[0] == "T":
        return np.transpose(_value(note[1], numbers))
    if isinstance(note, list) and len(note) >= 2 and note[0] == "()":
        return _called(note[1], note[2:], numbers)
    raise expect.Wrong("the layer's operations", "they are not those of an engine.")


def _called(method: Any, arguments: Sequence[Any], numbers: dict[str, np.ndarray]) -> Any:
    """Return the result of a method of tensors that was called."""
    if not (isinstance(method, list) and len(method) == 2):
        raise expect.Wrong("the layer's operations", "they are not those of an engine.")
    name, operand = method[0], _value(method[1], numbers)
    plain = [tuple(one) if isinstance(one, list) else one for one in arguments]
    if name == "relu" and not plain:
        return relu(operand)
    if name in ("transpose", "reshape"):
        return getattr(operand, name)(*plain)
    raise expect.Wrong("the layer's operations", "they are not those of an engine.")


def derivatives(
    function: Callable[..., np.ndarray], arrays: Sequence[np.ndarray], upstream: np.ndarray
) -> list[np.ndarray]:
    """Return the gradients of an expression, or fail the test where its shape is another."""
    shape = np.shape(function(*arrays))
    expect.equal("shape of the layer's result", shape, upstream.shape)
    return vjp(function, arrays, upstream)
