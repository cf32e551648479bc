"""Regularization: dropout, the L2 penalty, early stopping, and augmentation of images.

Conventions, for everything in this file:

- Layers have `forward(x, training=True)` and `backward(grad)`. `training` says what the call is
  for: True while the network is trained, False for predictions.
- Images are augmented with random numbers from the `np.random.Generator` that the caller passes.

Beyond the texts:

- `week3.options`: randomness comes from the generator that is passed, and from nothing else. The
  same generator state gives the same result again.
- `week3.robustness`: no array that is handed in is ever changed, images keep their dtype, a loss of
  NaN is no improvement, and bad arguments raise a ValueError that says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


class GaussianNoise:
    """Worked example: adds normal noise in training, and nothing when the network predicts."""

    def __init__(self, deviation: float = 0.1, rng: np.random.Generator | None = None) -> None:
        """Keep the noise's standard deviation, and where it comes from (None: a fresh generator).

        Raises:
            ValueError: if `deviation` is negative.
        """
        if not deviation >= 0.0:
            raise ValueError(f"deviation must not be negative, got {deviation}")
        self.deviation = deviation
        self.rng = np.random.default_rng() if rng is None else rng

    def forward(self, x: FloatArray, training: bool = True) -> FloatArray:
        """Return x, in training plus noise, new in each call. `x`: any shape, not changed."""
        if not training:
            return x
        return x + self.rng.normal(0.0, self.deviation, size=x.shape)

    def backward(self, grad: FloatArray) -> FloatArray:
        """Return dL/dx = dL/dy: an added number changes no derivative."""
        return grad


class Dropout:
    """Sets entries to 0 at random in training, each with probability p, and enlarges the others.

    *Inverted* dropout: what is kept is divided by 1 - p, so that the expected value of every entry
    is the entry itself, and for predictions there is nothing to do. (The paper, Srivastava et al.,
    2014, "Dropout", enlarges nothing in training and shrinks the weights for predictions.)

    Attributes:
        p: the probability of being *dropped*.
        rng: where the choice comes from.
    """

    def __init__(self, p: float = 0.5, rng: np.random.Generator | None = None) -> None:
        """Keep p and the generator.

        Args:
            p: the probability, 0 <= p < 1, with which each entry is dropped.
            rng: a fresh `np.random.default_rng()` if None. Beyond the texts (`week3.options`): pass
                a seeded one to repeat a run.

        Raises:
            ValueError: if p is below 0, or 1 or more. (With p = 1 nothing would be left.)
        """
        if not 0.0 <= p < 1.0:
            raise ValueError(f"p must be at least 0 and below 1, got {p}")
        self.p = p
        self.rng = np.random.default_rng() if rng is None else rng

    def forward(self, x: FloatArray, training: bool = True) -> FloatArray:
        """Return x with dropout if `training`, and x as it is otherwise.

        In training every call draws anew, for every entry by itself: 0 with probability p, and
        x / (1 - p) otherwise.

        Args:
            x: any shape, float.
            training: whether the network is being trained.

        Returns:
            The output, of x's shape.
        """
        # BEGIN SOLUTION week3.dropout
        if training:
            kept = self.rng.random(x.shape) >= self.p
            self._factor = kept / (1.0 - self.p)
        else:
            self._factor = np.ones_like(x)
        return x * self._factor
        # END SOLUTION

    def backward(self, grad: FloatArray) -> FloatArray:
        """Return dL/dx for the latest `forward` in training.

        `grad` is dL/dy, of x's shape, and so is the result.

        Beyond the texts (`week3.robustness`): if the latest forward was one for predictions,
        nothing was dropped in it, and dL/dx is dL/dy.
        """
        # BEGIN SOLUTION week3.dropout
        return grad * self._factor
        # END SOLUTION


class L2:
    """The L2 penalty: strength / 2 times the sum of the squares of all weights.

    The factor 1/2 is there for the gradient's sake.
    """

    def __init__(self, strength: float) -> None:
        """Keep the strength. Raises a ValueError if it is negative."""
        if not strength >= 0.0:
            raise ValueError(f"strength must not be negative, got {strength}")
        self.strength = strength

    def penalty(self, weights: Sequence[FloatArray]) -> float:
        """Return strength / 2 * (sum over all arrays of the sum of the squares of their entries).

        It is added to the loss. No mean anywhere: neither over entries nor over arrays.

        Args:
            weights: arrays of any shapes. (Biases are usually left out.)

        Returns:
            A Python float; 0.0 for no arrays.
        """
        # BEGIN SOLUTION week3.l2
        return 0.5 * self.strength * float(sum(np.sum(W**2) for W in weights))
        # END SOLUTION

    def gradients(self, weights: Sequence[FloatArray]) -> list[FloatArray]:
        """Return the gradient of the penalty with respect to each array.

        Args:
            weights: arrays of any shapes.

        Returns:
            A list of new arrays in the same order, each of its W's shape; to be added to the
            gradients of the loss.
        """
        # BEGIN SOLUTION week3.l2
        return [self.strength * W for W in weights]
        # END SOLUTION


class EarlyStopping:
    """Says when to stop: after `patience` epochs in a row without an improvement.

    A loss is an improvement if it is below `best_loss - min_delta`. Equal is not below. Beyond the
    texts (`week3.robustness`): NaN, a loss that has blown up, is not below anything, so it never is
    an improvement.

    Attributes:
        best_loss: the loss of the latest improvement; infinity before the first.
        best_epoch: the number of that epoch, counted from 0: the first call of `step` is epoch 0.
            None before the first improvement.
    """

    best_loss: float
    best_epoch: int | None

    def __init__(self, patience: int, min_delta: float = 0.0) -> None:
        """Start to wait.

        Args:
            patience: how many epochs in a row may pass without an improvement, at least 1.
            min_delta: smaller improvements than this do not count; at least 0.

        Raises:
            ValueError: if an argument is out of its range.
        """
        if patience < 1:
            raise ValueError(f"patience must be at least 1, got {patience}")
        if not min_delta >= 0.0:
            raise ValueError(f"min_delta must not be negative, got {min_delta}")
        self.patience, self.min_delta = patience, min_delta
        self.best_loss = float("inf")
        self.best_epoch = None
        self._epoch = -1  # the epoch of the latest `step`
        self._waited = 0  # epochs in a row without an improvement

    def step(self, loss: float) -> bool:
        """Take one epoch's validation loss; return whether training should stop now.

        With patience 3 that is True at the third epoch in a row that brings no improvement, and
        at further ones; an improvement starts the count anew.

        Args:
            loss: the loss on validation data.

        Returns:
            True: stop now. False: go on.
        """
        # BEGIN SOLUTION week3.early_stopping
        self._epoch += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_epoch, self._waited = loss, self._epoch, 0
        else:
            self._waited += 1
        return self._waited >= self.patience
        # END SOLUTION


def check_images(images: npt.NDArray) -> None:
    """Raise a ValueError unless `images` has shape (N, H, W) or (N, H, W, C). Given."""
    if images.ndim not in (3, 4):
        raise ValueError(f"images have shape (N, H, W) or (N, H, W, C), got {images.shape}")


def random_crop(images: npt.NDArray, padding: int, rng: np.random.Generator) -> npt.NDArray:
    """Shift every image a little: surround it with zeros, then cut a window of the old size out.

    With `padding` rows and columns of zeros on each side there are 2 * padding + 1 places for the
    window in each direction, 0 to 2 * padding. Each image gets its own, vertically and
    horizontally independent, all places equally likely.

    Args:
        images: shape (N, H, W) or (N, H, W, C), any real dtype.
        padding: at least 0. With 0 every image stays as it is.
        rng: where the places come from.

    Returns:
        An array of the same shape and dtype; image n is a window of image n.

    Raises:
        ValueError: if `images` has another number of axes, or `padding` is negative.
    """
    check_images(images)
    if padding < 0:
        raise ValueError(f"padding must not be negative, got {padding}")
    # BEGIN SOLUTION week3.augmentation
    height, width = images.shape[1:3]
    sides = [(0, 0), (padding, padding), (padding, padding), (0, 0)]
    padded = np.pad(images, sides[: images.ndim])
    places = rng.integers(0, 2 * padding + 1, size=(len(images), 2))
    result = np.empty_like(images)
    for n, (top, left) in enumerate(places):
        result[n] = padded[n, top : top + height, left : left + width]
    return result
    # END SOLUTION


def horizontal_flip(images: npt.NDArray, rng: np.random.Generator, p: float = 0.5) -> npt.NDArray:
    """Mirror images left to right, each with probability p, independent of the others.

    Args:
        images: shape (N, H, W) or (N, H, W, C), any real dtype. The columns of pixels, axis 2,
            change their order; rows and channels do not.
        rng: where the choice comes from.
        p: from 0 (none) to 1 (all).

    Returns:
        An array of the same shape and dtype; image n is image n, or its mirror image.

    Raises:
        ValueError: if `images` has another number of axes, or p is not from 0 to 1.
    """
    check_images(images)
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"p must be from 0 to 1, got {p}")
    # BEGIN SOLUTION week3.augmentation
    mirrored = rng.random(len(images)) < p
    result = images.copy()
    result[mirrored] = images[mirrored, :, ::-1]
    return result
    # END SOLUTION
