"""Hidden tests of transfer.py, on small networks whose weights are drawn here.

What a network computes is worked out by the examiner, from the weights that it has.
"""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("cifar.transfer")

INPUTS, HIDDEN, CLASSES = 6, 9, 3
NEAR = {"rtol": 1e-4, "atol": 1e-5}
SAME = {"rtol": 0.0, "atol": 0.0}
TRUNK = (
    "trunk.linear.weight",
    "trunk.linear.bias",
    "trunk.norm.weight",
    "trunk.norm.bias",
    "trunk.norm.running_mean",
    "trunk.norm.running_var",
)
HEAD = ("top.1.weight", "top.1.bias")
SAID = {
    "trunk.linear.weight": "weights of the trunk's linear layer",
    "trunk.linear.bias": "biases of the trunk's linear layer",
    "trunk.norm.weight": "weights of the trunk's batch normalisation",
    "trunk.norm.bias": "biases of the trunk's batch normalisation",
    "trunk.norm.running_mean": "running mean of the trunk's batch normalisation",
    "trunk.norm.running_var": "running variance of the trunk's batch normalisation",
    "top.1.weight": "weights of the head",
    "top.1.bias": "biases of the head",
}
"""What students, who don't see this network, are told of its parts."""


def network(student, rng, classes=CLASSES):
    """Return a network with drawn weights, and these."""
    shapes = (HIDDEN, INPUTS), (HIDDEN,), (classes, HIDDEN), (classes,)
    drawn = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    return student.prepare("drawn_network", *drawn), drawn


def state(student, made, classes=CLASSES):
    """Return the parameters and buffers of a network, each of its shape."""
    held = student.drive("state", made)
    shapes = dict.fromkeys(TRUNK, (HIDDEN,)) | {"trunk.linear.weight": (HIDDEN, INPUTS)}
    shapes |= {"top.1.weight": (classes, HIDDEN), "top.1.bias": (classes,)}
    known = isinstance(held, dict) and set(shapes) <= set(held)
    expect.that("network", known, "layers of it are gone.")
    return {name: expect.array(SAID[name], held[name], shape) for name, shape in shapes.items()}


def logits(held, x):
    """Return what a network with these parameters makes of x, in evaluation mode."""
    h = x @ held["trunk.linear.weight"].T + held["trunk.linear.bias"]
    spread = np.sqrt(held["trunk.norm.running_var"] + 1e-5)
    h = (h - held["trunk.norm.running_mean"]) / spread
    h = np.maximum(h * held["trunk.norm.weight"] + held["trunk.norm.bias"], 0.0)
    return h @ held["top.1.weight"].T + held["top.1.bias"]


def loss(held, x, labels):
    """Return the mean cross-entropy."""
    z = logits({name: array.astype(np.float64) for name, array in held.items()}, x)
    z -= z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels]))


def batch(rng, held, classes=CLASSES, count=60):
    """Draw inputs, and labels that another head of the same trunk would give."""
    while True:
        x = rng.normal(1.0, 2.0, size=(count, INPUTS)).astype(np.float32)
        head = rng.normal(size=(classes, HIDDEN))
        other = {**held, "top.1.weight": head, "top.1.bias": np.zeros(classes)}
        labels = logits(other, x).argmax(axis=1).astype(np.int64)
        if np.bincount(labels).max() <= 0.8 * count:
            return x, labels


def tuned(student, made, x, labels, epochs=30, seed=0, lr=0.05):
    """Run fine_tune; return its losses and what it was given."""
    given = student.prepare("tensor", x), student.prepare("tensor", labels)
    losses = student.transfer.fine_tune(made, *given, epochs, lr, 16, seed)
    kind = expect.kind_of(losses)
    is_list = isinstance(losses, (list, tuple)) and len(losses) == epochs
    expect.that("fine_tune", is_list, f"expected a list of {epochs} numbers, got {kind}.")
    numbers = all(type(one) is float and np.isfinite(one) for one in losses)
    expect.that("losses", numbers, "one of them is no finite number, or no float.")
    return losses, given


