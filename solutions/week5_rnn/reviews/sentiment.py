"""Is a review positive? An LSTM that reads it in order, and a baseline that only counts words.

    python sentiment.py                  both, on reviews in which the order decides
    python sentiment.py --snippets       both, on real sentences about films
    python sentiment.py --help           all options

The first part of the file is yours to fill; the script below it is complete. This file uses
PyTorch, `nn.LSTM` and the optimizers included: you have written them once.

A batch of reviews is `ids`, integers of shape (N, T), with 0 behind the end of the shorter ones,
and `lengths`, shape (N,): review n is the first lengths[n] entries of row n. What stands behind
them means nothing and changes nothing.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


def last_valid(states: Tensor, lengths: Tensor) -> Tensor:
    """Return the state after the last word of each review.

    Args:
        states: shape (N, T, H), any float dtype, not changed. Gradients flow through it.
        lengths: integers from 1 to T, shape (N,), not changed.

    Returns:
        states[n, lengths[n] - 1] for each n, shape (N, H).
    """
    # BEGIN SOLUTION sentiment.classifier
    rows = torch.arange(len(states), device=states.device)
    return states[rows, lengths.to(states.device) - 1]
    # END SOLUTION


class LSTMClassifier(nn.Module):
    """Embedding, LSTM, and a linear layer on the state after the last word: nothing else.

    Attributes:
        embedding: nn.Embedding(V, D).
        lstm: nn.LSTM(D, H), one layer in one direction, with both biases.
        head: nn.Linear(H, 1), with its bias.
    """

    embedding: nn.Embedding
    lstm: nn.LSTM
    head: nn.Linear

    def __init__(self, vocab: int, embed: int, hidden: int) -> None:
        """Create the parts; `vocab`, `embed` and `hidden` are V, D and H."""
        super().__init__()
        # BEGIN SOLUTION sentiment.classifier
        self.embedding = nn.Embedding(vocab, embed)
        self.lstm = nn.LSTM(embed, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)
        # END SOLUTION

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits of "positive", shape (N,).

        Args:
            ids: numbers of words, shape (N, T), int64, not changed.
            lengths: integers from 1 to T, shape (N,), not changed.
        """
        # BEGIN SOLUTION sentiment.classifier
        states, _ = self.lstm(self.embedding(ids))
        return self.head(last_valid(states, lengths)).squeeze(1)
        # END SOLUTION


def bag_of_words(ids: Tensor, lengths: Tensor, vocab: int) -> Tensor:
    """Return how often each word is in each review.

    Args:
        ids: numbers of words, shape (N, T), int64, not changed.
        lengths: integers from 0 to T, shape (N,), not changed.
        vocab: V.

    Returns:
        Counts, shape (N, V), float32. Padding is counted nowhere, whatever stands there.
    """
    # BEGIN SOLUTION sentiment.bag_of_words
    is_word = torch.arange(ids.shape[1], device=ids.device) < lengths.to(ids.device)[:, None]
    counts = torch.zeros(len(ids), vocab, device=ids.device)
    return counts.scatter_add_(1, ids, is_word.to(counts.dtype))
    # END SOLUTION


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


def train(
    model: nn.Module,
    ids: Tensor,
    lengths: Tensor,
    labels: Tensor,
    epochs: int,
    batch_size: int = 64,
    lr: float = 0.005,
    seed: int = 0,
) -> list[float]:
    """Train a classifier; return the mean of the batches' losses in each epoch.

    Every epoch goes through all reviews once, in a new order, in batches; the loss is the mean
    binary cross-entropy of the model's logits. Optimizer, schedule and clipping are yours to
    choose. The model is in training mode meanwhile, and in evaluation mode afterwards. The same
    seed, with the same model, gives the same result.

    Args:
        model: gives the logits (n,) of ids (n, T) and lengths (n,), and is changed.
        ids: numbers of words, shape (N, T), int64, not changed.
        lengths: integers from 1 to T, shape (N,), not changed.
        labels: float32, shape (N,), 1 for a positive review and 0 for a negative one, not changed.
        epochs: how many.
        batch_size: reviews in one step.
        lr: the largest learning rate.
        seed: decides the orders.
    """
    generator = torch.Generator().manual_seed(seed)
    # BEGIN SOLUTION sentiment.trained
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    model.train()
    losses = []
    for _ in range(epochs):
        batches = torch.randperm(len(ids), generator=generator).split(batch_size)
        found = [_step(model, optimizer, ids[b], lengths[b], labels[b]) for b in batches]
        losses.append(sum(found) / len(found))
    model.eval()
    return losses
    # END SOLUTION


