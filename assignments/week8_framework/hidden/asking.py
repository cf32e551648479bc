"""Asking a framework through its adapter, and comparing with the suite's own numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.suite import derivatives, expect
from autograder.suite.student import Student

Formula = Callable[..., Any]


def drive(student: Student, driver: str, *arguments: Any) -> Any:
    """Run a driver on the student's adapter."""
    return student.drive(driver, student.adapter, *arguments)


def prepare(student: Student, driver: str, *arguments: Any) -> Any:
    """Run a driver on the student's adapter, and keep the result there."""
    return student.prepare(driver, student.adapter, *arguments)


def built(student: Student, spec: dict[str, Any], mode: bool | None = None) -> Any:
    """Build a layer; in the given mode, where there is one."""
    layer = prepare(student, "build", spec)
    if mode is not None:
        student.adapter.mode(layer, mode)
    return layer


def listed(label: str, received: Any, count: int) -> list[Any]:
    """Return a received list of so many entries."""
    right = isinstance(received, (list, tuple)) and len(received) == count
    expect.that(label, right, f"expected {count} results, got {expect.kind_of(received)}.")
    return list(received)


def entry(label: str, received: Any, name: str) -> Any:
    """Return an entry of a received dict, which has to be there."""
    there = isinstance(received, dict) and name in received
    expect.that(label, there, f"there is no parameter called {name}.")
    return received[name]


def check_program(
    student: Student,
    label: str,
    arrays: Sequence[np.ndarray],
    program: list[list[Any]],
    formula: Formula,
    rng: np.random.Generator,
    **near: float,
) -> None:
    """Compare a computation's value and the gradients of all arrays with a formula's."""
    copies = [array.copy() for array in arrays]
    expected = np.asarray(formula(*copies))
    upstream = rng.normal(size=expected.shape)
    wants = [True] * len(arrays)
    found = drive(student, "compute", copies, wants, program, upstream, 1)
    value, gradients = listed(label, found, 2)
    expect.close(label, value, expected, **near)
    exact = derivatives.vjp(formula, arrays, upstream)
    said = listed("the gradients", gradients, len(arrays))
    for number, (one, other) in enumerate(zip(said, exact, strict=True), start=1):
        expect.close(f"{label}: gradient of operand {number}", one, other, **near)


def check_op(
    student: Student,
    name: str,
    arrays: Sequence[np.ndarray],
    options: dict[str, Any],
    formula: Formula,
    rng: np.random.Generator,
    **near: float,
) -> None:
    """Compare one operation's value and gradients with a formula's."""
    program = [[name, list(range(len(arrays))), options]]
    check_program(student, name, arrays, program, formula, rng, **near)


def drawn(rng: np.random.Generator, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Draw arrays of these shapes."""
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def check_forward(
    student: Student,
    layer: Any,
    x: np.ndarray,
    given: dict[str, np.ndarray],
    formula: Formula,
) -> None:
    """Put weights into a layer, and compare what it makes of x with a formula's."""
    drive(student, "fill", layer, given)
    found = drive(student, "run", layer, x)
    expect.close("the layer's value", found["value"], formula(x, **given))


def check_backward(
    student: Student,
    layer: Any,
    x: np.ndarray,
    given: dict[str, np.ndarray],
    formula: Formula,
    rng: np.random.Generator,
) -> None:
    """Compare the gradients of a layer's input and weights with those of a formula."""
    drive(student, "fill", layer, given)
    upstream = rng.normal(size=np.shape(formula(x, **given)))
    found = drive(student, "run", layer, x, upstream)
    names = list(given)

    def whole(*arrays: Any) -> Any:
        values = list(arrays)
        start = x if x.dtype.kind in "iu" else values.pop(0)
        return formula(start, **dict(zip(names, values, strict=True)))

    first = [] if x.dtype.kind in "iu" else [x]
    exact = derivatives.vjp(whole, [*first, *given.values()], upstream)
    for name, other in zip([*(["x"] if first else []), *names], exact, strict=True):
        expect.close(f"the gradient of {name}", entry("the gradients", found, name), other)
