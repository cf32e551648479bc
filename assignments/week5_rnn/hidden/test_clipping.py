"""Hidden tests of language.clip_gradients."""

import numpy as np
import pytest

from autograder.suite import expect

from . import formulas_text as formulas

pytestmark = pytest.mark.item("week5.clipping")

SHAPES = [(4, 3), (5,), (2, 1, 3)]
NEAR = {"rtol": 1e-5, "atol": 1e-9}


def drawn(rng, scales=(1.0, 7.0, 0.2)):
    """Draw gradients of very different lengths."""
    pairs = zip(SHAPES, scales, strict=True)
    return [scale * rng.normal(size=shape) for shape, scale in pairs]


def length(grads):
    """Return the length of all gradients together."""
    return float(np.linalg.norm(np.concatenate([np.ravel(one) for one in grads])))


def clipped(student, grads, limit, given=None):
    """Return what the student's function gives: as many arrays, of the same shapes."""
    found = student.language.clip_gradients(grads if given is None else given, limit)
    many = isinstance(found, (list, tuple)) and len(found) == len(grads)
    expect.that("clip_gradients", many, f"expected a list of {len(grads)} arrays.")
    return [
        expect.array(f"gradient {n}", one, grad.shape)
        for n, (one, grad) in enumerate(zip(found, grads, strict=True))
    ]


def expect_clipped(student, grads, limit):
    """Compare all arrays."""
    wanted = formulas.clipped(grads, limit)
    for n, (one, right) in enumerate(zip(clipped(student, grads, limit), wanted, strict=True)):
        expect.close(f"gradient {n}", one, right, **NEAR)


@pytest.mark.weight(2)
@pytest.mark.parametrize("share", [0.1, 0.6, 0.97])
def test_too_long(student, rng, share):
    """Gradients that are together longer than the limit are multiplied by one factor."""
    grads = drawn(rng)
    expect_clipped(student, grads, share * length(grads))


@pytest.mark.weight(2)
def test_many_short_ones(student, rng):
    """Each alone is shorter than the limit, and all together are longer."""
    grads = [rng.normal(size=shape) for shape in SHAPES for _ in range(2)]
    grads = [one / np.linalg.norm(one) * rng.uniform(0.8, 1.2) for one in grads]
    expect_clipped(student, grads, 1.6)


@pytest.mark.weight(2)
@pytest.mark.parametrize("share", [1.03, 40.0])
def test_short_enough(student, rng, share):
    """Gradients that are together shorter than the limit come back as they are."""
    grads = drawn(rng)
    moving(student, grads, 0.5 * length(grads))
    expect_clipped(student, grads, share * length(grads))


@pytest.mark.parametrize("shapes", [[(3,), (2, 2)], [(4, 1)]], ids=["two arrays", "one array"])
def test_zeros(student, rng, shapes):
    """Gradients that are all 0 stay 0, and nothing is divided by 0."""
    grads = drawn(rng)
    expect_clipped(student, grads, 0.5 * length(grads))
    for one in clipped(student, [np.zeros(shape) for shape in shapes], 1.5):
        expect.close("gradient", one, np.zeros(one.shape))


def test_no_length_is_beyond_the_limit(student, rng):
    """What comes back is together no longer than the limit, and not 0."""
    grads = drawn(rng, (300.0, 2.0, 40.0))
    found = clipped(student, grads, 2.5)
    reached = length(found)
    message = f"together they have a length of {reached:.4g}, with a limit of 2.5."
    expect.that("gradients", 0.0 < reached < 2.5 * 1.00001, message)


def moving(student, grads, limit):
    """Expect gradients that are too long to come back shorter, and not as zeros."""
    reached, before = length(clipped(student, grads, limit)), length(grads)
    message = "gradients that are too long came back as long as they were, or as zeros."
    expect.that("gradients", 0.0 < reached < 0.999 * before, message)


def test_dtypes(student, rng):
    """float32 arrays give float32 arrays, float64 arrays float64 arrays."""
    grads = drawn(rng)
    moving(student, grads, 0.5 * length(grads))
    grads = [grads[0].astype(np.float32), grads[1], grads[2].astype(np.float32)]
    for share in (0.4, 3.0):
        for n, one in enumerate(clipped(student, grads, share * length(grads))):
            expect.dtype(f"gradient {n}", one, str(grads[n].dtype))


def test_keeps_its_arguments(student, rng):
    """The arrays that are given stay as they are."""
    grads = drawn(rng)
    moving(student, grads, 0.3 * length(grads))
    kept = [student.keep(one) for one in grads]
    clipped(student, grads, 0.3 * length(grads), kept)
    for n, (one, grad) in enumerate(zip(kept, grads, strict=True)):
        expect.unchanged(f"gradient {n}", grad, student.fetch(one))
