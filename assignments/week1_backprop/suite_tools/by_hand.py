"""The ways in which a Network and a TwoLayerMLP of the student's are looked at; one must be right.

With plain parts in the place of its layers; or, for code that asks for the types of its layers, or
keeps other references to them, with the student's own layers, which have become parts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.student import Student

from .layout import layout_of
from .made_up import (
    CLASSES,
    SQUARE,
    Case,
    Check,
    Parts,
    Value,
    batch,
    cross_entropy,
    fresh_layers,
    made_up,
    made_up_loss,
    sloped,
)

OWN_SIZES = (784, 128)


def listening_mlp(student: Student) -> Handle:
    """Return a new TwoLayerMLP of the student's whose own layers can become parts."""
    for name in ("Linear", "ReLU"):
        student.drive("listen", getattr(student.neural_net, name))
    return student.mnist_mlp.TwoLayerMLP()


def of_mlp(student: Student, rng: np.random.Generator, check: Check) -> None:
    """Check a TwoLayerMLP with made-up layers and loss, then with made-up layers and its own."""

    def way(kind: int, own_loss: bool) -> None:
        model = listening_mlp(student) if kind == 2 else student.mnist_mlp.TwoLayerMLP()
        if kind == 2:
            parts = made_up(student, rng, model.layers, OWN_SIZES)
        else:
            parts = made_up(student, rng, fresh_layers(student, SQUARE) if kind else None)
            student.drive("put_in", model, list(parts.layers))
        loss: Value = cross_entropy
        if not own_loss:
            model.loss_fn, loss = made_up_loss(rng, parts.asked)
        x, t = batch(rng, parts.features)
        check(Case(model, parts, loss, x, t, t))

    ways = ((kind, own_loss) for own_loss in (False, True) for kind in (0, 1, 2))
    expect.any_of(*(partial(way, *each) for each in ways))


def parts_of_network(student: Student, rng: np.random.Generator, typed: bool) -> Parts:
    """Return made-up layers; `typed`: Linear, ReLU and Linear of the student's, become parts."""
    sizes = (6, 5)
    return (
        made_up(student, rng, fresh_layers(student, sizes), sizes)
        if typed
        else made_up(student, rng)
    )


def of_network(student: Student, rng: np.random.Generator, check: Callable[..., Any]) -> None:
    """Check forward or backward of a Network: `check(network, parts)`."""

    def way(typed: bool, with_loss: bool) -> None:
        parts = parts_of_network(student, rng, typed)
        given = {"loss_fn": made_up_loss(rng, parts.asked)[0]} if with_loss else {}
        network = student.neural_net.Network(list(parts.layers), **given)
        check(parts.asked.asking(network), parts)

    ways = ((False, False), (True, False), (False, True))
    expect.any_of(*(partial(way, *each) for each in ways))


def of_training(student: Student, rng: np.random.Generator, check: Check) -> None:
    """Check train_step of a Network with a made-up loss, then with one that it may have itself.

    These are the cross-entropy of class indices or of one-hot rows, and the squared error.
    """

    def way(typed: bool, own: Value | None = None, one_hot: bool = False) -> None:
        parts, given = parts_of_network(student, rng, typed), {}
        if own is None:
            given["loss_fn"], own = made_up_loss(rng, parts.asked)
        network = student.neural_net.Network(list(parts.layers), **given)
        x, t = batch(rng, parts.features)
        check(Case(network, parts, own, x, np.eye(CLASSES)[t] if one_hot else t, t))

    losses = [(None, False), (cross_entropy, False), (cross_entropy, True)]
    losses += [(squared(divisor), True) for divisor in DIVISORS]
    ways = [(typed, *loss) for loss in losses for typed in (False, True)]
    expect.any_of(*(partial(way, *each) for each in ways))


DIVISORS: tuple[Callable[[np.ndarray], float], ...] = (
    lambda y: y.size,
    lambda y: len(y),
    lambda y: 2 * y.size,
    lambda y: 2 * len(y),
)
"""What the sum of the squared errors may be divided by."""


def squared(divisor: Callable[[np.ndarray], float]) -> Value:
    """Return the squared error of one-hot targets over a divisor."""
    return sloped(lambda y, t: np.sum((y - np.eye(y.shape[1])[t]) ** 2) / divisor(y))
