"""Reviews in numbers of words, made for one run: the order decides, and no word is known before.

The grammar is that of the given reviews.py; which number is which word, and how many there are of
each kind, is drawn. So nothing that was stored or read elsewhere says what a number means.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Language:
    """The numbers of the words of each kind, and where the negation stands."""

    good: np.ndarray
    bad: np.ndarray
    things: np.ndarray
    verbs: np.ndarray
    strong: np.ndarray
    openings: np.ndarray
    before_what_counts: np.ndarray
    before_the_rest: np.ndarray
    article: int
    negation: int
    comma: int
    stop: int
    vocab: int


def drawn_language(rng):
    """Draw a language."""
    sizes = [int(rng.integers(low, low + 3)) for low in (7, 7, 8, 3, 2, 3, 2, 2)]
    total = sum(sizes) + 4
    numbers = 1 + rng.permutation(total)
    kinds = np.split(numbers[:-4], np.cumsum(sizes)[:-1])
    return Language(*kinds, *(int(number) for number in numbers[-4:]), total + 1)


def half(language, rng, good):
    """Return what is said of one thing, without the thing, and whether it is praise."""
    turned = rng.random() < 0.5
    word = rng.choice(language.good if good else language.bad)
    strong = [rng.choice(language.strong)] if rng.random() < 0.6 else []
    said = [rng.choice(language.verbs), *[language.negation] * turned, *strong, word]
    return said, bool(good) != turned


def review(language, rng):
    """Return the numbers of a review's words, and whether it is positive."""
    good_first = rng.random() < 0.5
    things = rng.permutation(language.things)[:2]
    halves = [half(language, rng, good) for good in (good_first, not good_first)]
    first, second = (
        [language.article, thing, *said] for thing, (said, _) in zip(things, halves, strict=True)
    )
    kind = int(rng.integers(3))
    connecting = language.before_the_rest if kind else language.before_what_counts
    word = rng.choice(connecting)
    if kind == 1:
        words = [word, *first, language.comma, *second, language.stop]
    else:
        words = [*first, language.comma, word, *second, language.stop]
    if rng.random() < 0.4:
        words = [rng.choice(language.openings), language.comma, *words]
    return tuple(int(word) for word in words), halves[0 if kind == 2 else 1][1]


def reviews(language, rng, count):
    """Return so many different reviews: ids (N, T), lengths (N,), labels (N,) float32.

    Behind the end of a review stand zeros.
    """
    found = {}
    while len(found) < count:
        words, positive = review(language, rng)
        found[words] = positive
    lengths = np.array([len(words) for words in found], dtype=np.int64)
    ids = np.zeros((count, lengths.max()), dtype=np.int64)
    for row, words in zip(ids, found, strict=True):
        row[: len(words)] = words
    return ids, lengths, np.array(list(found.values()), dtype=np.float32)


def counts(ids, lengths, vocab):
    """Return how often each word is in each review, shape (N, V)."""
    found = np.zeros((len(ids), vocab))
    for row, words, length in zip(found, ids, lengths, strict=True):
        row[:] = np.bincount(words[:length], minlength=vocab)
    return found


def counted(train, test, vocab):
    """Return the accuracy that counting words gets: naive Bayes, learnt from `train`."""
    x, labels = counts(*train[:2], vocab), train[2]
    shares = [np.log(x[labels == kind].sum(axis=0) + 1) for kind in (0, 1)]
    shares = [one - np.log(np.exp(one).sum()) for one in shares]
    prior = np.log(labels.mean()) - np.log(1 - labels.mean())
    said = counts(*test[:2], vocab) @ (shares[1] - shares[0]) + prior > 0
    return float(np.mean(said == (test[2] > 0.5)))
