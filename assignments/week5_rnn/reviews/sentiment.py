"""Is a review positive? An LSTM that reads it in order, and a baseline that only counts words.

    python sentiment.py                  both, on reviews in which the order decides
    python sentiment.py --help           all options

Of the generated reviews counting words gets 51 % right, which is chance; the LSTM gets all of them,
after eight epochs and four seconds of one processor (seed 0).

The first part of the file is yours to fill; the script below it is complete. This file uses
PyTorch, `nn.LSTM` included: you have written it once.

A batch of reviews is `ids`, integers of shape (N, T), with 0 behind the end of the shorter ones,
and `lengths`, shape (N,): review n is the first lengths[n] entries of row n. What stands behind
them means nothing and changes nothing.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from reviews import WORDS, as_numbers, reviews
from torch import Tensor, nn
from torch.nn import functional as F


def last_valid(states: Tensor, lengths: Tensor) -> Tensor:
    """Return the state after the last word of each review.

    Args:
        states: shape (N, T, H), any float dtype, not changed. Gradients flow through it.
        lengths: integers from 1 to T, shape (N,), not changed.

    Returns:
        states[n, lengths[n] - 1] for each n, shape (N, H).
    """
    raise NotImplementedError("sentiment.classifier: fill in last_valid")


class LSTMClassifier(nn.Module):
    """Embedding, LSTM, and a linear layer on the state after the last word.

    Attributes:
        embedding: nn.Embedding(V, D).
        lstm: nn.LSTM(D, H), batch first.
        head: nn.Linear(H, 1).
    """

    embedding: nn.Embedding
    lstm: nn.LSTM
    head: nn.Linear

    def __init__(self, vocab: int, embed: int, hidden: int) -> None:
        """Create the parts; `vocab`, `embed` and `hidden` are V, D and H."""
        super().__init__()
        raise NotImplementedError("sentiment.classifier: fill in LSTMClassifier.__init__")

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits of "positive", shape (N,).

        Args:
            ids: numbers of words, shape (N, T), int64, not changed.
            lengths: integers from 1 to T, shape (N,), not changed.
        """
        raise NotImplementedError("sentiment.classifier: fill in LSTMClassifier.forward")


def bag_of_words(ids: Tensor, lengths: Tensor, vocab: int) -> Tensor:
    """Return how often each word is in each review.

    Args:
        ids: numbers of words, shape (N, T), int64, not changed.
        lengths: integers from 0 to T, shape (N,), not changed.
        vocab: V.

    Returns:
        Counts, shape (N, V), float32. Padding is counted nowhere, whatever stands there.
    """
    raise NotImplementedError("sentiment.bag_of_words: fill in bag_of_words")


class NaiveBayes:
    """The baseline: how much likelier each word is in a positive review, added up. Given.

    Multinomial naive Bayes, each count begun at 1; nothing is trained by steps.
    """

    def fit(self, counts: Tensor, labels: Tensor) -> NaiveBayes:
        """Count the words of each kind; `counts`: (N, V), `labels`: (N,), 1 for positive."""
        by_kind = [counts[labels == kind].sum(dim=0) + 1.0 for kind in (0, 1)]
        shares = [torch.log(words / words.sum()) for words in by_kind]
        self.weights = shares[1] - shares[0]
        positive = labels.mean()
        self.bias = torch.log(positive) - torch.log(1.0 - positive)
        return self

    def logits(self, counts: Tensor) -> Tensor:
        """Return the logits of "positive", shape (N,)."""
        return counts @ self.weights + self.bias


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Return the share of the reviews whose logit has the right sign. Given."""
    return float(((logits > 0) == (labels > 0.5)).float().mean())


def fit(
    model: LSTMClassifier,
    ids: Tensor,
    lengths: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    batch: int = 64,
    lr: float = 0.005,
    seed: int = 0,
) -> list[float]:
    """Train by Adam on the mean binary cross-entropy; return each epoch's mean loss. Given."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    generator = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(ids), generator=generator).split(batch):
            logits = model(ids[rows], lengths[rows])
            loss = F.binary_cross_entropy_with_logits(logits, labels[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item() * len(rows)
        losses.append(total / len(ids))
    return losses


def main() -> None:
    """Compare the LSTM with the baseline on generated reviews."""
    parser = argparse.ArgumentParser(description="Positive or negative?")
    parser.add_argument("--train", type=int, default=4000, help="reviews to learn from")
    parser.add_argument("--test", type=int, default=2000, help="reviews to measure on")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    texts, kinds = reviews(options.train + options.test, np.random.default_rng(options.seed))
    ids, lengths = map(torch.from_numpy, as_numbers(texts))
    labels = torch.from_numpy(kinds)
    train, test = slice(options.train), slice(options.train, None)

    counts = bag_of_words(ids, lengths, len(WORDS))
    bayes = NaiveBayes().fit(counts[train], labels[train])
    print(f"counting words: {accuracy(bayes.logits(counts[test]), labels[test]):.1%}")
    begun = time.process_time()
    model = LSTMClassifier(len(WORDS), 16, options.hidden)
    for epoch, loss in enumerate(
        fit(model, ids[train], lengths[train], labels[train], epochs=options.epochs), start=1
    ):
        print(f"epoch {epoch}: loss {loss:.3f}")
    with torch.no_grad():
        right = accuracy(model(ids[test], lengths[test]), labels[test])
    print(f"LSTM: {right:.1%} after {time.process_time() - begun:.0f} s of CPU")


if __name__ == "__main__":
    main()
