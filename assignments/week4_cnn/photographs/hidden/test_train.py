"""Hidden tests of train, on a few drawn images: what it learns, and how it goes through them.

How it goes through them is noted by a network of ours, a bias for each class: every image has one
brightness, and what the loss and the gradients are is known.
"""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("cifar.network")

CLASSES, COUNT, BATCH = 5, 37, 8


def lesson(rng, count=64):
    """Draw images of 16 x 16 with a bright stripe, in rows or in columns, and their labels."""
    labels = rng.integers(0, 2, size=count)
    x = rng.integers(0, 60, size=(count, 1, 16, 16)).astype(np.uint8)
    for n, (label, place) in enumerate(zip(labels, rng.integers(3, 12, size=count), strict=True)):
        if label:
            x[n, 0, place : place + 2] += 180
        else:
            x[n, 0, :, place : place + 2] += 180
    return x, labels.astype(np.int64)


def run(student, made, x, labels, epochs, batch_size, lr, seed=0):
    """Train a network; return the losses and what it was given."""
    given = student.prepare("tensor", x), student.prepare("tensor", labels)
    losses = student.cifar_cnn.train(made, *given, epochs, batch_size, lr, seed)
    kind = expect.kind_of(losses)
    is_list = isinstance(losses, (list, tuple)) and len(losses) == epochs
    expect.that("train", is_list, f"expected a list of {epochs} numbers, got {kind}.")
    numbers = all(type(loss) is float and np.isfinite(loss) for loss in losses)
    expect.that("losses", numbers, "one of them is no finite number, or no float.")
    return losses, given


def trained(student, x, labels, epochs=8, seed=0):
    """Train a SmallCNN for two classes; return it, its losses, and what it was given."""
    student.drive("seed", 5)
    made = student.cifar_cnn.SmallCNN(1, 2)
    return made, *run(student, made, x, labels, epochs, 16, 0.01, seed)


def right(student, made, x, labels):
    """Return the share of images that a network gets right."""
    logits = student.drive("logits", made, x, "cpu")
    return float(np.mean(expect.array("logits", logits, (len(x), 2)).argmax(axis=1) == labels))


@pytest.mark.long
@pytest.mark.weight(3)
def test_it_learns(student, rng):
    """Trained on a few images, the network tells rows from columns in others, labels either way."""
    x, labels = lesson(rng)
    others, wanted = lesson(rng)
    for way in (labels, 1 - labels):
        made, losses, _ = trained(student, x, way)
        expect.that("losses", losses[-1] < losses[0], "the loss does not fall.")
        share = right(student, made, others, wanted if way is labels else 1 - wanted)
        message = "after 8 epochs it gets one of five images of two classes wrong, or more."
        expect.that("train", share > 0.8, message)


def test_the_same_again(student, rng):
    """The same seed, network and images give the same weights; another seed gives others."""
    x, labels = lesson(rng, 32)
    first, again, other = (
        student.drive("state", trained(student, x, labels, 1, seed)[0]) for seed in (1, 1, 2)
    )
    name = next(iter(first))
    # Which weights come out is the network's own affair.
    expect.repeated("weights with the same seed", first[name], again[name])
    expect.differ("weights with another seed", first[name], other[name], "they are the same.")


# How it goes through the images


def plain(rng, count=COUNT):
    """Draw images of one brightness each, no two the same, and labels."""
    levels = 8 + 6 * rng.permutation(40)[:count]
    x = np.broadcast_to(levels[:, None, None, None], (count, 3, 16, 16)).astype(np.uint8)
    return x, rng.integers(0, CLASSES, size=count).astype(np.int64)


def ledger(student, bias=None):
    """Return a network of ours, a bias for each class, that notes what it is given."""
    values = np.zeros(CLASSES) if bias is None else bias
    return student.prepare("ledger", values.astype(np.float32))


def one_class(student, rng, epochs=5):
    """Train with images of one class alone, whose bias has to grow; return network and images."""
    x, _ = plain(rng, 4 * BATCH)
    labels = np.full(len(x), 2)
    made = ledger(student)
    _, given = run(student, made, x, labels, epochs, BATCH, 0.001)
    after = expect.array("bias", student.drive("state", made)["bias"], (CLASSES,))
    expect.that("bias of a class that is always right", bool(after[2] > 0.0), "it has not grown.")
    return made, (x, labels), given


