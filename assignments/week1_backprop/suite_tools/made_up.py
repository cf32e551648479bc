"""Networks whose layers and loss are made up here: what they compute comes from the test's numbers.

A network of the student's is looked at with such layers in it, whatever the student's own layers
do. The same holds for the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.derivatives import vjp
from autograder.suite.student import Student

from .asked import FLAT, Asked, Asking, CosineLoss, Curve, Formula, Mixer
from .layout import Layout, layout_of

Held = list[dict[str, np.ndarray]]
"""W and b, or their gradients, of both layers that have some, first to last."""

CLASSES = 10


@dataclass(frozen=True)
class Parts:
    """Layers in the worker, and what they compute.

    start: their parameters as the layers hold them; logits: of (x); gradients: of (x, dL_dlogits),
    in the form of `start`; inputs: the gradient with respect to x, of the same. Functions that call
    them run by `asked`. own: they are the student's, and compute what layers of that kind do.
    """

    asked: Asked
    layers: Sequence[Handle]
    start: Held
    logits: Callable[[np.ndarray], np.ndarray]
    gradients: Callable[[np.ndarray, np.ndarray], Held]
    inputs: Callable[[np.ndarray, np.ndarray], np.ndarray]
    features: int
    own: bool = False

    def store_gradients(self, x: np.ndarray, dL_dlogits: np.ndarray) -> Held:
        """Let the layers hold the gradients that a backward pass leaves in them; return these.

        The student's own compute them, since only W and b may be set from outside.
        """
        expected = self.gradients(x, dL_dlogits)
        if self.own:
            for own in self.layers:
                x = own.forward(x)
            for own in self.layers[::-1]:
                dL_dlogits = own.backward(dL_dlogits)
        else:
            for layer, stored in zip((self.layers[0], self.layers[-1]), expected, strict=True):
                layer.dL_dW, layer.dL_db = stored["W"], stored["b"]
        return expected

    def held(self, *names: str) -> Held:
        """Return attributes of the first and the last layer, such as "W" or "dL_db"."""
        return [
            {
                name: expect.array(
                    label(n, name), getattr(self.layers[n], name), numbers[name[-1]].shape
                )
                for name in names
            }
            for n, numbers in zip((0, len(self.layers) - 1), self.start, strict=True)
        ]

    def compare(self, expected: Held, gradients: bool = False, names: str = "Wb") -> None:
        """Expect both layers to hold these parameters, or stored gradients: the last one first.

        So does a backward pass go, and what is wrong in it first is told first.
        """
        ends = (len(self.layers) - 1, 0)
        for n, numbers in zip(ends, reversed(expected), strict=True):
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


# Made-up layers: Mixer, Curve, Mixer. With equal sizes a wrong order gives wrong numbers, no error.

Sizes = tuple[int, int]
"""Inputs and hidden units."""

SQUARE: Sizes = (CLASSES, CLASSES)
Place = Callable[[Asked, Sequence[Formula], "Held"], Sequence[Handle]]
"""Puts formulas where a network has its layers, with these parameters; returns the layers."""


def plain(asked: Asked, formulas: Sequence[Formula], start: Held) -> Sequence[Handle]:
    """Return parts that are nothing but that."""
    first, curve, last = formulas
    return [asked.part(first, **start[0]), asked.part(curve), asked.part(last, **start[1])]


def taken(
    layers: Sequence[Handle], asked: Asked, formulas: Sequence[Formula], start: Held
) -> Sequence[Handle]:
    """Return layers of the student's that have become parts: of their types, with their methods."""
    several = isinstance(layers, (list, tuple)) and len(layers) == 3
    expect.that("layers", several, "expected a list of three: Linear, ReLU and Linear.")
    for layer, numbers in ((layers[0], start[0]), (layers[2], start[1])):
        layer.W, layer.b = numbers["W"], numbers["b"]
    for layer, formula in zip(layers, formulas, strict=True):
        asked.become(layer, formula)
    return layers


def fresh_layers(student: Student, sizes: Sizes) -> list[Handle]:
    """Return new layers of the student's: Linear, ReLU and Linear."""
    module = student.neural_net
    return [module.Linear(*sizes), module.ReLU(), module.Linear(sizes[1], CLASSES)]


