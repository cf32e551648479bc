"""Hidden tests of losses.CrossEntropyLoss."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week1.cross_entropy")


def log_softmax(z):
    """Return the logarithm of the softmax of each row, in float64."""
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def cross_entropy(z, target):
    """Return the mean loss of logits and class indices, and its gradient."""
    one_hot = np.eye(z.shape[1])[target]
    value = -np.mean(np.sum(one_hot * log_softmax(z), axis=1))
    return float(value), (np.exp(log_softmax(z)) - one_hot) / len(z)


def batch(rng, n=5, classes=4):
    """Return logits and class indices; every class up to n occurs."""
    return 2 * rng.normal(size=(n, classes)), rng.permutation(np.arange(n) % classes)


def probabilities(rng, n=5, classes=4):
    """Return rows of probabilities, none of them near 0."""
    p = rng.uniform(0.2, 1.0, size=(n, classes))
    return p / p.sum(axis=1, keepdims=True)


def no_warnings(student):
    warned = [text for text in student.warnings() if "RuntimeWarning" in text]
    expect.that("warnings", not warned, f"your code warned: {'; '.join(warned)}")


@pytest.mark.weight(3)
def test_value(student, rng):
    """forward is the mean of log(sum exp(z)) - z[target] over the batch."""
    z, target = batch(rng)
    received = student.losses.CrossEntropyLoss().forward(z, target)
    expect.close("loss", received, cross_entropy(z, target)[0])


@pytest.mark.weight(3)
def test_gradient(student, rng):
    """backward is (softmax(z) - one-hot) / N."""
    z, target = batch(rng)
    loss = student.losses.CrossEntropyLoss()
    loss.forward(z, target)
    expect.close("dL_dpred", loss.backward(), cross_entropy(z, target)[1])


@pytest.mark.weight(2)
def test_value_with_one_hot_targets(student, rng):
    """forward takes one-hot targets too, with the same loss as class indices."""
    z, target = batch(rng)
    received = student.losses.CrossEntropyLoss().forward(z, np.eye(4)[target])
    expect.close("loss", received, cross_entropy(z, target)[0])


@pytest.mark.weight(2)
def test_gradient_with_one_hot_targets(student, rng):
    """backward after one-hot targets is the same as after class indices."""
    z, target = batch(rng)
    loss = student.losses.CrossEntropyLoss()
    loss.forward(z, np.eye(4, dtype=np.int64)[target])
    expect.close("dL_dpred", loss.backward(), cross_entropy(z, target)[1])


def test_as_many_examples_as_classes(student, rng):
    """A batch with as many examples as classes is no special case, in either form of targets."""
    z, target = batch(rng, 4, 4)
    value, gradient = cross_entropy(z, target)
    for label, form in (("indices", target), ("one-hot", np.eye(4)[target])):
        loss = student.losses.CrossEntropyLoss()
        expect.close(f"loss, {label}", loss.forward(z, form), value)
        expect.close(f"dL_dpred, {label}", loss.backward(), gradient)


def test_labels_as_they_come_from_files(student, rng):
    """Class indices of dtype uint8, as in MNIST's files, work; so does a single example."""
    for n in (6, 1):
        z, target = batch(rng, n, 10)
        value, gradient = cross_entropy(z, target)
        loss = student.losses.CrossEntropyLoss()
        expect.close("loss", loss.forward(z, target.astype(np.uint8)), value)
        expect.close("dL_dpred", loss.backward(), gradient)


@pytest.mark.weight(2)
def test_confident_and_right(student):
    """Where the right class leads by 2000, the loss is exactly 0; where all tie, log(C)."""
    z, target = np.array([[1000.0, -1000.0, -1000.0], [-1000.0, -1000.0, 1000.0]]), np.array([0, 2])
    received = student.losses.CrossEntropyLoss().forward(z, target)
    expect.close("loss", received, 0.0, rtol=0, atol=1e-300)
    tied = student.losses.CrossEntropyLoss().forward(np.full((2, 3), 1000.0), target)
    expect.close("loss of equal logits", tied, float(np.log(3)))


@pytest.mark.weight(2)
def test_confident_and_wrong(student):
    """Where the right class trails by 2000, the loss is exactly 2000."""
    z, target = np.array([[1000.0, -1000.0, -1000.0], [-1000.0, -1000.0, 1000.0]]), np.array([2, 0])
    received = student.losses.CrossEntropyLoss().forward(z, target)
    expect.close("loss", received, 2000.0, rtol=1e-15, atol=0)


