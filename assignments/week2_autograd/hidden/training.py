"""Plain gradient descent on two layers of the student's, driven and measured by the examiner.

The student's part are the layers and the engine. The examiner sets the weights, with which the
network is at chance, takes the first steps itself (it calls the layers, runs backward and compares
the gradients with those of its own arithmetic), and one such step in a quarter of the epochs, from
weights that it draws. The driver `train_layers` does all other steps: it only saves time. Pixels
and classes are in an order of this run, so that weights from elsewhere fit other data. The accuracy
is measured here, with weights that are fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.channel.handles import Operand
from autograder.suite import expect
from autograder.suite.hidden.threshold import (
    CLASSES,
    FEATURES,
    HIDDEN,
    Training,
    two_layer_accuracy,
)
from autograder.suite.student import Student

from ..suite_tools import engine
from ..suite_tools.layers import Layout, layout_of

STEP = {"rtol": 1e-3, "atol": 1e-6}
"""How near gradients must come; wide enough for an engine that computes in float32."""

CHANCE = 0.3
"""Accuracy below which a network of ten classes knows nothing."""

Weights = list[np.ndarray]


def first_weights(rng: np.random.Generator) -> Weights:
    """Return W1, b1, W2, b2 with He initialisation, each W as (in, out)."""
    sizes = ((FEATURES, HIDDEN), (HIDDEN, CLASSES))
    drawn = [
        (rng.normal(0.0, np.sqrt(2.0 / size[0]), size=size), np.zeros(size[1])) for size in sizes
    ]
    return [array for pair in drawn for array in pair]


def naive_weights(training: Training, rng: np.random.Generator) -> Weights:
    """Return first weights with which the network is at chance."""
    for _ in range(20):
        weights = first_weights(rng)
        if _accuracy(weights, training) < CHANCE:
            return weights
    raise AssertionError("no weights are at chance: is this a data set of ten classes?")


def _accuracy(weights: Weights, training: Training) -> float:
    """Return the accuracy on the test images."""
    W1, b1, W2, b2 = weights
    named = {"W1": W1.T, "b1": b1, "W2": W2.T, "b2": b2}
    return two_layer_accuracy(named, training.test_rows, training.data.y_test)


def gradients_by_hand(weights: Weights, x: np.ndarray, labels: np.ndarray) -> Weights:
    """Return the gradients of the mean cross-entropy with respect to W1, b1, W2, b2 and x."""
    W1, b1, W2, b2 = weights
    before = x @ W1 + b1
    hidden = np.maximum(before, 0.0)
    logits = hidden @ W2 + b2
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = powers / powers.sum(axis=1, keepdims=True)
    d_logits = (softmax - np.eye(CLASSES)[labels]) / len(labels)
    d_before = (d_logits @ W2.T) * (before > 0.0)
    first, second = (
        [x.T @ d_before, d_before.sum(axis=0)],
        [hidden.T @ d_logits, d_logits.sum(axis=0)],
    )
    return [*first, *second, d_before @ W1.T]


def by_product_and_sum(make: Any, logits: Operand, constant: np.ndarray) -> None:
    """Run backward from sum(logits * constant), by `*` and `sum`."""
    (logits * make(constant)).sum().backward()


def by_products(make: Any, logits: Operand, constant: np.ndarray) -> None:
    """Run backward from the same, by `*` and `@`."""
    rows, columns = constant.shape
    column = (logits * make(constant)) @ make(np.ones((columns, 1)))
    (make(np.ones((1, rows))) @ column).backward()


def by_reshape(make: Any, logits: Operand, constant: np.ndarray) -> None:
    """Run backward from the same, by `reshape` and `@`."""
    (logits.reshape(1, constant.size) @ make(constant.reshape(-1, 1))).backward()


WAYS = (by_product_and_sum, by_products, by_reshape)
"""How the gradient of the loss is brought to the logits, in the driver's order."""