def made_up(
    student: Student, rng: np.random.Generator, layers: Any = None, sizes: Sizes = SQUARE
) -> Parts:
    """Return made-up layers with random numbers; all outputs lie between 0 and 1.

    Without `layers` they are plain parts; otherwise these layers of the student's become parts.
    """
    form = FLAT if layers is None else layout_of(student)
    place = plain if layers is None else partial(taken, layers)
    return placed(Asked(student), rng, place, sizes, form)


def placed(
    asked: Asked, rng: np.random.Generator, place: Place, sizes: Sizes, form: Layout
) -> Parts:
    """Draw the numbers of made-up layers, and put them where `place` says."""
    (features, hidden), p = sizes, rng.uniform(0.2, 1.0, size=4)
    last = rng.normal(size=(CLASSES, hidden))
    last *= 0.4 / np.abs(last).sum(axis=1, keepdims=True)
    first = rng.normal(size=(hidden, features)) / np.sqrt(features / CLASSES)
    start = [
        {"W": form.weights(first), "b": form.biases(rng.normal(size=hidden))},
        {"W": form.weights(last), "b": form.biases(rng.uniform(0.68, 0.72, size=CLASSES))},
    ]
    (c, d), shapes = rng.uniform(0.7, 1.3, size=(2, 2)), (first.shape, last.shape)

    def formulas() -> list[Any]:
        mixers = [Mixer(shapes[n], c[n], d[n], form) for n in range(2)]
        return [mixers[0], Curve(p), mixers[1]]

    def ran(x: np.ndarray) -> tuple[list[Any], np.ndarray]:
        """Return the layers' twins here after a forward pass, and its output."""
        twins = formulas()
        x = twins[1].forward(twins[0].forward(x, **start[0]))
        return twins, twins[2].forward(x, **start[1])

    def back(x: np.ndarray, dL_dy: np.ndarray) -> tuple[np.ndarray, Held]:
        """Return dL/dx and the gradients of the parameters."""
        first, curve, last = ran(x)[0]
        upstream, W2, b2 = last.backward(dL_dy)
        dL_dx, W1, b1 = first.backward(curve.backward(upstream))
        return dL_dx, [{"W": W1, "b": b1}, {"W": W2, "b": b2}]

    return Parts(
        asked=asked,
        layers=place(asked, formulas(), start),
        start=start,
        logits=lambda x: ran(x)[1],
        gradients=lambda x, dL_dy: back(x, dL_dy)[1],
        inputs=lambda x, dL_dy: back(x, dL_dy)[0],
        features=features,
    )


# Losses: the mean over the batch of something, and its gradient with respect to the predictions.

Value = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]
"""Of (predictions (N, C), class indices (N,)): the loss and its gradient."""


def made_up_loss(rng: np.random.Generator, asked: Asked) -> tuple[Handle, Value]:
    """Return a made-up loss in the worker, and what it computes."""
    numbers = rng.uniform(1.5, 2.5), rng.uniform(2.5, 3.5)

    def value(y: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
        twin = CosineLoss(*numbers)
        return twin.forward(y, t), twin.backward()

    return asked.part(CosineLoss(*numbers)), value


def sloped(loss: Callable[[Any, np.ndarray], Any]) -> Value:
    """Return an analytic loss with its gradient, which is found by complex steps."""

    def value(y: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
        return float(loss(y, t)), vjp(lambda moved: loss(moved, t), [y], 1.0)[0]

    return value


@sloped
def cross_entropy(z: Any, t: np.ndarray) -> Any:
    """Return the cross-entropy of logits."""
    shifted = z - np.real(z).max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(t)), t])


# A network with a batch, and what a step of training does to it.

LR = 0.3
BATCH = 7


@dataclass(frozen=True)
class Case:
    """A network of the student's, its parts, and the loss that it lowers.

    `y` are targets in the form that the loss takes, `t` the same as class indices.
    """

    model: Handle
    parts: Parts
    loss: Value
    x: np.ndarray
    y: np.ndarray
    t: np.ndarray

    @property
    def network(self) -> Asking:
        """The network, whose methods call the parts."""
        return self.parts.asked.asking(self.model)

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
