"""Real sentences about films, rated by people, as numbers of words. Given.

10,603 sentences from film reviews, each with the mean of 20 people's ratings from -4 to 4:
C. J. Hutto and E. Gilbert, "VADER: a parsimonious rule-based model for sentiment analysis of social
media text", ICWSM 2014. `make data NAMES=snippets` fetches them (`python check.py data snippets` in
your own tree). The ratings come under the MIT licence; the sentences are quotations, so keep the
file for yourself.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

LEAST_RATING = 0.5
"""Sentences with a rating nearer to 0 are left out: people found them neutral, or did not agree."""

LEAST_COUNT = 2
"""A word that occurs less often in the training sentences has no number of its own."""

PADDING, UNKNOWN = 0, 1


def rated_snippets() -> tuple[list[str], np.ndarray]:
    """Return the sentences that are clearly rated, and their labels: float32, 1 for positive."""
    # The course's `data` package lies in the repository's root, three folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[3]))
    import data

    rows = [line.split("\t") for line in data.load("snippets").splitlines()]
    rated = [(text, float(rating)) for rating, text in rows]
    kept = [(text, rating) for text, rating in rated if abs(rating) >= LEAST_RATING]
    return [text for text, _ in kept], np.array([rating > 0 for _, rating in kept], np.float32)


def split(text: str) -> list[str]:
    """Return the words of a sentence in small letters; signs that end or mark are words too."""
    return re.findall(r"[a-z0-9]+(?:'[a-z]+)?|[!?.,;:]", text.lower())


def vocabulary(texts: Sequence[str]) -> dict[str, int]:
    """Return the number of each word of the training sentences, from 2 on."""
    counts = Counter(word for text in texts for word in split(text))
    words = sorted(word for word, count in counts.items() if count >= LEAST_COUNT)
    return {word: number for number, word in enumerate(words, start=UNKNOWN + 1)}


def as_numbers(
    texts: Sequence[str], numbers: dict[str, int], longest: int = 40
) -> tuple[np.ndarray, np.ndarray]:
    """Return texts as numbers of words, shape (N, T), with 0 behind their ends; and their lengths.

    Both are int64. Words without a number are UNKNOWN; what is longer is cut after `longest` words.
    """
    known = [[numbers.get(word, UNKNOWN) for word in split(text)[:longest]] for text in texts]
    lengths = np.array([len(row) for row in known])
    ids = np.full((len(known), lengths.max()), PADDING, dtype=np.int64)
    for row, words in zip(ids, known, strict=True):
        row[: len(words)] = words
    return ids, lengths
