"""The accuracy threshold: training by the student's train_step, measured by the examiner.

The worker gets training images and labels. Test images and labels never leave this process: after
each epoch the weights are fetched over the channel, and the accuracy is computed here by the
grader's own forward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograder.channel.faults import InfraError
from autograder.suite import expect
from autograder.suite.student import Student

Credit = Callable[[float], int]
FEATURES, HIDDEN, CLASSES = 784, 128, 10


@dataclass
class Training:
    """A data set with the settings of its threshold, as tests get it (`settings`).

    `load` reads the data when a test first asks for it. `credit` turns a test accuracy in 0..1
    into credit in 0..FULL_CREDIT; `full_from` is the accuracy from which it is full.
    """

    name: str
    load: Callable[[], Any]
    epochs: int
    batch_size: int
    lr: float
    credit: Credit
    full_from: float

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

    @cached_property
    def test_rows(self) -> np.ndarray:
        """The standardised test images as rows: (N, 784) float64."""
        mean, deviation = self.scale
        rows = self.data.x_test.reshape(len(self.data.x_test), -1)
        return (rows.astype(np.float64) - mean) / deviation


def two_layer_accuracy(weights: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> float:
    """Return the accuracy of argmax(relu(x W1^T + b1) W2^T + b2), in 0..1.

    W1: (hidden, 784), b1: (hidden,), W2: (10, hidden), b2: (10,); x: (N, 784); y: (N,).
    """
    with np.errstate(all="ignore"):
        hidden = np.maximum(x @ weights["W1"].T + weights["b1"], 0.0)
        logits = hidden @ weights["W2"].T + weights["b2"]
    return float(np.mean(np.argmax(logits, axis=1) == y))


def as_it_is(weight: Any) -> Any:
    """Return the weight unchanged, for weights that are arrays."""
    return weight


def fetch_weights(model: Any, read: Callable[[Any], Any] = as_it_is) -> dict[str, np.ndarray]:
    """Return a two-layer network's weights as float64 arrays of the right shapes, or fail the test.

    `read` gets the array of each weight.
    """
    first, second = model.layer1, model.layer2
    weights = {
        "W1": expect.array("layer1.W after training", read(first.W), (HIDDEN, FEATURES)),
        "b1": expect.array("layer1.b after training", read(first.b), (HIDDEN,)),
        "W2": expect.array("layer2.W after training", read(second.W), (CLASSES, HIDDEN)),
        "b2": expect.array("layer2.b after training", read(second.b), (CLASSES,)),
    }
    return {name: array.astype(np.float64) for name, array in weights.items()}


def train_two_layer(
    student: Student,
    model: Any,
    training: Training,
    seed: int,
    read: Callable[[Any], Any] = as_it_is,
) -> dict[str, list[Any]]:
    """Train the student's two-layer network by its own train_step; measure it after each epoch.

    `model` has a `train_step(x, y, lr)`, and `layer1` and `layer2` with W and b, of which `read`
    gets the arrays (`lambda weight: weight.data` where they are tensors).

    Returns {"loss": as the student's code reported it (None where that is no finite number),
    "accuracy": as measured here}, one entry for each epoch.
    """
    data = training.data
    x = student.prepare("standardise", data.x_train, *training.scale)
    y = student.keep(data.y_train.astype(np.int64))
    curve: dict[str, list[Any]] = {"loss": [], "accuracy": []}
    for epoch in range(training.epochs):
        loss = student.drive(
            "train_epoch", model, x, y, training.batch_size, training.lr, seed + epoch
        )
        finite = type(loss) is float and np.isfinite(loss)
        curve["loss"].append(round(loss, 6) if finite else None)
        accuracy = two_layer_accuracy(fetch_weights(model, read), training.test_rows, data.y_test)
        curve["accuracy"].append(round(accuracy, 6))
    return curve
