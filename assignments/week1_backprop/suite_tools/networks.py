"""Networks whose layers and loss are known here: what they compute comes from the test's numbers.

A network of the student's is looked at in several ways, of which one has to be right: with made-up
layers of ours in it, whatever the student's own layers do; and with the student's own layers, whose
weights are set, for code that keeps other references to them. The same holds for the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.student import Student

from ..worker.probes import Curve, Loss, Mixer
from .layout import Layout, layout_of, set_parameters

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
            {name: expect.array(label(n, name), getattr(self.layers[n], name)) for name in names}
            for n in ends
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
    """Return dL/dx of layers in a row."""
    return reduce(lambda gradient, layer: layer.backward(gradient), layers[::-1], dL_dy)


# The student's own layers: Linear, ReLU, Linear.


def own(student: Student, layers: Sequence[Handle], sizes: tuple[int, int], rng: Any) -> Parts:
    """Return the student's own layers with random parameters; `sizes` are inputs and hidden units.

    Biases of the hidden units are small, and so are the weights: no unit is always off.
    """
    layout, (features, hidden) = layout_of(student), sizes
    W1, b1 = rng.normal(size=(hidden, features)) / np.sqrt(features), 0.1 * rng.normal(size=hidden)
    W2, b2 = rng.normal(size=(CLASSES, hidden)) / np.sqrt(hidden), rng.normal(size=CLASSES)
    set_parameters(layers[0], layout, W1, b1)
    set_parameters(layers[-1], layout, W2, b2)

    def units(x: np.ndarray) -> np.ndarray:
        return np.maximum(x @ W1.T + b1, 0.0)

    def hidden_gradient(x: np.ndarray, dL_dy: np.ndarray) -> np.ndarray:
        return (dL_dy @ W2) * (units(x) > 0.0)

    def gradients(x: np.ndarray, dL_dy: np.ndarray) -> Held:
        before = hidden_gradient(x, dL_dy)
        return [
            in_form(layout, before.T @ x, before.sum(axis=0)),
            in_form(layout, dL_dy.T @ units(x), dL_dy.sum(axis=0)),
        ]

    return Parts(
        layers=layers,
        start=[in_form(layout, W1, b1), in_form(layout, W2, b2)],
        logits=lambda x: units(x) @ W2.T + b2,
        gradients=gradients,
        inputs=lambda x, dL_dy: hidden_gradient(x, dL_dy) @ W1,
        features=features,
    )


def in_form(layout: Layout, W: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
    """Return parameters or gradients as the student's Linear holds them."""
    return {"W": layout.weights(W), "b": layout.biases(b)}


# Losses: the mean over the batch of something, and its gradient with respect to the predictions.

Value = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]
"""Of (predictions (N, C), class indices (N,)): the loss and its gradient."""


def made_up_loss(y: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    """Return value and gradient of the made-up loss."""
    twin = Loss()
    return twin.forward(y, t), twin.backward()


def cross_entropy(z: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    """Return value and gradient of the cross-entropy of logits."""
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    hot = np.eye(z.shape[1])[t]
    return float(-np.sum(hot * log_p) / len(z)), (np.exp(log_p) - hot) / len(z)
