"""Hidden tests of SGD's weight decay, which goes beyond the texts.

The formula of a step with weight decay holds everything that one without it does. Where plain
gradient descent is wrong already, which is a matter of another item, it is enough that weight decay
has an effect.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .optimizer_paths import drive, gradients_of, make, parameters

pytestmark = pytest.mark.item("week3.options")

STRONG = {"lr": 0.001, "weight_decay": 50.0}


def plain_steps_are_right(student):
    """Tell whether two steps without weight decay follow the formula."""
    p, g = student.probe("parameter")(np.array([0.4, -0.8])), np.array([[1.0, -2.0], [0.5, 3.0]])
    drive(make(student, "SGD", [p], {"lr": 0.1}), [p], [g])
    received = expect.array("data", p.data, (2,))
    return np.allclose(received, np.array([0.4, -0.8]) - 0.1 * g.sum(axis=0))


def expect_an_effect(student):
    """A strong weight decay leads somewhere else than none."""
    start, g, places = np.array([1.0, -1.0]), np.array([[0.01, 0.01]]), []
    for settings in ({"lr": 0.001}, STRONG):
        p = student.probe("parameter")(start)
        drive(make(student, "SGD", [p], settings), [p], [g])
        places.append(expect.array("data", p.data, (2,)))
    differ = not np.array_equal(*places)
    expect.that(
        "data with weight_decay 50", differ, "the step is the same as without weight decay."
    )


def expect_path(student, params, starts, gradients, lr, weight_decay):
    """All parameters are where the formula leads them."""
    if not plain_steps_are_right(student):
        expect_an_effect(student)
        return
    for number, (p, start, of_steps) in enumerate(zip(params, starts, gradients, strict=True)):
        x = start
        for g in of_steps:
            x = (1 - lr * weight_decay) * x - lr * g
        label = f"parameter {number}"
        received = expect.array(f"data of {label}", p.data, start.shape) - start
        expect.close(f"change of {label}", received, x - start, atol=1e-12)


@pytest.mark.parametrize("lr", [0.1, 0.02])
def test_path(student, rng, lr):
    """After 30 steps with weight decay, all parameters are where the formula leads them."""
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, 30, start.shape) for start in starts]
    settings = {"lr": lr, "weight_decay": 0.4}
    drive(make(student, "SGD", params, settings), params, gradients)
    expect_path(student, params, starts, gradients, **settings)


def test_decay_alone(student):
    """Where the gradient is 0, and not None, weight decay still shrinks the data."""
    start = np.array([2.0, -3.0])
    p, g = student.probe("parameter")(start), np.array([[3.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    settings = {"lr": 0.1, "weight_decay": 0.5}
    drive(make(student, "SGD", [p], settings), [p], [g])
    expect_path(student, [p], [start], [g], **settings)


def test_no_decay_without_gradient(student, rng):
    """A parameter whose grad is None does not decay either; the others do."""
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, 3, start.shape) for start in starts]
    settings = {"lr": 0.1, "weight_decay": 0.5}
    drive(make(student, "SGD", params, settings), params, [*gradients[:3], [None] * 3])
    expect.equal("data of the parameter without gradient", params[3].data, starts[3])
    expect_path(student, params[:3], starts[:3], gradients[:3], **settings)


def test_gradients_stay_as_they_were(student, rng):
    """Weight decay is not written into the gradient: a second step with it decays once, too."""
    start, g = rng.normal(size=(2, 3)), gradients_of(rng, 1, (2, 3))
    p, kept = student.probe("parameter")(start), student.keep(g[0])
    p.grad = kept
    optimizer = make(student, "SGD", [p], {"lr": 0.1, "weight_decay": 0.5})
    for _ in range(3):
        optimizer.step()
    expect.unchanged("grad", g[0], student.fetch(kept))
    expect_path(student, [p], [start], [np.repeat(g, 3, axis=0)], 0.1, 0.5)


def test_refuses_a_negative_weight_decay(student, rng):
    """A weight_decay below 0 raises a ValueError; one of 0.5 has an effect."""
    params, _ = parameters(student, rng)
    bad = {"lr": 0.1, "weight_decay": -0.5}
    make_one = lambda: make(student, "SGD", params, bad)  # noqa: E731
    expect.raises("SGD with weight_decay -0.5", make_one, "ValueError")
    expect_an_effect(student)
