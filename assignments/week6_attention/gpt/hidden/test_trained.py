"""Hidden tests of train: on a model of the suite's own, and on MiniGPT (gpt.trained).

The suite's model has a row of logits for each character, so its losses and gradients are known.
MiniGPT is fixed up to its weights. Those that it begins with are the examiner's, who finds that it
computes with them what it should, and that they know nothing; those that `train` leaves are
measured here, in NumPy, on text that never leaves this process. The alphabet is in an order drawn
for the run, so weights from elsewhere fit nothing, and what a network of another kind knows, or
what stands beside the weights, counts for nothing.
"""

import numpy as np
import pytest

from autograder.records import FULL_CREDIT
from autograder.suite import expect

from .asking import FORMS, NEAR, asked, fill, known
from .formulas import log_softmax, network, network_shapes
from .shakespeare import CONTEXT, HEADS, LAYERS, D, lesson

pytestmark = pytest.mark.item("gpt.trained")

V, T, LENGTH, BATCH = 13, 6, 300, 8
STILL = 1e-9
"""A learning rate with which no weight moves by what can be seen."""


def text_of(rng, length=LENGTH):
    """Draw a text in which no piece of T characters comes twice."""
    while True:
        ids = rng.integers(0, V, size=length)
        pieces = np.lib.stride_tricks.sliding_window_view(ids, T)
        if len(np.unique(pieces, axis=0)) == len(pieces):
            return ids


def trained(student, model, ids, steps, batch, lr, seed=0):
    """Train a model; return the losses and the text that `train` was given."""
    given = student.prepare("tensor", ids)
    losses = student.drive(
        "trained", student.transformer.train, model, given, steps, batch, lr, seed
    )
    numbers = isinstance(losses, (list, tuple)) and len(losses) == steps
    numbers = numbers and all(type(one) is float and np.isfinite(one) for one in losses)
    kind = expect.kind_of(losses)
    expect.that("train", numbers, f"expected a list of {steps} finite numbers, got {kind}.")
    return np.array([float(one) for one in losses]), given


def places_of(ids, pieces):
    """Return where each piece begins in the text; fail where one is no piece of it."""
    known_ = np.lib.stride_tricks.sliding_window_view(ids[:-1], T)
    places = {tuple(one): place for place, one in enumerate(known_.tolist())}
    found = [places.get(tuple(one)) for one in pieces.tolist()]
    expect.that("train", None not in found, "it reads what is no piece of the text.")
    return np.array(found)


def steps_of(student, model, ids, steps, batch):
    """Return what the model has noted of each step: the places of its pieces, mode, gradient."""
    noted = student.drive("noted", model)
    message = f"it is called {len(noted)} times with gradients, in {steps} steps."
    expect.that("the network", len(noted) == steps, message)
    found = []
    for pieces, training, gradient in noted:
        pieces = expect.array("a batch", pieces, (batch, T))
        found.append((places_of(ids, pieces), training, gradient))
    return found


def pairs(student, rng, spread=1.0):
    """Return the suite's own model, and its numbers."""
    table = rng.normal(scale=spread, size=(V, V)).astype(np.float32)
    return student.prepare("pairs", table, T), table.astype(float)


def losses_at(table, ids, places):
    """Return the loss of each character of pieces that begin at these places."""
    at = places[:, None] + np.arange(T)
    logs = log_softmax(table[ids[at]])
    return -np.take_along_axis(logs, ids[at + 1][..., None], axis=-1)[..., 0]


def learnable(rng, length=LENGTH):
    """Draw a text in which a character mostly decides the next one."""
    follows = rng.permutation(V)
    while True:
        ids = [0]
        while len(ids) < length:
            ids.append(int(follows[ids[-1]] if rng.random() < 0.8 else rng.integers(V)))
        if len(np.unique(ids)) == V:
            return np.array(ids)


SOME, ALL_OF_IT = 2.45, 1.7
"""Nothing learnt of such a text costs ln 13 = 2.56 or more, everything 1.1 to 1.2."""


def learnt(student, model, ids, most):
    """Expect that the model's own numbers fit the text; return them."""
    held = student.drive("read", model, ["table"])["table"]
    table = expect.array("the model's table", held, (V, V)).astype(float)
    loss = -np.take_along_axis(log_softmax(table[ids[:-1]]), ids[1:, None], axis=-1).mean()
    expect.that("train", bool(loss < most), f"after it the mean loss is {loss:.2f}.")
    return table


@pytest.mark.weight(2)
def test_losses(student, rng):
    """The losses are mean cross-entropies, of the character that follows each place."""
    model, table = pairs(student, rng)
    ids = text_of(rng)
    losses, _ = trained(student, model, ids, 5, BATCH, STILL)
    read = steps_of(student, model, ids, 5, BATCH)
    wanted = [losses_at(table, ids, places).mean() for places, _, _ in read]
    expect.close("losses of a model that hardly moves", losses, np.array(wanted), rtol=1e-4)


@pytest.mark.weight(2)
def test_gradients(student, rng):
    """The gradient that arrives at the logits is that of the mean loss of all places."""
    model, table = pairs(student, rng)
    ids = text_of(rng)
    trained(student, model, ids, 4, BATCH, STILL)
    for places, _, gradient in steps_of(student, model, ids, 4, BATCH):
        at = places[:, None] + np.arange(T)
        wanted = np.exp(log_softmax(table[ids[at]])) - np.eye(V)[ids[at + 1]]
        expect.that("logits", gradient is not None, "no gradient gets there.")
        received = expect.array("the gradient of the logits", gradient, (BATCH, T, V))
        expect.close("the gradient of the logits", received, wanted / (BATCH * T), rtol=1e-3)


