"""Ways in which BatchNorm1d is met: the right one and known wrong ones, as formulas of ours.

Which of them a student's layer follows is found by a small experiment; if it is none, its own plain
answers may tell (own_rows.py). The test of forward, and of what is gathered, knows only what is
right; tests of something else hold the layer to its own way: so backward is judged where forward is
not right.
"""

from dataclasses import dataclass

import numpy as np

from autograder.suite import expect

from ..suite_tools.rows import NEAR, get, make, parameters
from .own_rows import own_of


@dataclass(frozen=True)
class Form:
    """A way to normalise: over which axes, by N less how many, with which power of the variance.

    `outside`: whether eps is added to that power; `scales`, `shifts`: whether gamma and beta count.
    `known`: whether a layer has been seen to follow it.
    """

    axis: int | None = 0
    ddof: int = 0
    power: float = 0.5
    outside: bool = False
    scales: bool = True
    shifts: bool = True
    known: bool = True

    def parts(self, x, eps):
        """Return x_hat and what is divided by; x may be complex."""
        centred = x - x.mean(axis=self.axis, keepdims=True)
        count = x.size if self.axis is None else x.shape[self.axis]
        total = (centred * centred).sum(axis=self.axis, keepdims=True)
        variance = total / (count - self.ddof)
        divisor = variance**self.power + eps if self.outside else (variance + eps) ** self.power
        return centred / divisor, divisor

    def normalised(self, x, gamma=1.0, beta=0.0, eps=1e-5):
        """Return the output in training mode; x may be complex."""
        x_hat, _ = self.parts(x, eps)
        return (gamma if self.scales else 1.0) * x_hat + (beta if self.shifts else 0.0)


RIGHT = Form()
UNKNOWN = Form(known=False)
"""Computes rightly, and stands for a layer that follows nothing that is known."""
FORMS = (
    RIGHT,
    Form(outside=True),
    Form(ddof=1),
    Form(ddof=1, outside=True),
    Form(power=1.0),
    Form(axis=1),
    Form(axis=1, ddof=1),
    Form(axis=None),
    Form(axis=None, ddof=1),
    Form(scales=False),
    Form(shifts=False),
)
"""The right way, and those that are met instead of it."""

PROBE = np.array([[1.0, -0.5, 4.0], [3.0, 0.25, -2.0], [-2.0, 2.5, 1.0], [0.5, 1.0, 7.0]])


def form_of(student):
    """Find out in which way a layer normalises: a known one, its own (own_rows.Own), or UNKNOWN."""
    layer, eps = make(student, 3, eps=0.5), 0.5
    gamma, beta = parameters(layer, np.random.default_rng(5), 3)
    received = expect.array("forward output", layer.forward(PROBE), PROBE.shape)
    for form in FORMS:
        expected = form.normalised(PROBE, gamma, beta, eps)
        if np.allclose(received, expected, rtol=1e-4, atol=1e-5):
            return form
    return own_of(student, PROBE) or UNKNOWN


@dataclass(frozen=True)
class Gathering:
    """How running statistics go on: (1 - momentum) * running + momentum * the batch's."""

    ddof: int = 1

    def after(self, batches, momentum, mean, variance):
        """Return the running mean and variance, which began as given, after some batches."""
        for x in batches:
            mean = (1 - momentum) * mean + momentum * x.mean(axis=0)
            variance = (1 - momentum) * variance + momentum * x.var(axis=0, ddof=self.ddof)
        return mean, variance


LEGAL = (Gathering(), Gathering(ddof=0))
"""The ways in which running statistics may go on: variances of batches are unbiased, or biased."""

LET_IN = [np.array([[1.0], [3.0]]), np.array([[0.5], [4.0], [-1.0]])]


def legal_way(student):
    """Find out in which of the legal ways running statistics go on: None, if in none."""
    layer = student.batch_norm.BatchNorm1d(1, momentum=0.3)
    for x in LET_IN:
        layer.forward(x)
    received = get(layer, "running_mean", 1), get(layer, "running_var", 1)
    for way in LEGAL:
        expected = way.after(LET_IN, 0.3, np.zeros(1), np.ones(1))
        if np.allclose(received, expected, **NEAR):
            return way
    return None
