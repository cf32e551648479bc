"""Hidden tests of LayerNorm."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from .asking import NEAR, asked, fill, known, normal
from .formulas import layer_norm

pytestmark = pytest.mark.item("gpt.layer_norm")

SHAPES = [(5, 4), (3, 5, 7), (6,), (2, 3, 2, 9)]


def filled(student, rng, d, *eps):
    """Return a LayerNorm with drawn weights, and these."""
    made = student.transformer.LayerNorm(d, *eps)
    w = {"weight": 1.0 + normal(rng, d), "bias": normal(rng, d)}
    fill(student, made, {name: one.astype(np.float32) for name, one in w.items()})
    return made, w


def uneven(rng, *shape):
    """Draw numbers with another mean and deviation in each vector."""
    size = rng.uniform(0.5, 3.0, size=(*shape[:-1], 1))
    return (rng.normal(size=shape) * size + rng.normal(size=size.shape)).astype(np.float32)


@pytest.mark.weight(3)
@pytest.mark.parametrize("shape", SHAPES, ids=[" x ".join(map(str, one)) for one in SHAPES])
def test_values(student, rng, shape):
    """Each vector is normalised by its own mean and variance, then scaled and moved."""
    made, w = filled(student, rng, shape[-1])
    x = uneven(rng, *shape)
    expected = layer_norm(x.astype(float), w["weight"], w["bias"])
    expect.close("LayerNorm(x)", asked(student, made, shape, x), expected, **NEAR)


def test_small_numbers(student, rng):
    """Of numbers so small that eps counts, the formula holds too, and of equal ones."""
    made, w = filled(student, rng, 4)
    x = normal(rng, 6, 4, scale=2e-3)
    x[2] = 0.75
    expected = layer_norm(x.astype(float), w["weight"], w["bias"])
    expect.close("LayerNorm(x)", asked(student, made, x.shape, x), expected, **NEAR)


def test_another_eps(student, rng):
    """The eps that LayerNorm is made with is used."""
    eps = float(rng.uniform(0.2, 0.6))
    made, w = filled(student, rng, 5, eps)
    x = uneven(rng, 4, 5)
    expected = layer_norm(x.astype(float), w["weight"], w["bias"], eps)
    expect.close("LayerNorm(x)", asked(student, made, x.shape, x), expected, **NEAR)


def test_new(student, rng):
    """A new LayerNorm has weights 1 and biases 0, and normalises with them."""
    made = student.transformer.LayerNorm(6)
    held = known(student, made, {"weight": (6,), "bias": (6,)})
    expect.equal("weight", held["weight"], np.ones(6, dtype=np.float32))
    expect.equal("bias", held["bias"], np.zeros(6, dtype=np.float32))
    x = uneven(rng, 3, 2, 6)
    expected = layer_norm(x.astype(float), 1.0, 0.0)
    expect.close("LayerNorm(x)", asked(student, made, x.shape, x), expected, **NEAR)


def test_both_modes(student, rng):
    """In training mode LayerNorm gives what it gives in evaluation mode, batch after batch."""
    made, w = filled(student, rng, 7)
    student.drive("mode", made, True)
    for count in (5, 1, 3):
        x = uneven(rng, count, 7)
        expected = layer_norm(x.astype(float), w["weight"], w["bias"])
        expect.close("LayerNorm(x)", asked(student, made, x.shape, x), expected, **NEAR)


def test_gradient(student, rng):
    """The gradient flows through mean and variance to x, and to weight and bias."""
    made, w = filled(student, rng, 5)
    x, upstream = uneven(rng, 3, 5), normal(rng, 3, 5)
    [received] = student.drive("slopes", made, [x], upstream)
    [wanted] = vjp(lambda z: layer_norm(z, w["weight"], w["bias"]), [x], upstream)
    expect.close("the gradient for x", received, wanted, **NEAR)
    got = student.drive("reached", made, [x], upstream)
    expect.equal("whether a gradient gets to each parameter", got, [True, True])


def test_keeps_x(student, rng):
    """LayerNorm leaves x as it is."""
    made, w = filled(student, rng, 5)
    x = uneven(rng, 4, 5)
    given = student.prepare("tensor", x)
    received = expect.array("LayerNorm(x)", student.drive("said", made, given), x.shape)
    expected = layer_norm(x.astype(float), w["weight"], w["bias"])
    expect.close("LayerNorm(x)", received, expected, **NEAR)
    expect.unchanged("x", x, student.fetch(given))
