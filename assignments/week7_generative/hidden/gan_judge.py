"""The examiner's own classifier of images, trained here in NumPy, and distances between sets.

It learns from the plain training images, with a seed of its own; no submission ever sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

WIDTHS = (784, 256, 64, 10)
"""Pixels, two hidden layers with ReLU, of which the second is the features, and classes."""

STEPS, BATCH, RATE, NOISE, SEED = 500, 64, 0.002, 0.2, 2007

Layers = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Judge:
    """A trained classifier of images (N, 784) with pixels from 0 to 1."""

    layers: Layers

    def features(self, images: np.ndarray) -> np.ndarray:
        """Return the last hidden layer, (N, 64)."""
        return hidden(self.layers, images.astype(np.float32))[-1]

    def classes(self, images: np.ndarray) -> np.ndarray:
        """Return the digit that it takes each image for."""
        W, b = self.layers[-1]
        return np.argmax(self.features(images) @ W + b, axis=1)


def hidden(layers: Layers, x: np.ndarray) -> list[np.ndarray]:
    """Return the input and the hidden layers."""
    found = [x]
    for W, b in layers[:-1]:
        found.append(np.maximum(found[-1] @ W + b, np.float32(0)))
    return found


def drawn_layers(rng: np.random.Generator) -> Layers:
    """Return layers before the training."""
    made = []
    for n, m in pairwise(WIDTHS):
        W = rng.normal(scale=np.sqrt(2 / n), size=(n, m)).astype(np.float32)
        made.append((W, np.zeros(m, dtype=np.float32)))
    return made


def slopes(layers: Layers, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """Return the gradients of the mean cross-entropy, of W and b of each layer in turn."""
    seen = hidden(layers, x)
    W, b = layers[-1]
    logits = seen[-1] @ W + b
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    error = chances / chances.sum(axis=1, keepdims=True)
    error[np.arange(len(y)), y] -= 1
    error /= len(y)
    found: list[np.ndarray] = []
    for (W, _), below in zip(layers[::-1], seen[::-1], strict=True):
        found = [below.T @ error, error.sum(axis=0), *found]
        if below is not x:
            error = (error @ W.T) * (below > 0)
    return found


def train(x: np.ndarray, y: np.ndarray, steps: int = STEPS, seed: int = SEED) -> Judge:
    """Train a classifier on images (N, 784), pixels from 0 to 1, and labels (N,)."""
    rng = np.random.default_rng(seed)
    layers = drawn_layers(rng)
    flat = [array for layer in layers for array in layer]
    first = [np.zeros_like(array) for array in flat]
    second = [np.zeros_like(array) for array in flat]
    for step in range(1, steps + 1):
        rows = rng.integers(len(x), size=BATCH)
        noise = rng.standard_normal((BATCH, x.shape[1]), dtype=np.float32)
        found = slopes(layers, x[rows] + np.float32(NOISE) * noise, y[rows])
        rate = np.float32(RATE * np.sqrt(1 - 0.999**step) / (1 - 0.9**step))
        for array, slope, m, v in zip(flat, found, first, second, strict=True):
            m += 0.1 * (slope - m)
            v += 0.001 * (slope * slope - v)
            array -= rate * m / (np.sqrt(v) + np.float32(1e-8))
    return Judge(layers)


def frechet_distance(one: np.ndarray, two: np.ndarray) -> float:
    """Return the squared Fréchet distance of the normal distributions of two sets of features."""
    one, two = one.astype(float), two.astype(float)
    c1, c2 = np.cov(one.T), np.cov(two.T)
    values, vectors = np.linalg.eigh(c1)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    common = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ c2 @ root), 0)).sum()
    shift = np.square(one.mean(axis=0) - two.mean(axis=0)).sum()
    return max(0.0, float(shift + np.trace(c1) + np.trace(c2) - 2 * common))


def distances(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the squared Euclidean distances between images (N, D) and others (M, D): (N, M)."""
    a, b = images.astype(np.float64), others.astype(np.float64)
    found = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1) - 2 * a @ b.T
    return np.maximum(found, 0)


def nearest_sibling(images: np.ndarray) -> float:
    """Return the mean distance from an image to the nearest other one of the set."""
    found = distances(images, images)
    np.fill_diagonal(found, np.inf)
    return float(np.sqrt(found.min(axis=1)).mean())
