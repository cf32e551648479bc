"""Loss functions: how far predictions are from their targets, and the gradient of that.

Conventions, for every loss in this file:

- `forward` takes predictions first and targets second, returns the loss as a Python float, and
  keeps what `backward` will need.
- `backward()` returns the gradient with respect to the predictions, of their shape, for the latest
  `forward`.
- Losses are means (over what, each class says), so that they do not grow with the batch.
  The gradient is that of the mean: it carries the same divisor.
- Neither method changes an array that it was given.

Beyond the texts (week1.robustness): bad shapes and impossible labels raise a ValueError that says
what is wrong, float32 predictions give float32 gradients, and a second `backward` for the same
`forward` gives the same result.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def check_same_shape(y_pred: npt.NDArray, y_true: npt.NDArray) -> None:
    """Raise a ValueError unless both arrays have the same shape.

    Given. Without it NumPy would broadcast: the difference of shapes (N, 1) and (N,) is an (N, N)
    array, and the loss a number that means nothing.
    """
    if y_pred.shape != y_true.shape:
        raise ValueError(
            f"predictions have shape {y_pred.shape}, but targets have shape {y_true.shape}; "
            "they must be the same"
        )


class MeanAbsoluteLoss:
    """Worked example: L = mean of |y_pred - y_true| over all elements.

    An array of shape (N, D) has N * D elements, and the mean divides by all of them. One element's
    share of the loss is |r| / (N * D) with r = y_pred - y_true, and its derivative is
    sign(r) / (N * D).
    """

    def forward(self, y_pred: FloatArray, y_true: FloatArray) -> float:
        """Return the mean absolute difference.

        Args:
            y_pred: predictions, any shape, float, not changed.
            y_true: targets, the same shape, not changed.

        Raises:
            ValueError: if the shapes differ (beyond the texts: week1.robustness).
        """
        check_same_shape(y_pred, y_true)
        self._residual = y_pred - y_true
        return float(np.mean(np.abs(self._residual)))

    def backward(self) -> FloatArray:
        """Return dL/dy_pred = sign(r) / (number of elements), which is 0 where r = 0."""
        return np.sign(self._residual) / self._residual.size


class MSELoss:
    """Mean squared error: L = mean of (y_pred - y_true) ** 2 over all elements.

    Adding up over the features and taking the mean over the batch alone is accepted too, with the
    gradient that belongs to it.
    """

    def forward(self, y_pred: FloatArray, y_true: FloatArray) -> float:
        """Return the mean of the squared differences over all elements, not only over the batch.

        Args:
            y_pred: predictions, any shape, usually (N, D), float, not changed.
            y_true: targets, the same shape, not changed.

        Raises:
            ValueError: if the shapes differ (beyond the texts: week1.robustness).
        """
        raise NotImplementedError("week1.mse: fill in MSELoss.forward")

    def backward(self) -> FloatArray:
        """Return dL/dy_pred, the shape of y_pred (`week1.derive_mse`)."""
        raise NotImplementedError("week1.mse: fill in MSELoss.backward")


class CrossEntropyLoss:
    """Cross-entropy between logits and true classes: the mean over the batch of -log p.

    p is the probability that the softmax of an example's logits gives to its true class: the
    softmax is part of the loss.

    With logits z and true class t, one example's loss is log(sum_j exp(z_j)) - z_t. Computing the
    softmax first and its logarithm afterwards would give log(0) for confident mistakes. With the
    row's maximum m taken out, log(sum_j exp(z_j)) = m + log(sum_j exp(z_j - m)), logits of +-1000
    give the exact loss: 0 when the right class leads by 2000, 2000 when it trails by 2000.

    Beyond the texts (week1.tools): with `from_probabilities=True` the softmax is switched off, and
    the predictions are probabilities already.
    """

    def __init__(self, from_probabilities: bool = False) -> None:
        """Keep whether predictions are probabilities (True) or logits (False)."""
        self.from_probabilities = from_probabilities

    def forward(self, logits: FloatArray, targets: npt.NDArray) -> float:
        """Return the mean loss over the batch.

        Args:
            logits: shape (N, C), float, of any size, not changed.
            targets: class indices, shape (N,), integers from 0 to C - 1; or one-hot rows, shape
                (N, C), of any numeric dtype. Not changed.

        Raises:
            ValueError: (beyond the texts: week1.robustness) if `logits` is not two-dimensional, if
                `targets` has neither shape, or if a class index is negative or not below C.
        """
        if self.from_probabilities:
            return self._forward_of_probabilities(logits, targets)
        raise NotImplementedError("week1.cross_entropy: fill in CrossEntropyLoss.forward")

    def backward(self) -> FloatArray:
        """Return dL/dlogits, shape (N, C) (`week1.derive_cross_entropy`)."""
        if self.from_probabilities:
            return self._backward_of_probabilities()
        raise NotImplementedError("week1.cross_entropy: fill in CrossEntropyLoss.backward")

    def _forward_of_probabilities(self, p: FloatArray, targets: npt.NDArray) -> float:
        """Return the mean of -log p over the batch, where p has each row's true class.

        `p`: shape (N, C), numbers in [0, 1] whose rows sum to 1. Probabilities below the smallest
        normal number of p's dtype (`np.finfo(p.dtype).tiny`) count as that number, so that log(0)
        is about -708 in float64 and never -inf. `targets`: as for `forward`. Neither is changed.
        """
        raise NotImplementedError("week1.tools: fill in CrossEntropyLoss._forward_of_probabilities")

    def _backward_of_probabilities(self) -> FloatArray:
        """Return dL/dp, shape (N, C), for the latest batch.

        Here too, p is at least the smallest normal number. One entry is the derivative of one term
        of the mean; where a class is not the true one, there is no such term.
        """
        raise NotImplementedError(
            "week1.tools: fill in CrossEntropyLoss._backward_of_probabilities"
        )

    @staticmethod
    def _one_hot(targets: npt.NDArray, logits: FloatArray) -> FloatArray:
        """Return the targets as one-hot rows: shape and dtype of `logits`, a new array.

        Takes the targets in both forms and raises the errors that `forward` documents.
        """
        raise NotImplementedError("week1.cross_entropy: fill in CrossEntropyLoss._one_hot")


class HuberLoss:
    """Squared near the target, linear far from it, so that outliers pull with bounded force.

    With r = y_pred - y_true, one element's share is r ** 2 / 2 where |r| <= delta and
    delta (|r| - delta / 2) elsewhere; the loss is their mean over all elements. Both pieces
    have the same value and slope at |r| = delta. As for `MSELoss`, the sum over the features and
    the mean over the batch is accepted too.
    """

    def __init__(self, delta: float = 1.0) -> None:
        """Keep `delta`, where the parabola goes over into straight lines; it must be positive."""
        if delta <= 0:
            raise ValueError(f"delta must be positive, got {delta}")
        self.delta = delta

    def forward(self, y_pred: FloatArray, y_true: FloatArray) -> float:
        """Return the mean Huber loss over all elements.

        Args:
            y_pred: predictions, any shape, usually (N, D), float, not changed.
            y_true: targets, the same shape, not changed.

        Raises:
            ValueError: if the shapes differ (beyond the texts: week1.robustness).
        """
        raise NotImplementedError("week1.huber: fill in HuberLoss.forward")

    def backward(self) -> FloatArray:
        """Return dL/dy_pred, the shape of y_pred.

        Each piece of the loss is differentiated by itself, and both give the same at |r| = delta.
        The divisor is that of the loss.
        """
        raise NotImplementedError("week1.huber: fill in HuberLoss.backward")
