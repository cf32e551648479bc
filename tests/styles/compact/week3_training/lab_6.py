"""Debugging lab 6: gradient descent at a falling rate; a spiral of two arms.

`python lab_6.py` runs, but trains badly, for one reason. Find it and mend it (a line or two), set
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
FAULT = "zero initialisation"
WHY = "no gradient gets through"


def spiral(rng, count=150):
    """Return `count` standardised points of each of two arms, one arm after the other, and 0, 1."""
    y, radius = np.repeat([0, 1], count), np.sqrt(rng.uniform(0.05, 1.0, 2 * count))
    angle = 4.0 * radius + np.pi * y + rng.normal(0.0, 0.1, 2 * count)
    x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return (x - x.mean(axis=0)) / x.std(axis=0), y


class Linear:
    """y = x W^T + b, from the given W and b = 0."""

    def __init__(self, W):
        self.W, self.b = W, np.zeros(len(W))

    def forward(self, x):
        """Return the outputs, (N, outputs), and remember x."""
        self.x = x
        return self.b + x @ self.W.T

    def step(self, upstream, rate):
        """Take a gradient step; `upstream` belongs to the latest outputs."""
        self.W -= rate * upstream.T @ self.x
        self.b -= rate * upstream.sum(axis=0)


def softmax(z):
    """Return the probabilities of the classes, (N, classes)."""
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def train(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return W1 (hidden, D), b1, W2 (classes, hidden), b2 for x (N, D) and y (N,), sorted."""
    features, hidden, classes = x.shape[1], 32, y.max() + 1
    rng = np.random.default_rng(seed)
    first = Linear(rng.uniform(-0.1, 0.1, (hidden, features)))
    second = Linear(np.zeros((classes, hidden)))
    for rate in 0.97 ** np.arange(60):
        for rows in np.array_split(rng.permutation(len(y)), 10):
            z = first.forward(x[rows])
            p = softmax(second.forward(np.maximum(z, 0.0)))
            dz = (p - np.eye(classes)[y[rows]]) / len(rows)
            first.step((dz @ second.W) * (z > 0.0), rate)
            second.step(dz, rate)
    return {"W1": first.W, "b1": first.b, "W2": second.W, "b2": second.b}


if __name__ == "__main__":
    w = train(*spiral(np.random.default_rng(0)), seed=0)
    x, y = spiral(np.random.default_rng(1))
    p = softmax(np.maximum(x @ w["W1"].T + w["b1"], 0.0) @ w["W2"].T + w["b2"])
    print(f"loss on new data: {-np.log(p[np.arange(len(y)), y]).mean():.3f}")
