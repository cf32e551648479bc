"""Debugging lab 2: momentum on small batches; four rings around each other.

`python lab_2.py` runs, but trains badly, for one reason. Find it and mend it (a line or two), set
FAULT to its name in FAULTS, and WHY to one line that says how you can tell. `train` returns the
weights of a network whose scores of the classes are W2 relu(W1 x + b1) + b2.
"""

import numpy as np

FAULTS = (
    "activation skipped in backward",
    "biases never updated",
    "data not shuffled",
    "gradient has the wrong sign",
    "initial weights too large",
    "inputs not standardised",
    "labels shifted by one",
    "learning rate too high",
    "learning rate too low",
    "loss averaged twice",
    "loss never averaged",
    "zero initialisation",
)
FAULT = "data not shuffled"
WHY = "classes come one after the other"


def rings(rng, count=200):
    """Return `count` standardised points of each of four rings, innermost first, and the rings."""
    ring = np.repeat(np.arange(4), count)
    radius = ring + 1.0 + rng.uniform(-0.3, 0.3, len(ring))
    angle = rng.uniform(0.0, 2.0 * np.pi, len(ring))
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return (x - x.mean(axis=0)) / x.std(axis=0), ring


def batches(count, size, rng):
    """Return the indices of one epoch's examples, divided into batches."""
    indices = np.arange(count)
    return np.array_split(indices, count // size)


def forward(weights, x):
    """Return the hidden layer's values (N, hidden) and the probabilities (N, classes)."""
    W1, b1, W2, b2 = weights
    hidden = np.maximum(x @ W1.T + b1, 0.0)
    scores = hidden @ W2.T + b2
    powers = np.exp(scores - scores.max(axis=1)[:, None])
    return hidden, powers / powers.sum(axis=1)[:, None]


def train(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return W1 (hidden, D), b1, W2 (classes, hidden), b2 for x (N, D) and y (N,), sorted."""
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
            for weight, velocity, gradient in zip(weights, velocities, gradients, strict=True):
                velocity[:] = 0.9 * velocity + gradient
                weight -= 0.03 * velocity
    return dict(zip(("W1", "b1", "W2", "b2"), weights, strict=True))


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    result = train(*rings(rng), seed=0)
    x, y = rings(rng)
    chances = forward(result.values(), x)[1][np.arange(len(y)), y]
    print(f"loss on new data: {-np.log(chances).mean():.3f}")
