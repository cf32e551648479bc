"""Functions and layers for tests of gradient checks: right ones, and the same with a fault.

All numbers are drawn here; slopes keep away from 0, so that errors can be measured relative to
single entries as well as to a whole gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.student import Student


class Function:
    """A function in the worker, and its gradient."""

    def __init__(self, student: Student, rng: np.random.Generator, shape: tuple[int, ...]) -> None:
        size = int(np.prod(shape))
        self.cubic, self.waves = rng.uniform(0.5, 1.5, size=shape), rng.normal(size=shape)
        self.form = 0.3 * rng.normal(size=(size, size))
        self.handle = student.probe("function")(self.cubic, self.waves, self.form)

    def measured(self, x: np.ndarray, epsilon: float) -> np.ndarray:
        """Return the central difference with `epsilon`; with 0, the exact gradient."""
        share = np.sin(epsilon) / epsilon if epsilon else 1.0
        form = ((self.form + self.form.T) @ np.ravel(x)).reshape(x.shape)
        return self.cubic * (3 * x**2 + epsilon**2) + self.waves * share * np.cos(x) + form


Fault = Callable[[np.ndarray], np.ndarray]
"""What a wrong layer's gradient is made of: of the numbers of the right one."""


def doubled(numbers: np.ndarray) -> np.ndarray:
    """Return a gradient that is twice too large."""
    return 2.0 * numbers


def negative(numbers: np.ndarray) -> np.ndarray:
    """Return a gradient of the wrong sign."""
    return -numbers


def slightly(numbers: np.ndarray) -> np.ndarray:
    """Return a gradient that is wrong by 0.1 %."""
    return 1.001 * numbers


def last_entry(numbers: np.ndarray) -> np.ndarray:
    """Return a gradient that is wrong in its very last entry."""
    wrong = numbers.copy()
    wrong[..., -1, -1] *= -2.0
    return wrong


class CurveMaker:
    """Makes layers y = f(x) of one f: `right()`, or `wrong(fault)` in what backward returns.

    `bend` is the size of the kink at 0, `scale` that of the whole layer.
    """

    def __init__(
        self,
        student: Student,
        rng: np.random.Generator,
        shape: tuple[int, int],
        scale: float = 1.0,
        bend: float = 0.0,
    ) -> None:
        self._probe = student.probe("curve")
        p = [rng.uniform(0.4, 0.8), rng.uniform(1.5, 2.5), bend, rng.normal()]
        self._p = scale * np.array(p)
        self._q = self._p[:3, np.newaxis, np.newaxis] * np.ones(shape)

    def right(self) -> Handle:
        """Return the layer with a right gradient."""
        return self._probe(self._p, self._q)

    def wrong(self, fault: Fault = doubled, **more: Any) -> Handle:
        """Return it with a fault, or with other settings of the layer."""
        return self._probe(self._p, fault(self._q), **more)


class MixerMaker:
    """Makes layers with W of shape (3, 5) and b of shape (3,), or (1, 3) where `row` says so."""

    def __init__(
        self, student: Student, rng: np.random.Generator, row: bool, scale: float = 1.0
    ) -> None:
        self._probe = student.probe("mixer")
        self.W = scale * rng.uniform(0.5, 1.5, size=(3, 5))
        self.b = np.sqrt(scale) * rng.uniform(0.5, 1.5, size=(1, 3) if row else 3)

    def right(self) -> Handle:
        """Return the layer with right gradients."""
        return self.wrong()

    def wrong(self, W: Fault | None = None, b: Fault | None = None, **more: Any) -> Handle:
        """Return it with faults in dL_dW or dL_db, or with other settings of the layer."""
        w, v = (
            fault(np.ones(np.shape(numbers))) if fault else np.ones(np.shape(numbers))
            for fault, numbers in ((W, self.W), (b, np.atleast_2d(self.b)))
        )
        return self._probe(self.W, self.b, w, v if self.b.ndim == 2 else v[0], **more)


def in_either_form(check: Callable[[bool], Any]) -> None:
    """Run a check with biases of shape (3,) and of shape (1, 3): one of the two has to pass."""
    expect.any_of(lambda: check(False), lambda: check(True))


def says_right(label: str, received: Any, tolerance: float = 1e-5) -> bool:
    """Return what a check says: True or False, or its error, which has to be below `tolerance`."""
    if type(received) is float:
        return received < tolerance
    expect.that(label, type(received) is bool, "expected True or False.")
    return bool(received)
