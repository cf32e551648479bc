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


class Terms:
    """The three terms by their formulas."""

    code, divergence, nll = staticmethod(code), staticmethod(divergence), staticmethod(nll)


class OtherTerms:
    """Terms that stand in for a student's own: linear, with numbers that are drawn here.

    They are no right terms, so nothing that a student could use goes to the worker.
    """

    def __init__(self, rng, latent, pixels):
        self.p, self.q, self.r = rng.uniform(0.5, 2.0, size=3)
        self.s, self.t = rng.normal(size=(2, latent))
        self.v = rng.normal(size=pixels)
        self.w = rng.normal(size=pixels)

    @property
    def arrays(self):
        """The numbers, in the order in which the worker takes them."""
        return [np.array([self.p, self.q, self.r]), self.s, self.t, self.v, self.w]

    def code(self, mu, logvar, eps):
        """Stand for reparameterize."""
        return self.p * mu + self.q * logvar + self.r * eps

    def divergence(self, mu, logvar):
        """Stand for kl_to_standard_normal."""
        return mu @ self.s + logvar @ self.t

    def nll(self, logits, x):
        """Stand for bernoulli_nll."""
        return logits @ self.v + (x * logits) @ self.w


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

    def losses(self, x, eps, terms):
        """Return each image's loss, (N,)."""
        mu, logvar = self.encode(x)
        z = terms.code(mu, logvar, eps)
        return terms.nll(self.decode(z), x) + terms.divergence(mu, logvar)