def test_each_step_by_its_own_gradient(student, rng):
    """A step goes by the gradients of one batch: those before it are not added up."""
    ids = np.tile(rng.permutation(V)[:T], 60)  # all batches have nearly the same gradient
    model, _ = pairs(student, rng)
    trained(student, model, ids, 12, BATCH, STILL)
    held = student.drive("left", model)
    expect.that(
        "gradients", held is not None, "the table's parameter has none after the last step."
    )
    # Of a mean of softmax minus one, all entries together are at most 2.
    size = float(np.abs(expect.array("the gradient of the table", held, (V, V))).sum())
    expect.that("gradients", 0.0 < size < 2.1, "after 12 steps they are larger than one batch's.")


def test_pieces(student, rng):
    """Each step has its own pieces, from all over the text."""
    model, table = pairs(student, rng, 0.1)
    ids = text_of(rng)
    losses, _ = trained(student, model, ids, 40, BATCH, 0.05)
    read = [places for places, _, _ in steps_of(student, model, ids, 40, BATCH)]
    same = all((np.sort(one) == np.sort(read[0])).all() for one in read)
    expect.that("pieces", not same, "all steps have the same ones.")
    parts = np.bincount(np.concatenate(read) * 4 // LENGTH, minlength=4)
    expect.that("pieces", bool((parts >= 20).all()), "parts of the text are hardly read.")
    expect.differ("losses", losses[:-1], losses[1:], "they are the same in each step.")
    first = losses_at(table, ids, read[0]).mean()
    expect.close("the first loss", losses[:1], np.array([first]), rtol=1e-4)


def test_modes(student, rng):
    """While it trains the network is in training mode, and afterwards in evaluation mode."""
    model, _ = pairs(student, rng, 0.1)
    student.drive("mode", model, False)
    ids = learnable(rng)
    trained(student, model, ids, 30, BATCH, 0.1)
    learnt(student, model, ids, SOME)
    modes = [training for _, training, _ in steps_of(student, model, ids, 30, BATCH)]
    expect.that("the network", all(one is True for one in modes), "it trains in evaluation mode.")
    after = student.drive("in_training", model)
    expect.that("the network", after is False, "afterwards it is still in training mode.")


@pytest.mark.weight(2)
def test_it_learns(student, rng):
    """A model learns which character follows which, in a text in which that can be learnt."""
    ids = learnable(rng, 600)
    model, _ = pairs(student, rng, 0.1)
    trained(student, model, ids, 150, BATCH, 0.1)
    learnt(student, model, ids, ALL_OF_IT)


def test_the_same_again(student, rng):
    """The same seed, with the same model, gives the same weights; another seed gives others."""
    ids, table = learnable(rng), rng.normal(scale=0.1, size=(V, V)).astype(np.float32)
    found = []
    for seed in (1, 1, 2):
        student.drive("seed", int(rng.integers(2**31)))
        model = student.prepare("pairs", table, T)
        trained(student, model, ids, 30, BATCH, 0.1, seed)
        found.append(learnt(student, model, ids, SOME))
    # Which weights come out is the loop's own affair.
    expect.repeated("weights with the same seed", found[0], found[1])
    expect.differ("weights with another seed", found[0], found[2], "they are the same.")


def test_keeps_the_text(student, rng):
    """train does not change the text."""
    model, _ = pairs(student, rng, 0.1)
    ids = learnable(rng)
    _, given = trained(student, model, ids, 30, BATCH, 0.1)
    learnt(student, model, ids, SOME)
    expect.unchanged("ids", ids, student.fetch(given))


# MiniGPT


TENTHS = 10
"""The losses are noted as so many means."""

FEW = 4
"""Texts by which it is seen that the network computes what its weights say."""


def at_its_word(student, model, at, weights):
    """Expect the logits of these weights; return the form of GELU with which they come out."""
    ids = at.texts(FEW)
    received = asked(student, model, (*ids.shape, at.alphabet), ids, label="logits")
    forms = {form: network(weights, HEADS, LAYERS, ids, form) for form in FORMS}
    near = NEAR | {"atol": 1e-4}
    expect.any_of(
        *(lambda f=form: expect.close("logits", received, forms[f], **near) for form in FORMS)
    )
    return min(FORMS, key=lambda form: np.abs(received - forms[form]).max())


@pytest.mark.weight(12)
@pytest.mark.training
@pytest.mark.needs("gpt.layer_norm", "gpt.heads", "gpt.block", "gpt.mini_gpt")
def test_the_trained_network_predicts(student, settings, grade, rng):
    """Trained by your `train`, MiniGPT predicts text that it has not read."""
    at = lesson(settings, rng)
    student.drive("seed", int(rng.integers(2**31)))
    model = student.transformer.MiniGPT(at.alphabet, CONTEXT, D, HEADS, LAYERS)
    shapes = network_shapes(at.alphabet, CONTEXT, D, LAYERS)
    fill(student, model, at.first(shapes))
    at_its_word(student, model, at, at.first(shapes))
    how = at.steps, settings.batch_size, settings.lr, int(rng.integers(2**31))
    student.drive("mode", model, True)  # that of a new network
    losses, _ = trained(student, model, at.train, *how)
    student.drive("mode", model, False)
    found = known(student, model, shapes)
    weights = {name: one.astype(np.float64) for name, one in found.items()}
    bits = at.bits(weights, at_its_word(student, model, at, weights))
    saved = at.saved(bits)
    credit = settings.credit(saved)
    grade(
        credit / FULL_CREDIT,
        at.said_of(settings, credit, bits),
        shown=settings.shown(saved),
        data=settings.name,
        loss=[round(float(part.mean()), 6) for part in np.array_split(losses, TENTHS)],
        bits=[round(bits, 6)],
    )
