"""The training that the student's train_step is expected to do, done by the examiner.

Initial weights, batches and rate are the examiner's, so the weights on the way are known: what a
train_step leaves has to come from the gradients, and not from weights that were found before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograder.suite import expect
from autograder.suite.hidden.threshold import Training

from .formulas import Windows

Weights = dict[str, np.ndarray]

SIDE, FILTERS, CLASSES = 8, 8, 10
POOLED = (SIDE - 2) // 2
SHAPES = {
    "0.W": (3, 3, 1, FILTERS),
    "0.b": (FILTERS,),
    "4.W": (POOLED * POOLED * FILTERS, CLASSES),
    "4.b": (CLASSES,),
}
"""The parameters of a ConvNet by the number of their layer and their name."""

FARTHEST = 0.5
"""How far weights may be from the expected ones, as a share of the way from the initial ones.

Rounding makes less than 0.01 of it. Weights of another training are 5 away.
"""

_known: dict[tuple[int, int], list[Weights]] = {}


def cross_entropy(logits: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy and its gradient with respect to the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    hot = np.eye(logits.shape[1])[y]
    loss = np.log(np.exp(shifted).sum(axis=1)) - (shifted * hot).sum(axis=1)
    return float(loss.mean()), (p - hot) / len(y)


def native(images: np.ndarray) -> np.ndarray:
    """Return the original 8 x 8 pixels of digits, which are enlarged three times in a frame."""
    return np.ascontiguousarray(images[:, 3:25:3, 3:25:3])


def initial_weights(seed: int) -> Weights:
    """Return weights by He initialisation and biases of 0."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0.0, np.sqrt(2.0 / np.prod(shape[:-1])), size=shape)
        if len(shape) > 1
        else np.zeros(shape)
        for name, shape in SHAPES.items()
    }


def _windows(x: np.ndarray) -> np.ndarray:
    """Return the windows of 3 x 3 in images of one channel, (N, 6, 6, 9)."""
    return Windows.on(x, 3, 3, 1, 0).read(x).reshape(len(x), SIDE - 2, SIDE - 2, 9)


def _hidden(weights: Weights, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the output of convolution and ReLU as (N, 3, 3, 4, 8), pooled windows last, and it
    pooled (N, 3, 3, 8)."""
    active = np.maximum(seen @ weights["0.W"].reshape(9, FILTERS) + weights["0.b"], 0.0)
    blocks = active.reshape(-1, POOLED, 2, POOLED, 2, FILTERS).swapaxes(2, 3)
    blocks = blocks.reshape(-1, POOLED, POOLED, 4, FILTERS)
    return blocks, blocks.max(axis=3)


def _logits(weights: Weights, pooled: np.ndarray) -> np.ndarray:
    return pooled.reshape(len(pooled), -1) @ weights["4.W"] + weights["4.b"]


def accuracy(weights: Weights, x: np.ndarray, y: np.ndarray) -> float:
    """Return the share of images (N, 8, 8, 1) that a ConvNet with these weights gets right."""
    with np.errstate(all="ignore"):
        logits = _logits(weights, _hidden(weights, _windows(x))[1])
    return float(np.mean(logits.argmax(axis=1) == y))


def weights_on_the_way(
    training: Training, x: np.ndarray, y: np.ndarray, seed: int
) -> list[Weights]:
    """Return the initial weights, and those after each epoch of plain gradient descent.

    All submissions of a class start from the same seed, so the last answer is kept.
    """
    key = id(training), seed
    if key not in _known:
        _known.clear()
        _known[key] = list(_trained(training, x, y, seed))
    return _known[key]


def _trained(training: Training, x: np.ndarray, y: np.ndarray, seed: int) -> Iterator[Weights]:
    weights, seen = initial_weights(seed), _windows(x)
    yield dict(weights)
    for epoch in range(training.epochs):
        order = np.random.default_rng(seed + epoch).permutation(len(x))
        for first in range(0, len(x), training.batch_size):
            rows = order[first : first + training.batch_size]
            slopes = _slopes(weights, seen[rows], y[rows])
            weights = {name: weights[name] - training.lr * slopes[name] for name in weights}
        yield dict(weights)


def _slopes(weights: Weights, seen: np.ndarray, y: np.ndarray) -> Weights:
    """Return the gradients of the loss of a batch, given as windows."""
    blocks, pooled = _hidden(weights, seen)
    _, slope = cross_entropy(_logits(weights, pooled), y)
    back = (slope @ weights["4.W"].T).reshape(pooled.shape)
    first = np.arange(4)[:, None] == blocks.argmax(axis=3)[:, :, :, None]
    before = first * (back * (pooled > 0.0))[:, :, :, None]
    shape = (-1, POOLED, POOLED, 2, 2, FILTERS)
    places = before.reshape(shape).swapaxes(2, 3).reshape(*seen.shape[:3], FILTERS)
    return {
        "0.W": np.tensordot(seen, places, axes=([0, 1, 2], [0, 1, 2])).reshape(SHAPES["0.W"]),
        "0.b": places.sum(axis=(0, 1, 2)),
        "4.W": pooled.reshape(len(pooled), -1).T @ slope,
        "4.b": slope.sum(axis=0),
    }


def follows(received: list[dict[str, Any]], expected: list[Weights]) -> None:
    """Expect the weights of both layers to have gone the way that the gradients lead.

    Both begin with the initial weights, and have those after each epoch.
    """
    start = expected[0]
    for epoch, (ours, theirs) in enumerate(zip(expected[1:], received[1:], strict=True), start=1):
        for name in ("0.W", "4.W"):
            way = np.linalg.norm(ours[name] - start[name])
            apart = np.linalg.norm(theirs[name] - ours[name])
            message = (
                f"after epoch {epoch} the weights are not where gradient descent leads: a gradient "
                "is wrong, or something else changes the parameters than steps of lr times it."
            )
            label = f"layers[{name[0]}].W after training"
            expect.that(label, bool(apart <= FARTHEST * way), message)