def test_large_logits_do_not_warn(student):
    """Logits of +-1000 overflow nowhere, forward or backward, in float64 and float32."""
    z, target = np.array([[1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -1000.0]]), np.array([1, 2])
    value, gradient = cross_entropy(z, target)
    for dtype, tolerance in ((np.float64, 1e-8), (np.float32, 1e-3)):
        loss = student.losses.CrossEntropyLoss()
        received = loss.forward(z.astype(dtype), target)
        expect.close("loss", received, value, rtol=tolerance)
        expect.close("dL_dpred", loss.backward(), gradient, rtol=tolerance, atol=tolerance)
    no_warnings(student)


def test_latest_batch(student, rng):
    """backward belongs to the latest forward and gives the same when called again."""
    loss = student.losses.CrossEntropyLoss()
    loss.forward(*batch(rng, 7, 4))
    loss.backward()
    z, target = batch(rng, 2, 3)
    value, gradient = cross_entropy(z, target)
    expect.close("loss of the second batch", loss.forward(z, target), value)
    expect.close("dL_dpred", loss.backward(), gradient)
    expect.close("dL_dpred, asked for again", loss.backward(), gradient)


def test_arguments_stay_as_they_were(student, rng):
    """Neither logits nor targets are changed, in either form of targets."""
    z, target = batch(rng)
    for form in (target, np.eye(4)[target]):
        kept_z, kept_target = student.keep(z), student.keep(form)
        loss = student.losses.CrossEntropyLoss()
        expect.close("loss", loss.forward(kept_z, kept_target), cross_entropy(z, target)[0])
        expect.array("dL_dpred", loss.backward(), z.shape)
        expect.unchanged("pred", z, student.fetch(kept_z))
        expect.unchanged("target", form, student.fetch(kept_target))


def test_float32(student, rng):
    """Float32 logits give float32 gradients, in either form of targets."""
    z, target = batch(rng)
    value, gradient = cross_entropy(z, target)
    for form in (target, np.eye(4)[target]):
        loss = student.losses.CrossEntropyLoss()
        expect.close("loss", loss.forward(z.astype(np.float32), form), value, rtol=1e-4)
        dL_dpred = loss.backward()
        expect.close("dL_dpred", dL_dpred, gradient, rtol=1e-4, atol=1e-5)
        expect.dtype("dL_dpred", dL_dpred, np.float32)


def test_refuses_a_label_that_is_too_large(student, rng):
    """A class index of C raises a ValueError: the classes are 0 to C - 1."""
    z, loss = rng.normal(size=(3, 4)), student.losses.CrossEntropyLoss()
    label = "forward with label 4 and 4 classes"
    expect.raises(label, loss.forward, "ValueError", z, np.array([0, 4, 1]))


def test_refuses_a_negative_label(student, rng):
    """A class index of -1 raises a ValueError; it must not count as the last class."""
    z, loss = rng.normal(size=(3, 4)), student.losses.CrossEntropyLoss()
    expect.raises("forward with label -1", loss.forward, "ValueError", z, np.array([0, -1, 1]))


def test_refuses_targets_of_another_shape(student, rng):
    """Targets of the wrong length or the wrong number of classes raise a ValueError."""
    z, loss = rng.normal(size=(3, 4)), student.losses.CrossEntropyLoss()
    for shape in ((2,), (3, 5), (3, 1)):
        label = f"forward of logits (3, 4) with targets {shape}"
        expect.raises(label, loss.forward, "ValueError", z, np.zeros(shape, dtype=np.int64))


@pytest.mark.weight(2)
def test_value_from_probabilities(student, rng):
    """With from_probabilities=True forward is the mean of -log p[target], without a softmax."""
    p, target = probabilities(rng), np.array([0, 3, 1, 2, 1])
    expected = -np.mean(np.log(p[np.arange(5), target]))
    loss = student.losses.CrossEntropyLoss(from_probabilities=True)
    expect.close("loss", loss.forward(p, target), float(expected))


def test_gradient_from_probabilities(student, rng):
    """With from_probabilities=True backward is -one-hot / (N p)."""
    p, target = probabilities(rng), np.array([0, 3, 1, 2, 1])
    loss = student.losses.CrossEntropyLoss(from_probabilities=True)
    loss.forward(p, target)
    expect.close("dL_dpred", loss.backward(), -np.eye(4)[target] / (5 * p))


def test_probability_of_zero(student):
    """A probability of 0 for the true class gives a large but finite loss and no warning."""
    p, target = np.array([[0.0, 1.0], [0.5, 0.5]]), np.array([0, 1])
    loss = student.losses.CrossEntropyLoss(from_probabilities=True)
    value = float(expect.array("loss", loss.forward(p, target), ()))
    expect.array("dL_dpred", loss.backward(), (2, 2))
    no_warnings(student)
    low, high = 10.0, 400.0
    message = f"got {value:.6g}; -log of a clipped probability, halved, is {low:g} to {high:g}."
    expect.that("loss", low <= value <= high, message)
