"""The formulas of an autoencoder in NumPy, for what the suites of vae.py expect."""

import numpy as np


def divergence(mu, logvar):
    """Return the divergence of each row's codes from the standard normal, (N,)."""
    return 0.5 * np.sum(mu * mu + np.exp(logvar) - 1.0 - logvar, axis=1)


def code(mu, logvar, eps):
    """Return the codes of means, variances and noise."""
    return mu + np.exp(0.5 * logvar) * eps


def softplus(a):
    """Return ln(1 + exp(a)), also of arrays that have a complex step in them."""
    return np.where(a.real > 0, a, 0.0) + np.log1p(np.exp(np.where(a.real > 0, -a, a)))


def nll(logits, x):
    """Return minus the log-probability of each row of pixels, (N,)."""
    return np.sum(softplus(logits) - x * logits, axis=1)


def sigmoid(a):
    """Return 1 / (1 + exp(-a)), without overflow."""
    return np.exp(-np.logaddexp(0.0, -a))


class Parts:
    """The numbers of an encoder and a decoder of one matrix each, drawn here.

    Means, logarithms of variances and logits are x @ A + a, x @ B + b and z @ C + c.
    """

    def __init__(self, rng, latent, pixels, scale=1.0):
        self.latent = latent
        deviation = 2.0 / np.sqrt(pixels)
        self.A, self.B = rng.normal(scale=deviation, size=(2, pixels, latent))
        self.a, self.b = rng.normal(scale=0.5, size=(2, latent))
        self.C = rng.normal(scale=scale, size=(latent, pixels))
        self.c = rng.normal(size=pixels)

    @property
    def arrays(self):
        """The numbers, in the order in which the worker takes them."""
        return [self.A, self.a, self.B, self.b, self.C, self.c]

    def encode(self, x):
        """Return means and logarithms of variances, each (N, L)."""
        return x @ self.A + self.a, x @ self.B + self.b

    def decode(self, z):
        """Return logits."""
        return z @ self.C + self.c

    def losses(self, x, eps):
        """Return each image's loss, (N,)."""
        mu, logvar = self.encode(x)
        return nll(self.decode(code(mu, logvar, eps)), x) + divergence(mu, logvar)
