"""Hidden tests of language.Embedding."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import right_but_for_a_factor

from . import formulas_text as formulas

pytestmark = pytest.mark.item("week5.embedding")

V, D = 9, 4
SHAPES = [pytest.param((5,), id="one row"), pytest.param((3, 7), id="rows"), (2, 3, 5)]


class Table:
    """An Embedding of the student's with vectors of ours, characters and an upstream gradient."""

    def __init__(self, student, rng, shape=(3, 7)):
        self.layer, self.rng = student.language.Embedding(V, D), rng
        self.W = rng.normal(size=(V, D))
        self.layer.W = self.W
        self.draw(shape)

    def draw(self, shape):
        """Draw other characters, of which some occur several times, and a gradient."""
        self.ids = self.rng.integers(1, V - 1, size=shape)
        self.ids[..., 1] = self.ids[..., 3] = 2
        self.dL_dy = self.rng.normal(size=(*shape, D))

    def backward(self, dL_dy=None):
        """Run forward and backward; return the gradient stored."""
        self.layer.forward(self.ids)
        self.layer.backward(self.dL_dy if dL_dy is None else dL_dy)
        return self.layer.dL_dW

    def wanted(self):
        """Return the right gradient."""
        return formulas.embedding_gradient(self.W, self.ids, self.dL_dy)


@pytest.mark.weight(2)
@pytest.mark.parametrize("shape", SHAPES)
def test_forward(student, rng, shape):
    """forward returns a vector for each character, in the place of the character."""
    at = Table(student, rng, shape)
    expect.close("forward output", at.layer.forward(at.ids), at.W[at.ids])


@pytest.mark.weight(2)
@pytest.mark.parametrize("shape", SHAPES)
def test_gradient(student, rng, shape):
    """backward stores dL_dW, of the shape of W, where characters occur several times."""
    at = Table(student, rng, shape)
    expect.close("dL_dW", at.backward(), at.wanted())


@pytest.mark.weight(2)
def test_gradient_of_different_characters(student, rng):
    """backward stores dL_dW, of the shape of W, where each character occurs once."""
    at = Table(student, rng)
    at.ids, at.dL_dy = rng.permutation(V)[:6].reshape(2, 3), rng.normal(size=(2, 3, D))
    expect.close("dL_dW", at.backward(), at.wanted())


def test_nothing_accumulates(student, rng):
    """After another forward and backward, dL_dW belongs to the latest characters alone."""
    at = Table(student, rng, (4, 5))
    for shape in ((4, 5), (1, 4)):
        at.draw(shape)
        at.ids = rng.permutation(V)[: at.ids.size % V].reshape(1, -1)
        at.dL_dy = rng.normal(size=(*at.ids.shape, D))
        received = at.backward()
    right_but_for_a_factor("dL_dW", received, at.wanted())


def test_backward_may_be_repeated(student, rng):
    """A second backward after one forward stores the same again."""
    at = Table(student, rng)
    at.ids = rng.permutation(V)[:6].reshape(2, 3)
    at.dL_dy = rng.normal(size=(2, 3, D))
    right_but_for_a_factor("dL_dW", at.backward(), at.wanted())
    first = expect.array("dL_dW", at.layer.dL_dW, (V, D))
    at.layer.backward(at.dL_dy)
    # What the value has to be is asked above; here the first answer is what the second one repeats.
    expect.repeated("dL_dW the second time", first, at.layer.dL_dW)


def test_present_vectors(student, rng):
    """A table that was replaced is what forward uses."""
    at = Table(student, rng)
    at.layer.forward(at.ids)
    at.W = rng.normal(size=(V, D))
    at.layer.W = at.W
    expect.close("forward output", at.layer.forward(at.ids), at.W[at.ids])


def test_initial_vectors(student):
    """W has shape (V, D), mean 0 and deviation 1."""
    W = expect.array("W", student.language.Embedding(60, 50).W, (60, 50)).astype(np.float64)
    expect.close("deviation of W", float(W.std()), 1.0, rtol=0.06)
    expect.close("mean of W", float(W.mean()), 0.0, rtol=0, atol=0.09)


def test_generator(student):
    """The same generator gives the same vectors, another one others."""
    make, generator = student.language.Embedding, student.probe("generator")
    first, again, other = (make(V, D, rng=generator(seed)).W for seed in (4, 4, 5))
    expect.differ("W", first, 0, "all vectors start at 0.")
    # Which vectors a seed gives is up to the student; that another gives others is asked below.
    expect.repeated("W from the same seed", first, again)
    expect.differ("W from another seed", first, other, "two seeds gave the same vectors.")


def test_dtype(student):
    """W is of the dtype that is asked for, float64 if none is."""
    make = student.language.Embedding
    for W in (make(V, D).W, make(V, D, dtype="float32").W):
        expect.differ("W", W, 0, "all vectors start at 0.")
    expect.dtype("W", make(V, D).W, "float64")
    expect.dtype("W", make(V, D, dtype="float32").W, "float32")


def test_keeps_its_arguments(student, rng):
    """forward and backward change no array that they are given."""
    at = Table(student, rng)
    at.ids = rng.permutation(V)[:6].reshape(2, 3)
    at.dL_dy = rng.normal(size=(2, 3, D))
    kept_ids, kept_dL_dy = student.keep(at.ids), student.keep(at.dL_dy)
    at.layer.forward(kept_ids)
    at.layer.backward(kept_dL_dy)
    right_but_for_a_factor("dL_dW", at.layer.dL_dW, at.wanted())
    expect.unchanged("ids", at.ids, student.fetch(kept_ids))
    expect.unchanged("dL_dy", at.dL_dy, student.fetch(kept_dL_dy))
