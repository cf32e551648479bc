"""Extra credit: layer norm, initialisation, gradients and activations in depth, clipping.

The parts are independent of each other. Conventions, for every function and layer in this file:

- Arrays hold one example per row; weights have the shape (outputs, inputs), as in week 1.
- Arrays that are passed in are never changed.
- float64 in, float64 out. Whole batches at once: no Python loop over examples or features.

`experiments.py` uses what is filled in here, and prints the tables that `experiments.md` asks for.
Importing this module needs NumPy alone: Matplotlib is imported where pictures are drawn.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


class LayerNorm:
    """Layer normalisation: each example gets mean 0 and variance 1 over its own features.

    y = gamma * x_hat + beta with x_hat = (x - mean) / sqrt(variance + eps), where mean and biased
    variance (divided by D) are those of one row of x, and gamma and beta belong to the features
    (Ba, Kiros and Hinton, 2016, "Layer Normalization"). No row depends on another one, so there
    are no running statistics, no modes, and a batch of one example is as good as any.

    Attributes:
        gamma: factors, shape (D,), at first 1.
        beta: offsets, shape (D,), at first 0.
        dL_dgamma: gradient of the loss with respect to gamma, shape (D,), set by each `backward`.
        dL_dbeta: gradient of the loss with respect to beta, shape (D,), set by each `backward`.

    `gamma` and `beta` may be replaced from outside: the layer uses the present ones.
    """

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        """Create the layer.

        Args:
            num_features: D, the size of one input row, at least 1.
            eps: positive; added to the variance *inside* the square root.

        Raises:
            ValueError: if an argument is out of its range.
        """
        if num_features < 1:
            raise ValueError(f"num_features must be at least 1, got {num_features}")
        if not eps > 0.0:
            raise ValueError(f"eps must be positive, got {eps}")
        self.num_features, self.eps = num_features, eps
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.dL_dgamma, self.dL_dbeta = np.zeros(num_features), np.zeros(num_features)

    def forward(self, x: FloatArray) -> FloatArray:
        """Return y = gamma * x_hat + beta, and keep what `backward` needs.

        In a row of large numbers that vary little, the mean of x ** 2 minus the square of the mean
        has lost all its digits; the mean of (x - mean) ** 2 has not.

        Args:
            x: inputs, shape (N, num_features), N at least 1, not changed.

        Returns:
            Outputs, of the same shape. A row whose entries are all equal gives beta.

        Raises:
            ValueError: if `x` has another shape.
        """
        # BEGIN SOLUTION week3.layer_norm
        if x.ndim != 2 or x.shape[1] != self.num_features:
            raise ValueError(f"x must have shape (N, {self.num_features}), got {x.shape}")
        centred = x - x.mean(axis=1, keepdims=True)
        self._scale = np.sqrt((centred**2).mean(axis=1, keepdims=True) + self.eps)
        self._x_hat = centred / self._scale
        return self.gamma * self._x_hat + self.beta
        # END SOLUTION

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Store dL/dgamma and dL/dbeta, and return dL/dx, for the latest `forward`.

        Derive it as you derived that of batch normalisation, with the statistics of a row. Calling
        it again gives the same result: nothing accumulates.

        Args:
            dL_dy: upstream gradient, shape (N, num_features), not changed.

        Returns:
            dL/dx, shape (N, num_features).
        """
        # BEGIN SOLUTION week3.layer_norm
        self.dL_dgamma = (dL_dy * self._x_hat).sum(axis=0)
        self.dL_dbeta = dL_dy.sum(axis=0)
        g = self.gamma * dL_dy
        through_mean = g.mean(axis=1, keepdims=True)
        through_variance = self._x_hat * (g * self._x_hat).mean(axis=1, keepdims=True)
        return (g - through_mean - through_variance) / self._scale
        # END SOLUTION