def batches(student, rng, epochs=3):
    """Return what a network notes of each batch that it is trained with, and the brightnesses."""
    x, labels = plain(rng)
    made = ledger(student)
    student.drive("mode", made, False)
    run(student, made, x, labels, epochs, BATCH, 0.01)
    noted = student.drive("noted", made)
    told = isinstance(noted, list) and bool(noted)
    expect.that("train", told, "the network is never asked for logits.")
    return noted, x[:, 0, 0, 0]


def test_training_mode(student, rng):
    """While train runs, the network is in training mode, also one that was not before."""
    noted, _ = batches(student, rng)
    in_training = any(row[0] is True for row in noted)
    expect.that("train", in_training, "the network is in evaluation mode while it is trained.")


def test_all_images(student, rng):
    """Every epoch goes through all images once, in batches of which the last may be smaller."""
    noted, _ = batches(student, rng)
    found = [expect.shape_of("a batch", row[3])[0] for row in noted if row[0] is True]
    expected = np.array(sizes_of(3))
    expect.equal("images in each batch", np.array(found, dtype=np.int64), expected)


def sizes_of(epochs):
    """Return how many images each batch of these epochs has."""
    return ([BATCH] * (COUNT // BATCH) + [COUNT % BATCH]) * epochs


def orders(student, rng):
    """Return the brightnesses of the images of two epochs, in the order in which they came."""
    noted, levels = batches(student, rng, epochs=2)
    rows = [row[3] for row in noted if row[0] is True]
    sizes = sizes_of(2)
    expect.that("train", len(rows) >= len(sizes), "two epochs have too few batches.")
    pairs = zip(rows, sizes, strict=False)
    found = np.concatenate([expect.array("a batch", row, (size,)) for row, size in pairs])
    return found[:COUNT], found[COUNT:], (levels.astype(np.float64) - 127.5) / 63.75


def test_a_drawn_order(student, rng):
    """The images come in another order than that in which they were given."""
    first, second, given = orders(student, rng)
    as_given = any(np.allclose(one, given, atol=1e-3) for one in (first, second))
    expect.that("order of the images", not as_given, "an epoch has that of the images given.")


def test_a_new_order(student, rng):
    """Each epoch has a new order."""
    first, second, _ = orders(student, rng)
    message = "the second epoch has that of the first."
    expect.that("order of the images", not np.allclose(first, second), message)


def test_normalised(student, rng):
    """The network is trained with normalised images."""
    noted, _ = batches(student, rng)
    largest = max(float(row[2]) for row in noted)
    expect.that("numbers that reach the network", largest < 8.0, "they are not normalised.")


def test_mean_of_the_losses(student, rng):
    """The losses are the means of the batches' mean cross-entropies."""
    x, labels = plain(rng, 4 * BATCH)
    bias = rng.normal(0.0, 2.0, size=CLASSES)
    losses, _ = run(student, ledger(student, bias), x, labels, 2, BATCH, 1e-7)
    mean = float(np.mean(np.log(np.exp(bias).sum()) - bias[labels]))
    expect.close("losses of two epochs", np.array(losses), np.array([mean, mean]), rtol=1e-3)


def test_gradients_of_a_batch(student, rng):
    """A step goes by the gradients of one batch."""
    made, _, _ = one_class(student, rng)
    left = expect.array("gradient of the bias", student.drive("gradients", made)[0], (CLASSES,))
    # The mean over any batch of softmax minus one: its entries are never more than 2 together.
    message = "after the last step they are larger than those of any batch can be."
    expect.that("gradients", float(np.abs(left).sum()) < 2.1, message)


def test_afterwards(student, rng):
    """After train the network is in evaluation mode."""
    made, _, _ = one_class(student, rng, 1)
    still = [name for name in student.drive("free", made) if name[:5] == "mode "]
    expect.that("network", not still, "it is still in training mode.")


def test_train_keeps_its_arguments(student, rng):
    """train changes neither the images nor the labels."""
    _, (x, labels), given = one_class(student, rng, 2)
    expect.unchanged("images", x, student.fetch(given[0]))
    expect.unchanged("labels", labels, student.fetch(given[1]))
