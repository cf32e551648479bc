"""The losses that a Network of the student's may have of its own, found out by one step.

What is expected comes from the test's own numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.suite import expect
from autograder.suite.student import Student

from ..suite_tools import by_hand
from ..suite_tools.by_hand import DIVISORS, OWN_SIZES, of_network, squared
from ..suite_tools.made_up import (
    CLASSES,
    LR,
    Case,
    Check,
    Parts,
    Value,
    batch,
    cross_entropy,
    fresh_layers,
    made_up_loss,
)
from .left_alone import left_alone

__all__ = ["of_mlp", "of_network", "of_training"]


ALONE = 2
"""Beside False and True: the student's own layers as they are."""


def of_mlp(student: Student, rng: np.random.Generator, check: Check) -> None:
    """Check a TwoLayerMLP with made-up layers, then with its own as they are."""

    def alone(own_loss: bool) -> None:
        model = student.mnist_mlp.TwoLayerMLP()
        parts = left_alone(student, rng, model.layers, OWN_SIZES)
        loss: Value = cross_entropy
        if not own_loss:
            model.loss_fn, loss = made_up_loss(rng, parts.asked)
        x, t = batch(rng, parts.features)
        check(Case(model, parts, loss, x, t, t))

    expect.any_of(
        lambda: by_hand.of_mlp(student, rng, check), lambda: alone(False), lambda: alone(True)
    )


def parts_of_network(student: Student, rng: np.random.Generator, typed: int) -> Parts:
    """Return layers for a Network: made-up ones, the student's made into such, or ALONE."""
    sizes = (6, 5)
    if typed == ALONE:
        return left_alone(student, rng, fresh_layers(student, sizes), sizes)
    return by_hand.parts_of_network(student, rng, bool(typed))


def of_training(student: Student, rng: np.random.Generator, check: Check) -> None:
    """Check train_step of a Network: with the loss that it has, and with a made-up one."""

    def with_own(typed: int) -> None:
        check(own_loss(student, rng, typed))

    def with_ours(typed: int) -> None:
        parts = parts_of_network(student, rng, typed)
        loss, value = made_up_loss(rng, parts.asked)
        network = student.neural_net.Network(list(parts.layers), loss_fn=loss)
        x, t = batch(rng, parts.features)
        check(Case(network, parts, value, x, t, t))

    expect.any_of(
        lambda: with_own(False),
        lambda: with_own(True),
        lambda: with_ours(False),
        lambda: with_ours(True),
        lambda: with_own(ALONE),
        lambda: with_ours(ALONE),
    )


def of_probabilities(p: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the cross-entropy of predictions that are probabilities; NaN if they are not."""
    hot = np.eye(p.shape[1])[t]
    with np.errstate(all="ignore"):
        return float(-np.sum(hot * np.log(p)) / len(p)), -hot / p / len(p)


def one_hot(t: np.ndarray) -> np.ndarray:
    """Return class indices as rows of 0 and 1."""
    return np.eye(CLASSES)[t]


SQUARES = tuple(map(squared, DIVISORS))
LOSSES: tuple[tuple[Callable[[np.ndarray], np.ndarray], tuple[Value, ...]], ...] = (
    (lambda t: t, (cross_entropy, of_probabilities)),
    (one_hot, (cross_entropy, of_probabilities, *SQUARES)),
)
"""The losses that a Network may have of its own, with the form of targets that each takes."""


def own_loss(student: Student, rng: np.random.Generator, typed: int) -> Case:
    """Find out by one step which loss a Network has of its own; return a fresh one to check.

    The loss is known by the value that `train_step` returns, or by the step that it takes. Where
    none fits, it is taken for the cross-entropy of class indices.
    """
    faults, chosen = [], None
    for form, losses in LOSSES:
        case = fresh(student, rng, typed, cross_entropy, form)
        try:
            received = case.network.train_step(case.x, case.y, LR)
            moved = case.parts.held("b")[-1]["b"]
        except Fault as fault:
            faults.append(fault)
            continue
        cases = [replace(case, loss=loss) for loss in losses]
        fitting = [c.loss for c in cases if near(received, c.value()) or stepped(moved, c)]
        if fitting:
            chosen = (fitting[0], form)
            break
    if chosen is None and len(faults) == len(LOSSES):
        raise faults[0]
    loss, form = chosen or (cross_entropy, LOSSES[0][0])
    return fresh(student, rng, typed, loss, form)


def fresh(student: Student, rng: Any, typed: int, loss: Value, form: Any) -> Case:
    """Return a new Network with a batch."""
    parts = parts_of_network(student, rng, typed)
    x, t = batch(rng, parts.features)
    return Case(student.neural_net.Network(list(parts.layers)), parts, loss, x, form(t), t)


def near(received: Any, value: float) -> bool:
    """Return whether a received number is the loss."""
    number = isinstance(received, (int, float)) or (
        type(received) is np.ndarray and received.shape == ()
    )
    return bool(number and np.isclose(float(received), value, rtol=1e-5, atol=0))


def stepped(moved: np.ndarray, case: Case) -> bool:
    """Return whether the last layer's biases are those after the step."""
    expected = case.after_a_step()[-1]["b"]
    return moved.shape == expected.shape and bool(np.allclose(moved, expected, rtol=1e-6))
