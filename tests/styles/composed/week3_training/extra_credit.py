"""Extra credit out of small parts."""

from pathlib import Path

import numpy as np


class LayerNorm:
    """Batch normalisation of the transposed batch, in two steps."""

    def __init__(self, num_features, eps=1e-5):
        if num_features < 1 or not eps > 0:
            raise ValueError(f"num_features {num_features} or eps {eps} is out of its range")
        self.num_features, self.eps = num_features, eps
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)

    def forward(self, x):
        """Return the normalised rows."""
        if x.ndim != 2 or x.shape[1] != self.num_features:
            raise ValueError(f"x has shape {x.shape}, not (N, {self.num_features})")
        columns = (x.T - x.mean(axis=1)).T
        self.inverse = 1 / np.sqrt((columns**2).mean(axis=1, keepdims=True) + self.eps)
        self.x_hat = columns * self.inverse
        return self.x_hat * self.gamma + self.beta

    def backward(self, dL_dy):
        """Store the parameters' gradients, return dL/dx."""
        self.dL_dgamma = np.einsum("nd,nd->d", dL_dy, self.x_hat)
        self.dL_dbeta = np.einsum("nd->d", dL_dy)
        g = dL_dy * self.gamma
        g = g - self.x_hat * (g * self.x_hat).mean(axis=1, keepdims=True)
        return (g - g.mean(axis=1, keepdims=True)) * self.inverse


def _normal(variance, fan_in, fan_out, rng):
    return rng.standard_normal((fan_out, fan_in)) * np.sqrt(variance)


def xavier_normal(fan_in, fan_out, rng):
    """Return weights for tanh."""
    return _normal(2 / (fan_in + fan_out), fan_in, fan_out, rng)


def he_normal(fan_in, fan_out, rng):
    """Return weights for ReLU."""
    return _normal(2 / fan_in, fan_in, fan_out, rng)


def orthogonal(rows, columns, rng, gain=1.0):
    """Return the orthogonal part of a random matrix, by its singular vectors."""
    left, _, right = np.linalg.svd(rng.standard_normal((rows, columns)), full_matrices=False)
    return gain * (left @ right)


def gradient_norms(weights, x, dL_dy, activation="relu"):
    """Return the norms of the gradients in front of each layer."""
    functions = {
        "relu": (lambda a: np.clip(a, 0, None), lambda a: np.heaviside(a, 0.0)),
        "tanh": (np.tanh, lambda a: np.cosh(np.clip(a, -300, 300)) ** -2.0),
    }
    if activation not in functions:
        raise ValueError(f"activation must be relu or tanh, not {activation!r}")
    f, slope = functions[activation]
    before = []
    for W in weights:
        before.append(np.einsum("nd,md->nm", x, W))
        x = f(before[-1])
    norms, g = [], dL_dy
    for W, a in zip(weights[::-1], before[::-1], strict=True):
        g = (g * slope(a)) @ W
        norms.insert(0, float(np.linalg.norm(g)))
    return norms


def activation_statistics(activations):
    """Return mean, deviation and the share of dead units of each layer."""
    return [
        {
            "mean": float(np.average(values)),
            "deviation": float(np.sqrt(np.average((values - np.average(values)) ** 2))),
            "dead": float(np.average(values.max(axis=0) <= 0)),
        }
        for values in activations
    ]


def plot_activations(activations, path, title=""):
    """Save histograms side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2 * len(activations) + 1, 3), layout="constrained")
    figure.suptitle(title)
    places = figure.subplots(1, len(activations), sharex=True, sharey=True, squeeze=False)[0]
    numbers = activation_statistics(activations)
    for i, (axes, values, number) in enumerate(zip(places, activations, numbers, strict=True)):
        axes.hist(np.ravel(values), bins=40)
        lines = [f"layer {i + 1}", *(f"{name} {number[name]:.2f}" for name in number)]
        axes.set(title="\n".join(lines), xlabel="activation", ylabel="count")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")


def clip_by_value(gradients, limit):
    """Return gradients with entries between -limit and limit."""
    if not limit > 0:
        raise ValueError(f"limit is {limit}")
    return [np.minimum(np.maximum(g, -limit), limit) for g in gradients]


def clip_by_norm(gradients, max_norm):
    """Return gradients whose total norm is at most max_norm, and the norm before."""
    if not max_norm > 0:
        raise ValueError(f"max_norm is {max_norm}")
    total = float(np.linalg.norm([np.linalg.norm(g) for g in gradients]))
    factor = 1.0 if total <= max_norm else max_norm / total
    return [g * factor for g in gradients], total
