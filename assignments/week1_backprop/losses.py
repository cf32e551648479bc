"""Loss functions: how far predictions are from their targets, and the gradient of that.

Conventions, for every loss in this file:

- `forward(pred, target)` returns the loss as a Python float and keeps what `backward` will need.
- `backward()` returns dL/dpred for the latest `forward`: the shape and the dtype of `pred`.
  Calling it again gives the same result.
- Losses are means (over what, each class says), so that they do not grow with the batch.
  The gradient is that of the mean: it carries the same divisor.
- Neither method changes an array that it was given.
- Bad shapes and impossible labels raise a ValueError that says what is wrong.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def check_same_shape(pred: npt.NDArray, target: npt.NDArray) -> None:
    """Raise a ValueError unless both arrays have the same shape.

    Given. Without it NumPy would broadcast: the difference of shapes (N, 1) and (N,) is an (N, N)
    array, and the loss a number that means nothing.
    """
    if pred.shape != target.shape:
        raise ValueError(
            f"predictions have shape {pred.shape}, but targets have shape {target.shape}; "
            "they must be the same"
        )


class MeanAbsoluteLoss:
    """Worked example: L = mean of |pred - target| over all elements.

    An array of shape (N, D) has N * D elements, and the mean divides by all of them. One element's
    share of the loss is |r| / (N * D) with r = pred - target; its derivative is sign(r) / (N * D).
    """

    def forward(self, pred: FloatArray, target: FloatArray) -> float:
        """Return the mean absolute difference.

        Args:
            pred: predictions, any shape, float, not changed.
            target: targets, the same shape, not changed.

        Raises:
            ValueError: if the shapes differ.
        """
        check_same_shape(pred, target)
        self._residual = pred - target
        return float(np.mean(np.abs(self._residual)))

    def backward(self) -> FloatArray:
        """Return dL/dpred = sign(pred - target) / (number of elements); 0 where they are equal."""
        return np.sign(self._residual) / self._residual.size


class MSELoss:
    """Mean squared error: L = mean of (pred - target) ** 2 over all elements."""

    def forward(self, pred: FloatArray, target: FloatArray) -> float:
        """Return the mean of the squared differences over all elements, not only over the batch.

        Args:
            pred: predictions, any shape, usually (N, D), float, not changed.
            target: targets, the same shape, not changed.

        Raises:
            ValueError: if the shapes differ.
        """
        raise NotImplementedError("week1.mse: fill in MSELoss.forward")

    def backward(self) -> FloatArray:
        """Return dL/dpred = 2 (pred - target) / (number of elements), the shape of pred."""
        raise NotImplementedError("week1.mse: fill in MSELoss.backward")


class CrossEntropyLoss:
    """Cross-entropy between target classes and predicted ones: the mean of -log p over the batch.

    p is the probability that the prediction gives to the example's true class. Predictions are
    logits (raw scores), and the softmax is part of the loss; with `from_probabilities=True` they
    are probabilities already.

    With logits z and true class t, one example's loss is log(sum_j exp(z_j)) - z_t. Computing the
    softmax first and its logarithm afterwards would give log(0) for confident mistakes. With the
    row's maximum m taken out, log(sum_j exp(z_j)) = m + log(sum_j exp(z_j - m)), logits of +-1000
    give the exact loss: 0 when the right class leads by 2000, 2000 when it trails by 2000.
    """

    def __init__(self, from_probabilities: bool = False) -> None:
        """Keep whether predictions are probabilities (True) or logits (False)."""
        self.from_probabilities = from_probabilities

    def forward(self, pred: FloatArray, target: npt.NDArray) -> float:
        """Return the mean loss over the batch.

        Args:
            pred: shape (N, C), float, not changed. Logits of any size; or, with
                `from_probabilities`, numbers in [0, 1] whose rows sum to 1. Probabilities below
                the smallest normal number of pred's dtype (`np.finfo(pred.dtype).tiny`)
                count as that number, so that log(0) is about -708 in float64 and never -inf.
            target: class indices, shape (N,), integers from 0 to C - 1; or one-hot rows, shape
                (N, C), of any numeric dtype. Not changed.

        Raises:
            ValueError: if `pred` is not two-dimensional, if `target` has neither shape, or if a
                class index is negative or not below C.
        """
        raise NotImplementedError("week1.cross_entropy: fill in CrossEntropyLoss.forward")

    def backward(self) -> FloatArray:
        """Return dL/dpred, shape (N, C).

        For logits: (softmax(pred) - one_hot(target)) / N. For probabilities:
        -one_hot(target) / (N p), with p raised to the smallest normal number as in `forward`.
        """
        raise NotImplementedError("week1.cross_entropy: fill in CrossEntropyLoss.backward")

    @staticmethod
    def _one_hot(target: npt.NDArray, pred: FloatArray) -> FloatArray:
        """Return the targets as one-hot rows: shape and dtype of `pred`, a new array.

        Takes the targets in both forms and raises the errors that `forward` documents.
        """
        raise NotImplementedError("week1.cross_entropy: fill in CrossEntropyLoss._one_hot")


class HuberLoss:
    """Squared near the target, linear far from it, so that outliers pull with bounded force.

    With r = pred - target, one element's share is r ** 2 / 2 where |r| <= delta and
    delta (|r| - delta / 2) elsewhere; the loss is their mean over all elements. Both pieces
    have the same value and slope at |r| = delta.
    """

    def __init__(self, delta: float = 1.0) -> None:
        """Keep `delta`, where the parabola goes over into straight lines; it must be positive."""
        if delta <= 0:
            raise ValueError(f"delta must be positive, got {delta}")
        self.delta = delta

    def forward(self, pred: FloatArray, target: FloatArray) -> float:
        """Return the mean Huber loss over all elements.

        Args:
            pred: predictions, any shape, usually (N, D), float, not changed.
            target: targets, the same shape, not changed.

        Raises:
            ValueError: if the shapes differ.
        """
        raise NotImplementedError("week1.huber: fill in HuberLoss.forward")

    def backward(self) -> FloatArray:
        """Return dL/dpred, the shape of pred.

        One entry is r where |r| <= delta and delta * sign(r) elsewhere, divided by the number
        of elements.
        """
        raise NotImplementedError("week1.huber: fill in HuberLoss.backward")
