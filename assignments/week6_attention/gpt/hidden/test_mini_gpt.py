"""Hidden tests of MiniGPT.

Its blocks and its last norm are stand-ins here, so that the network around them is looked at; tests
that need other items have the student's own.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .asking import NEAR, asked, fill, known, near_either, normal
from .formulas import drawn, log_softmax, network, network_shapes, outer_shapes, wide
from .stand_ins import network_of_parts

pytestmark = pytest.mark.item("gpt.mini_gpt")

V, CONTEXT, D, HEADS, LAYERS = 11, 7, 6, 3, 2
ALL = "gpt.layer_norm", "gpt.heads", "gpt.block"


def of_parts(student, rng, layers=LAYERS, vocab=V):
    """Return a network of stand-ins with drawn weights, and these."""
    make = student.transformer.MiniGPT
    made = student.prepare("network_of_parts", make, [vocab, CONTEXT, D, HEADS, layers])
    shapes = outer_shapes(vocab, CONTEXT, D)
    shapes |= {f"blocks.{n}.{name}": (D, D) for n in range(layers) for name in "AB"}
    w = drawn(rng, shapes)
    fill(student, made, w)
    return made, wide(w)


def ids_of(rng, count, steps, vocab=V):
    """Draw texts."""
    return rng.integers(0, vocab, size=(count, steps))


def compare(student, made, w, ids, layers=LAYERS):
    """Expect the logits of the formula."""
    shape = *ids.shape, len(w["head.bias"])
    received = asked(student, made, shape, ids, label="logits")
    expect.close("logits", received, network_of_parts(w, layers, ids), **NEAR)
    return received


@pytest.mark.weight(4)
@pytest.mark.parametrize("steps", [1, 4, CONTEXT], ids=["one", "some", "as many as it can"])
def test_logits(student, rng, steps):
    """The logits of texts of some characters are those of the network's weights."""
    made, w = of_parts(student, rng)
    compare(student, made, w, ids_of(rng, 3, steps))


@pytest.mark.weight(2)
@pytest.mark.parametrize("layers", [1, 3])
def test_blocks(student, rng, layers):
    """A network of one block, and one of three: one after the other, in their order."""
    made, w = of_parts(student, rng, layers)
    compare(student, made, w, ids_of(rng, 2, 5), layers)


def test_another_alphabet(student, rng):
    """An alphabet of fewer characters than there are columns, and a single text."""
    made, w = of_parts(student, rng, vocab=4)
    compare(student, made, w, ids_of(rng, 1, 6, 4))


@pytest.mark.weight(3)
def test_the_future(student, rng):
    """What follows a place changes nothing at it, and its own character does."""
    made, w = of_parts(student, rng)
    ids = ids_of(rng, 4, CONTEXT)
    first = compare(student, made, w, ids)
    for place in (1, 4, CONTEXT - 1):
        other = ids.copy()
        other[:, place:] = (other[:, place:] + rng.integers(1, V, size=(4, 1))) % V
        logits = compare(student, made, w, other)
        # That both are right was asked just now.
        label = "logits before a place that has changed"
        expect.repeated(label, first[:, :place], logits[:, :place], rtol=1e-5, atol=1e-6)


@pytest.mark.weight(3)
@pytest.mark.needs(*ALL)
@pytest.mark.parametrize("steps", [2, CONTEXT])
def test_whole(student, rng, steps):
    """The logits of a whole network, with your own parts, are those of its weights."""
    made = student.transformer.MiniGPT(V, CONTEXT, D, HEADS, LAYERS)
    w = drawn(rng, network_shapes(V, CONTEXT, D, LAYERS), 0.4)
    fill(student, made, w)
    ids = ids_of(rng, 3, steps)
    received = asked(student, made, (3, steps, V), ids, label="logits")
    near_either("logits", received, lambda f: network(wide(w), HEADS, LAYERS, ids, f), atol=1e-4)


@pytest.mark.weight(2)
@pytest.mark.needs(*ALL)
def test_new(student, rng):
    """A new network knows nothing: its loss is ln V, up to 0.1."""
    vocab, context, d = 65, 16, 64
    for _ in range(2):
        student.drive("seed", int(rng.integers(2**31)))
        made = student.transformer.MiniGPT(vocab, context, d, 4, 2)
        student.drive("mode", made, False)
        held = known(student, made, network_shapes(vocab, context, d, 2))
        text = ids_of(rng, 20, context + 1, vocab)
        label = "logits"
        received = asked(student, made, (20, context, vocab), text[:, :-1], label=label)
        spread = float(np.ptp(received, axis=(0, 1)).max())
        expect.that(label, spread > 1e-4, "they are the same wherever one looks.")
        found = np.take_along_axis(log_softmax(received.astype(float)), text[:, 1:, None], 2)
        loss = -float(found.mean())
        message = f"the loss of a new network is {loss:.2f}; ln {vocab} is {np.log(vocab):.2f}."
        expect.that(label, abs(loss - np.log(vocab)) < 0.1, message)
        # The weights are the student's here: a network that does not ask them has no part in this.
        near_either(label, received, lambda f: network(wide(held), 4, 2, text[:, :-1], f))  # noqa: B023


@pytest.mark.needs(*ALL)
def test_parts(student, rng):
    """A new network has the weights that are promised, drawn anew, and the context."""
    sizes = V, CONTEXT, 12, 3, 2
    found = []
    for number in rng.integers(2**31, size=2):
        student.drive("seed", int(number))
        made = student.transformer.MiniGPT(*sizes)
        found.append(known(student, made, network_shapes(V, CONTEXT, 12, 2)))
    for name in ("tokens.weight", "positions.weight", "head.weight", "blocks.1.up.weight"):
        expect.differ(name, found[0][name], found[1][name], "it is the same in each new network.")
    one, two = (found[0][f"blocks.{number}.up.weight"] for number in (0, 1))
    expect.differ("blocks.1.up.weight", one, two, "it is that of block 0.")
    expect.equal("context", made.context, CONTEXT)
    made, w = of_parts(student, rng)
    compare(student, made, w, ids_of(rng, 3, 5))


def test_gradients(student, rng):
    """A gradient gets to each parameter."""
    made, w = of_parts(student, rng)
    ids = ids_of(rng, 4, CONTEXT)
    compare(student, made, w, ids)
    got = student.drive("reached", made, [ids], normal(rng, 4, CONTEXT, V))
    expect.that("gradients", all(got), "none gets to some of the parameters.")


def test_sides(student, rng):
    """The same ids give the same logits again, and stay as they are."""
    made, w = of_parts(student, rng)
    ids = ids_of(rng, 3, 5)
    given = student.prepare("tensor", ids)
    expected = network_of_parts(w, LAYERS, ids)
    for _ in range(2):
        received = expect.array("logits", student.drive("said", made, given), (3, 5, V))
        expect.close("logits", received, expected, **NEAR)
    expect.unchanged("ids", ids, student.fetch(given))
