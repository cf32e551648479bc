"""What the pictures show of training: numbers of runs of the solutions on the embedded digits."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BATCH, RATE, EPOCHS, LOOKS = 64, 0.01, 20, 30


@dataclass(frozen=True)
class Digits:
    """A run of week 1's network: losses, accuracies now and then, first layer before and after."""

    losses: list[float]
    looks: list[tuple[int, float, float]]
    start: np.ndarray
    end: np.ndarray


@dataclass(frozen=True)
class Overfitted:
    """Losses by epoch of a run that learns its few training images by heart."""

    training: list[float]
    validation: list[float]


def _modules() -> tuple[Any, Any]:
    """Return the course's data and week 1's solution."""
    for folder in (ROOT / "solutions" / "week1_backprop", ROOT):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    import mnist_mlp

    import data

    return data, mnist_mlp


@cache
def digits() -> Digits:
    """Train as week 1's script does."""
    data, mnist_mlp = _modules()
    images = data.load("digits")
    x_train, x_test = mnist_mlp.standardise(images.x_train, images.x_test)
    rng = np.random.default_rng(0)
    model = mnist_mlp.TwoLayerMLP(rng=rng)
    start = model.layers[0].W.copy()
    total = EPOCHS * -(-len(x_train) // BATCH)
    when = set(np.linspace(1, total, LOOKS).round().astype(int).tolist())
    losses, looks = [], []
    for _ in range(EPOCHS):
        for batch in mnist_mlp.minibatch_indices(len(x_train), BATCH, rng):
            losses.append(model.train_step(x_train[batch], images.y_train[batch], RATE))
            if len(losses) in when:
                on_training = model.evaluate(x_train, images.y_train)
                looks.append((len(losses), on_training, model.evaluate(x_test, images.y_test)))
    return Digits(losses, looks, start, model.layers[0].W)


@cache
def overfitted() -> Overfitted:
    """Train on 100 digits, a fifth of them with labels drawn at random."""
    data, mnist_mlp = _modules()
    images = data.load("digits")
    x_train, x_test = mnist_mlp.standardise(images.x_train, images.x_test)
    rng = np.random.default_rng(0)
    x, y = x_train[:100], images.y_train[:100].copy()
    y[::5] = rng.integers(10, size=20)
    model = mnist_mlp.TwoLayerMLP(rng=rng)
    training, validation = [], []
    for _ in range(40):
        for batch in mnist_mlp.minibatch_indices(len(x), 10, rng):
            model.train_step(x[batch], y[batch], 0.02)
        training.append(model.loss_fn.forward(model.forward(x), y))
        validation.append(model.loss_fn.forward(model.forward(x_test), images.y_test))
    return Overfitted(training, validation)
