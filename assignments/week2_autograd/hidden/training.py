"""Plain gradient descent on two layers of the student's, driven and measured by the examiner.

The student's part are the layers and the engine: the driver `train_layers` computes the loss. The
examiner sets the first weights, follows the first steps in its own arithmetic, looks at one step in
each epoch, and measures the accuracy itself, with weights that it fetches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.suite import expect
from autograder.suite.hidden.threshold import (
    CLASSES,
    FEATURES,
    HIDDEN,
    Training,
    two_layer_accuracy,
)
from autograder.suite.student import Student

from ..suite_tools.layers import (
    Layout,
    layout_of,
    softmax_gradient,
    two_layer_gradients,
    two_layers,
)

STEP = {"rtol": 1e-3, "atol": 1e-6}
"""How near weights must come after a step; wide enough for an engine that computes in float32."""

WAYS = 3
"""In how many ways the driver can bring the loss's gradient to the logits."""

Weights = list[np.ndarray]


def first_weights(rng: np.random.Generator) -> Weights:
    """Return W1, b1, W2, b2 with He initialisation, each W as (in, out)."""
    sizes = ((FEATURES, HIDDEN), (HIDDEN, CLASSES))
    drawn = [
        (rng.normal(0.0, np.sqrt(2.0 / size[0]), size=size), np.zeros(size[1])) for size in sizes
    ]
    return [array for pair in drawn for array in pair]


@dataclass
class Lesson:
    """The student's network with the data that it is trained on.

    Attributes:
        layers: linear, relu, linear, in the worker.
        x, y: the training images as rows and their classes, in the worker.
        way: how the driver brings the loss's gradient to the logits.
    """

    student: Student
    training: Training
    layout: Layout
    layers: list[Any]
    x: Any
    y: Any
    way: int = 0

    def set(self, weights: Weights) -> None:
        """Put weights in, and forget gradients that are there."""
        for layer, W, b in zip(self.layers[::2], weights[::2], weights[1::2], strict=True):
            layer.W.data, layer.b.data = self.layout.weights(W), self.layout.biases(b)

    def fetch(self) -> Weights:
        """Return the weights as they are now, or fail the test."""
        first, _, second = self.layers
        return [
            *self.layout.ours("first layer", first.W.data, first.b.data, (FEATURES, HIDDEN)),
            *self.layout.ours("second layer", second.W.data, second.b.data, (HIDDEN, CLASSES)),
        ]

    def steps(self, batches: Sequence[np.ndarray]) -> float | None:
        """Let the student's layers take a step for each batch; return the mean loss it reports."""
        if not batches:
            return None
        make, lr = self.student.autograd.Tensor, self.training.lr
        arguments = (make, self.layers, self.x, self.y, list(batches), lr, self.way)
        loss = self.student.drive("train_layers", *arguments)
        return loss if type(loss) is float and np.isfinite(loss) else None

    def after_a_step(self, weights: Weights, rows: np.ndarray) -> Weights:
        """Return the weights after a step on these rows, in the examiner's own arithmetic."""
        data, (mean, deviation) = self.training.data, self.training.scale
        x = data.x_train[rows].reshape(len(rows), -1).astype(np.float64)
        x = (x - mean) / deviation
        d_logits = softmax_gradient(two_layers(weights, x), data.y_train[rows].astype(np.int64))
        gradients = two_layer_gradients(weights, x, d_logits)
        lr = self.training.lr
        return [w - lr * gradient for w, gradient in zip(weights, gradients, strict=True)]

    def compare(self, expected: Weights, what: str) -> Weights:
        """Compare the weights with those expected, and return them."""
        received = self.fetch()
        names = ("W of the first layer", "b of the first layer", "W of the second layer")
        for name, one, other in zip(
            (*names, "b of the second layer"), received, expected, strict=True
        ):
            expect.close(f"{name} {what}", one, other, **STEP)
        return received


def begin(student: Student, training: Training) -> Lesson:
    """Return the student's network of 784 inputs, 128 hidden units and 10 classes."""
    linear, relu = student.mnist_autograd.LinearAutograd, student.mnist_autograd.ReLUAutograd
    layers = [linear(FEATURES, HIDDEN), relu(), linear(HIDDEN, CLASSES)]
    x = student.prepare("standardise", training.data.x_train, *training.scale)
    y = student.keep(training.data.y_train.astype(np.int64))
    return Lesson(student, training, layout_of(student), layers, x, y)


def follow(lesson: Lesson, weights: Weights, batches: Sequence[np.ndarray]) -> None:
    """Set the weights and compare them after a few steps, in each of the driver's ways.

    The first way that is right stays; if none is, the test fails as in the first.
    """
    expected = weights
    for rows in batches:
        expected = lesson.after_a_step(expected, rows)
    faults = []
    for lesson.way in range(WAYS):
        lesson.set(weights)
        try:
            lesson.compare(weights, "before training")
            lesson.steps(batches)
            lesson.compare(expected, f"after {len(batches)} steps of gradient descent")
            return
        except Fault as fault:
            faults.append(fault)
    raise faults[0]


def train(student: Student, training: Training, rng: np.random.Generator) -> dict[str, list[Any]]:
    """Train the student's layers; return the loss it reports and the accuracy, by epochs."""
    lesson, rows = begin(student, training), len(training.data.x_train)
    curve: dict[str, list[Any]] = {"loss": [], "accuracy": []}
    for epoch in range(training.epochs):
        order = rng.permutation(rows)
        batches = [order[k : k + training.batch_size] for k in range(0, rows, training.batch_size)]
        place = int(rng.integers(1, min(5, len(batches)) if epoch == 0 else len(batches)))
        if epoch == 0:
            follow(lesson, first_weights(rng), batches[:place])
        else:
            lesson.steps(batches[:place])
        expected = lesson.after_a_step(lesson.fetch(), batches[place])
        lesson.steps(batches[place : place + 1])
        lesson.compare(expected, f"after a step in epoch {epoch + 1}")
        loss = lesson.steps(batches[place + 1 :])
        curve["loss"].append(None if loss is None else round(loss, 6))
        W1, b1, W2, b2 = lesson.fetch()
        weights = {"W1": W1.T, "b1": b1, "W2": W2.T, "b2": b2}
        accuracy = two_layer_accuracy(weights, training.test_rows, training.data.y_test)
        curve["accuracy"].append(round(accuracy, 6))
    return curve
