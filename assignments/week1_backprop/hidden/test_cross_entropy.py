"""Hidden tests of losses.CrossEntropyLoss.

Two tests ask what the loss and its gradient are divided by. The others look at their own sides: to
them a sum over the batch, of the loss or of the gradient, is right too.
"""

from functools import partial

import numpy as np
import pytest

from autograder.suite import expect

from .cross_entropy import cross_entropy

pytestmark = pytest.mark.item("week1.cross_entropy")


def batch(rng, n=5, classes=4):
    """Return logits and class indices; every class up to n occurs."""
    return 2 * rng.normal(size=(n, classes)), rng.permutation(np.arange(n) % classes)


def compare(label, received, expected, count, **within):
    """Compare a value or a gradient of the mean over `count` examples, or of their sum."""
    expect.any_of(
        lambda: expect.close(label, received, expected, **within),
        lambda: expect.close(label, received, count * expected, **within),
    )


def check(student, z, target, form=None, text=""):
    """Compare the loss and its gradient, with targets of another form where that is given."""
    value, gradient = cross_entropy(z, target)
    loss = student.losses.CrossEntropyLoss()
    received = loss.forward(z, target if form is None else form)
    compare(f"loss{text}", received, value, len(z))
    compare(f"dL_dlogits{text}", loss.backward(), gradient, len(z))


@pytest.mark.weight(5)
def test_value(student, rng):
    """forward is the mean of log(sum exp(z)) - z[target] over the batch."""
    z, target = batch(rng)
    received = student.losses.CrossEntropyLoss().forward(z, target)
    expect.close("loss", received, cross_entropy(z, target)[0])


@pytest.mark.weight(5)
def test_gradient(student, rng):
    """backward is (softmax(z) - one-hot) / N."""
    z, target = batch(rng)
    loss = student.losses.CrossEntropyLoss()
    loss.forward(z, target)
    expect.close("dL_dlogits", loss.backward(), cross_entropy(z, target)[1])


@pytest.mark.weight(2)
def test_value_with_one_hot_targets(student, rng):
    """forward takes one-hot targets too, with the same loss as class indices."""
    z, target = batch(rng)
    received = student.losses.CrossEntropyLoss().forward(z, np.eye(4)[target])
    compare("loss", received, cross_entropy(z, target)[0], len(z))


@pytest.mark.weight(2)
def test_gradient_with_one_hot_targets(student, rng):
    """backward after one-hot targets is the same as after class indices."""
    z, target = batch(rng)
    loss = student.losses.CrossEntropyLoss()
    loss.forward(z, np.eye(4, dtype=np.int64)[target])
    compare("dL_dlogits", loss.backward(), cross_entropy(z, target)[1], len(z))


def test_as_many_examples_as_classes(student, rng):
    """A batch with as many examples as classes is no special case, in either form of targets."""
    z, target = batch(rng, 4, 4)
    for label, form in (("indices", target), ("one-hot", np.eye(4)[target])):
        check(student, z, target, form, f", {label}")


def test_batches_of_many_and_one(student, rng):
    """Ten classes work with more examples than that, and with a single one."""
    for n in (12, 1):
        check(student, *batch(rng, n, 10))


def test_confident_and_right(student):
    """Where the right class leads by 2000, an example adds nothing to the loss of the others."""
    z, target = np.array([[1000.0, -1000.0, -1000.0], [0.5, 0.5, 0.5]]), np.array([0, 2])
    received = student.losses.CrossEntropyLoss().forward(z, target)
    compare("loss", received, float(np.log(3)) / 2, 2)


def test_large_logits_that_tie(student):
    """Where all logits are 1000, the loss is log(C)."""
    received = student.losses.CrossEntropyLoss().forward(np.full((2, 3), 1000.0), np.array([0, 2]))
    compare("loss of equal logits", received, float(np.log(3)), 2)


@pytest.mark.weight(2)
def test_confident_and_wrong(student):
    """Where the right class trails by 2000, the loss is 2000, and the gradient is right too."""
    z, target = np.array([[1000.0, -1000.0, -1000.0], [-1000.0, -1000.0, 1000.0]]), np.array([2, 0])
    check(student, z, target)


@pytest.mark.weight(2)
def test_rows_of_very_different_sizes(student, rng):
    """Adding a number to all logits of a row changes nothing, though rows lie 1000s apart."""
    z, target = batch(rng, 3)
    value, gradient = cross_entropy(z, target)
    loss = student.losses.CrossEntropyLoss()
    moved = z + np.array([[1000.0], [-1000.0], [0.0]])
    # Logits near 1000 have lost the digits behind the tenth.
    compare("loss", loss.forward(moved, target), value, 3, rtol=1e-9)
    compare("dL_dlogits", loss.backward(), gradient, 3, rtol=1e-9)


def test_latest_batch(student, rng):
    """backward belongs to the latest forward."""
    loss = student.losses.CrossEntropyLoss()
    loss.forward(*batch(rng, 7, 4))
    loss.backward()
    z, target = batch(rng, 2, 3)
    value, gradient = cross_entropy(z, target)
    compare("loss of the second batch", loss.forward(z, target), value, len(z))
    compare("dL_dlogits", loss.backward(), gradient, len(z))


def test_arguments_stay_as_they_were(student, rng):
    """Neither logits nor targets are changed, in either form of targets."""
    z, target = batch(rng)
    for form in (target, np.eye(4)[target]):
        kept_z, kept_target = student.keep(z), student.keep(form)
        loss = student.losses.CrossEntropyLoss()
        value, gradient = cross_entropy(z, target)
        received = loss.forward(kept_z, kept_target), loss.backward()
        expect.any_of(  # what computes nothing keeps everything
            partial(compare, "loss", received[0], value, len(z)),
            partial(compare, "dL_dlogits", received[1], gradient, len(z)),
        )
        expect.unchanged("logits", z, student.fetch(kept_z))
        expect.unchanged("targets", form, student.fetch(kept_target))
