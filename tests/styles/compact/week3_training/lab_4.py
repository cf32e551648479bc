"""Debugging lab 4: RMSprop on small batches, at a falling rate; noisy patterns of sixteen pixels.

It trains badly, for one reason. Look at its curve first (`python lab.py curves`), and measure.
Then mend it here, by a line or two.
"""

import numpy as np


class FallingRate:
    """A learning rate that falls by the factor `gamma` each time."""

    def __init__(self, rate, gamma):
        self.first, self.rate, self.gamma = rate, rate, gamma

    def step(self, times):
        """Set the rate: the first one, fallen so many times."""
        self.rate = self.first * self.gamma**times


class RMSprop:
    """Divides each gradient by the root of the mean of its latest squares."""

    def __init__(self, w, schedule):
        self.w, self.schedule = w, schedule
        self.squares = {name: np.zeros_like(array) for name, array in w.items()}

    def step(self, gradients):
        """Take one step against the gradients."""
        for name, g in gradients.items():
            self.squares[name] = 0.9 * self.squares[name] + 0.1 * g**2
            size = np.sqrt(self.squares[name]) + 1e-8
            self.w[name] = self.w[name] - self.schedule.rate * g / size


def gradients_of(w, x, y):
    """Return the gradients of the mean cross-entropy, in a dict like the weights."""
    hidden = np.clip(x @ w["W1"].T + w["b1"], 0.0, None)
    scores = hidden @ w["W2"].T + w["b2"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    guess = powers / powers.sum(axis=1, keepdims=True)
    error = (guess - np.identity(guess.shape[1])[y]) / len(y)
    back = np.where(hidden > 0.0, error @ w["W2"], 0.0)
    return {"W1": back.T @ x, "b1": back.sum(0), "W2": error.T @ hidden, "b2": error.sum(0)}


def train(x: np.ndarray, y: np.ndarray, seed: int, watch=lambda *step: None) -> dict:
    """Return W1 (hidden, D), b1, W2 (classes, hidden), b2 for x (N, D) and y (N,), sorted by y.

    watch: called before each step with the weights, their gradients, the batch's rows, and the
    batch's x and y as they are trained on.
    """
    rng = np.random.default_rng(seed)
    hidden, classes = 20, len(np.unique(y))
    w = {"W1": rng.normal(size=(hidden, x.shape[1])) * np.sqrt(2.0 / x.shape[1])}
    w |= {"W2": rng.normal(size=(classes, hidden)) * np.sqrt(2.0 / hidden)}
    w |= {"b1": np.zeros(hidden), "b2": np.zeros(classes)}
    schedule = FallingRate(0.003, gamma=0.995)
    optimizer = RMSprop(w, schedule)
    epochs, batches = 40, len(x) // 20
    for count in range(epochs * batches):
        if count % batches == 0:
            epoch = np.array_split(rng.permutation(len(x)), batches)
        schedule.step(count)
        rows = epoch[count % batches]
        gradients = gradients_of(w, x[rows], y[rows])
        watch(w, gradients, rows, x[rows], y[rows])
        optimizer.step(gradients)
    return w