@dataclass
class Lesson:
    """The student's network with the data that it is trained on.

    Attributes:
        layers: linear, relu, linear, in the worker.
        rows: the training images as rows; labels: their classes; x, y: the same in the worker.
        way: an index into WAYS.
        feed: how the images get into the graph.
    """

    student: Student
    training: Training
    layout: Layout
    layers: list[Any]
    rows: np.ndarray
    labels: np.ndarray
    x: Any
    y: Any
    way: int = 0
    feed: engine.Feed | None = None

    def set(self, weights: Weights) -> None:
        """Put weights in."""
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
        """Let the driver take a step for each batch; return the mean loss that it reports."""
        if not batches:
            return None
        make, lr = self.student.autograd.Tensor, self.training.lr
        arguments = (make, self.layers, self.x, self.y, list(batches), lr, self.way)
        loss = self.student.drive("train_layers", *arguments)
        return loss if type(loss) is float and np.isfinite(loss) else None

    def step(self, weights: Weights, batch: np.ndarray, when: str) -> Weights:
        """Take a step from these weights by calling the layers; return the weights after it.

        The logits and all gradients are compared with those of the examiner's own arithmetic,
        with which the step is then taken.
        """
        first, _, second = self.layers
        parameters = [first.W, first.b, second.W, second.b]
        self.set(weights)
        cleared = [parameter.grad for parameter in parameters]
        try:
            gradients = self._compared(weights, batch, when, parameters)
        finally:
            for parameter, grad in zip(parameters, cleared, strict=True):
                parameter.grad = grad
        lr = self.training.lr
        return [w - lr * gradient for w, gradient in zip(weights, gradients, strict=True)]

    def _compared(
        self, weights: Weights, batch: np.ndarray, when: str, parameters: list[Any]
    ) -> Weights:
        """Return the gradients by hand, with which those of the student's layers agree."""
        assert self.feed is not None
        first, activation, second = self.layers
        x, labels = self.scaled(batch), self.labels[batch]
        [given] = self.feed([x], np.random.default_rng(batch))
        logits = self.student.operand(second(activation(first(given))))
        wanted = np.maximum(x @ weights[0] + weights[1], 0.0) @ weights[2] + weights[3]
        expect.close(f"logits {when}", logits.data, wanted, **STEP)
        shares = np.exp(wanted - wanted.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        constant = (shares - np.eye(CLASSES)[labels]) / len(labels)
        WAYS[self.way](partial(engine.constant, self.student), logits, constant)
        *gradients, of_x = gradients_by_hand(weights, x, labels)
        turns = (self.layout.weights, self.layout.biases) * 2
        for name, parameter, turn, gradient in zip(
            NAMES, parameters, turns, gradients, strict=True
        ):
            expect.close(f"gradient of {name} {when}", parameter.grad, turn(gradient), **STEP)
        expect.close(f"gradient of the images {when}", given.grad, of_x, **STEP)
        return gradients

    def scaled(self, batch: np.ndarray) -> np.ndarray:
        """Return some training images as the network gets them."""
        mean, deviation = self.training.scale
        return (self.rows[batch].astype(np.float64) - mean) / deviation


NAMES = tuple(f"{name} of the {which} layer" for which in ("first", "second") for name in "Wb")


def begin(student: Student, training: Training) -> Lesson:
    """Return the student's network of 784 inputs, 128 hidden units and 10 classes."""
    linear, relu = student.mnist_autograd.LinearAutograd, student.mnist_autograd.ReLUAutograd
    layers = [linear(FEATURES, HIDDEN), relu(), linear(HIDDEN, CLASSES)]
    rows = training.data.x_train.reshape(len(training.data.x_train), -1)
    labels = training.data.y_train.astype(np.int64)
    x = student.prepare("standardise", rows, *training.scale)
    return Lesson(
        student, training, layout_of(student), layers, rows, labels, x, student.keep(labels)
    )


def rearranged(training: Training, rng: np.random.Generator) -> Training:
    """Return the same images with pixels and classes in an order of this run."""
    data, pixels, classes = training.data, rng.permutation(FEATURES), rng.permutation(CLASSES)
    x_train, x_test = (
        part.reshape(len(part), -1)[:, pixels] for part in (data.x_train, data.x_test)
    )
    y_train, y_test = classes[data.y_train], classes[data.y_test]
    moved = SimpleNamespace(x_train=x_train, x_test=x_test, y_train=y_train, y_test=y_test)
    return replace(training, load=lambda: moved)


def follow(lesson: Lesson, weights: Weights, batches: Sequence[np.ndarray]) -> None:
    """Take the first steps, in each of the ways; leave the weights that follow.

    The first way that is right stays; if none is, the test fails as in the first.
    """

    def look(feed: engine.Feed) -> None:
        lesson.feed, faults = feed, []
        for lesson.way in range(len(WAYS)):
            try:
                after = weights
                for number, batch in enumerate(batches, start=1):
                    after = lesson.step(after, batch, f"in step {number}")
                return lesson.set(after)
            except Fault as fault:
                faults.append(fault)
        raise faults[0]

    engine.with_feeds(lesson.student, True, look, plain=False)


def train(student: Student, settings: Training, rng: np.random.Generator) -> dict[str, list[Any]]:
    """Train the student's layers; return the loss that they report and the accuracy, by epochs.

    The first steps start from weights of ours, and so does one step in the midst of some later
    epochs, which nobody can foresee; after it training goes on where it was.
    """
    training = rearranged(settings, rng)
    lesson, rows = begin(student, training), len(training.data.x_train)
    curve: dict[str, list[Any]] = {"loss": [], "accuracy": []}
    watched = rng.permutation(np.arange(1, training.epochs))[: -(-training.epochs // 4)]
    for epoch in range(training.epochs):
        order = rng.permutation(rows)
        batches = [order[k : k + training.batch_size] for k in range(0, rows, training.batch_size)]
        place = int(rng.integers(1, min(5, len(batches)) if epoch == 0 else len(batches)))
        if epoch == 0:
            follow(lesson, naive_weights(training, rng), batches[:place])
        else:
            place = place if epoch in watched else 0
            lesson.steps(batches[:place])
        if epoch in watched:
            now = lesson.fetch()
            lesson.step(naive_weights(training, rng), batches[place], f"in epoch {epoch + 1}")
            lesson.set(now)
        loss = lesson.steps(batches[place:])
        curve["loss"].append(None if loss is None else round(loss, 6))
        curve["accuracy"].append(round(_accuracy(lesson.fetch(), training), 6))
    return curve
