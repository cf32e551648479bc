"""Layers of a neural network, each with its forward and its backward pass, and the chain of them.

Conventions, for every layer in this file:

- Arrays hold one example per row: N examples with D features are an array of shape (N, D).
- `forward(x)` returns the layer's output and keeps whatever `backward` will need.
- `backward(dL_dy)` takes the gradient of the loss with respect to that output, always of the
  output's shape, and returns the gradient with respect to the input, always of the input's shape.
  It belongs to the latest `forward`. Nothing accumulates.
- Neither method changes an array that it was given.
- Entries of +-1000 are ordinary inputs: the results are right, and never NaN or infinite.
- Whole batches at once: no Python loop over examples or features.

Beyond the texts (week1.robustness): if the input, the upstream gradient and the layer's own
parameters are float32, everything that the layer returns or stores is float32; large inputs make no
RuntimeWarning either; and a second `backward` for the same `forward` gives the same result.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


class Layer(ABC):
    """What every layer can do: pass values forward and gradients backward."""

    @abstractmethod
    def forward(self, x: FloatArray) -> FloatArray:
        """Compute the output for the batch `x` and keep what `backward` needs."""

    @abstractmethod
    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Compute dL/dx from dL/dy for the batch of the latest `forward`."""


class Square(Layer):
    """Worked example: y = x ** 2, entry by entry.

    Each output depends on one input only, so the chain rule is a product of two numbers per
    entry: dL/dx = dL/dy * dy/dx with dy/dx = 2 x. The factor dy/dx needs x, so `forward` keeps it.
    """

    def forward(self, x: FloatArray) -> FloatArray:
        """Return x ** 2. `x`: any shape, not changed; the result has its shape and dtype."""
        self._x = x
        return x**2

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return dL/dx = dL/dy * 2 x. `dL_dy`: the shape of x, not changed."""
        return dL_dy * 2.0 * self._x


class Linear(Layer):
    """A fully connected layer: y = x W^T + b.

    Here W has a row for each output. Weights the other way round, (in_features, out_features) with
    y = x W + b, are accepted too, and so are biases as one row, (1, out_features): choose one form
    and keep to it. A gradient always has the shape of what it is the gradient of.

    Attributes:
        W: weights, shape (out_features, in_features). Row j holds the weights of output j.
        b: biases, shape (out_features,).
        dL_dW: gradient of the loss with respect to W, of W's shape, set by each `backward`.
        dL_db: gradient of the loss with respect to b, of b's shape, set by each `backward`.

    `W` and `b` may be replaced from outside at any time (`layer.W = ...`): `forward` and `backward`
    always use the present ones.
    """

    W: FloatArray
    b: FloatArray

    def __init__(
        self, in_features: int, out_features: int, *, rng: np.random.Generator | None = None
    ) -> None:
        """Create the layer with He initialisation.

        Args:
            in_features: size of one input row, at least 1.
            out_features: size of one output row, at least 1.
            rng: beyond the texts (week1.tools): where the random weights come from; a fresh
                `np.random.default_rng()` if None, so that two layers start differently. Pass a
                seeded generator to repeat a run.

        Every entry of `W` is drawn from a normal distribution with mean 0 and *variance*
        2 / in_features (He et al., 2015, "Delving Deep into Rectifiers"). `b` starts at zero.
        """
        self.in_features = in_features
        self.out_features = out_features
        self.dL_dW: FloatArray = np.zeros((out_features, in_features))
        self.dL_db: FloatArray = np.zeros(out_features)
        rng = np.random.default_rng() if rng is None else rng
        # BEGIN SOLUTION week1.linear
        self.W = rng.normal(0.0, np.sqrt(2.0 / in_features), size=(out_features, in_features))
        self.b = np.zeros(out_features)
        # END SOLUTION

    def forward(self, x: FloatArray) -> FloatArray:
        """Return y = x W^T + b.

        Args:
            x: inputs, shape (N, in_features), float, not changed.

        Returns:
            Outputs, shape (N, out_features).
        """
        # BEGIN SOLUTION week1.linear
        self._x = x
        return x @ self.W.T + self.b
        # END SOLUTION

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Store dL/dW and dL/db, and return dL/dx.

        What the three are is `week1.derive_linear`; each has the shape of what it is the gradient
        of. Averaging is the loss's business: its gradient has been divided by N already.

        Args:
            dL_dy: upstream gradient, shape (N, out_features), not changed.

        Returns:
            dL/dx, shape (N, in_features). `self.dL_dW` (out_features, in_features) and
            `self.dL_db` (out_features,) are replaced, not added to.
        """
        # BEGIN SOLUTION week1.linear
        self.dL_dW = dL_dy.T @ self._x
        self.dL_db = dL_dy.sum(axis=0)
        return dL_dy @ self.W
        # END SOLUTION


