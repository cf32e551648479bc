"""Hidden tests of bag_of_words."""

import numpy as np
import pytest

from autograder.suite import expect

from .language import counts

pytestmark = pytest.mark.item("sentiment.bag_of_words")

N, T, V = 6, 9, 13


def drawn(rng, count=N, longest=T):
    """Draw reviews with other words, and 0, behind their ends, and lengths of 0, T and between."""
    lengths = np.array([0, longest, *rng.integers(1, longest, size=count - 2)], dtype=np.int64)
    ids = rng.integers(1, V - 2, size=(count, longest))
    ids[:, -2:] = rng.choice([0, 3], size=(count, 2))
    ids[1, -2:] = 4  # the longest review has words to its end
    return ids, lengths


def counted(student, ids, lengths, vocab=V):
    """Return what bag_of_words gives, and the tensors that it was given."""
    given = student.prepare("tensor", ids), student.prepare("tensor", lengths)
    received = student.sentiment.bag_of_words(*given, vocab)
    return expect.array("bag_of_words(ids, lengths, vocab)", received, (len(ids), vocab)), given


@pytest.mark.weight(2)
def test_counts(student, rng):
    """bag_of_words counts the words of each review, those that come more than once too."""
    lengths = rng.permutation(np.array([T, T - 1, *rng.integers(5, T, size=N - 2)]))
    ids = rng.integers(1, 5, size=(N, T))
    ids[np.arange(T) >= lengths[:, None]] = 0
    received, _ = counted(student, ids, lengths, 7)
    # The column of padding is for the next test.
    expect.close("counts of the words from 1 on", received[:, 1:], counts(ids, lengths, 7)[:, 1:])


def test_padding(student, rng):
    """What stands behind the end of a review is not counted: zeros, or other words."""
    ids, lengths = drawn(rng)
    received, _ = counted(student, ids, lengths)
    expect.close("counts", received, counts(ids, lengths, V))


def test_one_review(student, rng):
    """A single review, and one of a single word."""
    for longest in (1, 5):
        ids = rng.integers(1, V, size=(1, longest))
        lengths = np.array([longest])
        received, _ = counted(student, ids, lengths)
        expect.close("counts", received, counts(ids, lengths, V))


def test_sides(student, rng):
    """The counts are float32, and ids and lengths stay as they are."""
    ids, lengths = drawn(rng)
    received, given = counted(student, ids, lengths)
    expect.that("counts", bool(received.any()), "nothing is counted.")
    expect.dtype("counts", received, "float32")
    expect.unchanged("ids", ids, student.fetch(given[0]))
    expect.unchanged("lengths", lengths, student.fetch(given[1]))
