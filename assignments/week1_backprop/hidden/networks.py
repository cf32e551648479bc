"""Networks of the student's own layers, whose weights are set, and the losses that they may have.

For code that keeps other references to its layers than `layers`, or asks for their type: there
made-up layers can't be put in. What is expected comes from the test's own numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.channel.handles import Handle
from autograder.suite.student import Student

from ..suite_tools.layout import Layout, layout_of, set_parameters
from ..suite_tools.made_up import CLASSES, Held, Parts


def own(student: Student, layers: Sequence[Handle], sizes: tuple[int, int], rng: Any) -> Parts:
    """Return the student's own layers with random parameters; `sizes` are inputs and hidden units.

    Biases of the hidden units are small, and so are the weights: no unit is always off.
    """
    layout, (features, hidden) = layout_of(student), sizes
    W1, b1 = rng.normal(size=(hidden, features)) / np.sqrt(features), 0.1 * rng.normal(size=hidden)
    W2, b2 = rng.normal(size=(CLASSES, hidden)) / np.sqrt(hidden), rng.normal(size=CLASSES)
    set_parameters(layers[0], layout, W1, b1)
    set_parameters(layers[-1], layout, W2, b2)

    def units(x: np.ndarray) -> np.ndarray:
        return np.maximum(x @ W1.T + b1, 0.0)

    def hidden_gradient(x: np.ndarray, dL_dy: np.ndarray) -> np.ndarray:
        return (dL_dy @ W2) * (units(x) > 0.0)

    def gradients(x: np.ndarray, dL_dy: np.ndarray) -> Held:
        before = hidden_gradient(x, dL_dy)
        return [
            in_form(layout, before.T @ x, before.sum(axis=0)),
            in_form(layout, dL_dy.T @ units(x), dL_dy.sum(axis=0)),
        ]

    return Parts(
        layers=layers,
        start=[in_form(layout, W1, b1), in_form(layout, W2, b2)],
        logits=lambda x: units(x) @ W2.T + b2,
        gradients=gradients,
        inputs=lambda x, dL_dy: hidden_gradient(x, dL_dy) @ W1,
        features=features,
    )


def in_form(layout: Layout, W: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
    """Return parameters or gradients as the student's Linear holds them."""
    return {"W": layout.weights(W), "b": layout.biases(b)}


def cross_entropy(z: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    """Return value and gradient of the cross-entropy of logits."""
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    hot = np.eye(z.shape[1])[t]
    return float(-np.sum(hot * log_p) / len(z)), (np.exp(log_p) - hot) / len(z)
