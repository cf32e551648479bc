"""Debugging lab 1: plain gradient descent on large batches; three arms of a spiral.

`python lab_1.py` runs, but trains badly, for one reason. Find it and mend it (a line or two), set
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
FAULT = "loss averaged twice"
WHY = "divided by the batch size in two places"


def spiral(rng, count=120):
    """Return `count` standardised points of each of three arms, sorted by arm, and the arms."""
    y = np.repeat(np.arange(3), count)
    radius = rng.uniform(0.1, 1.0, 3 * count)
    angle = 3.0 * radius + 2.1 * y + rng.normal(0.0, 0.1, 3 * count)
    x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return (x - x.mean(axis=0)) / x.std(axis=0), y


def log_softmax(scores):
    """Return the logarithms of the probabilities of the classes, row by row."""
    scores = scores - scores.max(axis=1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def loss_gradient(scores, y):
    """Return the gradient of the mean cross-entropy with respect to the scores."""
    gradient = np.exp(log_softmax(scores))
    gradient[np.arange(len(y)), y] -= 1.0
    return gradient


def train(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return W1 (hidden, D), b1, W2 (classes, hidden), b2 for x (N, D) and y (N,), sorted."""
    rng = np.random.default_rng(seed)
    epochs, size, rate = 200, 150, 0.3
    hidden, classes, features = 32, y.max() + 1, x.shape[1]
    w = {
        "W1": rng.normal(0.0, np.sqrt(2.0 / features), (hidden, features)),
        "b1": np.zeros(hidden),
        "W2": rng.normal(0.0, np.sqrt(2.0 / hidden), (classes, hidden)),
        "b2": np.zeros(classes),
    }
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(x)), len(x) // size):
            before = x[rows] @ w["W1"].T + w["b1"]
            after = np.maximum(before, 0.0)
            upper = loss_gradient(after @ w["W2"].T + w["b2"], y[rows])
            lower = (upper @ w["W2"]) * (before > 0.0)
            steps = {"W1": lower.T @ x[rows], "b1": lower.sum(0)}
            steps |= {"W2": upper.T @ after, "b2": upper.sum(0)}
            for name, step in steps.items():
                w[name] -= rate * step / len(rows)
    return w


if __name__ == "__main__":
    generator = np.random.default_rng(0)
    w = train(*spiral(generator), seed=0)
    x, y = spiral(generator)
    scores = np.maximum(x @ w["W1"].T + w["b1"], 0.0) @ w["W2"].T + w["b2"]
    print(f"loss on new data: {-log_softmax(scores)[np.arange(len(y)), y].mean():.3f}")
