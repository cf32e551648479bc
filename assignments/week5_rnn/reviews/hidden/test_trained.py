"""Hidden tests of train: on a model of the suite's own, and on LSTMClassifier (sentiment.trained).

The suite's model is linear in the words of a review, with numbers that are drawn here, so what
`train` has to find is known. LSTMClassifier is fixed up to its weights: these come back, and its
accuracy is computed here, in NumPy, on reviews that never leave this process. Words are numbers
whose meaning is drawn in each run, so weights from elsewhere fit nothing.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .formula import logits, shapes, sigmoid
from .language import counted, drawn_language, reviews

pytestmark = pytest.mark.item("sentiment.trained")

N, T, V, BATCH = 24, 7, 19, 6
QUICK, ROUNDS = 0.05, 24
LEARNT = 0.5
STILL = 1e-9
"""A learning rate with which no weight moves by what can be seen."""


def lesson(rng, count=N):
    """Draw reviews with junk behind their ends, their lengths, and labels that can be learnt."""
    ids = rng.integers(1, V, size=(count, T))
    lengths = rng.integers(3, T + 1, size=count)
    z = read(rng.normal(size=V), (0.0, 0.0), ids, lengths)
    return ids, lengths, (z > np.quantile(z, 0.6)).astype(np.float32)


def reader(student, rng, scale=1.0):
    """Return the suite's own model, and its numbers: of each word, and of a review."""
    W = rng.normal(scale=scale, size=V).astype(np.float32)
    b = rng.normal(scale=0.3 * scale, size=2).astype(np.float32)
    return student.prepare("reader", W, b), W, b


def read(W, b, ids, lengths):
    """Return the logits of the suite's own model."""
    valid = np.arange(ids.shape[1]) < lengths[:, None]
    return (W.astype(float)[ids] * valid).sum(axis=1) + b[0] + b[1] * lengths


def cross_entropy(z, labels):
    """Return the mean binary cross-entropy of logits."""
    return float(np.mean(np.logaddexp(0.0, z) - labels * z))


def trained(student, model, taught, epochs, batch, lr, seed=0):
    """Train a model; return the losses and the tensors that `train` was given."""
    given = [student.prepare("tensor", array) for array in taught]
    how = epochs, batch, lr, seed
    losses = student.drive("trained", student.sentiment.train, model, *given, *how)
    numbers = isinstance(losses, (list, tuple)) and len(losses) == epochs
    numbers = numbers and all(type(loss) is float and np.isfinite(loss) for loss in losses)
    kind = expect.kind_of(losses)
    expect.that("train", numbers, f"expected a list of {epochs} finite numbers, got {kind}.")
    return np.array([float(loss) for loss in losses]), given


def has_learnt(student, model, how, share=0.0):
    """Expect that a Reader's own numbers fit what it was taught; return them.

    Without a look at the labels no loss is below log 2, but by luck.
    """
    state = student.drive("state", model)
    W, b = expect.array("W", state["W"], (V,)), expect.array("b", state["b"], (2,))
    z = read(W, b.astype(float), *how[:2])
    loss, right = cross_entropy(z, how[2]), float(np.mean((z > 0) == (how[2] > 0.5)))
    expect.that("train", loss < LEARNT, f"after it the mean loss is {loss:.3g}.")
    expect.that("train", right > share, f"it gets {right:.0%} of what it learnt from right.")
    return W


def noted(student, model, name, count):
    """Return one list of what a model has noted."""
    found = student.drive("notes", model)[name]
    message = f"expected {count} steps, there were {len(found)}."
    expect.that("train", len(found) == count, message)
    return found


@pytest.mark.weight(2)
def test_losses(student, rng):
    """The losses are the means of the batches' binary cross-entropies, each label with its own."""
    for _ in range(2):
        model, W, b = reader(student, rng)
        ids, lengths, labels = lesson(rng)
        losses, _ = trained(student, model, (ids, lengths, labels), 3, BATCH, STILL)
        expected = cross_entropy(read(W, b, ids, lengths), labels)
        expect.close("losses of a model that hardly moves", losses, np.full(3, expected), rtol=1e-4)


def test_gradients(student, rng):
    """The gradient that arrives is that of the mean loss, in each epoch anew."""
    model, W, b = reader(student, rng)
    ids, lengths, labels = lesson(rng)
    trained(student, model, (ids, lengths, labels), 4, N, STILL)
    z = read(W, b, ids, lengths)
    errors = (sigmoid(z) - labels) / N
    expected = np.array([errors.sum(), (errors * lengths).sum()])
    of_logits = noted(student, model, "of_logits", 4)
    for one in of_logits:
        near = np.sort(expect.array("dL/dlogits", one, (N,)))
        expect.close("dL/dlogits of all reviews, sorted", near, np.sort(errors), rtol=1e-3)
    # Who asks for gradients without `backward` adds up nothing, and nothing is noted.
    for one in student.drive("notes", model)["of_b"]:
        expect.close("the gradient of a bias", one, expected, rtol=1e-3, atol=1e-6)


