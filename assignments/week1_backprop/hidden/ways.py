"""The ways in which a Network and a TwoLayerMLP of the student's are looked at; one must be right.

What is expected comes from the test's own numbers in each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.channel.handles import Handle
from autograder.suite import expect
from autograder.suite.student import Student

from ..suite_tools.made_up import (
    CLASSES,
    KINDS,
    LR,
    Case,
    Check,
    Kind,
    Parts,
    Value,
    batch,
    made_up,
    made_up_loss,
)
from .networks import cross_entropy, own

# TwoLayerMLP


def of_mlp(student: Student, rng: np.random.Generator, check: Check) -> None:
    """Check a TwoLayerMLP with made-up layers and loss, then with its own."""

    def way(kind: Kind | None, own_loss: bool) -> Callable[[], None]:
        def run() -> None:
            model = student.mnist_mlp.TwoLayerMLP()
            parts = layers_of_mlp(student, model, rng, kind)
            if not own_loss:
                model.loss_fn = student.probe("loss")()
            x, t = batch(rng, parts.features)
            check(Case(model, parts, cross_entropy if own_loss else made_up_loss, x, t, t))

        return run

    expect.any_of(*(way(kind, own_loss) for own_loss in (False, True) for kind in (*KINDS, None)))


def layers_of_mlp(student: Student, model: Handle, rng: Any, kind: Kind | None) -> Parts:
    """Put made-up layers of a kind into a TwoLayerMLP, or (None) set the weights of its own."""
    if kind is None:
        layers = model.layers
        several = isinstance(layers, (list, tuple)) and len(layers) == 3
        expect.that("layers", several, "expected a list of three: Linear, ReLU and Linear.")
        return own(student, layers, (784, 128), rng)
    parts = made_up(student, rng, kind)
    student.drive("put_in", model, list(parts.layers))
    return parts


# Network


def layers_of_network(student: Student, rng: Any, kind: Kind | None) -> Parts:
    """Return made-up layers of a kind, or (None) Linear, ReLU and Linear of the student's."""
    if kind is not None:
        return made_up(student, rng, kind)
    module = student.neural_net
    layers = [module.Linear(6, 5), module.ReLU(), module.Linear(5, CLASSES)]
    return own(student, layers, (6, 5), rng)


def of_network(student: Student, rng: np.random.Generator, check: Callable[..., Any]) -> None:
    """Check forward or backward of a Network: `check(network, parts)`."""

    def way(kind: Kind | None, **loss: Handle) -> Callable[[], None]:
        def run() -> None:
            parts = layers_of_network(student, rng, kind)
            check(student.neural_net.Network(list(parts.layers), **loss), parts)

        return run

    ways = [way(kind) for kind in (*KINDS, None)]
    ways += [lambda: way(KINDS[0], loss_fn=student.probe("loss")())()]
    expect.any_of(*ways)


def of_training(student: Student, rng: np.random.Generator, check: Check) -> None:
    """Check train_step of a Network: with the loss that it has, and with a made-up one."""

    def with_own(kind: Kind | None) -> Callable[[], None]:
        return lambda: check(own_loss(student, rng, kind))

    def with_ours(kind: Kind | None) -> Callable[[], None]:
        def run() -> None:
            parts = layers_of_network(student, rng, kind)
            loss = student.probe("loss")()
            network = student.neural_net.Network(list(parts.layers), loss_fn=loss)
            x, t = batch(rng, parts.features)
            check(Case(network, parts, made_up_loss, x, t, t))

        return run

    kinds = (*KINDS, None)
    expect.any_of(*(with_own(kind) for kind in kinds), *(with_ours(kind) for kind in kinds))


def squared(divisor: Callable[[np.ndarray], float]) -> Value:
    """Return the squared error of one-hot targets over a divisor."""

    def value(y: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
        r = y - np.eye(y.shape[1])[t]
        return float(np.sum(r**2) / divisor(y)), 2.0 * r / divisor(y)

    return value


def of_probabilities(p: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the cross-entropy of predictions that are probabilities; NaN if they are not."""
    hot = np.eye(p.shape[1])[t]
    with np.errstate(all="ignore"):
        return float(-np.sum(hot * np.log(p)) / len(p)), -hot / p / len(p)


def one_hot(t: np.ndarray) -> np.ndarray:
    """Return class indices as rows of 0 and 1."""
    return np.eye(CLASSES)[t]


SQUARES = (
    squared(lambda y: y.size),
    squared(lambda y: len(y)),
    squared(lambda y: 2 * y.size),
    squared(lambda y: 2 * len(y)),
)
LOSSES: tuple[tuple[Callable[[np.ndarray], np.ndarray], tuple[Value, ...]], ...] = (
    (lambda t: t, (cross_entropy, of_probabilities)),
    (one_hot, (cross_entropy, of_probabilities, *SQUARES)),
)
"""The losses that a Network may have of its own, with the form of targets that each takes."""


def own_loss(student: Student, rng: np.random.Generator, kind: Kind | None) -> Case:
    """Find out by one step which loss a Network has of its own; return a fresh one to check.

    The loss is known by the value that `train_step` returns, or by the step that it takes. Where
    none fits, it is taken for the cross-entropy of class indices.
    """
    faults, chosen = [], None
    for form, losses in LOSSES:
        case = fresh(student, rng, kind, cross_entropy, form)
        try:
            received = case.network.train_step(case.x, case.y, LR)
            moved = case.parts.held("b")[-1]["b"]
        except Fault as fault:
            faults.append(fault)
            continue
        cases = [fresh_of(case, loss) for loss in losses]
        fitting = [c.loss for c in cases if near(received, c.value()) or stepped(moved, c)]
        if fitting:
            chosen = (fitting[0], form)
            break
    if chosen is None and len(faults) == len(LOSSES):
        raise faults[0]
    loss, form = chosen or (cross_entropy, LOSSES[0][0])
    return fresh(student, rng, kind, loss, form)


def fresh(student: Student, rng: Any, kind: Kind | None, loss: Value, form: Any) -> Case:
    """Return a new Network with a batch."""
    parts = layers_of_network(student, rng, kind)
    x, t = batch(rng, parts.features)
    return Case(student.neural_net.Network(list(parts.layers)), parts, loss, x, form(t), t)


def fresh_of(case: Case, loss: Value) -> Case:
    """Return the same case with another loss."""
    return Case(case.network, case.parts, loss, case.x, case.y, case.t)


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