def head_alone_is_free(student, made):
    """Expect that the head's two parameters can be trained, and no other."""
    free = [name for name in student.drive("free", made) if name[:5] != "mode "]
    expect.equal("the trunk's parameters that can be trained", len(set(free) - set(HEAD)), 0)
    expect.equal("the head's parameters that can be trained", len(set(free) & set(HEAD)), 2)


def frozen(student, made):
    """Freeze a network's trunk by ourselves: the student's `freeze` is judged apart."""
    student.drive("frozen_trunk", made)


# freeze


def test_freeze_stops_gradients(student, rng):
    """freeze lets no parameter of the module be trained, and leaves the others."""
    made, _ = network(student, rng)
    student.transfer.freeze(student.prepare("trunk", made))
    head_alone_is_free(student, made)


def test_freeze_stops_running_statistics(student, rng):
    """A frozen module is in evaluation mode: a batch that passes moves no running statistics."""
    made, _ = network(student, rng)
    student.drive("mode", made, True)
    trunk, before = student.prepare("trunk", made), state(student, made)
    student.transfer.freeze(trunk)
    names = student.drive("free", trunk)
    modes = [name for name in names if name[:5] == "mode "]
    expect.that("frozen module", not modes, "a part of it is still in training mode.")
    student.drive("outputs", made, rng.normal(size=(8, INPUTS)).astype(np.float32))
    for name in TRUNK:
        # What it holds is known from before; here, that it is as it was, to the last bit.
        expect.repeated(SAID[name], before[name], state(student, made)[name], **SAME)


# replace_head


def test_head(student, rng):
    """replace_head puts a new linear layer into the place of the last one, and returns it."""
    made, (*_, V, _) = network(student, rng)
    names = set(student.drive("state", made))
    head = student.transfer.replace_head(made, 5)
    more = set(student.drive("state", made)) - names
    expect.that("network", not more, "it has a layer more than before.")
    held = state(student, made, 5)
    # Which weights these are is the layer's own affair; here, that it is the one in the network.
    expect.repeated("weights of the layer returned", held["top.1.weight"], head.weight, **NEAR)
    expect.differ("weights of the new head", held["top.1.weight"], 0, "they are 0.")
    message = "rows of the old head are in the new one."
    old = any(np.allclose(row, one) for row in V for one in held["top.1.weight"])
    expect.that("weights of the new head", not old, message)


@pytest.mark.parametrize("what", ["trunk", "network"])
def test_head_of_a_frozen_network(student, rng, what):
    """The new head can be trained where all else is frozen, and the trunk stays as it is."""
    made, _ = network(student, rng)
    student.drive("frozen_trunk" if what == "trunk" else "frozen", made)
    before = state(student, made)
    student.transfer.replace_head(made, 4)
    after = state(student, made, 4)
    for name in TRUNK:
        # What it holds is known from before; here, that it is as it was, to the last bit.
        expect.repeated(SAID[name], before[name], after[name], **SAME)
    head_alone_is_free(student, made)


# fine_tune


@pytest.mark.weight(2)
def test_it_learns(student, rng):
    """fine_tune trains the head: the loss falls, as the examiner computes it too."""
    made, _ = network(student, rng)
    frozen(student, made)
    before = state(student, made)
    x, labels = batch(rng, before)
    tuned(student, made, x, labels)
    start, end = loss(before, x, labels), loss(state(student, made), x, labels)
    expect.that("loss of the network", end < 0.5 * start, "after 30 epochs it is not half of it.")
    shares = np.bincount(labels, minlength=CLASSES) / len(labels)
    guessed = float(-np.sum(shares * np.log(np.maximum(shares, 1e-12))))
    message = (
        "after 30 epochs it is that of whoever knows how frequent the classes are, or near it."
    )
    expect.that("loss of the network", end < 0.75 * guessed, message)