def test_orders(student, rng):
    """Each epoch reads each review once, with its own length, in batches, in a new order."""
    model, _, _ = reader(student, rng, 0.1)
    ids, lengths, labels = lesson(rng, N - 2)  # the last batch is smaller
    epochs = ROUNDS
    how = ids, lengths, labels
    trained(student, model, how, epochs, BATCH, QUICK)
    has_learnt(student, model, how)
    places = {
        (int(n), *map(int, row[:n])): k for k, (row, n) in enumerate(zip(ids, lengths, strict=True))
    }
    found = []
    steps = -(-(N - 2) // BATCH)
    read_ids = noted(student, model, "ids", epochs * steps)
    read_lengths = noted(student, model, "lengths", epochs * steps)
    for rows, many in zip(read_ids, read_lengths, strict=True):
        count = expect.shape_of("lengths of a batch", many)[0]
        small = 0 < count <= BATCH
        expect.that("train", small, f"a batch has {count} reviews instead of {BATCH} at most.")
        for row, n in zip(rows, many, strict=True):
            key = (int(n), *map(int, row[: int(n)]))
            expect.that("train", key in places, "a review is read with another one's length.")
            found.append(places[key])
    orders = np.array(found).reshape(epochs, -1)
    for order in orders:
        expect.equal("reviews read in an epoch, sorted", np.sort(order), np.arange(N - 2))
    expect.that("train", bool((orders[0] != orders[1]).any()), "both epochs have one order.")


def test_modes(student, rng):
    """While it trains the model is in training mode, and afterwards in evaluation mode."""
    model, _, _ = reader(student, rng, 0.1)
    student.drive("mode", model, False)
    how = lesson(rng)
    trained(student, model, how, ROUNDS, BATCH, QUICK)
    has_learnt(student, model, how)
    modes = noted(student, model, "training", ROUNDS * N // BATCH)
    expect.that("model", all(one is True for one in modes), "it trains in evaluation mode.")
    after = student.drive("notes", model)["afterwards"]
    expect.that("model", after == [False], "afterwards it is still in training mode.")


@pytest.mark.weight(2)
def test_it_learns(student, rng):
    """What is to be learnt is learnt: a linear model finds the words that count."""
    how = lesson(rng, 200)
    model, _, _ = reader(student, rng, 0.1)
    trained(student, model, how, 40, 20, QUICK)
    has_learnt(student, model, how, 0.85)


def test_the_same_again(student, rng):
    """The same seed and model give the same weights; another seed gives others."""
    W, b = rng.normal(scale=0.1, size=V).astype(np.float32), np.zeros(2, dtype=np.float32)
    how = lesson(rng)
    found = []
    for seed in (1, 1, 2):
        model = student.prepare("reader", W, b)
        trained(student, model, how, ROUNDS, BATCH, QUICK, seed)
        found.append(has_learnt(student, model, how))
    # Which weights come out is the loop's own affair.
    expect.repeated("weights with the same seed", found[0], found[1])
    expect.differ("weights with another seed", found[0], found[2], "they are the same.")


def test_arguments(student, rng):
    """train changes neither reviews nor lengths nor labels."""
    model, _, _ = reader(student, rng, 0.1)
    how = lesson(rng)
    _, given = trained(student, model, how, ROUNDS, BATCH, QUICK)
    has_learnt(student, model, how)
    for name, array, handle in zip(("ids", "lengths", "labels"), how, given, strict=True):
        expect.unchanged(name, array, student.fetch(handle))


# LSTMClassifier against counting words


TRAIN, TEST, EPOCHS, REVIEWS_IN_STEP, LR = 2_000, 1_000, 10, 32, 0.005
EMBED, HIDDEN = 16, 32
CHANCE = 0.65
"""More than this share an untrained classifier gets right in no draw."""

NOTHING, ALL = 0.05, 0.40
"""How far above counting words credit begins, and where it ends."""


def accuracy(student, model, vocab, test):
    """Return the share of reviews that a classifier's weights get right, by the suite's formula."""
    state = student.drive("state", model)
    weights = {}
    for name, shape in shapes(vocab, EMBED, HIDDEN).items():
        there = isinstance(state, dict) and name in state
        expect.that("LSTMClassifier", there, f"there is no {name} among its weights.")
        weights[name] = expect.array(name, state[name], shape)
    with np.errstate(over="ignore"):
        return float(np.mean((logits(weights, *test[:2]) > 0) == (test[2] > 0.5)))


def said_of(margin):
    """Return the message on a margin: it says no more of it than the credit does."""
    points = np.floor(100 * margin)
    if margin >= ALL:
        reached = f"at least {100 * ALL:.0f} points above"
    elif margin > NOTHING:
        reached = f"{points:.0f} to {points + 1:.0f} points above"
    else:
        reached = f"less than {100 * NOTHING:.0f} points above"
    return (
        f"The trained classifier's accuracy is {reached} that of counting words, after {EPOCHS} "
        f"epochs; full points from {100 * ALL:.0f}."
    )


@pytest.mark.weight(6)
@pytest.mark.needs("sentiment.classifier")
@pytest.mark.training
def test_the_trained_classifier_beats_counting(student, grade, rng):
    """Trained by your `train`, your LSTMClassifier gets right what counting words can't."""
    language = drawn_language(rng)
    found = reviews(language, rng, TRAIN + TEST)
    train, test = [array[:TRAIN] for array in found], [array[TRAIN:] for array in found]
    student.drive("seed", int(rng.integers(2**31)))
    model = student.sentiment.LSTMClassifier(language.vocab, EMBED, HIDDEN)
    before = accuracy(student, model, language.vocab, test)
    expect.that("LSTMClassifier", before <= CHANCE, "untrained it knows the reviews already.")
    how = EPOCHS, REVIEWS_IN_STEP, LR, int(rng.integers(2**31))
    trained(student, model, train, *how)
    baseline = max(counted(train, test, language.vocab), 0.5)
    margin = accuracy(student, model, language.vocab, test) - baseline
    share = float(np.clip((margin - NOTHING) / (ALL - NOTHING), 0.0, 1.0))
    shown = float(np.clip(np.floor(100 * margin) / 100, NOTHING, ALL))
    grade(share, said_of(margin), margin=shown)
