"""Hidden tests of the mean losses over elements in losses.py: MSELoss and HuberLoss."""

import numpy as np
import pytest

from autograder.suite import expect

mse = pytest.mark.item("week1.mse")
huber = pytest.mark.item("week1.huber")


def batch(rng, shape=(5, 3)):
    """Return predictions and targets whose differences lie on both sides of 0 and of +-1."""
    pred, target = 2 * rng.normal(size=shape), 2 * rng.normal(size=shape)
    pred.flat[:2] = target.flat[:2] + np.array([0.4, -2.5])
    return pred, target


def squares(pred, target, _=None):
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


def check_latest_batch(loss, rng, formula):
    """Run batches of two sizes; the second's gradient is asked for twice."""
    loss.forward(*batch(rng, (6, 3)))
    loss.backward()
    pred, target = batch(rng, (1, 4))
    value, gradient = formula(pred, target)
    expect.close("loss of the second batch", loss.forward(pred, target), value)
    expect.close("dL_dpred", loss.backward(), gradient)
    expect.close("dL_dpred, asked for again", loss.backward(), gradient)


def check_arguments(student, loss, rng, formula):
    """See whether forward or backward changes the predictions or the targets."""
    pred, target = batch(rng)
    kept_pred, kept_target = student.keep(pred), student.keep(target)
    value, gradient = formula(pred, target)
    expect.close("loss", loss.forward(kept_pred, kept_target), value)
    expect.close("dL_dpred", loss.backward(), gradient)
    expect.unchanged("pred", pred, student.fetch(kept_pred))
    expect.unchanged("target", target, student.fetch(kept_target))


def check_float32(loss, rng, formula):
    """Run a float32 batch: dtype of the gradient, and values to float32's accuracy."""
    pred, target = batch(rng)
    value, gradient = formula(pred, target)
    received = loss.forward(pred.astype(np.float32), target.astype(np.float32))
    expect.close("loss", received, value, rtol=1e-4)
    dL_dpred = loss.backward()
    expect.close("dL_dpred", dL_dpred, gradient, rtol=1e-4, atol=1e-5)
    expect.dtype("dL_dpred", dL_dpred, np.float32)


def check_shapes(loss, rng):
    """Shapes that NumPy would broadcast are refused."""
    label = "forward of predictions (5, 1) with targets (5,)"
    expect.raises(label, loss.forward, "ValueError", rng.normal(size=(5, 1)), rng.normal(size=5))
    label = "forward of predictions (5, 3) with targets (1, 3)"
    pred, target = rng.normal(size=(5, 3)), rng.normal(size=(1, 3))
    expect.raises(label, loss.forward, "ValueError", pred, target)


# MSELoss


@mse
@pytest.mark.weight(2)
def test_mse_value(student, rng):
    """MSELoss.forward is the mean of the squared differences over all elements."""
    pred, target = batch(rng)
    received = student.losses.MSELoss().forward(pred, target)
    expect.close("loss", received, squares(pred, target)[0])


@mse
@pytest.mark.weight(2)
def test_mse_gradient(student, rng):
    """MSELoss.backward is 2 (pred - target), divided by the number of elements."""
    pred, target = batch(rng)
    loss = student.losses.MSELoss()
    loss.forward(pred, target)
    expect.close("dL_dpred", loss.backward(), squares(pred, target)[1])


@mse
def test_mse_latest_batch(student, rng):
    """MSELoss.backward belongs to the latest forward and gives the same when called again."""
    check_latest_batch(student.losses.MSELoss(), rng, squares)


@mse
def test_mse_keeps_its_arguments(student, rng):
    """MSELoss changes neither predictions nor targets."""
    check_arguments(student, student.losses.MSELoss(), rng, squares)


@mse
def test_mse_float32(student, rng):
    """MSELoss gives float32 gradients for float32 predictions."""
    check_float32(student.losses.MSELoss(), rng, squares)


@mse
def test_mse_refuses_different_shapes(student, rng):
    """MSELoss raises a ValueError where predictions and targets differ in shape."""
    check_shapes(student.losses.MSELoss(), rng)


# HuberLoss


@huber
@pytest.mark.weight(2)
def test_huber_value(student, rng):
    """HuberLoss.forward is r^2 / 2 within delta and linear outside, averaged over all elements."""
    pred, target = batch(rng)
    received = student.losses.HuberLoss().forward(pred, target)
    expect.close("loss", received, huber_loss(pred, target)[0])


@huber
@pytest.mark.weight(2)
def test_huber_gradient(student, rng):
    """HuberLoss.backward is r within delta and delta sign(r) outside, over the elements' number."""
    pred, target = batch(rng)
    loss = student.losses.HuberLoss()
    loss.forward(pred, target)
    expect.close("dL_dpred", loss.backward(), huber_loss(pred, target)[1])


@huber
def test_huber_with_another_delta(student, rng):
    """HuberLoss(delta=0.5) changes from parabola to lines at |r| = 0.5, without a jump."""
    pred, target = batch(rng)
    pred.flat[2:5] = target.flat[2:5] + np.array([0.5, -0.5, 1000.0])
    value, gradient = huber_loss(pred, target, 0.5)
    loss = student.losses.HuberLoss(delta=0.5)
    expect.close("loss", loss.forward(pred, target), value)
    expect.close("dL_dpred", loss.backward(), gradient)


@huber
def test_huber_latest_batch(student, rng):
    """HuberLoss.backward belongs to the latest forward and gives the same when called again."""
    check_latest_batch(student.losses.HuberLoss(), rng, huber_loss)


@huber
def test_huber_keeps_its_arguments(student, rng):
    """HuberLoss changes neither predictions nor targets."""
    check_arguments(student, student.losses.HuberLoss(), rng, huber_loss)


@huber
def test_huber_float32(student, rng):
    """HuberLoss gives float32 gradients for float32 predictions."""
    check_float32(student.losses.HuberLoss(), rng, huber_loss)


@huber
def test_huber_refuses_different_shapes(student, rng):
    """HuberLoss raises a ValueError where predictions and targets differ in shape."""
    check_shapes(student.losses.HuberLoss(), rng)
