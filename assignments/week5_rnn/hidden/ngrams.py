"""What counting letters says of a text: bits per character, distinct and copied stretches.

An n-gram model predicts a character from the n - 1 before it, by how often it followed them in the
training text. Where these are few counts, the shorter context has a say (Witten and Bell, 1991):

    p_n(x) = (count + kinds * p_{n-1}(x)) / (all + kinds)

`kinds` is how many different characters followed the context, `all` how often it occurred, and p_0
is the same for all characters of the alphabet.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray

SHORT, LONG = 4, 20
"""Lengths of the stretches that are looked at for variety and for copies."""

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def stretches(ids: Array, length: int, alphabet: int) -> Array:
    """Return each stretch of the text as one number, (L - length + 1,)."""
    if alphabet**length >= 2**62:
        raise ValueError(f"stretches of {length} don't fit one number")
    found = np.zeros(len(ids) - length + 1, dtype=np.int64)
    for place in range(length):
        found = found * alphabet + ids[place : place + len(found)]
    return found


class Counted:
    """An n-gram model of a text, ids (L,), of an alphabet of so many characters."""

    def __init__(self, ids: Array, order: int, alphabet: int) -> None:
        self.order, self.alphabet = order, alphabet
        self._levels = [self._level(ids, n) for n in range(1, order + 1)]

    def _level(self, ids: Array, n: int) -> tuple[Array, ...]:
        grams, counts = np.unique(stretches(ids, n, self.alphabet), return_counts=True)
        contexts, first, kinds = np.unique(
            grams // self.alphabet, return_index=True, return_counts=True
        )
        return grams, counts, contexts, np.add.reduceat(counts, first), kinds

    def probabilities(self, ids: Array) -> Array:
        """Return the probability of each character from number order - 1 on."""
        known = len(ids) - self.order + 1
        p = np.full(known, 1.0 / self.alphabet)
        for n, (grams, counts, contexts, totals, kinds) in enumerate(self._levels, start=1):
            asked = stretches(ids, n, self.alphabet)[-known:]
            count = _looked_up(grams, counts, asked)
            before = asked // self.alphabet
            total = _looked_up(contexts, totals, before)
            more = _looked_up(contexts, kinds, before)
            seen = total > 0
            p[seen] = (count[seen] + more[seen] * p[seen]) / (total[seen] + more[seen])
        return p

    def bits(self, ids: Array) -> float:
        """Return the mean bits of a text's characters."""
        return -float(np.log2(self.probabilities(ids)).mean())


def _looked_up(keys: Array, values: Array, asked: Array) -> Array:
    """Return the values of what is asked for, 0 where it is no key."""
    places = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[places] == asked, values[places], 0)


def distinct(ids: Array, alphabet: int) -> float:
    """Return how many of the text's stretches of SHORT are different ones, as a share."""
    found = stretches(ids, SHORT, alphabet)
    return len(np.unique(found)) / len(found)


def copied(ids: Array, source: Array) -> float:
    """Return the share of the text's stretches of LONG that a source has, of which `known`."""
    asked = _digests(ids)
    places = np.minimum(np.searchsorted(source, asked), len(source) - 1)
    return float((source[places] == asked).mean())


def known(source: Array) -> Array:
    """Return what `copied` looks up of a source."""
    return np.sort(_digests(source))


def _digests(ids: Array) -> Array:
    """Return a number for each stretch of LONG, different ones for different stretches.

    They are polynomials modulo 2^64: two stretches have the same once in about 10^19 pairs.
    """
    found = np.zeros(len(ids) - LONG + 1, dtype=np.uint64)
    for place in range(LONG):
        found = found * MULTIPLIER + (ids[place : place + len(found)] + 1).astype(np.uint64)
    return found
