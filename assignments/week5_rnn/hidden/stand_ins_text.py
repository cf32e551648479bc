"""What stands in for the parts of a student's CharLSTM: an embedding, an LSTM, loss and clipping.

The examiner answers each call of them, so the network is judged by itself, whatever the parts that
the student wrote do. Formulas stay here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.student import Student

from . import formulas_text as formulas
from .formulas_text import NAMES, Model, Weights

SIZES = V, D, H = 7, 3, 4
"""The alphabet, the vectors and the states of the network that is put together here."""


def _numbers(value: Any) -> np.ndarray:
    """Return an array of real numbers as float64, of integers as int64. Raises ValueError else."""
    if type(value) is not np.ndarray or value.dtype.kind not in "biuf":
        raise ValueError("arguments have to be arrays of numbers")
    return value.astype(np.float64 if value.dtype.kind == "f" else np.int64)


class Parts:
    """The examiner's end: what the parts answer, with what was read last."""

    def __init__(self) -> None:
        self._ids = self._W = self._read = None

    def answer(self, question: Any) -> Any:
        """Return what a part gives for these arrays, a text if they don't fit."""
        if type(question) is not list or not question or type(question[0]) is not str:
            return "this is no call of a part"
        name, *given = question
        step = getattr(self, f"_{name}", None) if name in _PARTS else None
        try:
            return "this is no call of a part" if step is None else step(*given)
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            return f"{name}: these arguments don't fit: {error}"

    def _embedding(self, way: Any, *arrays: Any) -> Any:
        if way == "forward":
            ids, W = map(_numbers, arrays)
            if ids.dtype.kind != "i" or (ids.size and not 0 <= ids.min() <= ids.max() < len(W)):
                raise ValueError(f"characters are whole numbers from 0 to {len(W) - 1}")
            self._ids, self._W = ids, W
            return W[ids]
        return formulas.embedding_gradient(self._W, self._ids, *map(_numbers, arrays))

    def _lstm(self, way: Any, *arrays: Any) -> Any:
        if way == "forward":
            given = [None if one is None else _numbers(one) for one in arrays]
            self._read = formulas.Reading(*given)
            return [self._read.h[1:], self._read.c[-1]]
        return list(self._read.gradients(*map(_numbers, arrays)))

    def _sequence_loss(self, *arrays: Any) -> Any:
        return list(formulas.sequence_loss(*map(_numbers, arrays)))

    def _clip_gradients(self, grads: Any, limit: Any) -> Any:
        if type(limit) is not float or not limit > 0.0 or type(grads) is not list:
            raise ValueError("expected a list of arrays, and a positive limit")
        return formulas.clipped([_numbers(one) for one in grads], limit)


_PARTS = ("embedding", "lstm", "sequence_loss", "clip_gradients")


class Network:
    """A student's CharLSTM whose parts are the examiner's, and the examiner's own beside it."""

    def __init__(self, student: Student, rng: np.random.Generator, scale: float = 1.0) -> None:
        self._student, self.rng = student, rng
        drawn = formulas.drawn(rng, *SIZES)
        weights = {name: scale * array for name, array in drawn.items()}
        self.own, self._parts = Model(weights), Parts()
        make = student.language.CharLSTM
        self.model: Handle = student.prepare(
            "text_network", make, list(SIZES), list(weights.values())
        )

    def ids(self, *shape: int) -> np.ndarray:
        """Draw characters."""
        return self.rng.integers(0, V, size=shape)

    def call(self, method: str, *args: Any) -> Any:
        """Call a method of the student's network; return its result."""
        function = getattr(self.model, method)
        return self._student.converse(self._parts.answer, "in_parts", function, list(args))

    def forward(self, ids: Any) -> Any:
        """Return the logits of the student's network."""
        return self.call("forward", ids)

    def generate(self, start: Any, count: int, temperature: float, seed: int = 0) -> Any:
        """Return what the student's network writes."""
        given = (self.model, start, count, temperature, seed)
        return self._student.converse(self._parts.answer, "written_on", *given)

    def set_state(self, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw a state and give it to both networks."""
        state = self.rng.normal(size=(rows, H)), self.rng.normal(size=(rows, H))
        self.model.state = self.own.state = state
        return state

    def state(self, rows: int) -> list[np.ndarray]:
        """Return the student's state: (rows, H) each."""
        held = self.model.state
        two = isinstance(held, (tuple, list)) and len(held) == 2
        expect.that("state", two, "expected the LSTM's state and its cell, one behind the other.")
        parts = zip(("state", "cell"), held, strict=True)
        return [expect.array(f"the {name} kept", one, (rows, H)) for name, one in parts]

    def weights(self) -> Weights:
        """Return the student's present weights."""
        return self._named("read_text_weights", "{}")

    def gradients(self) -> Weights:
        """Return the gradients that the student's network has stored."""
        return self._named("text_gradients", "gradient of {}")

    def _named(self, driver: str, label: str) -> Weights:
        found = self._student.drive(driver, self.model)
        pairs = zip(NAMES, found, strict=True)
        shapes = formulas.shapes(*SIZES)
        return {name: expect.array(label.format(name), one, shapes[name]) for name, one in pairs}


def expect_all(label: str, received: Weights, wanted: Weights, **near: float) -> None:
    """Compare arrays one by one, those next to the logits first."""
    for name in reversed(NAMES):
        expect.close(label.format(name), received[name], wanted[name], **near)
