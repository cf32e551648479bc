"""Batch normalisation: a layer that gives every feature mean 0 and variance 1 over the batch.

Conventions, for every layer in this file:

- Arrays hold one example per row: N examples with D features are an array of shape (N, D).
  Means and variances are taken over the batch (axis 0), for each feature by itself.
- `forward(x)` returns the layer's output and keeps whatever `backward` will need.
- `backward(dL_dy)` takes the gradient of the loss with respect to that output, of its shape, and
  returns the gradient with respect to the input, of its shape. It belongs to the latest `forward`.
- float64 in, float64 out. Whole batches at once: no Python loop over examples or features.

Beyond the texts, `week3.batch_norm_robustness` asks for more: neither method changes an array that
it was given; `backward` may be called again and gives the same result; after a forward pass in
evaluation mode it is right as well, whichever mode the layer is in by then; large numbers that vary
little lose no digits; float32 in gives float32 out; what makes no sense raises a ValueError.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def check_batch(x: FloatArray, num_features: int, training: bool) -> None:
    """Raise a ValueError unless `x` is a batch that a layer can work with.

    Given, for `week3.batch_norm_robustness`. A batch has shape (N, num_features). Without this,
    NumPy would broadcast: one column of shape (N, 1), scaled by D factors, becomes (N, D) without a
    word.

    In training N is at least 2. A single example is its own mean: x_hat would be 0 whatever the
    example is, and no gradient would get through.
    """
    if x.ndim != 2 or x.shape[1] != num_features:
        raise ValueError(f"a batch has shape (N, {num_features}) here, but x has shape {x.shape}")
    if training and len(x) < 2:
        raise ValueError(
            f"batch statistics need at least 2 examples, but this batch has {len(x)}; "
            "call eval() to use the running statistics instead"
        )


class BatchCentre:
    """Worked example: y = x - mean of x over the batch, feature by feature.

    Every output of a column depends on every input of that column, since all of them enter the
    mean: dy_m/dx_n = 1[m = n] - 1/N. Summed against the upstream gradient over all m, that is
    dL/dx_n = dL/dy_n - (1/N) sum_m dL/dy_m. The second term is the gradient *through the mean*.
    """

    def forward(self, x: FloatArray) -> FloatArray:
        """Return x with mean 0 in each column. `x`: shape (N, D), not changed."""
        return x - x.mean(axis=0)

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return dL/dx, which has mean 0 in each column too. `dL_dy`: shape (N, D), not changed."""
        return dL_dy - dL_dy.mean(axis=0)


