"""Public tests of the losses in losses.py."""

import numpy as np
import pytest

from autograder.suite import derivatives, expect

mse = pytest.mark.item("week1.mse")
huber = pytest.mark.item("week1.huber")
cross_entropy = pytest.mark.item("week1.cross_entropy")
tools = pytest.mark.item("week1.tools")
robustness = pytest.mark.item("week1.robustness")

PRED = np.array([[0.517, -1.083, 4.061], [1.529, 3.137, -0.471]])
TARGET = np.array([[1.019, 1.123, 0.967], [1.041, 2.573, 1.511]])
LOGITS = np.array([[2.0, -1.0, 0.5, 0.0], [0.0, 1.0, -2.0, 3.0], [1.0, 1.5, 0.2, -0.3]])
LABELS = np.array([2, 3, 0])


def factor(received, mean):
    """Return what turns a mean over all elements into the form that your loss has.

    That is 1, or the number of features where your loss adds up over them.
    """
    value = expect.array("loss", received, ())
    return PRED.shape[1] if np.isclose(value, PRED.shape[1] * mean) else 1


# MSELoss


@mse
def test_mse_value(student):
    """MSELoss.forward is the mean of the squared differences over all elements."""
    mean = float(np.mean((PRED - TARGET) ** 2))
    received = student.losses.MSELoss().forward(PRED, TARGET)
    expect.close("loss", received, factor(received, mean) * mean)


@mse
def test_mse_gradient(student):
    """MSELoss.backward returns dL/dy_pred, of the loss with its own divisor."""
    loss, r = student.losses.MSELoss(), PRED - TARGET
    share = factor(loss.forward(PRED, TARGET), float(np.mean(r**2)))
    slopes = derivatives.vjp(lambda p: np.mean((p - TARGET) ** 2), [PRED], share)[0]
    expect.close("dL_dy_pred", loss.backward(), slopes)


@robustness
def test_mse_refuses_different_shapes(student):
    """MSELoss raises a ValueError for predictions (2, 1) and targets (2,)."""
    loss = student.losses.MSELoss()
    label = "forward of predictions (2, 1) with targets (2,)"
    expect.raises(label, loss.forward, "ValueError", PRED[:, :1], TARGET[:, 0])


# HuberLoss


def mean_huber(r, delta):
    """Return the mean Huber loss of differences."""
    size = np.abs(r)
    return float(np.mean(np.where(size <= delta, r**2 / 2, delta * (size - delta / 2))))


@huber
def test_huber_value(student):
    """HuberLoss.forward is r^2 / 2 within delta and delta (|r| - delta / 2) outside, averaged."""
    mean = mean_huber(PRED - TARGET, 1.0)
    received = student.losses.HuberLoss().forward(PRED, TARGET)
    expect.close("loss", received, factor(received, mean) * mean)


@huber
def test_huber_gradient(student):
    """HuberLoss.backward returns dL/dy_pred, within delta and outside."""
    loss, r = student.losses.HuberLoss(0.75), PRED - TARGET
    share = factor(loss.forward(PRED, TARGET), mean_huber(r, 0.75))
    expected = np.where(np.abs(r) <= 0.75, r, 0.75 * np.sign(r)) / 6
    expect.close("dL_dy_pred", loss.backward(), share * expected)


# CrossEntropyLoss


def softmax(z):
    """Return the softmax of each row."""
    exponentials = np.exp(z)
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def mean_cross_entropy(z):
    """Return the mean of -log p[target] over the batch, for small logits."""
    return -np.mean(np.log(softmax(z)[np.arange(3), LABELS]))


def slopes():
    """Return the gradient of that with respect to the logits."""
    return derivatives.vjp(mean_cross_entropy, [LOGITS], 1.0)[0]


@cross_entropy
def test_cross_entropy_value(student):
    """CrossEntropyLoss.forward is the mean of -log p[target] over the batch."""
    expected = mean_cross_entropy(LOGITS)
    received = student.losses.CrossEntropyLoss().forward(LOGITS, LABELS)
    expect.close("loss", received, float(expected))


@cross_entropy
def test_cross_entropy_gradient(student):
    """CrossEntropyLoss.backward returns dL/dlogits."""
    loss = student.losses.CrossEntropyLoss()
    loss.forward(LOGITS, LABELS)
    expect.close("dL_dlogits", loss.backward(), slopes())


@cross_entropy
def test_cross_entropy_one_hot(student):
    """One-hot targets give the same loss and gradient as class indices."""
    one_hot = np.eye(4)[LABELS]
    expected = mean_cross_entropy(LOGITS)
    loss = student.losses.CrossEntropyLoss()
    expect.close("loss", loss.forward(LOGITS, one_hot), float(expected))
    expect.close("dL_dlogits", loss.backward(), slopes())


@cross_entropy
def test_cross_entropy_of_large_logits(student):
    """A confident mistake, logits of +-1000, costs 2000; a confident hit costs 0."""
    z = np.array([[1000.0, -1000.0]])
    wrong = student.losses.CrossEntropyLoss().forward(z, np.array([1]))
    right = student.losses.CrossEntropyLoss().forward(z, np.array([0]))
    expect.close("loss of a confident mistake", wrong, 2000.0)
    expect.close("loss of a confident hit", right, 0.0)


@robustness
def test_cross_entropy_refuses_a_negative_label(student):
    """The label -1 raises a ValueError."""
    loss = student.losses.CrossEntropyLoss()
    label = "forward with label -1"
    expect.raises(label, loss.forward, "ValueError", LOGITS, np.array([2, -1, 0]))


@tools
def test_cross_entropy_from_probabilities(student):
    """With from_probabilities=True forward is the mean of -log p[target], without a softmax."""
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
    loss = student.losses.CrossEntropyLoss(from_probabilities=True)
    expected = float(-(np.log(0.2) + np.log(0.6)) / 2)
    expect.close("loss", loss.forward(p, np.array([1, 2])), expected)
