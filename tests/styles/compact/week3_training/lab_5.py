"""Debugging lab 5: Adam on small batches; four classes of two clouds each.

`python lab_5.py` runs, but trains badly, for one reason. Find it and mend it (a line or two), set
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
FAULT = "labels shifted by one"
WHY = "y - 1 makes -1 of class 0"


def opposite_clouds(rng, count=60):
    """Return standardised points and their classes 0 to 3, sorted: two clouds of each class."""
    y = np.repeat(np.arange(4), 2 * count)
    side = np.tile(np.repeat([-1.0, 1.0], count), 4)
    x = 3.5 * side[:, None] * np.eye(4, 5)[y] + rng.normal(size=(len(y), 5))
    return (x - x.mean(axis=0)) / x.std(axis=0), y


def one_hot(y, classes):
    """Return a row for each label, with a 1 in the label's column and 0 elsewhere."""
    return np.eye(classes)[y]


def network(weights, x):
    """Return the hidden layer's values (N, hidden) and the probabilities (N, classes)."""
    h = np.maximum(weights["W1"] @ x.T + weights["b1"][:, None], 0.0)
    p = weights["W2"] @ h + weights["b2"][:, None]
    p = np.exp(p - p.max(axis=0))
    return h.T, (p / p.sum(axis=0)).T


def train(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return W1 (hidden, D), b1, W2 (classes, hidden), b2 for x (N, D) and y (N,), sorted."""
    rng = np.random.default_rng(seed)
    targets, d, width = one_hot(y, int(y.max()) + 1), x.shape[1], 32
    classes = targets.shape[1]
    weights = {"W1": rng.uniform(-1.0, 1.0, (width, d)), "b1": np.zeros(width)}
    weights |= {"W2": rng.uniform(-0.3, 0.3, (classes, width)), "b2": np.zeros(classes)}
    mean, square = dict.fromkeys(weights, 0.0), dict.fromkeys(weights, 0.0)
    for step in range(1, 401):
        pick = rng.integers(len(x), size=32)
        h, p = network(weights, x[pick])
        dz = (p - targets[pick]) / len(pick)
        dh = dz @ weights["W2"] * (h > 0)
        gradient = {"W1": dh.T @ x[pick], "b1": dh.sum(0), "W2": dz.T @ h, "b2": dz.sum(0)}
        for name, g in gradient.items():
            mean[name] = 0.9 * mean[name] + 0.1 * g
            square[name] = 0.999 * square[name] + 0.001 * g**2
            scale = np.sqrt(square[name] / (1 - 0.999**step)) + 1e-8
            weights[name] -= 0.01 * mean[name] / (1 - 0.9**step) / scale
    return weights


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    weights = train(*opposite_clouds(rng), seed=0)
    x, y = opposite_clouds(rng)
    p = network(weights, x)[1]
    print(f"loss on new data: {-np.log(p[np.arange(len(y)), y]).mean():.3f}")
