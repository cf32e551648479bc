"""A student's own layers as they are, where a network may rest on more of them than is named.

It is hidden, since it says what the layers compute.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.suite import expect
from autograder.suite.student import Student

from ..suite_tools.asked import Asked
from ..suite_tools.layout import layout_of
from ..suite_tools.made_up import CLASSES, SQUARE, Held, Parts, Sizes


def left_alone(
    student: Student, rng: np.random.Generator, layers: Any, sizes: Sizes = SQUARE
) -> Parts:
    """Return layers of the student's as they are, Linear, ReLU and Linear, with random numbers.

    Only right layers will do: what a network computes beside hollow ones tells nothing of it.
    """
    several = isinstance(layers, (list, tuple)) and len(layers) == 3
    expect.that("layers", several, "expected a list of three: Linear, ReLU and Linear.")
    form, (features, hidden) = layout_of(student), sizes
    W = [
        rng.normal(size=size) / np.sqrt(size[1]) for size in ((hidden, features), (CLASSES, hidden))
    ]
    b = [rng.normal(size=len(weights)) for weights in W]
    start = [{"W": form.weights(W[n]), "b": form.biases(b[n])} for n in range(2)]
    for layer, numbers in zip((layers[0], layers[2]), start, strict=True):
        layer.W, layer.b = numbers["W"], numbers["b"]

    def back(x: np.ndarray, dL_dy: np.ndarray) -> tuple[np.ndarray, Held]:
        z = x @ W[0].T + b[0]
        upstreams = (dL_dy @ W[1]) * (z > 0), dL_dy
        pairs = zip(upstreams, (x, np.maximum(z, 0)), strict=True)
        gradients = [
            {"W": form.weights(dL_dz.T @ given), "b": form.biases(dL_dz.sum(axis=0))}
            for dL_dz, given in pairs
        ]
        return upstreams[0] @ W[0], gradients

    parts = Parts(
        asked=Asked(student),
        layers=layers,
        start=start,
        logits=lambda x: np.maximum(x @ W[0].T + b[0], 0) @ W[1].T + b[1],
        gradients=lambda x, dL_dy: back(x, dL_dy)[1],
        inputs=lambda x, dL_dy: back(x, dL_dy)[0],
        features=features,
        own=True,
    )
    if not _are_right(parts, rng.normal(size=(3, features)), rng.normal(size=(3, CLASSES))):
        expect.that("layers", False, "the layers themselves don't compute what they should.")
    return parts


def _are_right(parts: Parts, x: np.ndarray, dL_dlogits: np.ndarray) -> bool:
    """Return whether layers of the student's compute what they should; it counts as no check."""
    logits: Any = x
    for layer in parts.layers:
        logits = layer.forward(logits)
    dL_dx: Any = dL_dlogits
    for layer in parts.layers[::-1]:
        dL_dx = layer.backward(dL_dx)
    pairs = [(logits, parts.logits(x)), (dL_dx, parts.inputs(x, dL_dlogits))]
    ends = (parts.layers[0], parts.layers[-1])
    for layer, wanted in zip(ends, parts.gradients(x, dL_dlogits), strict=True):
        pairs += [(layer.dL_dW, wanted["W"]), (layer.dL_db, wanted["b"])]
    return all(
        type(received) is np.ndarray
        and received.shape == wanted.shape
        and np.allclose(received, wanted)
        for received, wanted in pairs
    )