class ReLU(Layer):
    """The rectified linear unit: y = max(0, x), entry by entry.

    The first task: `forward` takes two lines, one that keeps x and one that returns the result.
    `backward` comes after its derivation.
    """

    def forward(self, x: FloatArray) -> FloatArray:
        """Return max(0, x). `x`: any shape, not changed; the result has its shape and dtype."""
        # BEGIN SOLUTION week1.relu
        self._x = x
        return np.maximum(x, 0.0)
        # END SOLUTION

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return dL/dx (`week1.derive_relu`).

        At x = 0 the function has a kink and no derivative; the convention here, as in PyTorch,
        is the value 0. `dL_dy`: the shape of x, not changed.
        """
        # BEGIN SOLUTION week1.relu
        return dL_dy * (self._x > 0.0)
        # END SOLUTION


class LeakyReLU(Layer):
    """ReLU that lets a little through: y = x where x > 0, and alpha * x elsewhere."""

    def __init__(self, alpha: float = 0.01) -> None:
        """Keep `alpha`, the slope on the negative side, usually between 0 and 1."""
        self.alpha = alpha

    def forward(self, x: FloatArray) -> FloatArray:
        """Return x or alpha * x. `x`: any shape, not changed; the result has its shape."""
        # BEGIN SOLUTION week1.leaky_relu
        self._x = x
        return np.where(x > 0.0, x, self.alpha * x)
        # END SOLUTION

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return dL/dx, of the shape of x.

        At the kink x = 0 the slope here is alpha, the one of the negative side, as in PyTorch; the
        slope 1 of the positive side is accepted too. `dL_dy`: the shape of x, not changed.
        """
        # BEGIN SOLUTION week1.leaky_relu
        return np.where(self._x > 0.0, dL_dy, self.alpha * dL_dy)
        # END SOLUTION


class Sigmoid(Layer):
    """The logistic function: y = 1 / (1 + exp(-x)), entry by entry, between 0 and 1."""

    def forward(self, x: FloatArray) -> FloatArray:
        """Return 1 / (1 + exp(-x)), computed so that no exponential can overflow.

        Multiplying numerator and denominator by exp(x) gives the second form
        exp(x) / (1 + exp(x)). One of the two forms is safe for x >= 0, the other for x < 0.
        `x`: any shape, not changed; the result has its shape and dtype.
        """
        # BEGIN SOLUTION week1.sigmoid
        small = np.exp(-np.abs(x))
        self._y = np.where(x >= 0.0, 1.0, small) / (1.0 + small)
        return self._y
        # END SOLUTION

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return dL/dx. The output of `forward` is all that it needs (`week1.derive_sigmoid`).

        `dL_dy`: the shape of x, not changed.
        """
        # BEGIN SOLUTION week1.sigmoid
        return dL_dy * self._y * (1.0 - self._y)
        # END SOLUTION


class Tanh(Layer):
    """The hyperbolic tangent: y = tanh(x), entry by entry, between -1 and 1."""

    def forward(self, x: FloatArray) -> FloatArray:
        """Return tanh(x). `x`: any shape, not changed; the result has its shape and dtype."""
        # BEGIN SOLUTION week1.tanh
        self._y = np.tanh(x)
        return self._y
        # END SOLUTION

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return dL/dx. The output of `forward` is all that it needs (`week1.derive_tanh`).

        `dL_dy`: the shape of x, not changed.
        """
        # BEGIN SOLUTION week1.tanh
        return dL_dy * (1.0 - self._y**2)
        # END SOLUTION


