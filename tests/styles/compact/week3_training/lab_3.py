"""Debugging lab 3: gradient descent with momentum on all examples at once; clouds of points.

`python lab_3.py` runs, but trains badly, for one reason. Find it and mend it (a line or two), set
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
FAULT = "learning rate too high"
WHY = "the loss explodes"


def clouds(rng, count=80):
    """Return `count` standardised points of each of five clouds in six dimensions, and `which`."""
    which = np.repeat(np.arange(5), count)
    x = 4.0 * np.eye(5, 6)[which] + rng.normal(size=(len(which), 6))
    return (x - x.mean(axis=0)) / x.std(axis=0), which


class Network:
    """Two linear layers with a ReLU between them: scores = W2 relu(W1 x + b1) + b2."""

    def __init__(self, inputs, hidden, classes, rng):
        self.W1 = rng.normal(0.0, (2.0 / inputs) ** 0.5, (hidden, inputs))
        self.W2 = rng.normal(0.0, (2.0 / hidden) ** 0.5, (classes, hidden))
        self.b1, self.b2 = np.zeros(hidden), np.zeros(classes)

    def loss_and_gradients(self, x, y):
        """Return the mean cross-entropy and its gradients, by the weights' names."""
        h = np.maximum(x @ self.W1.T + self.b1, 0.0)
        z = h @ self.W2.T + self.b2
        z -= z.max(axis=1, keepdims=True)
        logs = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        dz = (np.exp(logs) - np.eye(len(self.b2))[y]) / len(x)
        dh = (dz @ self.W2) * (h > 0.0)
        gradients = {"W1": dh.T @ x, "b1": dh.sum(0), "W2": dz.T @ h, "b2": dz.sum(0)}
        return -logs[np.arange(len(y)), y].mean(), gradients


def train(x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return W1 (hidden, D), b1, W2 (classes, hidden), b2 for x (N, D) and y (N,), sorted."""
    network = Network(x.shape[1], 32, y.max() + 1, np.random.default_rng(seed))
    rate, momentum = 0.3, 0.0
    velocity = dict.fromkeys(("W1", "b1", "W2", "b2"), 0.0)
    for _ in range(200):
        _, gradients = network.loss_and_gradients(x, y)
        for name, gradient in gradients.items():
            velocity[name] = momentum * velocity[name] - rate * gradient
            setattr(network, name, getattr(network, name) + velocity[name])
    return {name: getattr(network, name) for name in velocity}


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    network = Network(6, 1, 5, rng)
    vars(network).update(train(*clouds(rng), seed=0))
    print(f"loss on new data: {network.loss_and_gradients(*clouds(rng))[0]:.3f}")
