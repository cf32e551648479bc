"""Networks whose layers and loss are made up here: what they compute comes from the test's numbers.

A network of the student's is looked at with such layers in it, whatever the student's own layers
do. The same holds for the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.student import Student

from ..worker.probes import Curve, Loss, Mixer

Held = list[dict[str, np.ndarray]]
"""W and b, or their gradients, of both layers that have some, first to last."""

CLASSES = 10


@dataclass(frozen=True)
class Parts:
    """Layers in the worker, and what they compute.

    start: their parameters as the layers hold them; logits: of (x); gradients: of (x, dL_dlogits),
    in the form of `start`; inputs: the gradient with respect to x, of the same.
    """

    layers: Sequence[Handle]
    start: Held
    logits: Callable[[np.ndarray], np.ndarray]
    gradients: Callable[[np.ndarray, np.ndarray], Held]
    inputs: Callable[[np.ndarray, np.ndarray], np.ndarray]
    features: int

    def held(self, *names: str) -> Held:
        """Return attributes of the first and the last layer, such as "W" or "dL_db"."""
        ends = (0, len(self.layers) - 1)
        return [
            {
                name: expect.array(label(n, name), getattr(self.layers[n], name), shape)
                for name in names
                for shape in [numbers[name[-1]].shape]
            }
            for n, numbers in zip(ends, self.start, strict=True)
        ]

    def compare(self, expected: Held, gradients: bool = False, names: str = "Wb") -> None:
        """Expect both layers to hold these parameters, or stored gradients."""
        ends = (0, len(self.layers) - 1)
        for n, numbers in zip(ends, expected, strict=True):
            for name in names:
                attribute = f"dL_d{name}" if gradients else name
                received = getattr(self.layers[n], attribute)
                expect.close(label(n, attribute), received, numbers[name])

    def after(self, x: np.ndarray, dL_dlogits: np.ndarray, lr: float) -> Held:
        """Return the parameters after one step of gradient descent from `start`."""
        steps = self.gradients(x, dL_dlogits)
        return [
            {name: before[name] - lr * step[name] for name in "Wb"}
            for before, step in zip(self.start, steps, strict=True)
        ]


def label(number: int, attribute: str) -> str:
    """Return what an attribute of a layer is called in messages."""
    return f"layers[{number}].{attribute}"


# Made-up layers: Mixer, Curve, Mixer. All are square: a wrong order gives wrong numbers, no error.


def plain(student: Student, W: np.ndarray, b: np.ndarray) -> Handle:
    """Return a layer with parameters that is nothing but that."""
    return student.probe("mixer")(W, b)


def as_linear(student: Student, W: np.ndarray, b: np.ndarray) -> Handle:
    """Return the same layer, for code that asks whether it is a Linear."""
    return student.probe("mixer_of_kind")(student.neural_net.Linear, W, b)


Kind = Callable[[Student, np.ndarray, np.ndarray], Handle]
KINDS: tuple[Kind, ...] = (plain, as_linear)


def made_up(student: Student, rng: np.random.Generator, kind: Kind = plain) -> Parts:
    """Return made-up layers for 10 inputs and 10 classes; all outputs lie between 0 and 1."""
    square, p = (CLASSES, CLASSES), rng.uniform(0.2, 1.0, size=4)
    start = [
        {"W": rng.normal(size=square), "b": rng.normal(size=CLASSES)},
        {"W": rng.normal(size=square), "b": rng.uniform(0.65, 0.75, size=CLASSES)},
    ]
    start[1]["W"] *= 0.4 / np.abs(start[1]["W"]).sum(axis=1, keepdims=True)
    first, last = (kind(student, numbers["W"], numbers["b"]) for numbers in start)

    def ran(x: np.ndarray) -> tuple[list[Any], np.ndarray]:
        """Return the layers' twins here after a forward pass, and its output."""
        twins: list[Any] = [Mixer(**start[0]), Curve(p, p[:3]), Mixer(**start[1])]
        for layer in twins:
            x = layer.forward(x)
        return twins, x

    def gradients(x: np.ndarray, dL_dy: np.ndarray) -> Held:
        twins, _ = ran(x)
        back(twins, dL_dy)
        return [{"W": layer.dL_dW, "b": layer.dL_db} for layer in (twins[0], twins[2])]

    return Parts(
        layers=[first, student.probe("curve")(p, p[:3]), last],
        start=start,
        logits=lambda x: ran(x)[1],
        gradients=gradients,
        inputs=lambda x, dL_dy: back(ran(x)[0], dL_dy),
        features=CLASSES,
    )


def back(layers: Sequence[Any], dL_dy: np.ndarray) -> np.ndarray:
    """Return dL/dx of three layers in a row."""
    first, curve, last = layers
    return first.backward(curve.backward(last.backward(dL_dy)))


# Losses: the mean over the batch of something, and its gradient with respect to the predictions.

Value = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]
"""Of (predictions (N, C), class indices (N,)): the loss and its gradient."""


def made_up_loss(y: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    """Return value and gradient of the made-up loss."""
    twin = Loss()
    return twin.forward(y, t), twin.backward()


# A network with a batch, and what a step of training does to it.

LR = 0.3
BATCH = 7


@dataclass(frozen=True)
class Case:
    """A network of the student's, its parts, and the loss that it lowers.

    `y` are targets in the form that the loss takes, `t` the same as class indices.
    """

    network: Handle
    parts: Parts
    loss: Value
    x: np.ndarray
    y: np.ndarray
    t: np.ndarray

    def value(self) -> float:
        """Return the loss of the batch before any step."""
        return self.loss(self.parts.logits(self.x), self.t)[0]

    def after_a_step(self) -> list[dict[str, np.ndarray]]:
        """Return the parameters after one step of gradient descent with rate LR."""
        _, gradient = self.loss(self.parts.logits(self.x), self.t)
        return self.parts.after(self.x, gradient, LR)


Check = Callable[[Case], Any]


def batch(rng: np.random.Generator, features: int, size: int = BATCH) -> Any:
    """Return inputs and class indices."""
    return rng.normal(size=(size, features)), rng.integers(0, CLASSES, size=size)
