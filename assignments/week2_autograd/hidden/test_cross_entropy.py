"""Hidden tests of cross_entropy (beyond the texts, item week2.network)."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp
from autograder.suite.hidden.warned import no_warnings

from ..suite_tools.engine import tensors, with_feeds
from ..suite_tools.layers import TOLERANCE, mean_loss
from .without_backward import by_fed_ends

pytestmark = pytest.mark.item("week2.network")
ENGINE = (
    "week2.tensor_elementwise",
    "week2.broadcasting",
    "week2.matmul",
    "week2.sum",
    "week2.reshape",
    "week2.tensor_backward",
)
needs_engine = pytest.mark.needs(*ENGINE)
"""A loss that is made of the engine's operations is as right as those."""


def batch(rng, n=5, classes=4):
    """Return logits and labels; every class up to n occurs."""
    return 2 * rng.normal(size=(n, classes)), rng.permutation(np.arange(n) % classes)


def loss_of(student, logits, labels):
    """Return the loss, a Tensor of the student's."""
    return student.operand(student.mnist_autograd.cross_entropy(logits, labels))


def right_loss(student, rng):
    """Compare a loss: who refuses everything refuses nothing."""
    z, labels = batch(rng)
    [logits] = tensors(student, z)
    expect.close("loss", loss_of(student, logits, labels).data, mean_loss(z, labels), **TOLERANCE)


def check(student, z, labels, text=""):
    """Compare the loss and its gradient, for an upstream gradient that is not 1."""

    def way(feed, end, upstream):
        [logits] = feed([z], np.random.default_rng(labels.astype(np.int64)))
        loss = loss_of(student, logits, labels)
        expect.close(f"loss{text}", loss.data, mean_loss(z, labels), **TOLERANCE)
        end(loss)
        [gradient] = vjp(lambda z: mean_loss(z, labels), [z], upstream)
        expect.close(f"logits.grad{text}", logits.grad, gradient, **TOLERANCE)

    by_fed_ends(student, np.asarray(-2.5), way, plain=False)


@needs_engine
@pytest.mark.weight(2)
def test_loss(student, rng):
    """The loss is the mean of log(sum exp(z)) - z[label], a Tensor of shape ()."""
    right_loss(student, rng)


@needs_engine
@pytest.mark.weight(2)
def test_gradient(student, rng):
    """The gradient of the logits, for an upstream gradient that is not 1."""
    check(student, *batch(rng))


@needs_engine
def test_backward_of_the_loss(student, rng):
    """loss.backward() gives the gradient of the loss itself."""
    z, labels = batch(rng)
    [gradient] = vjp(lambda z: mean_loss(z, labels), [z], 1.0)

    def look(feed):
        [logits] = feed([z], rng)
        loss_of(student, logits, labels).backward()
        expect.close("logits.grad", logits.grad, gradient, **TOLERANCE)

    with_feeds(student, True, look, plain=False)


@needs_engine
def test_logits_that_are_used_twice(student, rng):
    """The gradient is added to what comes from other uses of the logits."""
    z, labels = batch(rng)
    [gradient] = vjp(lambda z: mean_loss(z, labels), [z], 2.0)

    def look(feed):
        [logits] = feed([z], rng)
        (loss_of(student, logits, labels) + loss_of(student, logits, labels)).backward()
        expect.close("logits.grad of a loss added to itself", logits.grad, gradient, **TOLERANCE)

    with_feeds(student, True, look, plain=False)


@pytest.mark.needs(*ENGINE, "week2.robustness")
def test_second_backward_of_the_loss(student, rng):
    """A second loss.backward() adds the same gradient again."""
    z, labels = batch(rng)

    def look(feed):
        [logits] = feed([z], rng)
        loss = loss_of(student, logits, labels)
        for times in (1.0, 2.0):
            loss.backward()
            [gradient] = vjp(lambda z: mean_loss(z, labels), [z], times)
            label = f"logits.grad after {times:.0f} backward"
            expect.close(label, logits.grad, gradient, **TOLERANCE)

    with_feeds(student, True, look, plain=False)


@needs_engine
def test_as_many_examples_as_classes(student, rng):
    """A batch with as many examples as classes is no special case."""
    check(student, *batch(rng, 4, 4), text=", as many examples as classes")


@needs_engine
def test_single_example(student, rng):
    """A batch of one example works, and so do labels of dtype uint8, as in MNIST's files."""
    z, labels = batch(rng, 1, 10)
    check(student, z, labels, text=", one example")
    z, labels = batch(rng, 6, 10)
    check(student, z, labels.astype(np.uint8), text=", labels of dtype uint8")


@needs_engine
@pytest.mark.weight(2)
def test_large_logits(student):
    """Logits of +-1000 overflow nowhere: a lead of 2000 costs 0, a lag of 2000 costs 2000."""
    z = np.array([[1000.0, -1000.0, 0.0], [-1000.0, -1000.0, 1000.0], [1000.0, 1000.0, 1000.0]])
    for labels in ([0, 2, 1], [1, 0, 2]):
        check(student, z, np.array(labels), text=", logits of +-1000")
    no_warnings(student)


@needs_engine
def test_each_row_has_its_own_scale(student):
    """Rows near +1000 and rows near -1000 may stand in one batch."""
    z = np.array([[1000.0, 1001.0, 999.0], [-1000.0, -1002.0, -999.0], [0.5, -0.5, 0.0]])
    check(student, z, np.array([1, 0, 2]), text=", rows near +1000 and near -1000")


def test_shapes_that_do_not_fit(student, rng):
    """Labels of another length, and logits that are no matrix, raise a ValueError."""
    right_loss(student, rng)
    for shape, count in (((3, 4), 2), ((3, 4), 4), ((4,), 4), ((2, 3, 4), 2)):
        [logits] = tensors(student, rng.normal(size=shape))
        label = f"cross_entropy of logits {shape} with labels ({count},)"
        labels = np.zeros(count, dtype=np.int64)
        expect.raises(
            label, lambda one=logits, y=labels: loss_of(student, one, y).data, "ValueError"
        )


def test_labels_that_are_no_classes(student, rng):
    """A label of C, and a negative one, raise a ValueError."""
    right_loss(student, rng)
    [logits] = tensors(student, rng.normal(size=(3, 4)))
    for wrong in (4, -1):
        label = f"cross_entropy with label {wrong} and 4 classes"
        labels = np.array([0, wrong, 1])
        expect.raises(label, lambda y=labels: loss_of(student, logits, y).data, "ValueError")


@needs_engine
def test_arguments_stay_as_they_were(student, rng):
    """Neither logits nor labels are changed."""
    z, labels = batch(rng)
    [gradient] = vjp(lambda z: mean_loss(z, labels), [z], 1.0)
    [logits], kept = tensors(student, z), student.keep(labels)
    loss = loss_of(student, logits, kept)
    expect.close("loss", loss.data, mean_loss(z, labels), **TOLERANCE)
    loss.backward()
    expect.close("logits.grad", logits.grad, gradient, **TOLERANCE)
    expect.unchanged("logits.data", z, logits.data)
    expect.unchanged("labels", labels, student.fetch(kept))
