"""How suites examine an autograd engine: one operation on fresh operands, value and gradients.

An operation is written once, for NumPy and for the student's objects alike (`lambda a, b: a + b`),
or twice where the two are called differently (`np.exp`, and `lambda a: a.exp()` as `apply`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.channel.handles import Operand
from autograder.suite import expect
from autograder.suite.derivatives import vjp
from autograder.suite.student import Student

TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}
"""Both sides work in float64, so they agree up to rounding."""

NAMES = "abcdef"
"""What operands are called in labels."""

Function = Callable[..., Any]


def values(student: Student, *numbers: float) -> list[Operand]:
    """Return a leaf of the student's scalar engine for each number."""
    return [student.operand(student.autograd.Value(number)) for number in numbers]


def tensors(student: Student, *arrays: Any, requires_grad: bool = True) -> list[Operand]:
    """Return a leaf of the student's array engine for each array."""
    make = student.tensor.Tensor
    return [student.operand(make(array, requires_grad=requires_grad)) for array in arrays]


def check_values(
    student: Student, label: str, f: Function, *numbers: float, apply: Function | None = None
) -> None:
    """Compare a scalar operation's value, and its gradients for an upstream gradient of 0.7."""
    leaves = values(student, *numbers)
    _check(label, f, numbers, leaves, (apply or f)(*leaves), 0.7)


def check_tensors(
    student: Student,
    label: str,
    f: Function,
    arrays: Sequence[Any],
    upstream: Any,
    apply: Function | None = None,
) -> None:
    """Compare an array operation's value and gradients. `upstream` has the shape of the result."""
    leaves = tensors(student, *arrays)
    _check(label, f, arrays, leaves, (apply or f)(*leaves), upstream)


def _check(
    label: str, f: Function, at: Sequence[Any], leaves: list[Operand], result: Any, upstream: Any
) -> None:
    expect.close(f"data of {label}", result.data, f(*at), **TOLERANCE)
    result.backward(upstream)
    for number, gradient in enumerate(vjp(f, at, upstream)):
        expect.close(f"{NAMES[number]}.grad of {label}", leaves[number].grad, gradient, **TOLERANCE)


def refuses(label: str, call: Callable[[], Any], *named: Any) -> None:
    """`call()` raises a ValueError whose message names these numbers or shapes."""
    expect.raises(label, call, "ValueError")
    try:
        call()
    except Fault as fault:
        text = fault.message.partition("\n")[0]
    plain = text.replace(" ", "")
    missing = [str(one) for one in named if str(one).replace(" ", "") not in plain]
    message = f"the message does not name {' and '.join(missing)}; it is {text!r}."
    expect.that(f"the exception of {label}", not missing, message)


def shapes_text(*arrays: Any) -> str:
    """Return the shapes of arrays for a label: `(3, 1) and (1, 4)`."""
    return " and ".join(str(np.shape(array)) for array in arrays)
