"""The derivation's functions as somebody might write them who works with plain numbers."""

import math


def normal_kl(mu, logvar):
    """Return a list."""
    return [
        (m * m + math.expm1(v) - v) / 2 for m, v in zip(mu.tolist(), logvar.tolist(), strict=True)
    ]


def loss_dmu(u, mu, logvar, eps):
    """Return a list."""
    return [a + b for a, b in zip(u.tolist(), mu.tolist(), strict=True)]


def loss_dlogvar(u, mu, logvar, eps):
    """Return a list."""
    found = []
    for slope, v, e in zip(u.tolist(), logvar.tolist(), eps.tolist(), strict=True):
        found.append((slope * math.exp(v / 2) * e + math.exp(v) - 1) / 2)
    return found


def posterior(x, w, variance):
    """Return a tuple of plain numbers."""
    precision = 1 + w**2 / variance
    return w * x / variance / precision, -math.log(precision)
