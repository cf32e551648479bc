"""Public tests of optimizers.py, with one or two parameters and gradients chosen by hand.

What is compared is the change of a parameter's data. Whether a step replaces the data or changes it
in place makes no difference. Where two forms of an optimizer are legal, the first step (of momentum
the second) tells which one it is, and the others are held to that.
"""

import numpy as np
import pytest

from autograder.suite import expect

sgd = pytest.mark.item("week3.sgd")
momentum = pytest.mark.item("week3.momentum")
rmsprop = pytest.mark.item("week3.rmsprop")
adam = pytest.mark.item("week3.adam")
options = pytest.mark.item("week3.options")
robustness = pytest.mark.item("week3.robustness")

START = np.array([1.0, -2.0, 0.5])
GRADIENTS = np.array([[2.0, -1.0, 0.5], [1.0, 3.0, -0.5], [-0.5, 1.0, 2.0]])


def one(student, start=START):
    """Return a parameter that starts there."""
    return student.probe("parameter")(start)


def change(p, start=START):
    """Return how far a parameter has moved."""
    return expect.array("data", p.data, start.shape) - start


def path(optimizer, p, gradients):
    """Do one step for each row of `gradients`; return the change after every step, row by row."""
    changes = []
    for gradient in gradients:
        p.grad = gradient
        optimizer.step()
        changes.append(change(p))
    return np.array(changes)


def legal_form(received, forms, step=0):
    """Return the one of the legal forms that is as received after a step; the first if none is."""
    fits = (form for form in forms if np.allclose(received[step], form[step], rtol=1e-6))
    return next(fits, forms[0])


# SGD


@sgd
def test_sgd(student):
    """SGD moves each parameter by -lr grad."""
    first, second = one(student), one(student)
    first.grad, second.grad = GRADIENTS[0], GRADIENTS[1]
    student.optimizers.SGD([first, second], lr=0.1).step()
    expect.close("change of the first parameter", change(first), -0.1 * GRADIENTS[0])
    expect.close("change of the second parameter", change(second), -0.1 * GRADIENTS[1])


@sgd
def test_zero_grad(student):
    """zero_grad sets the gradients to zeros (or to None) and moves nothing."""
    p = one(student)
    p.grad = GRADIENTS[0]
    optimizer = student.optimizers.SGD([p], lr=0.1)
    optimizer.step()
    optimizer.zero_grad()
    grad = p.grad
    if grad is not None and not (type(grad) in (int, float) and grad == 0):
        expect.close("grad", grad, np.zeros(3))
    expect.close("change of the data", change(p), -0.1 * GRADIENTS[0])


# SGDMomentum


@momentum
def test_momentum(student):
    """Three steps: the velocities are g1, then momentum g1 + g2, then momentum of that + g3."""
    p = one(student)
    optimizer = student.optimizers.SGDMomentum([p], lr=0.1, momentum=0.5)
    velocities = [GRADIENTS[0]]
    for gradient in GRADIENTS[1:]:
        velocities.append(0.5 * velocities[-1] + gradient)
    expected = -0.1 * np.cumsum(velocities, axis=0)
    received = path(optimizer, p, GRADIENTS)
    expect.close("change of the data after 1, 2 and 3 steps", received, expected)


@momentum
def test_momentum_of_two_parameters(student):
    """Every parameter has a velocity of its own, of its own shape."""
    start = np.ones((2, 2))
    first, second = one(student), one(student, start)
    optimizer = student.optimizers.SGDMomentum([first, second], lr=0.1)
    for _ in range(2):
        first.grad, second.grad = GRADIENTS[0], 4.0 * start
        optimizer.step()
    expect.close("change of the first parameter", change(first), -0.29 * GRADIENTS[0])
    expect.close("change of the second parameter", change(second, start), -1.16 * start)


@momentum
def test_momentum_uses_the_present_lr(student):
    """A new learning rate counts: for the whole next step, or for the gradients from then on."""
    p, changes = one(student), []
    optimizer = student.optimizers.SGDMomentum([p], lr=0.1, momentum=0.5)
    for rate in (0.1, 0.01, 0.02):
        optimizer.lr = rate
        changes.append(path(optimizer, p, GRADIENTS[:1])[0])
    outside = np.outer(np.cumsum([-0.1, -0.015, -0.035]), GRADIENTS[0])
    inside = np.outer(np.cumsum([-0.1, -0.06, -0.05]), GRADIENTS[0])
    expected = legal_form(np.array(changes), (outside, inside), step=1)
    expect.close("change of the data after 1, 2 and 3 steps", np.array(changes), expected)


# RMSprop


@rmsprop
def test_rmsprop(student):
    """Two steps of RMSprop, with a large epsilon that shows where it stands."""
    p = one(student)
    optimizer = student.optimizers.RMSprop([p], lr=0.1, beta=0.75, epsilon=0.5)
    squares = np.array(
        [0.25 * GRADIENTS[0] ** 2, 0.1875 * GRADIENTS[0] ** 2 + 0.25 * GRADIENTS[1] ** 2]
    )
    inside, outside = (
        np.cumsum(-0.1 * GRADIENTS[:2] / root, axis=0)
        for root in ((squares + 0.5) ** 0.5, squares**0.5 + 0.5)
    )
    received = path(optimizer, p, GRADIENTS[:2])
    expected = legal_form(received, (inside, outside))
    expect.close("change of the data after 1 and 2 steps", received, expected)