class Softmax(Layer):
    """Turns each row of scores into probabilities: y_i = exp(x_i) / sum_j exp(x_j)."""

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the softmax over the last axis, so that every row sums to 1.

        Subtracting the same number from all scores of a row leaves its result unchanged.
        Subtracting the row's own maximum makes every exponent 0 or less: nothing overflows, and
        the denominator is at least 1.

        Args:
            x: scores, shape (N, C), float, not changed.

        Returns:
            Probabilities, shape (N, C), the dtype of x.
        """
        # BEGIN SOLUTION week1.softmax
        exponentials = np.exp(x - x.max(axis=-1, keepdims=True))
        self._y = exponentials / exponentials.sum(axis=-1, keepdims=True)
        return self._y
        # END SOLUTION

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return dL/dx, through the whole Jacobian of each row.

        Every output depends on every score of its row: dL/dx_j is the sum over i of
        dL/dy_i dy_i/dx_j (`week1.derive_cross_entropy`). Written out, it needs no (C, C) matrices.

        Args:
            dL_dy: upstream gradient, shape (N, C), not changed.

        Returns:
            dL/dx, shape (N, C).
        """
        # BEGIN SOLUTION week1.softmax
        weighted = (dL_dy * self._y).sum(axis=-1, keepdims=True)
        return self._y * (dL_dy - weighted)
        # END SOLUTION


class Loss(Protocol):
    """What a loss can do; the classes of losses.py do."""

    def forward(self, y_pred: FloatArray, y_true: npt.NDArray) -> float:
        """Return the loss of the predictions."""
        ...

    def backward(self) -> FloatArray:
        """Return the gradient of that loss with respect to the predictions."""
        ...


class Network(Layer):
    """Layers in a row, the output of each being the input of the next, and a loss at the end.

    Attributes:
        layers: the layers, first to last.
        loss_fn: the loss that `train_step` lowers.
    """

    layers: list[Any]
    loss_fn: Loss

    def __init__(self, layers: Sequence[Any], loss_fn: Loss | None = None) -> None:
        """Keep the layers and the loss. Anything with `forward` and `backward` is a layer.

        Args:
            layers: first to last.
            loss_fn: has `forward(y_pred, y_true) -> float` and `backward() -> dL/dy_pred`;
                a `CrossEntropyLoss` if None. (One-hot rows as targets and the mean squared error
                are accepted too, as long as value and gradient belong together.)
        """
        self.layers = list(layers)
        if loss_fn is None:
            from losses import CrossEntropyLoss  # here, so that the layers work without losses.py

            loss_fn = CrossEntropyLoss()
        self.loss_fn = loss_fn

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the last layer's output for the batch `x`, shape (N, inputs of layer 1)."""
        # BEGIN SOLUTION week1.network
        for layer in self.layers:
            x = layer.forward(x)
        return x
        # END SOLUTION

    def backward(self, loss_grad: FloatArray) -> FloatArray:
        """Pass the gradient back through all layers, last to first.

        Args:
            loss_grad: gradient of the loss with respect to the network's output, of its shape, not
                changed.

        Returns:
            Gradient with respect to the network's input, of its shape. Every layer with
            parameters has stored its own gradients by then.
        """
        # BEGIN SOLUTION week1.network
        for layer in reversed(self.layers):
            loss_grad = layer.backward(loss_grad)
        return loss_grad
        # END SOLUTION

    def train_step(self, x: FloatArray, y: npt.NDArray, lr: float) -> float:
        """Do one step of gradient descent on one batch.

        Forward pass, `self.loss_fn`, backward pass, then for every layer that has parameters
        (`hasattr(layer, "W")`) W <- W - lr * dL_dW and b <- b - lr * dL_db. Both gradients of all
        layers belong to the parameters before the step.

        Args:
            x: inputs, shape (N, inputs of layer 1), not changed.
            y: targets in the form that the loss takes, not changed.
            lr: learning rate, positive.

        Returns:
            The batch's loss before the step.
        """
        # BEGIN SOLUTION week1.network
        loss = self.loss_fn.forward(self.forward(x), y)
        self.backward(self.loss_fn.backward())
        for layer in self.layers:
            if hasattr(layer, "W"):
                layer.W = layer.W - lr * layer.dL_dW
                layer.b = layer.b - lr * layer.dL_db
        return loss
        # END SOLUTION
