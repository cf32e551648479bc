"""What tests of optimizers look at where an optimizer's plain steps are wrong already.

That is a matter of the tests of its path. The others look at their own side then, by comparing with
the optimizer's own plain steps: a factor too many costs the path, not everything. What has no
memory where the formula has one, or goes nowhere by its gradients, passes none of them.
"""

import numpy as np

from autograder.suite import expect

from .optimizer_paths import SETTINGS, change, drive, form_of, make

PLAIN = np.array([[1.5, -0.6, 0.9], [0.8, 1.1, -0.7], [-1.2, 0.7, 0.5]])
"""Gradients of three steps."""
OTHER = {0: np.array([-0.9, 1.3, 0.6]), 2: np.array([-0.5, 1.1, 0.9])}
"""Other gradients for the first of these steps, and for the last, where sizes alone differ."""


def steps_of(student, kind, gradients, settings=None, rates=None, start=0.0):
    """Return each step of one parameter that starts there."""
    places = [np.full(gradients[0].shape, start)]
    p = student.probe("parameter")(places[0])
    optimizer = make(student, kind, [p], settings or SETTINGS[kind])
    for number, gradient in enumerate(gradients):
        drive(optimizer, [p], [gradient[np.newaxis]], rates and rates[number : number + 1])
        places.append(expect.array("data", p.data, gradient.shape))
    return np.diff(places, axis=0)


def plain_steps_fit(student, kind):
    """Tell whether three steps follow the formula, in one of its legal forms.

    Where they don't, expect gradients to count: the latest, and where there is a memory the first.
    """
    received = steps_of(student, kind, PLAIN)
    expected = change(kind, PLAIN, **SETTINGS[kind], **form_of(student, kind))
    if np.allclose(received.sum(axis=0), expected, rtol=1e-6, atol=1e-12):
        return True
    for row in (2,) if kind == "SGD" else (2, 0):
        other = PLAIN.copy()
        other[row] = OTHER[row]
        beside = steps_of(student, kind, other)
        counts = not np.allclose(received[2], beside[2], rtol=1e-6, atol=1e-12)
        given = f"{PLAIN[row].tolist()} and {OTHER[row].tolist()}"
        message = f"it is the same with the gradients {given} in step {row + 1}."
        expect.that("third step", counts, message)
    return False


def expect_settings_count(student, kind):
    """Each setting has an effect, by name and by position."""
    settings = SETTINGS[kind]
    plain = steps_of(student, kind, PLAIN)
    for name, value in settings.items():
        changed = {**settings, name: value * 0.75}
        for label, given in (("by name", changed), ("by position", list(changed.values()))):
            counts = not np.allclose(placed(student, kind, given), plain, rtol=1e-6, atol=1e-12)
            message = f"{name} {value} and {value * 0.75} lead to the same place."
            expect.that(f"steps with settings {label}", counts, message)
    received = placed(student, kind, list(settings.values()))
    # Which steps these should be is asked by the tests of the path.
    expect.repeated("steps with settings by position, not by name", plain, received)


def placed(student, kind, given):
    """Return the steps of an optimizer whose settings are given by name or by position."""
    if isinstance(given, dict):
        return steps_of(student, kind, PLAIN, given)
    p, places = student.probe("parameter")(np.zeros(3)), [np.zeros(3)]
    optimizer = getattr(student.optimizers, kind)([p], *given)
    for gradient in PLAIN:
        drive(optimizer, [p], [gradient[np.newaxis]])
        places.append(expect.array("data", p.data, (3,)))
    return np.diff(places, axis=0)


def expect_rates_count(student, kind):
    """The last step depends on the learning rate that it is taken with, whichever way."""
    lr = SETTINGS[kind]["lr"]
    last = [
        steps_of(student, kind, PLAIN, rates=[lr, lr, factor * lr])[2] for factor in (1.0, 2.0, 3.0)
    ]
    grown = min(np.abs(last[1] - last[0]).min(), np.abs(last[2] - last[1]).min())
    message = "it is the same with a larger learning rate, set just before it."
    expect.that("third step", bool(grown > 1e-9), message)


def expect_own_steps(student, kind, params, start, gradients):
    """Each of several parameters is where it goes alone, with an optimizer of its own."""
    for number, (p, g) in enumerate(zip(params, gradients, strict=True)):
        label = f"change of parameter {number}, beside others"
        alone = steps_of(student, kind, g, start=start).sum(axis=0)
        received = expect.array(f"data of parameter {number}", p.data, start.shape) - start
        # Where a parameter goes alone is asked by the tests of the path.
        expect.repeated(label, alone, received, atol=1e-12)


def expect_zero_counts(student, kind):
    """A step with a gradient of 0 makes the next one another than it is without."""
    first, zero, last = np.array([[1.0]]), np.array([[0.0]]), np.array([[3.0]])
    with_zero = steps_of(student, kind, [first, zero, last])
    without = steps_of(student, kind, [first, last])
    differ = not np.allclose(with_zero[2], without[1], rtol=1e-6, atol=1e-12)
    message = "it is the same with and without a step with a gradient of 0 before it."
    expect.that("last step", differ, message)
    if kind != "RMSprop":
        expect.that("step with a gradient of 0", bool(with_zero[1] != 0), "nothing moves in it.")


def expect_scale_cancels(student, kind, gradients, scales, settings):
    """Gradients that are larger by these factors lead along the same path."""
    plain = steps_of(student, kind, gradients, settings)
    label = "steps of entries with gradients of very different size"
    # Which path that should be is asked by the tests of the path.
    expect.repeated(label, plain, steps_of(student, kind, gradients * scales, settings), atol=1e-12)


def expect_stays(p, start, where):
    """The entries `where` are where they were, and the others are not."""
    received = expect.array("data", p.data, start.shape)
    expect.equal("data of entries whose gradient is 0", received[where], start[where])
    moved = bool((received != start)[~where].all())
    expect.that("data of the other entries", moved, "it has not moved.")