def _step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    ids: Tensor,
    lengths: Tensor,
    labels: Tensor,
) -> float:
    """Take one step on a batch; return its loss."""
    # BEGIN SOLUTION sentiment.trained
    loss = functional.binary_cross_entropy_with_logits(model(ids, lengths), labels)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()
    # END SOLUTION


@dataclass
class Part:
    """Reviews to learn from, or to measure on, as tensors. Given."""

    ids: Tensor
    lengths: Tensor
    labels: Tensor

    def counts(self, vocab: int) -> Tensor:
        """Return how often each word is in each review."""
        return bag_of_words(self.ids, self.lengths, vocab)


def generated(options: argparse.Namespace) -> tuple[int, Part, Part]:
    """Return the number of words, and generated reviews for training and testing. Given."""
    import reviews

    texts, labels = reviews.reviews(
        options.train + options.test, np.random.default_rng(options.seed)
    )
    ids, lengths = reviews.as_numbers(texts)
    parts = [
        Part(*(torch.from_numpy(array[rows]) for array in (ids, lengths, labels)))
        for rows in (slice(options.train), slice(options.train, None))
    ]
    return len(reviews.WORDS), parts[0], parts[1]


def real(options: argparse.Namespace) -> tuple[int, Part, Part]:
    """Return the number of words, and rated sentences for training and testing. Given."""
    import snippets

    texts, labels = snippets.rated_snippets()
    order = np.random.default_rng(options.seed).permutation(len(texts))
    if options.train + options.test > len(texts):
        raise SystemExit(f"there are {len(texts)} rated sentences, for training and testing")
    train, test = order[: options.train], order[len(order) - options.test :]
    numbers = snippets.vocabulary([texts[n] for n in train])
    parts = []
    for rows in (train, test):
        arrays = snippets.as_numbers([texts[n] for n in rows], numbers)
        parts.append(Part(*map(torch.from_numpy, (*arrays, labels[rows]))))
    return len(numbers) + 2, parts[0], parts[1]


def main() -> None:
    """Compare the LSTM with the baseline. Given."""
    parser = argparse.ArgumentParser(description="Positive or negative?")
    parser.add_argument("--snippets", action="store_true", help="real sentences about films")
    parser.add_argument("--train", type=int, default=4000, help="reviews to learn from")
    parser.add_argument("--test", type=int, default=2000, help="reviews to measure on")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--lr", type=float, default=0.005)
    parser.add_argument("--embed", type=int, default=16)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    vocab, learn, test = (real if options.snippets else generated)(options)
    print(f"{len(learn.ids)} reviews to learn from, {len(test.ids)} to measure on, {vocab} words")
    bayes = NaiveBayes().fit(learn.counts(vocab), learn.labels)
    counted = accuracy(bayes.logits(test.counts(vocab)), test.labels)
    print(f"counting words: {counted:.1%}")
    begun = time.process_time()
    model = LSTMClassifier(vocab, options.embed, options.hidden)
    losses = train(
        model, learn.ids, learn.lengths, learn.labels, options.epochs, 64, options.lr, options.seed
    )
    print("losses:", ", ".join(f"{loss:.3f}" for loss in losses))
    with torch.no_grad():
        right = accuracy(model(test.ids, test.lengths), test.labels)
    print(f"LSTM: {right:.1%} after {time.process_time() - begun:.0f} s of CPU")


if __name__ == "__main__":
    main()
