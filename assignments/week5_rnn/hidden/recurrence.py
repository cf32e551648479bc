"""A recurrent layer of the student's with the examiner's weights, sequence and gradient.

What the layer should answer comes from `formulas_rnn`. Where its `forward` has a mistake that is
known there, `backward` is held to what belongs to that forward: each is judged by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.suite import expect
from autograder.suite.student import Student

from .formulas_rnn import RIGHT, WRONG, by_hand

BLOCKS = {"RNN": 1, "LSTM": 4}
STARTS = {"RNN": ("h0",), "LSTM": ("h0", "c0")}
WEIGHTS = ("Wx", "Wh", "b")

N, D, H, T = 2, 3, 4, 5
"""Rows, features, states and steps: all differ, so that no axis stands for another."""

Compare = Callable[[str, Any, np.ndarray], Any]


def sequence(label: str, received: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Return a sequence, a list of T arrays or one array, as an array of this shape."""
    if type(received) is np.ndarray:
        return expect.array(label, received, shape)
    several = type(received) in (list, tuple)
    message = f"expected a list of {shape[0]} arrays, got {expect.kind_of(received)}."
    expect.that(label, several, message)
    count = len(received)
    expect.that(label, count == shape[0], f"expected {shape[0]} arrays, got {count}.")
    arrays = [
        expect.array(f"{label}, step {t} of {count}", one, shape[1:])
        for t, one in enumerate(received, 1)
    ]
    return np.stack(arrays)


class Layer:
    """One layer, and one sequence that it reads."""

    def __init__(
        self,
        student: Student,
        rng: np.random.Generator,
        kind: str,
        sizes: tuple[int, int] = (D, H),
        scale: float = 1.0,
    ) -> None:
        self.student, self.kind, self.rng, self.sizes = student, kind, rng, sizes
        self.own = getattr(student.rnn, kind)(*sizes)
        self.given: dict[str, np.ndarray] = {}
        self.draw_weights(scale)
        self.draw()

    def draw_weights(self, scale: float = 1.0) -> None:
        """Give the layer other weights. Wh has the deviation scale / sqrt(H)."""
        size, hidden = self.sizes
        wide = BLOCKS[self.kind] * hidden
        self.given |= {
            "Wx": self.rng.normal(size=(size, wide)),
            "Wh": self.rng.normal(size=(hidden, wide)) * scale / np.sqrt(hidden),
            "b": self.rng.normal(size=wide),
        }
        self.put_weights()

    def put_weights(self, dtype: str = "float64") -> None:
        """Write the weights into the student's layer."""
        for name in WEIGHTS:
            setattr(self.own, name, self.given[name].astype(dtype))

    def draw(self, steps: int = T, rows: int = N, started: bool = True) -> None:
        """Draw another sequence, where it starts from, and gradients of its states."""
        size, hidden = self.sizes
        self.given["x"] = self.rng.normal(size=(steps, rows, size))
        for name in STARTS[self.kind]:
            drawn = self.rng.normal(size=(rows, hidden))
            self.given[name] = drawn if started else np.zeros_like(drawn)
        self.started = started
        self.use(self.rng.normal(size=(steps, rows, hidden)))

    def use(self, gradients: np.ndarray, where: Sequence[int] | None = None) -> None:
        """Choose the direct gradients, which are None but at some steps; None: at all."""
        self.upstream: list[np.ndarray | None] = [
            one if where is None or t in where else None for t, one in enumerate(gradients)
        ]

    @property
    def starts(self) -> list[np.ndarray]:
        """What is handed to forward behind the sequence."""
        return [self.given[name] for name in STARTS[self.kind]] if self.started else []

    @property
    def whole_upstream(self) -> np.ndarray:
        """The direct gradients as one array, zeros where there is none."""
        zeros = np.zeros_like(self.given["h0"])
        return np.stack([zeros if one is None else one for one in self.upstream])

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of the states, (T, N, H)."""
        return (len(self.given["x"]), *self.given["h0"].shape)

    def own_array(self, array: np.ndarray) -> Any:
        """Put a copy of an array into the worker."""
        return self.student.keep(array)

    def states(self) -> np.ndarray:
        """Return the right states."""
        return RIGHT[self.kind].states(self.given)

    def forward(self, x: Any = None, *starts: Any) -> Any:
        """Call forward, with a list of arrays unless something else is handed over."""
        self.said = self.own.forward(
            list(self.given["x"]) if x is None else x, *(starts or self.starts)
        )
        return self.said

    def backward(self, upstream: Any = None) -> Any:
        """Call backward; keep what it returns."""
        self.dx = self.own.backward(self.upstream if upstream is None else upstream)
        return self.dx

    def both(self) -> None:
        """Call forward and backward."""
        self.forward()
        self.backward()

    def received(self, name: str) -> Any:
        """Return a gradient: dL/dx of the latest backward, or one that it has set."""
        if name != "x":
            return getattr(self.own, f"dL_d{name}")
        return sequence("dL_dx", self.dx, self.given["x"].shape)

    def wanted(self, name: str) -> np.ndarray:
        """Return the right gradient."""
        return by_hand(self.kind, RIGHT[self.kind], self.given, self.whole_upstream)[name]

    def expect_gradient(
        self, name: str, compare: Compare = expect.close, part: Any = slice(None)
    ) -> None:
        """Compare a gradient, or a part of it, with the one that belongs to forward."""
        label, received = f"dL_d{name}", self.received(name)
        wanted = self.wanted(name)
        received = expect.array(label, received, wanted.shape)[part]
        try:
            compare(label, received, wanted[part])
        except expect.Wrong:
            if not any(_holds(compare, label, received, one[part]) for one in self.others(name)):
                raise

    def others(self, name: str) -> list[np.ndarray]:
        """Return gradients of the ways that the student's forward goes, if it is no right one.

        None of them is 0: nothing is no answer.
        """
        try:
            states = sequence("states", self.said, self.shape)
        except expect.Wrong:
            return []
        if np.allclose(states, self.states(), rtol=1e-4, atol=1e-6):
            return []
        found = []
        for way in WRONG[self.kind].values():
            if np.allclose(states, way.states(self.given), rtol=1e-4, atol=1e-6):
                if way.recurs:
                    found.append(way.gradient(self.given, self.whole_upstream, name))
                for blocks in ("roles", "columns"):
                    all_of_them = by_hand(self.kind, way, self.given, self.whole_upstream, blocks)
                    found.append(all_of_them[name])
        return [gradient for gradient in found if np.any(gradient)]


def _holds(compare: Compare, label: str, received: Any, wanted: np.ndarray) -> bool:
    try:
        compare(label, received, wanted)
    except expect.Wrong:
        return False
    return True
