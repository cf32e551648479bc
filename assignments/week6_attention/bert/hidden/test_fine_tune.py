"""Hidden tests of fine_tune: on a model of the suite's own, and on a drawn BERT that is frozen.

The suite's model adds up numbers that are drawn here, so what `fine_tune` has to find is known.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .formula import SMALL, drawn_texts, drawn_weights

pytestmark = pytest.mark.item("bert.fine_tune")

N, T, V, C, BATCH = 24, 7, 19, 3, 6
QUICK, ROUNDS, LEARNT = 0.05, 24, 0.8
STILL = 1e-9
"""A learning rate with which no weight moves by what can be seen."""

EXACTLY = {"rtol": 0.0, "atol": 0.0}


def lesson(rng, count=N):
    """Draw texts with junk where the mask is 0, and labels that can be learnt."""
    ids = rng.integers(1, V, size=(count, T))
    mask = (np.arange(T) < rng.integers(3, T + 1, size=count)[:, None]).astype(np.int64)
    labels = read(rng.normal(size=(V, C)), np.zeros(C), np.zeros(C), ids, mask).argmax(axis=1)
    return ids, mask, labels.astype(np.int64)


def reader(student, rng, scale=1.0):
    """Return the suite's own model, and its numbers: of each piece, and of every text."""
    arrays = [rng.normal(scale=scale, size=shape).astype(np.float32) for shape in ((V, C), C, C)]
    return student.prepare("reader", *arrays), arrays


def read(W, b, still, ids, mask):
    """Return the logits of the suite's own model."""
    return (W.astype(float)[ids] * mask[..., None]).sum(axis=1) + b + still


def errors(z, labels):
    """Return the softmax of logits, minus one where the label is."""
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p - np.eye(C)[labels]


def cross_entropy(z, labels):
    """Return the mean cross-entropy of logits."""
    z = z - z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels]))


def tuned(student, model, taught, epochs, batch, lr, seed=0):
    """Fine-tune a model; return the losses and the tensors that were given."""
    given = [student.prepare("tensor", array) for array in taught]
    losses = student.bert_finetune.fine_tune(model, *given, epochs, lr, batch, seed)
    numbers = isinstance(losses, (list, tuple)) and len(losses) == epochs
    numbers = numbers and all(type(loss) is float and np.isfinite(loss) for loss in losses)
    kind = expect.kind_of(losses)
    expect.that("fine_tune", numbers, f"expected a list of {epochs} finite numbers, got {kind}.")
    return np.array([float(loss) for loss in losses]), given


def has_learnt(student, model, how):
    """Expect that the model's numbers fit what it was taught; return those of the pieces."""
    held = student.drive("state", model)
    W, b, still = (
        expect.array(name, held[name], shape)
        for name, shape in (("W", (V, C)), ("b", (C,)), ("still", (C,)))
    )
    loss = cross_entropy(read(W, b, still, *how[:2]), how[2])
    expect.that("fine_tune", loss < LEARNT, f"after it the mean loss is {loss:.3g}.")
    return W


def noted(student, model, name, count):
    """Return one list of what a model has noted."""
    found = student.drive("notes", model)[name]
    message = f"expected {count} steps, there were {len(found)}."
    expect.that("fine_tune", len(found) == count, message)
    return found


@pytest.mark.weight(2)
def test_losses(student, rng):
    """The losses are the means of the batches' cross-entropies, each label with its own text."""
    for _ in range(2):
        model, arrays = reader(student, rng)
        how = lesson(rng)
        losses, _ = tuned(student, model, how, 3, BATCH, STILL)
        expected = cross_entropy(read(*arrays, *how[:2]), how[2])
        expect.close("losses of a model that hardly moves", losses, np.full(3, expected), rtol=1e-4)


def test_gradients(student, rng):
    """The gradient that arrives is that of the mean loss, in each epoch anew."""
    model, arrays = reader(student, rng)
    how = lesson(rng)
    tuned(student, model, how, 4, N, STILL)
    expected = errors(read(*arrays, *how[:2]), how[2]) / N
    for one in noted(student, model, "of_logits", 4):
        near = np.sort(expect.array("dL/dlogits", one, (N, C)), axis=0)
        expect.close("dL/dlogits, sorted", near, np.sort(expected, axis=0), rtol=1e-3, atol=1e-6)
    # Clipping may make all of them smaller; it doesn't turn them, nor add them up.
    length = np.linalg.norm(expected.sum(axis=0))
    for one in student.drive("notes", model)["of_b"]:
        received = expect.array("the gradient of a bias", one, (C,))
        shorter = np.linalg.norm(received) <= 1.001 * length
        expect.that("gradient of a bias", bool(shorter), "it is larger than that of one batch.")


