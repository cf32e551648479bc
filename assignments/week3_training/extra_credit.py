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
        raise NotImplementedError("week3.layer_norm: fill in LayerNorm.forward")

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Store dL/dgamma and dL/dbeta, and return dL/dx, for the latest `forward`.

        Derive it as you derived that of batch normalisation, with the statistics of a row. Calling
        it again gives the same result: nothing accumulates.

        Args:
            dL_dy: upstream gradient, shape (N, num_features), not changed.

        Returns:
            dL/dx, shape (N, num_features).
        """
        raise NotImplementedError("week3.layer_norm: fill in LayerNorm.backward")


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
    raise NotImplementedError("week3.initialisation: fill in xavier_normal")


def he_normal(fan_in: int, fan_out: int, rng: np.random.Generator) -> FloatArray:
    """Return initial weights for ReLU: normal, mean 0, *variance* 2 / fan_in.

    ReLU cuts off about half of what comes in, and the 2 makes up for it (He et al., 2015, "Delving
    Deep into Rectifiers"). Arguments and result are those of `xavier_normal`.
    """
    raise NotImplementedError("week3.initialisation: fill in he_normal")


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
    raise NotImplementedError("week3.initialisation: fill in orthogonal")


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
    raise NotImplementedError("week3.gradient_norms: fill in gradient_norms")


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
    raise NotImplementedError("week3.activation_tool: fill in activation_statistics")


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
    raise NotImplementedError("week3.activation_pictures: fill in plot_activations")
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
    raise NotImplementedError("week3.gradient_clipping: fill in clip_by_value")


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
    raise NotImplementedError("week3.gradient_clipping: fill in clip_by_norm")
