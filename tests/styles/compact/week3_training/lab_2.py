"""Debugging lab 2: momentum on small batches; four rings around each other.

It trains badly, for one reason. Look at its curve first (`python lab.py curves`), and measure.
Then mend it here, by a line or two.
"""

import numpy as np


def batches(count, size, rng):
    """Return the indices of one epoch's examples, shuffled anew, a row for each batch."""
    indices = np.arange(count)
    return rng.permuted(indices.reshape(-1, size), axis=1)


def forward(weights, x):
    """Return the hidden layer's values (N, hidden) and the probabilities (N, classes)."""
    W1, b1, W2, b2 = weights
    hidden = np.maximum(x @ W1.T + b1, 0.0)
    scores = hidden @ W2.T + b2
    powers = np.exp(scores - scores.max(axis=1)[:, None])
    return hidden, powers / powers.sum(axis=1)[:, None]


NAMES = ("W1", "b1", "W2", "b2")


def train(x: np.ndarray, y: np.ndarray, seed: int, watch=lambda *step: None) -> dict:
    """Return W1 (hidden, D), b1, W2 (classes, hidden), b2 for x (N, D) and y (N,), sorted by y.

    watch: called before each step with the weights, their gradients, the batch's rows, and the
    batch's x and y as they are trained on. N is a multiple of ten.
    """
    rng = np.random.default_rng(seed)
    shuffle = rng.permutation(len(x))
    x, y = x[shuffle], y[shuffle]
    weights = []
    for inputs, outputs in ((x.shape[1], 48), (48, y.max() + 1)):
        weights += [rng.normal(size=(outputs, inputs)) / np.sqrt(inputs), np.zeros(outputs)]
    velocities = [np.zeros_like(weight) for weight in weights]
    for _ in range(15):
        for rows in batches(len(x), 10, rng):
            hidden, error = forward(weights, x[rows])
            error[np.arange(len(rows)), y[rows]] -= 1.0
            error /= len(rows)
            below = (error @ weights[2]) * (hidden > 0.0)
            gradients = (below.T @ x[rows], below.sum(0), error.T @ hidden, error.sum(0))
            named = (dict(zip(NAMES, arrays, strict=True)) for arrays in (weights, gradients))
            watch(*named, rows, x[rows], y[rows])
            for weight, velocity, gradient in zip(weights, velocities, gradients, strict=True):
                velocity[:] = 0.9 * velocity + gradient
                weight -= 0.03 * velocity
    return dict(zip(NAMES, weights, strict=True))
