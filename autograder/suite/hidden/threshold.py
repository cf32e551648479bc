"""The accuracy threshold: training by the student's train_step, measured by the examiner.

The worker gets initial weights, training images and labels. Test images and labels never leave this
process: after each epoch the weights are fetched over the channel, and the accuracy is computed
here by the grader's own forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from autograder.channel.faults import InfraError
from autograder.records import FULL_CREDIT
from autograder.suite import expect
from autograder.suite.student import Student

Credit = Callable[[float], int]
Weights = dict[str, np.ndarray]
"""The weights of a two-layer network by the names in SHAPES, which has their shapes too."""

FEATURES, HIDDEN, CLASSES = 784, 128, 10
SHAPES = {"W1": (HIDDEN, FEATURES), "b1": (HIDDEN,), "W2": (CLASSES, HIDDEN), "b2": (CLASSES,)}


@dataclass
class Training:
    """A data set with the settings of its threshold, as tests get it (`settings`).

    `load` reads the data when a test first asks for it. `credit` turns a test accuracy in 0..1
    into credit in 0..FULL_CREDIT; `full_from` is the accuracy from which it is full, `any_from` the
    one up to which there is none.
    """

    name: str
    load: Callable[[], Any]
    epochs: int
    batch_size: int
    lr: float
    credit: Credit
    full_from: float
    any_from: float = 0.0

    @cached_property
    def data(self) -> Any:
        """x_train, x_test: uint8 (N, 28, 28); y_train, y_test: integer labels (N,).

        Raises InfraError where the data can't be loaded, since any other exception in a test is
        counted as a fault of the student's code.
        """
        try:
            return self.load()
        except Exception as error:
            raise InfraError(f"the data set {self.name} can't be loaded: {error}") from error

    @cached_property
    def scale(self) -> tuple[float, float]:
        """Mean and standard deviation of the training pixels, for train and test images alike."""
        pixels = self.data.x_train
        return float(pixels.mean()), float(pixels.std())

    def shown(self, accuracy: float) -> float:
        """Return an accuracy as students may see it: in whole percents, where points depend on it.

        A function of the credit, like what is said: the accuracy itself could carry inputs out.
        """
        return min(max(np.floor(100 * accuracy) / 100, self.any_from), self.full_from)

    def said_of(self, accuracy: float) -> str:
        """Return the message on a test accuracy: it says no more of it than the credit does."""
        credit = self.credit(accuracy)
        if credit == FULL_CREDIT:
            reached = f"at least {self.full_from:.0%}"
        elif credit:
            reached = f"{np.floor(100 * accuracy):.0f} to {np.floor(100 * accuracy) + 1:.0f}%"
        else:
            reached = f"at most {self.any_from:.0%}" if self.any_from else "too low for points"
        return (
            f"Test accuracy {reached} on {self.name} after {self.epochs} epochs; full points from "
            f"{self.full_from:.0%}."
        )

    @cached_property
    def test_rows(self) -> np.ndarray:
        """The standardised test images as rows: (N, 784) float64."""
        mean, deviation = self.scale
        rows = self.data.x_test.reshape(len(self.data.x_test), -1)
        return (rows.astype(np.float64) - mean) / deviation


def credit_for(curve: Sequence[tuple[float, float]], accuracy: float) -> int:
    """Return the credit, 0..FULL_CREDIT, for a test accuracy by a setting's curve; NaN: nothing.

    Linear between the curve's points and rounded down, so only the last point gives all.
    """
    if not accuracy > curve[0][0]:
        return 0
    if accuracy >= curve[-1][0]:
        return FULL_CREDIT
    for (x0, y0), (x1, y1) in pairwise(curve):
        if accuracy <= x1:
            share = y1 if accuracy == x1 else y0 + (y1 - y0) * (accuracy - x0) / (x1 - x0)
            return int(round(FULL_CREDIT * share, 6))
    raise AssertionError("the curve's last point was passed above")


def two_layer_accuracy(weights: Weights, x: np.ndarray, y: np.ndarray) -> float:
    """Return the accuracy of argmax(relu(x W1^T + b1) W2^T + b2), in 0..1; x: (N, 784), y: (N,)."""
    with np.errstate(all="ignore"):
        hidden = np.maximum(x @ weights["W1"].T + weights["b1"], 0.0)
        logits = hidden @ weights["W2"].T + weights["b2"]
    return float(np.mean(np.argmax(logits, axis=1) == y))


def initial_weights(seed: int) -> Weights:
    """Return weights by He initialisation and biases of 0."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0.0, np.sqrt(2.0 / shape[-1]), size=shape)
        if len(shape) == 2
        else np.zeros(shape)
        for name, shape in SHAPES.items()
    }


def as_weights(received: dict[str, Any], when: str) -> Weights:
    """Return a network's weights as float64 arrays of the right shapes, or fail the test."""
    return {
        name: expect.array(f"{name} {when}", received[name], shape).astype(np.float64)
        for name, shape in SHAPES.items()
    }


def train_two_layer(
    student: Student,
    model: Any,
    training: Training,
    seed: int,
    write: Callable[[Weights], None],
    read: Callable[[], dict[str, Any]],
) -> dict[str, list[Any]]:
    """Train the student's two-layer network by its own train_step; measure it after each epoch.

    `model` has a `train_step(x, y, lr)`. `write` puts weights into it: the training begins with
    weights that are drawn here. `read` returns what it has at the moment, in the same form.

    Returns {"loss": as the student's code reported it (None where that is no finite number),
    "accuracy": as measured here}, one entry for each epoch.
    """
    data = training.data
    start = initial_weights(seed)
    write(start)
    for name, array in as_weights(read(), "before training").items():
        expect.close(f"{name} before training", array, start[name])
    x = student.prepare("standardise", data.x_train, *training.scale)
    y = student.keep(data.y_train.astype(np.int64))
    curve: dict[str, list[Any]] = {"loss": [], "accuracy": []}
    for epoch in range(training.epochs):
        loss = student.drive(
            "train_epoch", model, x, y, training.batch_size, training.lr, seed + epoch
        )
        finite = type(loss) is float and np.isfinite(loss)
        curve["loss"].append(round(loss, 6) if finite else None)
        weights = as_weights(read(), "after training")
        accuracy = two_layer_accuracy(weights, training.test_rows, data.y_test)
        curve["accuracy"].append(round(accuracy, 6))
    return curve
