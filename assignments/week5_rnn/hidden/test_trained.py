"""How well the network predicts that the student's train_step trains (item week5.trained).

The weights before the first step are the examiner's, and so know nothing; the alphabet is in an
order of this run's. After each pass through the text the weights have to be where the examiner's
own steps lead; then the examiner's own forward pass measures them, over stretches of the text's
end. Where a part of the network is wrong, they can't be: then the points follow the
share of the parts that is right, if each has a quarter of its own.
"""

import numpy as np
import pytest

from autograder.records import FULL_CREDIT
from autograder.suite import expect

from .ngrams import copied, distinct
from .reading import STATES, STEPS, VECTORS, as_weights, follows, lesson

pytestmark = pytest.mark.item("week5.trained")

PARTS = (
    "week5.lstm",
    "week5.lstm_backward",
    "week5.embedding",
    "week5.loss",
    "week5.clipping",
    "week5.char_lstm",
)

WRITTEN = 800
# At temperatures 0.3, 0.8 and 1.6 the right text costs 1.9, 3.0 to 3.4 and 6.8 to 7.6 bits; 0.35 to
# 0.38, 0.81 to 0.86 and 0.98 to 0.99 of its stretches are different, and at most 0.005 are copied
# (3 draws). Copied training text costs 1.8 bits, and all of it is copied.
MOST_BITS, LEAST_DISTINCT, MOST_COPIED = 4.5, 0.2, 0.1


@pytest.mark.weight(3)
@pytest.mark.training
@pytest.mark.shares
@pytest.mark.needs(*PARTS)
def test_the_trained_network_predicts(student, settings, grade, rng):
    """Trained by your train_step, the network predicts text that it has not read."""
    at = lesson(settings, int(rng.integers(2**31)))
    model = network(student, at, at.weights[0])
    seen = [held(student, at, model, "before training")]
    for name, array in at.weights[0].items():
        expect.close(f"{name} before training", seen[0][name], array)
    ids = student.keep(at.train)
    curve = {"loss": [], "bits": []}
    for _ in range(settings.epochs):
        loss = student.drive("read_text", model, ids, settings.batch_size, STEPS, settings.lr)
        finite = type(loss) is float and np.isfinite(loss)
        curve["loss"].append(round(loss, 6) if finite else None)
        seen.append(held(student, at, model, "after training"))
        curve["bits"].append(round(at.bits(seen[-1]), 6))
    follows(seen, at.weights)
    saved = at.saved(curve["bits"][-1])
    credit = settings.credit(saved)
    message = said_of(settings, at, credit, curve["bits"][-1])
    grade(credit / FULL_CREDIT, message, shown=settings.shown(saved), data=settings.name, **curve)


@pytest.mark.training
@pytest.mark.shares
@pytest.mark.needs("week5.lstm", "week5.embedding", "week5.char_lstm", "week5.sampling")
def test_the_text_it_writes(student, settings, rng):
    """A trained network writes text that resembles Shakespeare's, and is not copied from it."""
    at = lesson(settings, int(rng.integers(2**31)))
    model = network(student, at, at.weights[-1])
    start, found = at.held_out[:20], {}
    for temperature in (0.3, 0.8, 1.6):
        seed = int(rng.integers(2**31))
        text = student.drive("write_text", model, start, WRITTEN, temperature, seed)
        ids = expect.array("text", text, (WRITTEN,))
        known = ids.dtype.kind in "iu" and ids.min() >= 0 and ids.max() < at.alphabet
        expect.that("text", bool(known), "there are numbers that are no characters.")
        ids = ids.astype(np.int64)
        found[temperature] = at.counted.bits(ids), distinct(ids, at.alphabet)
        share = copied(ids, at.copies)
        message = f"at temperature {temperature}, {share:.0%} of it stand in the training text."
        expect.that("text", share < MOST_COPIED, message)
    bits, different = found[0.8]
    message = f"at temperature 0.8 it costs {bits:.1f} bits per character: it is no English."
    expect.that("text", bits < MOST_BITS, message)
    message = f"at temperature 0.8 {different:.0%} of its stretches differ: it repeats itself."
    expect.that("text", different > LEAST_DISTINCT, message)
    for number, name in enumerate(("surprising", "varied")):
        low, middle, high = (measured[number] for measured in found.values())
        message = f"it does not become more {name} as the temperature rises."
        expect.that("text", low < middle < high, message)


def network(student, at, weights):
    """Return a network of the student's with these weights."""
    sizes = at.alphabet, VECTORS, STATES
    model = student.language.CharLSTM(*sizes, dtype="float64")
    student.drive("write_text_weights", model, list(weights.values()))
    return model


def held(student, at, model, when):
    """Return the weights that a network has."""
    return as_weights(student.drive("read_text_weights", model), at.shapes, when)


def said_of(settings, at, credit, bits):
    """Return the message on a network: it says no more than the credit does."""
    best, worst = at.bits_at(settings.full_from), at.bits_at(settings.any_from)
    if credit == FULL_CREDIT:
        reached = f"at most {best:.2f}"
    elif credit:
        reached = f"{np.floor(10 * bits) / 10:.1f} to {np.floor(10 * bits) / 10 + 0.1:.1f}"
    else:
        reached = f"at least {worst:.2f}"
    return (
        f"{reached} bits per character on text that was not read, after {settings.epochs} passes; "
        f"full points up to {best:.2f}."
    )