def xavier_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> FloatArray:
    """Return initial weights for tanh: normal, mean 0, *variance* 2 / (fan_in + fan_out).

    A compromise: a variance of 1 / fan_in keeps the size of values on their way forward, one of
    1 / fan_out that of gradients on their way back (Glorot and Bengio, 2010, "Understanding the
    Difficulty of Training Deep Feedforward Neural Networks", equation 12).

    Args:
        fan_in: number of inputs, at least 1.
        fan_out: number of outputs, at least 1.
        rng: where the weights come from.

    Returns:
        Weights, shape (fan_out, fan_in), float64.
    """
    # BEGIN SOLUTION week3.initialisation
    return rng.normal(0.0, np.sqrt(2.0 / (fan_in + fan_out)), size=(fan_out, fan_in))
    # END SOLUTION


def he_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> FloatArray:
    """Return initial weights for ReLU: normal, mean 0, *variance* 2 / fan_in.

    ReLU cuts off about half of what comes in, and the 2 makes up for it (He et al., 2015, "Delving
    Deep into Rectifiers"). Arguments and result are those of `xavier_normal`.
    """
    # BEGIN SOLUTION week3.initialisation
    return rng.normal(0.0, np.sqrt(2.0 / fan_in), size=(fan_out, fan_in))
    # END SOLUTION


def orthogonal(rows: int, columns: int, rng: np.random.Generator, gain: float = 1.0) -> FloatArray:
    """Return gain times a random matrix whose rows or columns are orthonormal.

    If there are at least as many rows as columns, the columns are (W^T W = gain^2 I), otherwise the
    rows (W W^T = gain^2 I). Such a matrix changes the length of no vector, but for the gain, in at
    least one of the two directions (Saxe, McClelland and Ganguli, 2014, "Exact Solutions to the
    Nonlinear Dynamics of Learning in Deep Linear Neural Networks").

    The QR decomposition of a tall normal random matrix (`np.linalg.qr`) gives orthonormal columns.
    To draw from all such matrices evenly, each column is multiplied by the sign of its diagonal
    entry of R (Mezzadri, 2007); leaving that out is accepted too.

    Args:
        rows: number of outputs, at least 1.
        columns: number of inputs, at least 1.
        rng: where the numbers come from.
        gain: the length of each of these rows or columns, positive; sqrt(2) is usual for ReLU.

    Returns:
        Weights, shape (rows, columns), float64.
    """
    # BEGIN SOLUTION week3.initialisation
    tall = rng.normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.where(np.diag(r) < 0.0, -1.0, 1.0)
    return gain * (q if rows >= columns else q.T)
    # END SOLUTION


def gradient_norms(
    weights: Sequence[FloatArray], x: FloatArray, dL_dy: FloatArray, activation: str = "relu"
) -> list[float]:
    """Return how large the gradient is in front of each layer of a deep network without biases.

    Layer k computes h_k = f(h_(k-1) W_k^T), with h_0 = x and the same activation f after every
    layer, the last one included; y is the last h. ReLU's slope at 0 is 0.

    Args:
        weights: W_1 to W_K, at least one; W_k has the shape (outputs of layer k, its inputs).
        x: inputs, shape (N, inputs of layer 1).
        dL_dy: gradient with respect to y, shape (N, outputs of layer K).
        activation: "relu" or "tanh".

    Returns:
        K Python floats, first layer first: entry k - 1 is the Euclidean norm, over all entries, of
        dL/dh_(k-1), the gradient with respect to the *input* of layer k.

    Raises:
        ValueError: if `activation` is neither of the two.
    """
    # BEGIN SOLUTION week3.gradient_norms
    if activation not in ("relu", "tanh"):
        raise ValueError(f"activation must be 'relu' or 'tanh', got {activation!r}")
    h, slopes = x, []
    for W in weights:
        z = h @ W.T
        h = np.maximum(z, 0.0) if activation == "relu" else np.tanh(z)
        slopes.append(z > 0.0 if activation == "relu" else 1.0 - h**2)
    gradient, norms = dL_dy, []
    for W, slope in zip(reversed(weights), reversed(slopes), strict=True):
        gradient = (gradient * slope) @ W
        norms.append(float(np.linalg.norm(gradient)))
    return norms[::-1]
    # END SOLUTION


