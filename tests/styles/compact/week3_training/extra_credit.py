"""The extra credit of week 3 in another style: single rows, SVD, recursion, copies."""

import numpy as np


class LayerNorm:
    """Layer norm by the chain rule, step by step, on transposed arrays."""

    def __init__(self, num_features, eps=1e-5):
        """Set up parameters."""
        self.num_features = num_features
        self.eps = eps
        self.gamma = np.ones((num_features,))
        self.beta = np.zeros((num_features,))

    def forward(self, x):
        """Normalise the columns of the transpose."""
        if np.shape(x)[1:] != (self.num_features,):
            raise ValueError("wrong shape")
        self.x = x.copy()
        self.mean = np.mean(self.x.T, axis=0)
        self.var = np.var(self.x.T, axis=0)
        self.inverse = (self.var + self.eps) ** -0.5
        self.normal = ((self.x.T - self.mean) * self.inverse).T
        out = self.normal.copy()
        out *= self.gamma
        out += self.beta
        return out

    def backward(self, dL_dy):
        """Go back through each step of forward."""
        count = self.num_features
        self.dL_dbeta = np.ones(len(dL_dy)) @ dL_dy
        self.dL_dgamma = np.einsum("nd,nd->d", dL_dy, self.normal)
        upper = (dL_dy * self.gamma).T
        centred = self.x.T - self.mean
        d_var = np.sum(upper * centred, axis=0) * -0.5 * self.inverse**3
        d_mean = -np.sum(upper, axis=0) * self.inverse - 2.0 * d_var * np.mean(centred, axis=0)
        return (upper * self.inverse + d_var * 2.0 * centred / count + d_mean / count).T


def xavier_normal(fan_in, fan_out, rng):
    """Scale standard normal numbers, drawn transposed."""
    return rng.standard_normal((fan_in, fan_out)).T * (2 / (fan_in + fan_out)) ** 0.5


def he_normal(fan_in, fan_out, rng):
    """Scale standard normal numbers."""
    return rng.standard_normal((fan_out, fan_in)) / (fan_in / 2) ** 0.5


def orthogonal(rows, columns, rng, gain=1.0):
    """Take both orthogonal factors of a singular value decomposition."""
    left, _, right = np.linalg.svd(rng.normal(size=(rows, columns)), full_matrices=False)
    return gain * left @ right


def gradient_norms(weights, x, dL_dy, activation="relu"):
    """Recurse over the layers."""
    if activation == "relu":
        f, slope = (lambda z: z * (z > 0)), (lambda z: (z > 0) * 1.0)
    elif activation == "tanh":
        f, slope = np.tanh, (lambda z: 1 / np.cosh(z) ** 2)
    else:
        raise ValueError(activation)

    def visit(number, h):
        if number == len(weights):
            return dL_dy, []
        z = h @ weights[number].T
        upper, norms = visit(number + 1, f(z))
        lower = (upper * slope(z)) @ weights[number]
        return lower, [float(np.sqrt((lower * lower).sum())), *norms]

    return visit(0, x)[1]


def activation_statistics(activations):
    """Count units by their largest values."""
    result = []
    for h in activations:
        dead = np.max(h, axis=0) <= 0
        mean = np.sum(h) / h.size
        deviation = np.sqrt(np.mean(h**2) - mean**2)
        result.append({"dead": dead.sum() / dead.size, "mean": mean, "deviation": deviation})
    return result


def plot_activations(activations, path, title=""):
    """Draw one histogram below the other."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(len(activations), sharex=True, squeeze=False)
    for place, h in zip(axes[:, 0], activations, strict=True):
        place.hist(np.ravel(h), bins=30)
    axes[-1, 0].set_xlabel(title)
    figure.savefig(path)
    plt.close(figure)


def clip_by_value(gradients, limit):
    """Clip copies."""
    if limit <= 0:
        raise ValueError("limit must be positive")
    copies = [gradient.copy() for gradient in gradients]
    for copy in copies:
        copy[copy > limit] = limit
        copy[copy < -limit] = -limit
    return copies


def clip_by_norm(gradients, max_norm):
    """Clip as PyTorch does, with a small number in the denominator; the same arrays if small."""
    if max_norm <= 0:
        raise ValueError("max_norm must be positive")
    total = np.linalg.norm(np.concatenate([gradient.ravel() for gradient in gradients]))
    if total <= max_norm:
        return tuple(gradients), total
    return tuple(max_norm / (total + 1e-6) * gradient for gradient in gradients), total
