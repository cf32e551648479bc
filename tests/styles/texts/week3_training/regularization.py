"""Regularization: dropout, L2, early stopping, augmentation."""

import numpy as np


class Dropout:
    """Drop activations at random while training."""

    def __init__(self, p=0.5):
        """Keep the probability of dropping."""
        self.p = p

    def forward(self, x, training=True):
        """Apply a new mask in training; return x otherwise."""
        if not training:
            return x
        self.mask = (np.random.rand(*x.shape) > self.p) / (1 - self.p)
        return x * self.mask

    def backward(self, grad):
        """Apply the same mask to the gradient."""
        return grad * self.mask


class L2:
    """The penalty strength / 2 * sum of W^2."""

    def __init__(self, strength):
        """Keep the strength."""
        self.strength = strength

    def penalty(self, weights):
        """Return the penalty of all weights."""
        total = 0.0
        for W in weights:
            total += np.sum(W**2)
        return self.strength / 2 * total

    def gradients(self, weights):
        """Return its gradient for each of the weights."""
        return [self.strength * W for W in weights]


class EarlyStopping:
    """Stop when the validation loss no longer improves."""

    def __init__(self, patience, min_delta=0.0):
        """Start without a best loss."""
        self.patience = patience
        self.min_delta = min_delta
        self.best_loss = np.inf
        self.best_epoch = None
        self.epoch = 0
        self.counter = 0

    def step(self, loss):
        """Return True if training should stop."""
        if loss >= self.best_loss - self.min_delta:
            self.counter += 1
        else:
            self.best_loss = loss
            self.best_epoch = self.epoch
            self.counter = 0
        self.epoch += 1
        return self.counter >= self.patience


def random_crop(images, padding, rng):
    """Pad with zeros and cut each image out at a random place."""
    height, width = images.shape[1:3]
    pad = [(0, 0), (padding, padding), (padding, padding)] + [(0, 0)] * (images.ndim - 3)
    padded = np.pad(images, pad)
    out = np.zeros(images.shape)
    for i in range(len(images)):
        top = rng.integers(0, 2 * padding + 1)
        left = rng.integers(0, 2 * padding + 1)
        out[i] = padded[i, top : top + height, left : left + width]
    return out


def horizontal_flip(images, rng, p=0.5):
    """Mirror each image with probability p."""
    out = np.array(images, dtype=float)
    for i in range(len(images)):
        if rng.random() < p:
            out[i] = images[i, :, ::-1]
    return out
