"""Debugging lab 4: RMSprop on small batches; noisy patterns of sixteen pixels.

`python lab_4.py` runs, but trains badly, for one reason. Find it and mend it (a line or two), set
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
FAULT = "learning rate too low"
WHY = "nothing moves"


def patterns(rng, clean, count=60):
    """Return `count` noisy, standardised copies of each row of `clean`, and the rows' numbers."""
    numbers = np.repeat(np.arange(len(clean)), count)
    x = clean[numbers] + rng.normal(size=(len(numbers), clean.shape[1]))
    return (x - x.mean(axis=0)) / x.std(axis=0), numbers


def probabilities(w, x):
    """Return the classes' probabilities, (N, classes), and the hidden layer's values."""
    hidden = np.clip(x @ w["W1"].T + w["b1"], 0.0, None)
    scores = hidden @ w["W2"].T + w["b2"]
    scores -= scores.max(axis=1, keepdims=True)
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True), hidden


def gradients_of(w, x, y):
    """Return the gradients of the mean cross-entropy, in a dict like the weights."""
    guess, hidden = probabilities(w, x)
    error = (guess - np.identity(guess.shape[1])[y]) / len(y)
    back = np.where(hidden > 0.0, error @ w["W2"], 0.0)
    return {"W1": back.T @ x, "b1": back.sum(0), "W2": error.T @ hidden, "b2": error.sum(0)}


def train(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return W1 (hidden, D), b1, W2 (classes, hidden), b2 for x (N, D) and y (N,), sorted."""
    rng = np.random.default_rng(seed)
    hidden, classes = 20, len(np.unique(y))
    w = {"W1": rng.normal(size=(hidden, x.shape[1])) * np.sqrt(2.0 / x.shape[1])}
    w |= {"W2": rng.normal(size=(classes, hidden)) * np.sqrt(2.0 / hidden)}
    w |= {"b1": np.zeros(hidden), "b2": np.zeros(classes)}
    squares = {name: np.zeros_like(array) for name, array in w.items()}
    rate = 1e-3
    for _ in range(40):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 20):
            chosen = order[start : start + 20]
            for name, g in gradients_of(w, x[chosen], y[chosen]).items():
                squares[name] = 0.9 * squares[name] + 0.1 * g**2
                w[name] = w[name] - rate * g / (np.sqrt(squares[name]) + 1e-8)
    return w


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    clean = rng.choice([-1.0, 1.0], size=(6, 16))
    w = train(*patterns(rng, clean), seed=0)
    x, y = patterns(rng, clean)
    print(f"loss on new data: {-np.log(probabilities(w, x)[0][np.arange(len(y)), y]).mean():.3f}")