@rmsprop
def test_rmsprop_with_a_constant_gradient(student):
    """With a constant gradient, the k-th step is lr / sqrt(1 - beta^k) long, whatever its size."""
    p, gradient = one(student), np.array([5.0, -20.0, 1000.0])
    received = path(student.optimizers.RMSprop([p], 0.01, 0.99, 1e-12), p, [gradient] * 3)
    lengths = 0.01 / np.sqrt([0.01, 0.0199, 0.029701])
    expected = -np.outer(np.cumsum(lengths), np.sign(gradient))
    expect.close("change of the data after 1, 2 and 3 steps", received, expected)


@rmsprop
def test_rmsprop_of_zero(student):
    """An entry whose gradient is 0 stays where it is."""
    p, gradient = one(student), np.array([2.0, 0.0, -3.0])
    optimizer = student.optimizers.RMSprop([p], lr=0.01, beta=0.75, epsilon=1e-12)
    received = path(optimizer, p, [gradient] * 2)
    lengths = 0.01 / np.sqrt([0.25, 0.4375])
    expected = -np.outer(np.cumsum(lengths), np.sign(gradient))
    expect.close("change of the data after 1 and 2 steps", received, expected)


# Adam


@adam
def test_adam(student):
    """Two steps of Adam with different gradients; a large epsilon shows where it stands."""
    p = one(student)
    optimizer = student.optimizers.Adam([p], lr=0.1, beta1=0.5, beta2=0.84, epsilon=0.5)
    means = np.array([GRADIENTS[0], (0.5 * GRADIENTS[0] + GRADIENTS[1]) / 1.5])
    squares = np.array([GRADIENTS[0] ** 2, (0.84 * GRADIENTS[0] ** 2 + GRADIENTS[1] ** 2) / 1.84])
    outside, inside = (
        np.cumsum(-0.1 * means / root, axis=0)
        for root in (squares**0.5 + 0.5, (squares + 0.5) ** 0.5)
    )
    received = path(optimizer, p, GRADIENTS[:2])
    expected = legal_form(received, (outside, inside))
    expect.close("change of the data after 1 and 2 steps", received, expected)


@adam
def test_adam_with_a_constant_gradient(student):
    """With a constant gradient, Adam moves by lr in every step, whatever the gradient's size."""
    p, gradient = one(student), np.array([5.0, -0.25, 1000.0])
    received = path(student.optimizers.Adam([p], lr=0.01), p, [gradient] * 3)
    expected = -np.outer([0.01, 0.02, 0.03], np.sign(gradient))
    expect.close("change of the data after 1, 2 and 3 steps", received, expected)


@adam
def test_adam_of_two_parameters(student):
    """Every parameter has means of its own, and a step counts once."""
    first, second = one(student), one(student)
    optimizer = student.optimizers.Adam([first, second], lr=0.01)
    for _ in range(2):
        first.grad, second.grad = GRADIENTS[0], -3.0 * GRADIENTS[1]
        optimizer.step()
    expect.close("change of the first parameter", change(first), -0.02 * np.sign(GRADIENTS[0]))
    expect.close("change of the last parameter", change(second), 0.02 * np.sign(GRADIENTS[1]))


# Beyond the texts


@options
def test_sgd_weight_decay(student):
    """Weight decay adds weight_decay data to the gradient; the gradient itself stays as it was."""
    p = one(student)
    kept = student.keep(GRADIENTS[0])
    p.grad = kept
    student.optimizers.SGD([p], lr=0.1, weight_decay=0.5).step()
    expected = np.array([-0.25, 0.2, -0.075])  # -0.1 times (2, -1, 0.5) + (0.5, -1, 0.25)
    expect.close("change of the data", change(p), expected)
    expect.unchanged("grad", GRADIENTS[0], student.fetch(kept))


each = pytest.mark.parametrize("kind", ["SGD", "SGDMomentum", "RMSprop", "Adam"])


@robustness
@each
def test_skips_parameters_without_gradient(student, kind):
    """A parameter whose grad is None stays where it is, and those after it move."""
    frozen, last = one(student), one(student)
    last.grad = GRADIENTS[1]
    getattr(student.optimizers, kind)([frozen, last], 0.1).step()
    expect.equal("data of the parameter without gradient", frozen.data, START)
    moved = bool(np.any(change(last) != 0))
    expect.that("data of the last parameter", moved, "it has a gradient, and has not moved.")


@robustness
@each
def test_keeps_gradients_and_float32(student, kind):
    """A step leaves the gradient as it was, and float32 data float32."""
    p = one(student, START.astype(np.float32))
    kept = student.keep(GRADIENTS[0].astype(np.float32))
    p.grad = kept
    optimizer = getattr(student.optimizers, kind)([p], 0.1)
    for _ in range(2):
        optimizer.step()
    expect.unchanged("grad", GRADIENTS[0].astype(np.float32), student.fetch(kept))
    expect.dtype("data", p.data, np.float32)
    expect.that("data", bool(np.any(change(p) != 0)), "it has a gradient, and has not moved.")
