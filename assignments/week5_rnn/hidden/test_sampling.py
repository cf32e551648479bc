"""Hidden tests of language.sample and of CharLSTM.generate, on the examiner's weights.

What `sample` draws is counted: 4,000 characters of an alphabet of 8. Chi-squared with 7 degrees of
freedom stays below 60 but once in 10^10 runs; wrong distributions give 130 and more. What
`generate` writes at a temperature above 0 is measured by the examiner's own probabilities of each
character: how surprising a text is can't be far from what is expected of it.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .formulas_text import log_softmax
from .stand_ins_text import Network, V

pytestmark = pytest.mark.item("week5.sampling")

DRAWS, KINDS, FARTHEST = 4_000, 8, 60.0
WRITTEN = 250
SPREAD = 3.0
"""A factor on drawn weights: a network that is sure of some characters, and remembers."""

FARTHEST_DEVIATIONS = 5.5


def softmax(logits, temperature):
    """Return the probabilities."""
    return np.exp(log_softmax(logits / temperature))


def chi_squared(counts, shares):
    """Return how far counts are from shares."""
    wanted = shares * counts.sum()
    return float(np.sum((counts - wanted) ** 2 / wanted))


def telling_logits(rng, temperature):
    """Draw logits for which the temperature, its square, and none at all differ clearly."""
    while True:
        logits = rng.normal(size=KINDS) * min(1.3, temperature)
        right = softmax(logits, temperature)
        wrong = [softmax(logits, t) for t in (1.0, temperature**2, 1.0 / temperature)]
        apart = [chi_squared(DRAWS * one, right) for one in wrong]
        if right.min() * DRAWS > 12 and min(apart) > 3 * FARTHEST:
            return logits


def drawn(student, logits, temperature, seed, count=DRAWS):
    """Return characters that sample gives: Python ints of the alphabet."""
    found = student.drive("characters", student.language.sample, logits, temperature, seed, count)
    for one in found:
        known = type(one) is int and 0 <= one < len(logits)
        message = f"expected a Python int from 0 to {len(logits) - 1}, got {expect.kind_of(one)}."
        expect.that("sample", known, message)
    return np.array(found)


@pytest.mark.weight(3)
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_shares(student, rng, temperature):
    """sample draws each character as often as softmax(logits / temperature) says."""
    logits = telling_logits(rng, temperature)
    found = drawn(student, logits, temperature, int(rng.integers(2**31)))
    shares = softmax(logits, temperature)
    apart = chi_squared(np.bincount(found, minlength=KINDS), shares)
    message = (
        f"of {DRAWS} draws, the shares are not those of the softmax (chi-squared {apart:.0f})."
    )
    expect.that("sample", apart < FARTHEST, message)


@pytest.mark.weight(2)
def test_shares_without_a_change(student, rng):
    """At temperature 1, sample draws each character as often as softmax(logits) says."""
    logits = rng.normal(size=KINDS)
    found = drawn(student, logits, 1.0, int(rng.integers(2**31)))
    apart = chi_squared(np.bincount(found, minlength=KINDS), softmax(logits, 1.0))
    message = (
        f"of {DRAWS} draws, the shares are not those of the softmax (chi-squared {apart:.0f})."
    )
    expect.that("sample", apart < FARTHEST, message)


@pytest.mark.parametrize("temperature", [0.0, 1e-3])
def test_the_likeliest(student, rng, temperature):
    """At temperature 0, and all but there, sample chooses the likeliest character."""
    for seed in range(6):
        logits = 2.0 * rng.permutation(KINDS)
        found = drawn(student, logits - 7.0, temperature, seed, 3)
        expect.equal("characters chosen", found, np.full(3, int(np.argmax(logits))))


def test_the_first_of_several(student, rng):
    """At temperature 0, of several likeliest characters the first is chosen."""
    for seed in range(4):
        places = np.sort(rng.permutation(KINDS)[:2])
        logits = np.where(np.isin(np.arange(KINDS), places), 2.5, -1.0)
        found = drawn(student, logits, 0.0, seed, 3)
        expect.equal("characters chosen", found, np.full(3, int(places[0])))


@pytest.mark.parametrize("temperature", [0.02, 1.0])
def test_large_logits(student, rng, temperature):
    """Logits around 1500 and -1500 overflow nowhere."""
    for seed, sign in enumerate((1.0, -1.0)):
        logits = sign * 1500.0 + rng.permutation(KINDS) * 40.0
        found = drawn(student, logits, temperature, seed, 3)
        expect.equal("characters chosen", found, np.full(3, int(np.argmax(logits))))


def test_generator_draws(student, rng):
    """The same generator draws the same characters, another one others."""
    logits = 0.3 * rng.normal(size=KINDS)
    first, again, other = (drawn(student, logits, 1.0, seed, 60) for seed in (8, 8, 9))
    expect.differ("characters", first, 0, "they are all number 0.")
    # Which characters a seed gives is up to the student; that another gives others is asked below.
    expect.repeated("characters from the same seed", first, again)
    expect.differ("characters from another seed", first, other, "two seeds gave the same.")


def test_keeps_the_logits(student, rng):
    """sample does not change the logits."""
    for logits in (2.0 * rng.permutation(KINDS), np.arange(float(KINDS)), -np.arange(float(KINDS))):
        found = drawn(student, logits, 1e-3, 1, 2)
        expect.equal("characters chosen", found, np.full(2, int(np.argmax(logits))))
    for temperature in (2.0, 0.0):
        kept = student.keep(logits)
        student.drive("characters", student.language.sample, kept, temperature, 1, 2)
        expect.unchanged("logits", logits, student.fetch(kept))


# generate


def sure_network(student, rng, start, count):
    """Return a network whose greedy text has no near ties and is no single character.

    What stands in `start` before its last character changes the text.
    """
    while True:
        at = Network(student, rng, SPREAD)
        forgetful = at.own.greedy(start[-1:], count)
        at.own.state = None
        text = at.own.greedy(start, count)
        at.own.state = None
        logits = at.own.forward(np.append(start, text)[None])[0, len(start) - 1 : -1]
        best = np.sort(logits, axis=1)
        sure = (best[:, -1] - best[:, -2]).min() > 1e-3 and text[-1] != text[-2]
        if sure and (len(start) == 1 or list(forgetful) != list(text)):
            return at, np.array(text)


@pytest.mark.weight(2)
@pytest.mark.parametrize("length", [1, 5])
def test_greedy(student, rng, length):
    """At temperature 0, generate writes the text that the network finds likeliest step by step."""
    start = rng.integers(0, V, size=length)
    at, wanted = sure_network(student, rng, start, 15)
    received = expect.array("text", at.generate(start, 15, 0.0), (15,))
    expect.equal("text", received, wanted)


@pytest.mark.weight(3)
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_written(student, rng, temperature):
    """What generate writes is as likely, by the network's own numbers, as it has to be."""
    at, start = Network(student, rng, SPREAD), rng.integers(0, V, size=3)
    seed = int(rng.integers(2**31))
    text = expect.array("text", at.generate(start, WRITTEN, temperature, seed), (WRITTEN,))
    known = text.dtype.kind in "iu" and text.min() >= 0 and text.max() < V
    expect.that("text", bool(known), f"expected numbers of characters from 0 to {V - 1}.")
    at.own.state = None
    logits = at.own.forward(np.append(start, text)[None])[0, len(start) - 1 : -1]
    apart = surprise(log_softmax(logits / temperature), text.astype(np.int64))
    side = "more" if apart > 0.0 else "less"
    message = f"it is {side} surprising than what the network's probabilities write."
    expect.that("text", abs(apart) < FARTHEST_DEVIATIONS, message)


