"""What dropout did in one pass: which entries it dropped, and what it multiplied the others with.

What comes out is a matter of the tests of values. Others ask for something else, and go by what the
student's layer makes of an entry that is dropped, which need not be 0, and of one that is kept.
"""

from dataclasses import dataclass

import numpy as np

from autograder.suite import expect

from ..suite_tools.dropping import expect_scaled, where_kept

NEAR = {"rtol": 1e-4, "atol": 1e-6}
"""Near enough also where somebody works in float32."""


@dataclass
class Pass:
    """A forward pass in training: what came out, where x counts, and by which factor, if by one."""

    y: np.ndarray
    kept: np.ndarray
    factor: float | None


def forward(layer, x, label="forward output", **training):
    """Run a layer in training on `x`, which has no zeros.

    What it makes of nothing but zeros, if that is one number, it makes of what is dropped, too.
    """
    nothing = expect.array(label, layer.forward(np.zeros(x.shape), **training), x.shape).astype(
        np.float64
    )
    rest = nothing.flat[0] if np.ptp(nothing) == 0 else 0.0
    y = expect.array(label, layer.forward(x, **training), x.shape)
    kept = np.abs(y - rest) > 1e-9
    factors = (y - rest)[kept] / x[kept]
    one = len(factors) > 0 and np.allclose(factors, factors[0], **NEAR)
    return Pass(y, kept, float(factors[0]) if one else None)


def dropped_by(layer, x, label="forward output"):
    """Return where a pass in training drops entries of `x`."""
    return ~forward(layer, x, label).kept


def expect_some_dropped(label, dropped):
    """Some entries were dropped, and not all."""
    count = int(np.sum(dropped))
    message = f"{count} of {dropped.size} entries were dropped."
    expect.that(label, 0 < count < dropped.size, message)


def expect_pulled(received, grad, done, p):
    """A gradient is 0 where the pass dropped x, and elsewhere multiplied with what x was."""

    def rightly():
        expect_scaled("dL_dx", received, grad / (1 - p), **NEAR)
        same = np.array_equal(where_kept("dL_dx", received, grad.shape), done.kept)
        expect.that("dL_dx", same, "it is 0 elsewhere than where forward dropped entries.")

    def as_forward():
        own = np.where(done.kept, grad * done.factor, 0.0)
        # By what forward should multiply is asked by the test of its values; here, that both agree.
        expect.repeated("dL_dx, by the factor of your forward", own, received, **NEAR)

    right = done.factor is None or np.isclose(done.factor, 1 / (1 - p), **NEAR)
    expect.any_of(rightly, *([] if right else [as_forward]))
