"""The training that the student's train_step is expected to do, done by the examiner.

Initial weights, batches and rate are the examiner's, so the weights on the way are known: what a
train_step leaves has to come from the gradients, and not from weights that were found before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.suite import expect
from autograder.suite.hidden.threshold import Training, Weights, initial_weights

from .cross_entropy import cross_entropy

FARTHEST = 0.5
"""How far weights may be from the expected ones, as a share of the way from the initial ones.

Rounding, also to float32, makes less than 0.01 of it. Weights of another training are 10 away.
"""

_known: dict[tuple[int, int], list[Weights]] = {}


def weights_on_the_way(training: Training, seed: int) -> list[Weights]:
    """Return the initial weights, and those after each epoch of plain gradient descent.

    All submissions of a class start from the same seed, so the last answer is kept.
    """
    key = id(training), seed
    if key not in _known:
        _known.clear()
        _known[key] = list(_trained(training, seed))
    return _known[key]


def _trained(training: Training, seed: int) -> Iterator[Weights]:
    """Train in single precision: that is near enough, and takes half the time."""
    data, (mean, deviation) = training.data, training.scale
    x = (data.x_train.reshape(len(data.x_train), -1).astype(np.float32) - mean) / deviation
    start = initial_weights(seed)
    yield start
    weights = {name: array.astype(np.float32) for name, array in start.items()}
    for epoch in range(training.epochs):
        order = np.random.default_rng(seed + epoch).permutation(len(x))
        for first in range(0, len(x), training.batch_size):
            rows = order[first : first + training.batch_size]
            _step(weights, x[rows], data.y_train[rows], training.lr)
        yield {name: array.astype(np.float64) for name, array in weights.items()}


def _step(weights: Weights, x: np.ndarray, y: np.ndarray, lr: float) -> None:
    """Take one step of gradient descent on the cross-entropy of a batch."""
    hidden = np.maximum(x @ weights["W1"].T + weights["b1"], 0.0)
    _, gradient = cross_entropy(hidden @ weights["W2"].T + weights["b2"], y)
    upstream = (lr * gradient).astype(x.dtype)
    before = (upstream @ weights["W2"]) * (hidden > 0.0)
    for name, change in (("W2", upstream.T @ hidden), ("W1", before.T @ x)):
        weights[name] -= change
    for name, change in (("b2", upstream.sum(axis=0)), ("b1", before.sum(axis=0))):
        weights[name] -= change


def follows(received: list[dict[str, Any]], expected: list[Weights]) -> None:
    """Expect the weights of both layers to have gone the way that the gradients lead.

    Both begin with the initial weights, and have those after each epoch.
    """
    start = expected[0]
    for epoch, (ours, theirs) in enumerate(zip(expected[1:], received[1:], strict=True), start=1):
        for name in ("W1", "W2"):
            way = np.linalg.norm(ours[name] - start[name])
            apart = np.linalg.norm(theirs[name] - ours[name])
            message = (
                f"after epoch {epoch} the weights are not where gradient descent leads: a gradient "
                "is wrong, or something else changes the parameters than steps of lr times it."
            )
            expect.that(f"{name} after training", bool(apart <= FARTHEST * way), message)