def surprise(logs, text):
    """Return how much more surprising a text is than expected, in standard deviations.

    Each character's surprise, less what was expected of it, is on average 0, whatever came before.
    """
    p = np.exp(logs)
    mean = -(p * logs).sum(axis=1)
    variance = (p * logs**2).sum(axis=1) - mean**2
    got = -logs[np.arange(len(text)), text]
    return float((got - mean).sum() / np.sqrt(variance.sum() + 1.0))


@pytest.mark.parametrize("rows", [1, 3])
def test_leaves_the_state(student, rng, rows):
    """generate reads `start` from the beginning, and `state` is afterwards what it was."""
    start = rng.integers(0, V, size=2)
    at, wanted = sure_network(student, rng, start, 8)
    state = at.set_state(rows)
    expect.equal("text", expect.array("text", at.generate(start, 8, 0.0), (8,)), wanted)
    for name, received, before in zip(("state", "cell"), at.state(rows), state, strict=True):
        expect.close(f"the {name} kept", received, before)


def test_type_of_the_text(student, rng):
    """generate returns an integer array, of shape (0,) where nothing is to be written."""
    start = rng.integers(0, V, size=2)
    at, wanted = sure_network(student, rng, start, 8)
    text = expect.array("text", at.generate(start, 8, 0.0), (8,))
    expect.equal("last two characters", text[-2:], wanted[-2:])
    expect.dtype("text", text, "int64")
    nothing = expect.array("text of no characters", at.generate(start, 0, 1.0), (0,))
    expect.dtype("text of no characters", nothing, "int64")


def test_keeps_the_start(student, rng):
    """generate does not change `start`."""
    start = rng.integers(0, V, size=4)
    at, wanted = sure_network(student, rng, start, 6)
    kept = student.keep(start)
    text = expect.array("text", at.generate(kept, 6, 0.0), (6,))
    expect.equal("last two characters", text[-2:], wanted[-2:])
    expect.unchanged("start", start, student.fetch(kept))