def test_orders(student, rng):
    """Each epoch reads each text once, with its own mask, in batches, in a new order."""
    model, _ = reader(student, rng, 0.1)
    how = lesson(rng, N - 2)  # the last batch is smaller
    ids, mask, _ = how
    tuned(student, model, how, ROUNDS, BATCH, QUICK)
    has_learnt(student, model, how)
    places = {
        tuple(map(int, row[: here.sum()])): k
        for k, (row, here) in enumerate(zip(ids, mask, strict=True))
    }
    found, steps = [], -(-(N - 2) // BATCH)
    read_ids = noted(student, model, "ids", ROUNDS * steps)
    read_masks = noted(student, model, "masks", ROUNDS * steps)
    for rows, masks in zip(read_ids, read_masks, strict=True):
        shape = expect.shape_of("ids of a batch", rows)
        small = len(shape) == 2 and 0 < shape[0] <= BATCH
        expect.that("fine_tune", small, f"a batch has the shape {shape}; {BATCH} texts at most.")
        masks = expect.array("attention_mask of a batch", masks, shape)
        for row, here in zip(rows, masks, strict=True):
            key = tuple(map(int, row[here == 1]))
            expect.that("fine_tune", key in places, "a text is read with another one's mask.")
            found.append(places[key])
    orders = np.array(found).reshape(ROUNDS, -1)
    for order in orders:
        expect.equal("texts read in an epoch, sorted", np.sort(order), np.arange(N - 2))
    expect.that("fine_tune", bool((orders[0] != orders[1]).any()), "both epochs have one order.")


def test_modes(student, rng):
    """While it trains the model is in training mode, and afterwards in evaluation mode."""
    model, _ = reader(student, rng, 0.1)
    student.drive("mode", model, False)
    how = lesson(rng)
    tuned(student, model, how, ROUNDS, BATCH, QUICK)
    has_learnt(student, model, how)
    modes = noted(student, model, "training", ROUNDS * N // BATCH)
    expect.that("model", all(one is True for one in modes), "it trains in evaluation mode.")
    left = student.drive("training_parts", model)
    expect.equal("parts in training mode afterwards", left, 0)


@pytest.mark.weight(2)
def test_what_is_frozen(student, rng):
    """A parameter that is frozen stays as it is to the last bit, and frozen; others change."""
    model, arrays = reader(student, rng, 0.1)
    student.drive("froze", model, "still")
    how = lesson(rng)
    tuned(student, model, how, ROUNDS, BATCH, QUICK)
    has_learnt(student, model, how)
    held = student.drive("state", model)
    expect.close("frozen parameter", held["still"], arrays[2], **EXACTLY)
    expect.equal("parameters that can be trained", sorted(student.drive("free", model)), ["W", "b"])


@pytest.mark.weight(2)
def test_a_frozen_layer_of_bert(student, rng):
    """Of a real BERT with one layer frozen, that layer stays bit for bit, and the other moves."""
    weights = drawn_weights(rng, SMALL, 0.2)
    made = student.prepare("bert", SMALL["heads"], weights, 0.1)
    model = student.bert_finetune.BertClassifier(made, 2)
    student.drive("froze", model, "bert.encoder.layer.0.")
    ids, mask = drawn_texts(rng, 12, 6, SMALL["V"])
    tuned(student, model, (ids, mask, rng.integers(2, size=12)), 2, 5, 1e-3)
    held = student.drive("state", model)
    for name, array in weights.items():
        after = expect.array(name, held[f"bert.{name}"], array.shape)
        if name.startswith("encoder.layer.0."):
            expect.close(name, after, array, **EXACTLY)
    for name in ("encoder.layer.1.output.dense.weight", "embeddings.word_embeddings.weight"):
        expect.differ(name, weights[name], held[f"bert.{name}"], "it is free and did not change.")


@pytest.mark.weight(2)
def test_it_learns(student, rng):
    """What is to be learnt is learnt: the pieces that count are found."""
    how = lesson(rng, 200)
    model, _ = reader(student, rng, 0.1)
    tuned(student, model, how, 40, 20, QUICK)
    W = has_learnt(student, model, how)
    held = student.drive("state", model)
    z = read(W, held["b"], held["still"], *how[:2])
    right = float(np.mean(z.argmax(axis=1) == how[2]))
    expect.that("fine_tune", right > 0.8, f"it gets {right:.0%} of what it learnt from right.")


def test_the_same_again(student, rng):
    """The same seed and model give the same weights; another seed gives others."""
    arrays = [rng.normal(scale=0.1, size=shape).astype(np.float32) for shape in ((V, C), C, C)]
    how = lesson(rng)
    found = []
    for seed in (1, 1, 2):
        model = student.prepare("reader", *arrays)
        tuned(student, model, how, ROUNDS, BATCH, QUICK, seed)
        found.append(has_learnt(student, model, how))
    # Which weights come out is the loop's own affair.
    expect.repeated("weights with the same seed", found[0], found[1])
    expect.differ("weights with another seed", found[0], found[2], "they are the same.")


def test_arguments(student, rng):
    """fine_tune changes neither ids nor attention_mask nor labels."""
    model, _ = reader(student, rng, 0.1)
    how = lesson(rng)
    _, given = tuned(student, model, how, ROUNDS, BATCH, QUICK)
    has_learnt(student, model, how)
    for name, array, handle in zip(("ids", "attention_mask", "labels"), how, given, strict=True):
        expect.unchanged(name, array, student.fetch(handle))
