"""The losses that a Network of the student's may have of its own, found out by one step.

What is expected comes from the test's own numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.suite import expect
from autograder.suite.expect import Wrong
from autograder.suite.hidden.sides import proportional, something_right
from autograder.suite.student import Student

from ..suite_tools import by_hand
from ..suite_tools.by_hand import DIVISORS, OWN_SIZES, of_network, squared
from ..suite_tools.made_up import (
    CLASSES,
    LR,
    Case,
    Check,
    Held,
    Parts,
    Value,
    batch,
    cross_entropy,
    fresh_layers,
    label,
    made_up_loss,
)
from .left_alone import left_alone

__all__ = [
    "gradients_right",
    "moved",
    "of_mlp",
    "of_network",
    "of_training",
    "step_of_its_parts",
    "step_taken",
    "updated",
]


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


# What a step of training does, by the student's own parts of it


def ends(parts: Parts) -> list[int]:
    """Return the numbers of the layers that have parameters."""
    return [0, len(parts.layers) - 1]


def gradients_right(parts: Parts, wanted: Held) -> None:
    """One of the stored gradients is right, but for a factor, by a pass through the layers."""
    _went_through(parts)
    held = parts.held("dL_dW", "dL_db")
    something_right(
        *(
            partial(proportional, label(n, f"dL_d{name}"), has[f"dL_d{name}"], numbers[name])
            for n, has, numbers in zip(ends(parts), held, wanted, strict=True)
            for name in "Wb"
        )
    )


def _went_through(parts: Parts) -> None:
    """The backward of made-up layers was called: nobody else knows what they compute."""
    called = parts.own or parts.asked.backwards > 0
    expect.that("layers", called, "the backward of none of them was called.")


def moved(parts: Parts, wanted: Held) -> None:
    """One of the parameters has gone where its gradient leads, but for a factor, by such a pass."""
    _went_through(parts)
    rows = zip(ends(parts), parts.held("W", "b"), parts.start, wanted, strict=True)
    steps = [
        (label(n, name), has[name] - start[name], numbers[name] - start[name])
        for n, has, start, numbers in rows
        for name in "Wb"
    ]
    something_right(*(partial(proportional, *step) for step in steps))


def updated(case: Case, gradient: np.ndarray, names: str) -> None:
    """After forward and backward, update_parameters takes steps of LR dL_dW and LR dL_db.

    Where backward is wrong, these are the steps that lead by what it stores.
    """
    parts, logits = case.parts, case.network.forward(case.x)
    case.network.backward(gradient)
    case.network.update_parameters(LR)
    try:
        parts.compare(parts.after(case.x, gradient, LR), names=names)
    except Wrong:
        if not by_own_gradients(case, logits, gradient, parts.held(*names)):
            raise


def step_taken(case: Case, names: str) -> None:
    """train_step has taken steps of LR dL_dW and LR dL_db.

    Where backward is wrong by itself, these are the steps that lead by what it stores.
    """
    try:
        case.parts.compare(case.after_a_step(), names=names)
    except Wrong:
        after, (logits, gradient) = case.parts.held(*names), begun_again(case)
        if not by_own_gradients(case, logits, gradient, after):
            raise


def step_of_its_parts(case: Case) -> None:
    """train_step has done what forward, backward and update_parameters do, right or wrong."""
    try:
        case.parts.compare(case.after_a_step())
    except Wrong:
        after, (logits, _) = case.parts.held("W", "b"), begun_again(case)
        case.network.update_parameters(LR)
        has_parts = case.parts.asked.backwards and is_right(case, logits)
        parts_alone = case.parts.held("W", "b")
        if not has_parts or all_near(parts_alone, case.after_a_step()):
            raise
        moved(case.parts, case.after_a_step())
        for n, ours, theirs in zip(ends(case.parts), parts_alone, after, strict=True):
            for name in "Wb":
                # What the parts should do is asked by their own tests; here, what is made of them.
                expect.repeated(label(n, name), ours[name], theirs[name])


def begun_again(case: Case) -> tuple[Any, np.ndarray]:
    """Run forward and backward from the parameters of the start; return logits and gradient."""
    parts = case.parts
    for n, numbers in zip(ends(parts), parts.start, strict=True):
        parts.layers[n].W, parts.layers[n].b = numbers["W"], numbers["b"]
    _, gradient = case.loss(parts.logits(case.x), case.t)
    logits = case.network.forward(case.x)
    case.network.backward(gradient)
    return logits, gradient


def by_own_gradients(case: Case, logits: Any, gradient: np.ndarray, after: Held) -> bool:
    """Compare parameters after a step with those that stored gradients lead to.

    False where these gradients are right, so that the step has a fault of its own; or where
    nothing shows that they come from a pass through the layers.
    """
    parts, names = case.parts, "".join(after[0])
    held = parts.held(*(f"dL_d{name}" for name in names))
    stored = [{name: has[f"dL_d{name}"] for name in names} for has in held]
    wanted = [{name: has[name] for name in names} for has in parts.gradients(case.x, gradient)]
    if all_near(stored, wanted) or not parts.asked.backwards or not is_right(case, logits):
        return False
    for n, start, slopes, has in zip(ends(parts), parts.start, stored, after, strict=True):
        for name in names:
            if not np.any(slopes[name]):
                return False
            # What backward should store is asked by another test; here, what is made of it.
            expect.repeated(label(n, name), start[name] - LR * slopes[name], has[name])
    return True


def is_right(case: Case, logits: Any) -> bool:
    """Return whether the logits are those of the layers."""
    wanted = case.parts.logits(case.x)
    return all_near([{"y": expect.array("logits", logits, wanted.shape)}], [{"y": wanted}])


def all_near(received: Held, wanted: Held) -> bool:
    """Return whether all arrays are as wanted."""
    return all(
        np.allclose(has[name], numbers[name], rtol=1e-6, atol=1e-8)
        for has, numbers in zip(received, wanted, strict=True)
        for name in has
    )
