"""Hidden tests of next_character and generate, the latter on a model of the suite's own.

What `next_character` draws is counted: 4,000 characters of an alphabet of 8. Chi-squared with 7
degrees of freedom stays below 60 but once in 10^10 runs. What `generate` writes at a temperature
above 0 is measured by the examiner's own probabilities of each character.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .formulas import log_softmax
from .stand_ins import speaker

pytestmark = pytest.mark.item("gpt.generate")

DRAWS, KINDS, FARTHEST = 4_000, 8, 60.0
V, CONTEXT = 9, 5
WRITTEN, ROWS = 120, 3
FARTHEST_DEVIATIONS = 5.5
IMPOSSIBLE = "there is one whose probability is 0."


def softmax(logits):
    """Return the probabilities."""
    return np.exp(log_softmax(logits))


def chi_squared(counts, shares):
    """Return how far counts are from shares."""
    wanted = shares * counts.sum()
    return float(np.sum((counts - wanted) ** 2 / wanted))


def telling_logits(rng, temperature):
    """Draw logits for which the temperature, its square, and none at all differ clearly."""
    while True:
        logits = (rng.normal(size=KINDS) * min(1.3, temperature)).astype(np.float32)
        right = softmax(logits / temperature)
        others = {1.0, temperature**2, 1.0 / temperature} - {temperature}
        apart = [chi_squared(DRAWS * softmax(logits / one), right) for one in others]
        if right.min() * DRAWS > 12 and all(one > 3 * FARTHEST for one in apart):
            return logits


def drawn(student, logits, temperature, seed):
    """Return the characters that next_character draws for rows of logits."""
    given = student.prepare("tensor", logits), student.prepare("generator", seed)
    found = student.transformer.next_character(given[0], temperature, given[1])
    found = expect.array("characters", found, (len(logits),))
    expect.dtype("characters", found, "int64")
    known = found.min() >= 0 and found.max() < logits.shape[1]
    expect.that("characters", bool(known), "there are numbers that are no characters.")
    return found


@pytest.mark.weight(4)
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_shares(student, rng, temperature):
    """next_character draws each as often as softmax(logits / temperature) says, row by row."""
    both = np.stack([telling_logits(rng, temperature) for _ in range(2)])
    found = drawn(student, np.repeat(both, DRAWS, axis=0), temperature, int(rng.integers(2**31)))
    for logits, rows in zip(both, np.split(found, 2), strict=True):
        shares = softmax(logits.astype(float) / temperature)
        apart = chi_squared(np.bincount(rows, minlength=KINDS), shares)
        message = f"of {DRAWS} draws, the shares are not the right ones (chi-squared {apart:.0f})."
        expect.that("characters", apart < FARTHEST, message)


@pytest.mark.parametrize("temperature", [0.0, 1e-3])
def test_the_likeliest(student, rng, temperature):
    """At temperature 0, and all but there, the likeliest character is chosen."""
    logits = np.stack([2.0 * rng.permutation(KINDS) for _ in range(12)]) - 7.0
    found = drawn(student, logits.astype(np.float32), temperature, int(rng.integers(2**31)))
    expect.equal("characters", found, logits.argmax(axis=1))


def test_the_first_of_several(student, rng):
    """At temperature 0, of several likeliest characters the first is chosen."""
    logits = np.full((6, KINDS), -1.0, dtype=np.float32)
    for row in logits:
        row[rng.permutation(KINDS)[:3]] = 2.5
    found = drawn(student, logits, 0.0, int(rng.integers(2**31)))
    expect.equal("characters", found, logits.argmax(axis=1))


@pytest.mark.parametrize("temperature", [0.02, 1.0])
def test_large_logits(student, rng, temperature):
    """Logits around 1500 and -1500 overflow nowhere."""
    signs = np.array([1.0, -1.0] * 3)[:, None] * 1500.0
    logits = signs + np.stack([rng.permutation(KINDS) for _ in signs]) * 40.0
    found = drawn(student, logits.astype(np.float32), temperature, int(rng.integers(2**31)))
    expect.equal("characters", found, logits.argmax(axis=1))


def test_generator_draws(student, rng):
    """The same generator draws the same characters, another one others."""
    logits = (0.3 * rng.normal(size=(60, KINDS))).astype(np.float32)
    never = rng.permutation(KINDS)[:3]
    logits[:, never] = -200.0
    found = []
    for seed in (8, 8, 9):
        student.drive("seed", int(rng.integers(2**31)))
        found.append(drawn(student, logits, 1.0, seed))
        expect.that("characters", not np.isin(found[-1], never).any(), IMPOSSIBLE)
    first, again, other = found
    # Which characters a seed gives is up to the student; that another gives others is asked below.
    expect.repeated("characters from the same seed", first, again)
    expect.differ("characters from another seed", first, other, "two seeds gave the same.")


def test_keeps_the_logits(student, rng):
    """next_character does not change the logits."""
    logits = np.stack([2.0 * rng.permutation(KINDS) for _ in range(5)]).astype(np.float32)
    for temperature in (0.0, 1e-3):
        given = student.prepare("tensor", logits), student.prepare("generator", 1)
        found = student.transformer.next_character(given[0], temperature, given[1])
        expect.equal("characters", expect.array("characters", found, (5,)), logits.argmax(axis=1))
        expect.unchanged("logits", logits, student.fetch(given[0]))


# generate


def table_of(rng, spread=1.0):
    """Draw the numbers of a model: of each character, by how far back another one stands."""
    return rng.normal(scale=spread, size=(CONTEXT, V, V)).astype(np.float32)


def likeliest(table, ids, steps):
    """Return what is written without temperature, and the smallest lead of the likeliest."""
    leads = []
    for _ in range(steps):
        logits = speaker(table, ids[:, -CONTEXT:])[:, -1]
        best = np.sort(logits, axis=1)
        leads.append((best[:, -1] - best[:, -2]).min())
        ids = np.concatenate([ids, logits.argmax(axis=1)[:, None]], axis=1)
    return ids[:, -steps:], min(leads)


def sure(rng, length, steps):
    """Draw a model and texts for which rounding decides nothing, and what has to be written."""
    while True:
        table, ids = table_of(rng), rng.integers(0, V, size=(ROWS, length))
        text, lead = likeliest(table, ids, steps)
        kinds = min(len(set(row.tolist())) for row in text)
        if lead > 1e-3 and kinds >= min(3, steps):
            return table, ids, text


def written(student, model, ids, steps, temperature=0.0, seed=0):
    """Return what generate writes, and the tensor that it was given."""
    given = student.prepare("tensor", ids), student.prepare("generator", seed)
    text = student.transformer.generate(model, given[0], steps, temperature, given[1])
    return expect.array("text", text, (len(ids), steps)), given[0]


@pytest.mark.weight(5)
@pytest.mark.parametrize("length", [1, CONTEXT, CONTEXT + 4])
def test_greedy(student, rng, length):
    """At temperature 0 the likeliest is written, also beyond the context."""
    table, ids, text = sure(rng, length, CONTEXT + 6)
    received, _ = written(student, student.prepare("speaker", table), ids, CONTEXT + 6)
    expect.equal("text", received, text)


@pytest.mark.weight(3)
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_surprise(student, rng, temperature):
    """What is written is as likely, by the model's own numbers, as it has to be."""
    table, ids = table_of(rng), rng.integers(0, V, size=(ROWS, 3))
    seed = int(rng.integers(2**31))
    model = student.prepare("speaker", table)
    text, _ = written(student, model, ids, WRITTEN, temperature, seed)
    known = text.dtype.kind in "iu" and text.min() >= 0 and text.max() < V
    expect.that("text", bool(known), f"expected numbers of characters from 0 to {V - 1}.")
    whole = np.concatenate([ids, text.astype(np.int64)], axis=1)
    logits = np.stack(
        [speaker(table, whole[:, max(0, n - CONTEXT) : n])[:, -1] for n in range(3, 3 + WRITTEN)],
        axis=1,
    )
    apart = surprise(log_softmax(logits / temperature), whole[:, 3:])
    side = "more" if apart > 0.0 else "less"
    message = f"it is {side} surprising than what the model's probabilities write."
    expect.that("text", abs(apart) < FARTHEST_DEVIATIONS, message)


