"""The text of a run, the weights to begin with, and how many bits a character costs.

The alphabet is put into an order drawn for the run. What is measured are pieces of the text's end,
which nobody trains on: each is read for itself, as in `bits_per_char`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograder.channel.faults import InfraError
from autograder.records import FULL_CREDIT
from autograder.suite.hidden.threshold import Training

from .formulas import log_softmax, network

CONTEXT, D, HEADS, LAYERS = 16, 32, 4, 1
HELD_OUT = 0.1
"""The share of the text, its end, that is not trained on."""

PIECES, AT_ONCE = 2_000, 250
"""How many pieces of the text's end are measured, and how many are in memory."""

SMALL = 0.02
"""The deviation of the first weights."""

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Lesson:
    """A text in the alphabet of this run."""

    train: np.ndarray
    pieces: np.ndarray
    alphabet: int
    steps: int
    seed: int

    def texts(self, count: int) -> np.ndarray:
        """Return some texts to ask a network about."""
        return self.pieces[:count, :-1]

    def first(self, shapes: dict[str, tuple[int, ...]]) -> Weights:
        """Return weights that know nothing yet."""
        rng = np.random.default_rng(self.seed)
        found = {}
        for name, shape in shapes.items():
            values = rng.normal(scale=SMALL, size=shape)
            if name.endswith("bias"):
                values = np.zeros(shape)
            elif "norm" in name:
                values = np.ones(shape)
            found[name] = values.astype(np.float32)
        return found

    def bits(self, weights: Weights, form: str) -> float:
        """Return the mean bits of the characters of the held-out pieces."""
        total = 0.0
        with np.errstate(all="ignore"):
            for part in np.split(self.pieces, range(AT_ONCE, len(self.pieces), AT_ONCE)):
                logs = log_softmax(network(weights, HEADS, LAYERS, part[:, :-1], form))
                total -= np.take_along_axis(logs, part[:, 1:, None], axis=-1).sum()
        return float(total / self.pieces[:, 1:].size / np.log(2.0))

    def saved(self, bits: float) -> float:
        """Return which share of a character's bits is saved, against knowing nothing."""
        return float(max(0.0, 1.0 - bits / np.log2(self.alphabet)))

    def said_of(self, settings: Training, credit: int, bits: float) -> str:
        """Return the message on a network: it says no more than the credit does."""
        best, worst = (
            (1.0 - share) * np.log2(self.alphabet)
            for share in (settings.full_from, settings.any_from)
        )
        if credit == FULL_CREDIT:
            reached = f"at most {best:.2f}"
        elif credit:
            reached = f"{np.floor(10 * bits) / 10:.1f} to {np.floor(10 * bits) / 10 + 0.1:.1f}"
        else:
            reached = f"at least {worst:.2f}"
        return (
            f"{reached} bits per character on text that was not read, after {self.steps} steps; "
            f"full points up to {best:.2f}."
        )


def lesson(settings: Training, rng: np.random.Generator) -> Lesson:
    """Order the alphabet, and draw the pieces that are measured."""
    text = settings.data
    if type(text) is not str:
        raise InfraError(f"{settings.name} is no text")
    letters = np.frombuffer(text.encode("ascii"), np.uint8)
    different, numbers = np.unique(letters, return_inverse=True)
    ids = rng.permutation(len(different))[numbers].astype(np.int64)
    end = len(ids) - int(HELD_OUT * len(ids))
    starts = end + rng.permutation((len(ids) - end - 1) // CONTEXT)[:PIECES] * CONTEXT
    return Lesson(
        train=ids[:end],
        pieces=ids[starts[:, None] + np.arange(CONTEXT + 1)],
        alphabet=len(different),
        steps=settings.epochs,
        seed=int(rng.integers(2**31)),
    )
