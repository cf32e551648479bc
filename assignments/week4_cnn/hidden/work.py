"""That something is right, where a check is about a side of it only.

A check of a dtype, or of arguments that stay as they are, must not fail for every wrong value; but
code of which nothing is right has no sides. So the plainest values have to be right before such a
check looks, in one of several ways: each common mistake leaves one of them right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.suite import expect
from autograder.suite.hidden.sides import proportional, something_right
from autograder.suite.student import Student

from . import formulas
from .cases import CONVOLUTIONS, PLAIN, SIDE_BY_SIDE, Case

Rng = np.random.Generator

POINT = CONVOLUTIONS["a kernel of 1 x 1"]
"""Here a rotated kernel, or a sum that is overwritten, changes nothing."""
APART = CONVOLUTIONS["stride 3, larger than the kernel"]
"""Here windows don't overlap."""


def turned(kernel: np.ndarray) -> np.ndarray:
    """Return a kernel rotated by 180 degrees."""
    return kernel[::-1, ::-1]


def conv2d_is_right(student: Student, rng: Rng) -> None:
    """conv2d is right in the plainest case, but for a factor, or with a kernel of 1 x 1."""

    def way(case: Case, kernel: np.ndarray, used: np.ndarray) -> None:
        x = case.x(rng)
        received = student.conv.conv2d(x, kernel, *case.settings)
        proportional("conv2d", received, formulas.conv2d(x, used, *case.settings))

    plain, point = PLAIN.kernel(rng), POINT.kernel(rng)
    something_right(
        lambda: way(PLAIN, plain, plain),
        lambda: way(POINT, point, point),
        lambda: way(PLAIN, plain, turned(plain)),
    )


def gradients(student: Student, *args: Any) -> Any:
    """Return the two gradients that the student's conv2d_backward gives."""
    received = student.conv.conv2d_backward(*args)
    two = isinstance(received, (tuple, list)) and len(received) == 2
    message = f"expected two arrays, dL/dx and dL/dkernel, got {expect.kind_of(received)}."
    expect.that("conv2d_backward", two, message)
    return received


LARGE = 1e9
"""Of this size is the argument that a gradient doesn't depend on.

It enters no formula of the gradient, and spoils a difference of two outputs, which is no gradient.
"""


def drawn(case: Case, rng: Rng, number: int) -> list[np.ndarray]:
    """Return an upstream gradient, images and a kernel, to ask for one of the two gradients."""
    x, kernel = case.x(rng), case.kernel(rng)
    return [case.grad(rng), *((x, LARGE * kernel) if number else (LARGE * x, kernel))]


def gradient_is_right(student: Student, rng: Rng, *numbers: int) -> None:
    """One of these gradients (0: dL/dx, 1: dL/dkernel) is right, as conv2d_is_right asks."""

    def way(number: int, case: Case, turn: bool) -> None:
        grad, x, kernel = drawn(case, rng, number)
        received = gradients(student, grad, x, kernel, *case.settings)[number]
        used = turned(kernel) if turn else kernel
        wanted = formulas.conv2d_backward(grad, x, used, *case.settings)[number]
        label = ("dL/dx", "dL/dkernel")[number]
        proportional(label, received, turned(wanted) if turn and number else wanted)

    something_right(
        *(
            lambda number=number, case=case, turn=turn: way(number, case, turn)
            for case, turn in ((PLAIN, False), (POINT, False), (PLAIN, True))
            for number in numbers
        )
    )


def im2col_is_right(student: Student, rng: Rng) -> None:
    """im2col is right, or has the right entries in another order."""
    x = PLAIN.x(rng)
    received = student.conv.im2col(x, *PLAIN.window, *PLAIN.settings)
    wanted = formulas.im2col(x, *PLAIN.window, *PLAIN.settings)
    rows = expect.array("im2col", received, wanted.shape).astype(np.float64)
    something_right(
        lambda: expect.close("im2col", rows, wanted),
        lambda: expect.close("im2col, sorted", np.sort(rows, None), np.sort(wanted, None)),
    )


def col2im_is_right(student: Student, rng: Rng) -> None:
    """col2im is right in the plainest case, or where windows don't overlap."""

    def way(case: Case) -> None:
        args = case.columns(rng), case.images, *case.window, *case.settings
        proportional("col2im", student.conv.col2im(*args), formulas.col2im(*args))

    something_right(lambda: way(PLAIN), lambda: way(APART))


def _pooled(student: Student, x: np.ndarray) -> None:
    received = student.conv.max_pool2d(x, 2, 2, 0)
    proportional("max_pool2d", received, formulas.max_pool2d(x, 2, 2, 0))


FAR_APART = 1e15
"""The factor of images whose gradient is asked for: that stays as it is, a difference doesn't."""


def _pooled_back(student: Student, x: np.ndarray, grad: np.ndarray) -> None:
    received = student.conv.max_pool2d_backward(grad, FAR_APART * x, 2, 2, 0)
    proportional("dL/dx", received, formulas.max_pool2d_backward(grad, x, 2, 2, 0))


def _winners(student: Student, x: np.ndarray, grad: np.ndarray) -> None:
    received = student.conv.max_pool2d_backward(grad, FAR_APART * x, 2, 2, 0)
    places = expect.array("dL/dx", received, x.shape) != 0
    wanted = formulas.max_pool2d_backward(grad, x, 2, 2, 0) != 0
    expect.equal("where dL/dx is not 0", places.astype(np.int64), wanted.astype(np.int64))


def pooling_back_is_right(student: Student, rng: Rng) -> None:
    """max_pool2d_backward is right where no entries are equal, or finds the right ones."""
    x, grad = SIDE_BY_SIDE.x(rng), SIDE_BY_SIDE.grad(rng)
    something_right(*_ways_back(student, x, grad))


def pooling_is_right(student: Student, rng: Rng) -> None:
    """One of both functions is right, for negative images or for positive ones."""
    x, grad = SIDE_BY_SIDE.x(rng), SIDE_BY_SIDE.grad(rng)
    something_right(
        lambda: _pooled(student, x),
        lambda: _pooled(student, x - 2.0 * x.min()),
        *_ways_back(student, x, grad),
    )


def _ways_back(student: Student, x: np.ndarray, grad: np.ndarray) -> list[Callable[[], None]]:
    return [lambda: _pooled_back(student, x, grad), lambda: _winners(student, x, grad)]
