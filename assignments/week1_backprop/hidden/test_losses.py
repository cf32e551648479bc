"""Hidden tests of the mean losses over elements in losses.py: MSELoss and HuberLoss.

Both may be the mean over all elements, or the sum over the features and the mean over the batch:
the first value shows which, and everything else is held to that. A loss without the mean, or half
of one, is wrong in its value: it has no other fault if its gradient is that of the same loss.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import proportional, something_right

mse = pytest.mark.item("week1.mse")
huber = pytest.mark.item("week1.huber")


def batch(rng, shape=(5, 3)):
    """Return predictions and targets whose differences lie on both sides of 0 and of +-1."""
    pred, target = 2 * rng.normal(size=shape), 2 * rng.normal(size=shape)
    pred.flat[:2] = target.flat[:2] + np.array([0.4, -2.5])
    return pred, target


def squares(pred, target):
    """Return the mean squared error and its gradient."""
    residual = pred - target
    return float(np.mean(residual**2)), 2 * residual / residual.size


def huber_loss(pred, target, delta=1.0):
    """Return the mean Huber loss and its gradient."""
    residual = pred - target
    size = np.abs(residual)
    inner = size <= delta
    value = np.where(inner, residual**2 / 2, delta * (size - delta / 2))
    slope = np.where(inner, residual, delta * np.sign(residual))
    return float(np.mean(value)), slope / residual.size


LEGAL = (lambda shape: 1, lambda shape: shape[1])
OTHERS = (
    *(lambda shape: shape[0] * shape[1], lambda shape: shape[0]),
    *(lambda shape: 0.5, lambda shape: 0.5 * shape[1], lambda shape: 2),
)
"""What the mean over all elements may be multiplied by, rightly and wrongly."""


def in_form(loss, rng, formula, factors=(*LEGAL, *OTHERS)):
    """Return the formula in the form that the student's loss has; `formula` is a mean of elements.

    Where the value is that of no form, it stays the mean over all elements.
    """
    pred, target = batch(rng)
    value = formula(pred, target)[0]
    received = expect.array("loss", loss.forward(pred, target), ())
    found = [one for one in factors if np.isclose(received, one(pred.shape) * value, rtol=1e-6)]
    if not found:
        return formula

    def multiplied(pred, target):
        value, gradient = formula(pred, target)
        return found[0](pred.shape) * value, found[0](pred.shape) * gradient

    return multiplied


def check_value(loss, rng, formula):
    """Compare the loss of a batch."""
    formula, (pred, target) = in_form(loss, rng, formula, LEGAL), batch(rng)
    expect.close("loss", loss.forward(pred, target), formula(pred, target)[0])


def check_gradient(loss, rng, formula):
    """Compare the gradient of a batch."""
    formula, (pred, target) = in_form(loss, rng, formula), batch(rng)
    loss.forward(pred, target)
    expect.close("dL_dy_pred", loss.backward(), formula(pred, target)[1])


def check_latest_batch(make, rng, formula):
    """Run batches of two sizes; the second one's loss and gradient are what they are alone."""
    loss, alone = make(), make()
    formula = in_form(loss, rng, formula)
    loss.backward()
    pred, target = batch(rng, (1, 4))
    received = loss.forward(pred, target), loss.backward()
    one_is_right(received, formula(pred, target))
    # What both should be is asked by other tests.
    expect.repeated("loss of the second batch", alone.forward(pred, target), received[0])
    # The same.
    expect.repeated("dL_dy_pred", alone.backward(), received[1])


def one_is_right(received, expected):
    """Compare a loss or its gradient: what computes nothing has no sides."""
    something_right(
        lambda: expect.close("loss", received[0], expected[0]),
        lambda: proportional("dL_dy_pred", received[1], expected[1]),
    )


def check_arguments(student, loss, rng, formula):
    """See whether forward or backward changes the predictions or the targets."""
    formula, (pred, target) = in_form(loss, rng, formula), batch(rng)
    kept_pred, kept_target = student.keep(pred), student.keep(target)
    received = loss.forward(kept_pred, kept_target), loss.backward()
    one_is_right(received, formula(pred, target))
    expect.unchanged("y_pred", pred, student.fetch(kept_pred))
    expect.unchanged("y_true", target, student.fetch(kept_target))


# MSELoss


@mse
@pytest.mark.weight(2)
def test_mse_value(student, rng):
    """MSELoss.forward is the mean of the squared differences over all elements."""
    check_value(student.losses.MSELoss(), rng, squares)


@mse
@pytest.mark.weight(2)
def test_mse_gradient(student, rng):
    """MSELoss.backward returns dL/dy_pred, with the divisor that the loss itself has."""
    check_gradient(student.losses.MSELoss(), rng, squares)


@mse
def test_mse_latest_batch(student, rng):
    """MSELoss.backward belongs to the latest forward."""
    check_latest_batch(student.losses.MSELoss, rng, squares)


@mse
def test_mse_keeps_its_arguments(student, rng):
    """MSELoss changes neither predictions nor targets."""
    check_arguments(student, student.losses.MSELoss(), rng, squares)


# HuberLoss


@huber
@pytest.mark.weight(2)
def test_huber_value(student, rng):
    """HuberLoss.forward is r^2 / 2 within delta and linear outside, averaged over all elements."""
    check_value(student.losses.HuberLoss(), rng, huber_loss)


@huber
@pytest.mark.weight(2)
def test_huber_gradient(student, rng):
    """HuberLoss.backward returns dL/dy_pred, within delta and outside."""
    check_gradient(student.losses.HuberLoss(), rng, huber_loss)


@huber
def test_huber_with_another_delta(student, rng):
    """HuberLoss(0.5) changes from parabola to lines at |r| = 0.5, without a jump."""
    loss = student.losses.HuberLoss(0.5)
    formula = in_form(loss, rng, lambda pred, target: huber_loss(pred, target, 0.5))
    pred, target = batch(rng)
    pred.flat[2:5] = target.flat[2:5] + np.array([0.5, -0.5, 1000.0])
    value, gradient = formula(pred, target)
    expect.close("loss", loss.forward(pred, target), value)
    expect.close("dL_dy_pred", loss.backward(), gradient)


@huber
def test_huber_latest_batch(student, rng):
    """HuberLoss.backward belongs to the latest forward."""
    check_latest_batch(student.losses.HuberLoss, rng, huber_loss)


@huber
def test_huber_keeps_its_arguments(student, rng):
    """HuberLoss changes neither predictions nor targets."""
    check_arguments(student, student.losses.HuberLoss(), rng, huber_loss)
