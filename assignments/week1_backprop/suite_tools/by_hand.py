"""How public tests look at a Network and a TwoLayerMLP of the student's.

With made-up layers in them; or, for code that keeps other references to its layers, with the
student's own, where what is expected comes from the same layers, called one by one in a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.student import Student

from .layout import layout_of
from .made_up import (
    CLASSES,
    KINDS,
    Case,
    Check,
    Held,
    Kind,
    Parts,
    Value,
    batch,
    made_up,
    made_up_loss,
)


def copied(student: Student, layers: Sequence[Handle], sizes: tuple[int, int]) -> Parts:
    """Return the student's own layers as parts: a copy of each, called one by one."""
    module, (features, hidden) = student.neural_net, sizes
    first, curve, last = (
        module.Linear(features, hidden), module.ReLU(), module.Linear(hidden, CLASSES)
    )  # fmt: skip
    layout, start = layout_of(student), []
    shapes = [
        {"W": layout.weights(np.zeros(size)).shape, "b": layout.biases(np.zeros(size[0])).shape}
        for size in ((hidden, features), (CLASSES, hidden))
    ]
    for layer, copy in ((layers[0], first), (layers[-1], last)):
        copy.W, copy.b = layer.W, layer.b
        start.append(
            {
                name: expect.array(name, getattr(layer, name), shape)
                for name, shape in shapes[len(start)].items()
            }
        )

    def logits(x: np.ndarray) -> Any:
        return last.forward(curve.forward(first.forward(x)))

    def inputs(x: np.ndarray, dL_dy: np.ndarray) -> Any:
        logits(x)
        return first.backward(curve.backward(last.backward(dL_dy)))

    def gradients(x: np.ndarray, dL_dy: np.ndarray) -> Held:
        inputs(x, dL_dy)
        return [
            {
                name: expect.array(f"dL_d{name}", getattr(copy, f"dL_d{name}"), shape)
                for name, shape in held.items()
            }
            for copy, held in zip((first, last), shapes, strict=True)
        ]

    return Parts(layers, start, logits, gradients, inputs, features)


def own_loss(student: Student, name: str = "CrossEntropyLoss") -> Value:
    """Return a loss of the student's as a value with its gradient; targets are one-hot for MSE."""

    def value(y: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
        loss = getattr(student.losses, name)()
        targets = t if name == "CrossEntropyLoss" else np.eye(CLASSES)[t]
        received = float(expect.array("loss", loss.forward(y, targets), ()))
        return received, expect.array("dL_dlogits", loss.backward(), y.shape)

    return value


def of_mlp(student: Student, rng: np.random.Generator, check: Check) -> None:
    """Check a TwoLayerMLP with made-up layers and loss, then with its own."""

    def way(kind: Kind | None) -> Callable[[], None]:
        def run() -> None:
            model = student.mnist_mlp.TwoLayerMLP()
            if kind is None:
                parts, loss = copied(student, model.layers, (784, 128)), own_loss(student)
            else:
                parts, loss = made_up(student, rng, kind), made_up_loss
                student.drive("put_in", model, list(parts.layers))
                model.loss_fn = student.probe("loss")()
            x, t = batch(rng, parts.features)
            check(Case(model, parts, loss, x, t, t))

        return run

    expect.any_of(*(way(kind) for kind in (*KINDS, None)))


def parts_of_network(student: Student, rng: np.random.Generator, kind: Kind | None) -> Parts:
    """Return made-up layers of a kind, or (None) Linear, ReLU and Linear of the student's."""
    if kind is not None:
        return made_up(student, rng, kind)
    module = student.neural_net
    layers = [module.Linear(6, 5), module.ReLU(), module.Linear(5, CLASSES)]
    return copied(student, layers, (6, 5))


def of_network(student: Student, rng: np.random.Generator, check: Callable[..., Any]) -> None:
    """Check forward or backward of a Network: `check(network, parts)`."""

    def way(kind: Kind | None) -> Callable[[], None]:
        def run() -> None:
            parts = parts_of_network(student, rng, kind)
            check(student.neural_net.Network(list(parts.layers)), parts)

        return run

    expect.any_of(*(way(kind) for kind in (*KINDS, None)))


def of_training(student: Student, rng: np.random.Generator, check: Check) -> None:
    """Check train_step of a Network: with a made-up loss, then with the one that it has.

    That may be the cross-entropy of class indices or of one-hot rows, or the squared error.
    """

    def way(kind: Kind | None, name: str | None, one_hot: bool = False) -> Callable[[], None]:
        def run() -> None:
            parts = parts_of_network(student, rng, kind)
            loss = own_loss(student, name) if name else made_up_loss
            given = {} if name else {"loss_fn": student.probe("loss")()}
            network = student.neural_net.Network(list(parts.layers), **given)
            x, t = batch(rng, parts.features)
            check(Case(network, parts, loss, x, np.eye(CLASSES)[t] if one_hot else t, t))

        return run

    kinds = (*KINDS, None)
    losses = ("CrossEntropyLoss", False), ("CrossEntropyLoss", True), ("MSELoss", True)
    expect.any_of(
        *(way(kind, None) for kind in kinds),
        *(way(kind, name, one_hot) for name, one_hot in losses for kind in kinds),
    )
