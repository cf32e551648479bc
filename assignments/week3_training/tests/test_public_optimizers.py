"""Public tests of optimizers.py, with one or two parameters and gradients chosen by hand.

What is compared is the change of a parameter's data. Whether a step replaces the data or changes it
in place makes no difference.
"""

import numpy as np
import pytest

from autograder.suite import expect

sgd = pytest.mark.item("week3.sgd")
momentum = pytest.mark.item("week3.momentum")
rmsprop = pytest.mark.item("week3.rmsprop")
adam = pytest.mark.item("week3.adam")

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


# SGD


@sgd
def test_sgd(student):
    """SGD moves each parameter by -lr grad, and leaves one without a gradient where it is."""
    p, frozen, last = one(student), one(student), one(student)
    p.grad, last.grad = GRADIENTS[0], GRADIENTS[1]
    student.optimizers.SGD([p, frozen, last], lr=0.1).step()
    expect.close("change of the data", change(p), -0.1 * GRADIENTS[0])
    expect.close("data of the parameter without gradient", frozen.data, START)
    expect.close("change of the last parameter", change(last), -0.1 * GRADIENTS[1])


@sgd
def test_sgd_weight_decay(student):
    """Weight decay adds weight_decay data to the gradient; the gradient itself stays as it was."""
    p = one(student)
    kept = student.keep(GRADIENTS[0])
    p.grad = kept
    student.optimizers.SGD([p], lr=0.1, weight_decay=0.5).step()
    expected = np.array([-0.25, 0.2, -0.075])  # -0.1 times (2, -1, 0.5) + (0.5, -1, 0.25)
    expect.close("change of the data", change(p), expected)
    expect.unchanged("grad", GRADIENTS[0], student.fetch(kept))


# SGDMomentum


@momentum
def test_momentum(student):
    """Three steps of momentum: the velocities are g1, then beta g1 + g2, then beta of that + g3."""
    p = one(student)
    optimizer = student.optimizers.SGDMomentum([p], lr=0.1, beta=0.5)
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
def test_momentum_keeps_gradients_and_uses_the_present_lr(student):
    """Gradients stay as they were, and a new learning rate counts for the whole next step."""
    p = one(student)
    kept = student.keep(GRADIENTS[0])
    p.grad = kept
    optimizer = student.optimizers.SGDMomentum([p], lr=0.1, beta=0.5)
    optimizer.step()
    optimizer.lr = 0.01
    optimizer.step()
    expect.unchanged("grad", GRADIENTS[0], student.fetch(kept))
    expect.close("change of the data", change(p), -0.115 * GRADIENTS[0])


# RMSprop


@rmsprop
def test_rmsprop(student):
    """Two steps of RMSprop, with a large eps that shows where it stands."""
    p = one(student)
    optimizer = student.optimizers.RMSprop([p], lr=0.1, alpha=0.75, eps=0.5)
    first = -0.1 * GRADIENTS[0] / (0.5 * np.abs(GRADIENTS[0]) + 0.5)
    mean = 0.1875 * GRADIENTS[0] ** 2 + 0.25 * GRADIENTS[1] ** 2
    second = -0.1 * GRADIENTS[1] / (mean**0.5 + 0.5)
    received = path(optimizer, p, GRADIENTS[:2])
    expect.close("change of the data after 1 and 2 steps", received, [first, first + second])


@rmsprop
def test_rmsprop_with_a_constant_gradient(student):
    """With a constant gradient, the k-th step is lr / sqrt(1 - alpha^k) long, whatever its size."""
    p, gradient = one(student), np.array([5.0, -0.25, 1000.0])
    received = path(student.optimizers.RMSprop([p]), p, [gradient] * 3)
    lengths = 0.01 / np.sqrt([0.01, 0.0199, 0.029701])
    expected = -np.outer(np.cumsum(lengths), np.sign(gradient))
    expect.close("change of the data after 1, 2 and 3 steps", received, expected)


@rmsprop
def test_rmsprop_of_zero(student):
    """An entry whose gradient is 0 stays where it is."""
    p, gradient = one(student), np.array([2.0, 0.0, -3.0])
    received = path(student.optimizers.RMSprop([p], lr=0.01, alpha=0.75), p, [gradient] * 2)
    lengths = 0.01 / np.sqrt([0.25, 0.4375])
    expected = -np.outer(np.cumsum(lengths), np.sign(gradient))
    expect.close("change of the data after 1 and 2 steps", received, expected)


# Adam


@adam
def test_adam(student):
    """Two steps of Adam with different gradients, and a large eps that shows where it stands."""
    p = one(student)
    optimizer = student.optimizers.Adam([p], lr=0.1, betas=(0.5, 0.84), eps=0.5)
    first = -0.1 * GRADIENTS[0] / (np.abs(GRADIENTS[0]) + 0.5)
    mean = (0.5 * GRADIENTS[0] + GRADIENTS[1]) / 1.5
    square = (0.84 * GRADIENTS[0] ** 2 + GRADIENTS[1] ** 2) / 1.84
    second = -0.1 * mean / (square**0.5 + 0.5)
    received = path(optimizer, p, GRADIENTS[:2])
    expect.close("change of the data after 1 and 2 steps", received, [first, first + second])


@adam
def test_adam_with_a_constant_gradient(student):
    """With a constant gradient, Adam moves by lr in every step, whatever the gradient's size."""
    p, gradient = one(student), np.array([5.0, -0.25, 1000.0])
    received = path(student.optimizers.Adam([p], lr=0.01), p, [gradient] * 3)
    expected = -np.outer([0.01, 0.02, 0.03], np.sign(gradient))
    expect.close("change of the data after 1, 2 and 3 steps", received, expected)


@adam
def test_adam_of_two_parameters(student):
    """Every parameter has means and a count of its own; one without a gradient is skipped."""
    first, frozen, second = one(student), one(student), one(student)
    optimizer = student.optimizers.Adam([first, frozen, second], lr=0.01)
    for _ in range(2):
        first.grad, second.grad = GRADIENTS[0], -3.0 * GRADIENTS[1]
        optimizer.step()
    expect.close("change of the first parameter", change(first), -0.02 * np.sign(GRADIENTS[0]))
    expect.close("data of the parameter without gradient", frozen.data, START)
    expect.close("change of the last parameter", change(second), 0.02 * np.sign(GRADIENTS[1]))