def activation_statistics(activations: Sequence[FloatArray]) -> list[dict[str, float]]:
    """Return, for each layer, three numbers that tell how its activations are.

    Args:
        activations: for each layer the values after its activation function, shape (N, units).

    Returns:
        For each layer, in order, a dict of Python floats: "mean" and "deviation", the mean and the
        standard deviation (divided by N * units, before the root) over all entries; and "dead",
        the share of units, 0 to 1, whose value is 0 or negative for *every* example of the batch.
        Behind a ReLU, such a unit passes no gradient back for any of these examples.
    """
    # BEGIN SOLUTION week3.activation_tool
    return [
        {
            "mean": float(h.mean()),
            "deviation": float(h.std()),
            "dead": float((h <= 0.0).all(axis=0).mean()),
        }
        for h in activations
    ]
    # END SOLUTION


def save_figure(figure: Any, path: Path) -> None:
    """Save a Matplotlib figure as PNG; a file there is replaced by a complete one only. Given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    figure.savefig(partial, dpi=120, format="png")
    os.replace(partial, path)
    print(f"saved {path}")


def plot_activations(activations: Sequence[FloatArray], path: Path, title: str = "") -> None:
    """Save a picture with a histogram of the activations of each layer, side by side, as a PNG.

    The histograms share both axes, so that layers can be compared. Each says which layer it shows,
    with its mean, deviation and share of dead units, and the axes have labels.

    Args:
        activations: as for `activation_statistics`.
        path: where the picture goes; a file there is replaced.
        title: stands above the histograms.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.9 * len(activations) + 1.0, 3.2), layout="constrained")
    figure.suptitle(title)
    # BEGIN SOLUTION week3.activation_pictures
    grid = figure.subplots(1, len(activations), sharex=True, sharey=True, squeeze=False)[0]
    lowest, highest = min(h.min() for h in activations), max(h.max() for h in activations)
    layers = zip(grid, activations, activation_statistics(activations), strict=True)
    for number, (axes, h, numbers) in enumerate(layers, start=1):
        share = np.full(h.size, 1.0 / h.size)
        axes.hist(h.ravel(), bins=40, range=(lowest, highest), weights=share, log=True)
        axes.set_title(
            f"layer {number}\nmean {numbers['mean']:.2g}\ndeviation {numbers['deviation']:.2g}\n"
            f"dead {numbers['dead']:.0%}",
            fontsize="small",
        )
        axes.set_xlabel("activation")
    grid[0].set_ylabel("share of all values")
    # END SOLUTION
    save_figure(figure, path)


def clip_by_value(gradients: Sequence[FloatArray], limit: float) -> list[FloatArray]:
    """Return the gradients with every entry brought into the range from -limit to limit.

    Args:
        gradients: arrays of any shapes, not changed.
        limit: positive.

    Returns:
        A list of arrays in the same order, of the same shapes.

    Raises:
        ValueError: if `limit` is not positive.
    """
    # BEGIN SOLUTION week3.gradient_clipping
    if not limit > 0.0:
        raise ValueError(f"limit must be positive, got {limit}")
    return [np.clip(gradient, -limit, limit) for gradient in gradients]
    # END SOLUTION


def clip_by_norm(
    gradients: Sequence[FloatArray], max_norm: float
) -> tuple[list[FloatArray], float]:
    """Return the gradients, scaled so that their total norm is at most `max_norm`, and that norm.

    The total norm is the Euclidean norm of all arrays together, as if they were one long vector:
    the square root of the sum of the squares of all entries of all arrays. If it is above
    `max_norm`, every array is multiplied by max_norm / total norm, the same for all, so that the
    direction of the whole step stays. Otherwise nothing changes: gradients are never made larger.
    (Pascanu, Mikolov and Bengio, 2013, "On the Difficulty of Training Recurrent Neural Networks".)

    Args:
        gradients: arrays of any shapes, not changed. They may all be 0.
        max_norm: positive.

    Returns:
        A list of arrays in the same order, of the same shapes; and the total norm *before*
        clipping, a Python float.

    Raises:
        ValueError: if `max_norm` is not positive.
    """
    # BEGIN SOLUTION week3.gradient_clipping
    if not max_norm > 0.0:
        raise ValueError(f"max_norm must be positive, got {max_norm}")
    total = float(np.sqrt(sum(np.sum(gradient**2) for gradient in gradients)))
    factor = max_norm / total if total > max_norm else 1.0
    return [gradient * factor for gradient in gradients], total
    # END SOLUTION