class BatchNorm1d:
    """Batch normalisation of rows of features: y = gamma * x_hat + beta.

    x_hat = (x - mean) / sqrt(variance + eps), feature by feature. In training mode, mean and
    variance are those of the batch; in evaluation mode, the running ones that training has
    gathered, so that what becomes of an example does not depend on its neighbours
    (Ioffe and Szegedy, 2015, "Batch Normalization", algorithms 1 and 2).

    Attributes:
        gamma: factors, shape (D,), at first 1.
        beta: offsets, shape (D,), at first 0.
        running_mean: running mean of each feature, shape (D,), at first 0.
        running_var: running variance of each feature, shape (D,), at first 1.
        training: the mode: True at first, and after `train()`; False after `eval()`.
        dL_dgamma: gradient of the loss with respect to gamma, shape (D,), set by each `backward`.
        dL_dbeta: gradient of the loss with respect to beta, shape (D,), set by each `backward`.

    All four arrays may have the shape (1, D) instead. They may be replaced from outside: `forward`
    uses the present ones. `backward` needs the gamma that `forward` used, so gamma must not be
    replaced in between. An array that was assigned as a running statistic may be updated in place.
    """

    gamma: FloatArray
    beta: FloatArray
    running_mean: FloatArray
    running_var: FloatArray

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        """Create the layer in training mode.

        Args:
            num_features: D, the size of one input row, at least 1.
            eps: positive; added to the variance *inside* the square root, in both modes, so that
                a feature that does not vary divides by sqrt(eps) and not by 0.
            momentum: the share, from 0 to 1, that a batch has in the running statistics after it.
                (Some books call 1 minus this number the momentum.) With 0 they stay as they are.

        Raises:
            ValueError: if an argument is out of its range.
        """
        if num_features < 1:
            raise ValueError(f"num_features must be at least 1, got {num_features}")
        if not eps > 0.0:
            raise ValueError(f"eps must be positive, got {eps}")
        if not 0.0 <= momentum <= 1.0:
            raise ValueError(f"momentum must be from 0 to 1, got {momentum}")
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.dL_dgamma: FloatArray = np.zeros(num_features)
        self.dL_dbeta: FloatArray = np.zeros(num_features)
        self.training = True

    def train(self) -> None:
        """Go over to training mode: `forward` normalises by the batch's own statistics. Given."""
        self.training = True

    def eval(self) -> None:
        """Go over to evaluation mode: `forward` normalises by the running statistics. Given."""
        self.training = False

    def forward(self, x: FloatArray) -> FloatArray:
        """Return y = gamma * x_hat + beta. Given: it goes by the mode, and the parts are yours.

        Args:
            x: inputs, shape (N, num_features), float, not changed.

        Returns:
            Outputs, of the same shape.

        Raises:
            ValueError: if `x` has another shape; in training mode also if N is 1
                (`week3.batch_norm_robustness`).
        """
        check_batch(x, self.num_features, self.training)
        if not self.training:
            return self._forward_by_running_statistics(x).astype(x.dtype, copy=False)
        if self.momentum > 0.0:
            self._update_running_statistics(x)
        return self._forward_by_batch_statistics(x).astype(x.dtype, copy=False)

    def _forward_by_batch_statistics(self, x: FloatArray) -> FloatArray:
        """Normalise by the mean and the *biased* variance of the batch: the one divided by N.

        Where numbers are large and vary little, the mean of x ** 2 minus the square of the mean
        has lost all its digits; the mean of (x - mean) ** 2 has not.
        """
        raise NotImplementedError(
            "week3.batch_norm_forward: fill in BatchNorm1d._forward_by_batch_statistics"
        )

    def _update_running_statistics(self, x: FloatArray) -> None:
        """Let the batch `x`, shape (N, D), N at least 2, into the running statistics.

        running <- (1 - momentum) * running + momentum * batch, for the mean and for the variance.
        The batch's variance is the *unbiased* one here, the one divided by N - 1, since the running
        variance estimates that of all data. (As in the paper and in PyTorch. Some libraries take
        the biased one, which is accepted as well, if it is used for every batch.)
        """
        raise NotImplementedError(
            "week3.batch_norm_modes: fill in BatchNorm1d._update_running_statistics"
        )

    def _forward_by_running_statistics(self, x: FloatArray) -> FloatArray:
        """Normalise by `running_mean` and `running_var`, which stay as they are.

        One example alone is no special case here.
        """
        raise NotImplementedError(
            "week3.batch_norm_modes: fill in BatchNorm1d._forward_by_running_statistics"
        )

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Store dL/dgamma and dL/dbeta, and return dL/dx.

        After a forward pass in training mode, mean and variance depend on x themselves: there are
        three ways from x to the loss. You have derived what comes out (`week3.derive_batch_norm`).

        After one in evaluation mode they are constants. (Beyond the texts:
        `week3.batch_norm_robustness`.)

        Args:
            dL_dy: upstream gradient, shape (N, num_features), not changed.

        Returns:
            dL/dx, shape (N, num_features). `self.dL_dgamma` and `self.dL_dbeta`, of the shapes of
            gamma and beta, are replaced, not added to.
        """
        raise NotImplementedError("week3.batch_norm_backward: fill in BatchNorm1d.backward")