@pytest.mark.weight(2)
def test_nothing_frozen_changes(student, rng):
    """What is frozen stays bit for bit as it was, running statistics included; the head doesn't."""
    made, _ = network(student, rng)
    frozen(student, made)
    before = state(student, made)
    tuned(student, made, *batch(rng, before), epochs=3)
    after = state(student, made)
    message = "the head did not change."
    expect.differ(SAID["top.1.weight"], before["top.1.weight"], after["top.1.weight"], message)
    for name in TRUNK:
        # What it holds is known from before; here, that it is as it was, to the last bit.
        expect.repeated(SAID[name], before[name], after[name], **SAME)


def test_what_is_free_is_trained(student, rng):
    """In a network of which nothing is frozen, the trunk is trained too, statistics included."""
    made, _ = network(student, rng)
    before = state(student, made)
    tuned(student, made, *batch(rng, before), epochs=3)
    after = state(student, made)
    for name in ("trunk.linear.weight", "trunk.norm.running_mean", "top.1.weight"):
        expect.differ(SAID[name], before[name], after[name], "it did not change.")


def test_losses(student, rng):
    """The losses are means over batches: they fall, from near that of the network as it came."""
    made, _ = network(student, rng)
    frozen(student, made)
    held = state(student, made)
    x, labels = batch(rng, held)
    losses, _ = tuned(student, made, x, labels, epochs=12)
    start = loss(held, x, labels)
    near = 0.2 * start < losses[0] < 1.5 * start
    expect.that(
        "loss of the first epoch", near, f"it is {losses[0]:.3g}; {start:.3g} at the start."
    )
    expect.that("losses", losses[-1] < losses[0], "they don't fall.")


def test_afterwards(student, rng):
    """Afterwards the network is in evaluation mode."""
    made, _ = network(student, rng)
    before = state(student, made)
    tuned(student, made, *batch(rng, before), epochs=2)
    message = "the head did not change."
    after = state(student, made)
    expect.differ(SAID["top.1.weight"], before["top.1.weight"], after["top.1.weight"], message)
    modes = [name for name in student.drive("free", made) if name[:5] == "mode "]
    expect.that("network", not modes, "it is still in training mode.")


def test_keeps_its_arguments(student, rng):
    """fine_tune changes neither the inputs nor the labels."""
    made, _ = network(student, rng)
    before = state(student, made)
    x = rng.normal(1.0, 2.0, size=(60, INPUTS)).astype(np.float32)
    labels = rng.integers(CLASSES, size=60)
    _, given = tuned(student, made, x, labels, epochs=2)
    after = state(student, made)
    message = "the head did not change."
    expect.differ(SAID["top.1.weight"], before["top.1.weight"], after["top.1.weight"], message)
    expect.unchanged("x", x, student.fetch(given[0]))
    expect.unchanged("labels", labels, student.fetch(given[1]))


def test_gradients_of_a_batch(student, rng):
    """A step of fine_tune goes by the gradients of one batch."""
    made, _ = network(student, rng)
    frozen(student, made)
    before = state(student, made)
    x = rng.normal(1.0, 2.0, size=(64, INPUTS)).astype(np.float32)
    seldom = int(np.argmin(logits(before, x).mean(axis=0)))
    tuned(student, made, x, np.full(64, seldom), epochs=5, lr=1e-3)
    grown = state(student, made)["top.1.bias"] > before["top.1.bias"]
    expect.that("bias of a class that is always right", bool(grown[seldom]), "it has not grown.")
    left = student.drive("gradients", made)[-1]
    left = expect.array("gradient of the head's bias", left, (CLASSES,))
    # The mean over any batch of softmax minus one: its entries are never more than 2 together.
    message = "after the last step they are larger than those of any batch can be."
    expect.that("gradients", float(np.abs(left).sum()) < 2.1, message)
