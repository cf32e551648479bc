"""Functions and layers for tests of gradient checks: right ones, and the same with a fault.

All numbers are drawn here, and stay here. Slopes keep away from 0, so that errors can be measured
relative to single entries as well as to a whole gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.student import Student

from .asked import Asked, Counted, Curve, Mixer, Pairs, Polynomial
from .layout import Layout

ASKED, FEW = 8, 5
"""The number of layers that a check has to tell apart in one test; a guess is right at 1 of 254."""


class Function:
    """A function that the student's code can call, and its gradient."""

    def __init__(self, student: Student, rng: np.random.Generator, shape: tuple[int, ...]) -> None:
        size = int(np.prod(shape))
        cubic, waves = rng.uniform(0.5, 1.5, size=shape), rng.normal(size=shape)
        self.formula = Polynomial(cubic, waves, 0.3 * rng.normal(size=(size, size)))
        self._asked, self._student = Asked(student), student
        self._part = self._asked.part(self.formula)

    def measured(self, x: np.ndarray, epsilon: float) -> np.ndarray:
        """Return the central difference with `epsilon`; with 0, the exact gradient."""
        return self.formula.measured(x, epsilon)

    def gradient_at(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the student's numerical_gradient gives for it."""
        function = self._student.gradient_check.numerical_gradient
        return self._asked.call(function, self._part, *args, **kwargs)


Fault = Callable[[np.ndarray], np.ndarray]
"""What a wrong layer's gradient is multiplied by: made of the ones of a right layer."""


def doubled(ones: np.ndarray) -> np.ndarray:
    """Return the factors of a gradient that is twice too large."""
    return 2.0 * ones


def negative(ones: np.ndarray) -> np.ndarray:
    """Return the factors of a gradient of the wrong sign."""
    return -ones


def slightly(ones: np.ndarray) -> np.ndarray:
    """Return the factors of a gradient that is wrong by 0.1 %."""
    return 1.001 * ones


def last_entry(ones: np.ndarray) -> np.ndarray:
    """Return the factors of a gradient that is wrong in its very last entry."""
    wrong = ones.copy()
    wrong[..., -1:, -1] *= -2.0
    return wrong


Make = Callable[[], Counted]
Some = tuple[str, bool, Make] | tuple[str, bool, Make, np.ndarray]
"""Layers that a check is asked about: in words, what it has to say, how to make one, inputs."""


def signed(rng: np.random.Generator, low: float, high: float, shape: Any = None) -> Any:
    """Return numbers of both signs whose sizes lie between the two."""
    return rng.uniform(low, high, size=shape) * rng.choice([-1.0, 1.0], size=shape)


def curves(
    rng: np.random.Generator,
    shape: tuple[int, int],
    fault: Fault = np.copy,
    *,
    scale: float = 1.0,
    bend: float = 0.0,
    **more: Any,
) -> Make:
    """Return a maker of layers y = f(x), each another f, whose gradients have the same fault.

    `bend` is the size of the kink at 0, `scale` that of the whole layer, `more` are further faults.
    """

    def make() -> Curve:
        slopes = signed(rng, 1.5, 2.5, shape)
        parts = [signed(rng, 0.4, 0.8, shape), slopes, bend * slopes / 3.0, rng.normal(size=shape)]
        return Curve(scale * np.array(parts), fault(np.ones(shape)), **more)

    return make


def pairs(rng: np.random.Generator, factor: float = 1.0) -> Make:
    """Return a maker of layers of 4 inputs and 3 outputs, which are products of two inputs."""
    return lambda: Pairs(signed(rng, 0.5, 1.5, 3), factor)


MIXER, SMALL = (2, 3), (1, 3)
"""Outputs and inputs of the layers with parameters. Each entry costs two questions, so that small
ones do where a fault concerns all entries alike."""


def mixers(
    rng: np.random.Generator,
    row: bool = False,
    W: Fault = np.copy,
    b: Fault = np.copy,
    *,
    sizes: tuple[int, int] = MIXER,
    scale: float = 1.0,
    **more: Any,
) -> Make:
    """Return a maker of layers with W of shape (M, D) and b of shape (M,), or (1, M) for a `row`.

    The faults are in dL_dW and dL_db; `scale` is the size of the outputs, `sizes` are M and D.
    """
    form = Layout(transposed=False, axes=(1, -1) if row else (-1,))

    def make() -> Mixer:
        faults = {"w": W(np.ones(sizes)), "v": b(np.ones((1, sizes[0])))[0]}
        c, d = rng.uniform(0.8, 1.2), rng.uniform(0.0, 0.2)
        return Mixer(sizes, c, d, form, size=scale * signed(rng, 0.5, 2.0), **faults, **more)

    return make


class Checked:
    """The layers that a test shows to one of the student's checks, and what that says of each.

    `check` is gradient_check or gradient_check_weights.
    """

    def __init__(self, student: Student, rng: np.random.Generator, check: str) -> None:
        self._asked, self._rng, self._check = Asked(student), rng, check
        self._function = getattr(student.gradient_check, check)

    def order(self, wanted: list[bool], asked: int = ASKED) -> Any:
        """Draw which layers to ask about, each at least once: numbers of these answers.

        What answers True and False in turn must not be right by chance.
        """
        more = self._rng.integers(len(wanted), size=max(0, asked - len(wanted)))
        order = self._rng.permutation([*range(len(wanted)), *more])
        while all(wanted[a] != wanted[b] for a, b in pairwise(order)):
            order = self._rng.permutation(order) if len(order) > 3 else [*order, order[-1]]
        return order

    def tells_apart(
        self, x: Any, *some: Some, row: bool = False, asked: int = ASKED, **settings: Any
    ) -> None:
        """Expect what the check says of several layers of these, in random order."""
        for number in self.order([entry[1] for entry in some], asked):
            said, wanted, make, *own = some[number]
            self.says(own[0] if own else x, said, wanted, make(), row=row, **settings)

    def says(
        self,
        x: Any,
        said: str,
        wanted: bool,
        formula: Counted,
        *,
        row: bool = False,
        **settings: Any,
    ) -> tuple[Handle, dict[str, np.ndarray]]:
        """Expect what the check says of one layer; return that and its parameters at the start.

        To say it, it has to have run the layer forward and backward, and a right one repeatedly.
        """
        held = {}
        if isinstance(formula, Mixer):
            outputs = formula.sizes[0]
            b = signed(self._rng, 0.5, 1.5, (1, outputs) if row else outputs)
            held = {"W": signed(self._rng, 0.5, 1.5, formula.sizes), "b": b}
        layer = self._asked.part(formula, **held)
        received = self._asked.call(self._function, layer, x, **settings)
        if self._check == "gradient_check_weights":
            received = says_right(self._check, received, settings.get("tolerance", 1e-5))
        expect.equal(f"{self._check} of {said}", received, wanted)
        needed = 2 if wanted else 1
        ran = formula.forwards >= needed and formula.backwards >= 1
        expect.that(self._check, ran, "it answers without running the layer forward and backward.")
        return layer, held


def in_either_form(check: Callable[[bool], Any]) -> None:
    """Run a check with biases of shape (2,) and of shape (1, 2): one of the two has to pass."""
    expect.any_of(lambda: check(False), lambda: check(True))


def says_right(label: str, received: Any, tolerance: float = 1e-5) -> bool:
    """Return what a check says: True or False, or its error, which has to be below `tolerance`."""
    if type(received) is float:
        return received < tolerance
    expect.that(label, type(received) is bool, "expected True or False.")
    return bool(received)