def surprise(logs, text):
    """Return how much more surprising texts are than expected, in standard deviations.

    Each character's surprise, less what was expected of it, is on average 0, whatever came before.
    """
    p = np.exp(logs)
    mean = -(p * logs).sum(axis=-1)
    variance = (p * logs**2).sum(axis=-1) - mean**2
    got = -np.take_along_axis(logs, text[..., None], axis=-1)[..., 0]
    return float((got - mean).sum() / np.sqrt(variance.sum() + 1.0))


def test_one_generator(student, rng):
    """All that is drawn comes from the generator: the same one, the same texts."""
    table, ids = table_of(rng, 0.3), rng.integers(0, V, size=(ROWS, 3))
    never = rng.permutation(V)[:4]
    table[0][:, never] = -200.0
    found = []
    for seed in (1, 1, 2):
        student.drive("seed", int(rng.integers(2**31)))
        model = student.prepare("speaker", table)
        found.append(written(student, model, ids, 30, 1.0, seed)[0])
        expect.that("text", not np.isin(found[-1], never).any(), IMPOSSIBLE)
    # Which texts a seed gives is up to the student; that another gives others is asked below.
    expect.repeated("text from the same seed", found[0], found[1])
    expect.differ("text from another seed", found[0], found[2], "two seeds gave the same.")
    rows = bool((found[0][0] == found[0][1]).all())
    expect.that("text", not rows, "two texts with different beginnings go on alike.")


@pytest.mark.weight(2)
def test_modes(student, rng):
    """While generate writes, the network is in evaluation mode and keeps no gradients."""
    for before in (True, False):
        table, ids, text = sure(rng, 2, 6)
        model = student.prepare("speaker", table)
        student.drive("mode", model, before)
        received, _ = written(student, model, ids, 6)
        expect.equal("text", received, text)
        noted = student.drive("noted", model)
        training = any(one[0] is not False for one in noted)
        expect.that("the network", not training, "it is asked in training mode.")
        tracked = any(one[1] is not False for one in noted)
        expect.that("the network", not tracked, "gradients are kept while it writes.")
        mode = student.drive("in_training", model)
        expect.equal("whether it is in training mode afterwards", mode, before)


def test_sides(student, rng):
    """Texts stay as they are; what is written is int64; of no steps nothing is written."""
    table, ids, text = sure(rng, CONTEXT + 1, 5)
    model = student.prepare("speaker", table)
    received, given = written(student, model, ids, 5)
    expect.equal("text", received, text)
    expect.dtype("text", received, "int64")
    expect.unchanged("ids", ids, student.fetch(given))
    written(student, model, ids, 0, 1.0)
