"""What a trained classifier is measured on, made for one run: nothing stored elsewhere fits it.

Where MiniLM and the rated sentences about films are cached, these; their word pieces have other
numbers in each run, and MiniLM's columns another order. Otherwise a BERT that is drawn, and reviews
whose words are numbers that are drawn too: "not" turns a word into its opposite, so counting words
gets nothing out of them.
"""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np

import data

from .formula import shapes

LEAST_RATING = 0.5
SPECIAL = 5
PAD, UNKNOWN, CLS, SEP = range(4)
LONGEST = 48

DRAWN = {"V": 50, "D": 32, "F": 64, "L": 24, "layers": 2, "heads": 4}


@dataclass(frozen=True)
class Task:
    """A BERT's weights, and texts with their labels: the first `train` are to learn from."""

    weights: dict
    heads: int
    ids: np.ndarray
    mask: np.ndarray
    labels: np.ndarray
    train: int


def padded(rows):
    """Return lists of pieces as ids and mask."""
    longest = max(map(len, rows))
    ids = np.zeros((len(rows), longest), dtype=np.int64)
    for row, pieces in zip(ids, rows, strict=True):
        row[: len(pieces)] = pieces
    return ids, (ids != PAD).astype(np.int64)


def drawn_task(rng, train=1_500, test=1_000):
    """Return a drawn BERT, and generated reviews."""
    numbers = SPECIAL + rng.permutation(DRAWN["V"] - SPECIAL)
    good, bad, things, verbs, strong, rest = np.split(numbers, [9, 18, 28, 33, 37])
    negation, article, stop = rest[:3]
    found = {}
    while len(found) < train + test:
        is_good, turned = (bool(one) for one in rng.random(2) < 0.5)
        words = [article, rng.choice(things), rng.choice(verbs), *[negation] * turned]
        words += [rng.choice(strong)] if rng.random() < 0.6 else []
        words += [rng.choice(good if is_good else bad), stop]
        text = (CLS, *(int(word) for word in words), SEP)
        found[text] = is_good != turned
    ids, mask = padded(list(found))
    weights = {
        name: (float(name.endswith("LayerNorm.weight")) + 0.1 * rng.normal(size=shape)).astype("f4")
        for name, shape in shapes(DRAWN).items()
    }
    labels = np.array(list(found.values()), dtype=np.int64)
    return Task(weights, DRAWN["heads"], ids, mask, labels, train)


def is_there():
    """Whether MiniLM and the rated sentences are cached."""
    return data.cached("minilm") and data.cached("snippets")


def minilm_task(rng, train=1_000, test=1_000):
    """Return MiniLM and rated sentences; pieces and columns have other numbers in each run."""
    found = data.load("minilm")
    rows = [line.split("\t") for line in data.load("snippets").splitlines()]
    rated = [(text, float(rating)) for rating, text in rows]
    kept = [(text, rating > 0) for text, rating in rated if abs(rating) >= LEAST_RATING]
    chosen = [kept[n] for n in rng.permutation(len(kept))[: train + test]]
    pieces = Pieces(found.pieces)
    ids, mask = padded([pieces.of(text) for text, _ in chosen])
    vocab, width = found.weights["embeddings.word_embeddings.weight"].shape
    others = np.concatenate([np.arange(SPECIAL), SPECIAL + rng.permutation(vocab - SPECIAL)])
    weights = rearranged(found.weights, rng.permutation(width))
    words = np.empty_like(weights["embeddings.word_embeddings.weight"])
    words[others] = weights["embeddings.word_embeddings.weight"]
    weights["embeddings.word_embeddings.weight"] = words
    labels = np.array([positive for _, positive in chosen], dtype=np.int64)
    if rng.random() < 0.5:
        labels = 1 - labels
    return Task(weights, 12, others[ids], mask, labels, train)


def rearranged(weights, order):
    """Return a BERT's weights with its columns in another order: it computes the same."""
    found = {}
    outwards = ("attention.output.dense.weight", ".output.dense.weight")
    for name, array in weights.items():
        into = name.endswith(outwards) and "intermediate" not in name
        if name.endswith(("query.bias", "key.bias", "value.bias", "intermediate.dense.bias")):
            found[name] = array
        elif into or array.ndim == 1:
            found[name] = np.ascontiguousarray(array[order])
        else:
            found[name] = np.ascontiguousarray(array[:, order])
    return found


class Pieces:
    """BERT's tokenizer: small letters, no accents, the longest known piece first."""

    def __init__(self, pieces):
        self.numbers = {piece: number for number, piece in enumerate(pieces)}

    def of(self, text):
        """Return the numbers of a text's pieces, with [CLS] and [SEP], cut to LONGEST."""
        text = unicodedata.normalize("NFD", text.lower())
        text = "".join(sign for sign in text if unicodedata.category(sign) != "Mn")
        found = []
        for word in re.findall(r"[^\W_]+|[^\w\s]|_", text):
            found += self._of_word(word)
        return [CLS, *found[: LONGEST - 2], SEP]

    def _of_word(self, word):
        found, begin = [], 0
        while begin < len(word):
            before = "##" if begin else ""
            ends = range(len(word), begin, -1)
            end = next((end for end in ends if before + word[begin:end] in self.numbers), 0)
            if not end:
                return [UNKNOWN]
            found.append(self.numbers[before + word[begin:end]])
            begin = end
        return found


def frozen_accuracy(train, test, train_labels, test_labels, penalty=100.0, steps=12):
    """Return the accuracy of logistic regression on vectors of texts, by Newton's method."""
    mean, spread = train.mean(axis=0), train.std(axis=0) + 1e-6
    x, z = (
        np.hstack([(one.astype(float) - mean) / spread, np.ones((len(one), 1))])
        for one in (train, test)
    )
    w = np.zeros(x.shape[1])
    ridge = penalty * np.eye(len(w))
    for _ in range(steps):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ w, -30.0, 30.0)))
        gradient = x.T @ (p - train_labels) + ridge @ w
        w -= np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + ridge, gradient)
    return float(np.mean((z @ w > 0) == (test_labels == 1)))
