"""Hidden tests of optimizers.py beyond the texts: gradients that are missing, arrays, bad settings.

Each test looks at its own side alone: whether steps follow the formula is a matter of other items.
Where something must have moved, it is enough that it isn't where it was.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .optimizer_paths import (
    SETTINGS,
    change,
    drive,
    form_of,
    gradients_of,
    make,
)

pytestmark = pytest.mark.item("week3.robustness")

each = pytest.mark.parametrize("kind", list(SETTINGS))

HUGE = 1e9
FAR = 1e4
"""No step is as long as FAR, unless an entry of HUGE has got into it."""


def parameters(student, rng):
    """Return four made-up parameters of one shape, and their data."""
    starts = [rng.normal(size=(2, 3)) for _ in range(4)]
    return [student.probe("parameter")(start) for start in starts], starts


def same_gradients(rng, steps, starts):
    """Return for each parameter gradients that are the same in each of these steps."""
    return [np.repeat(gradients_of(rng, 1, start.shape), steps, axis=0) for start in starts]


def made(student, kind, params):
    """Return an optimizer, of which is known that it goes by gradients, rightly or not."""
    start, g, places = np.array([1.0, -2.0]), np.array([[1.5, 0.5]] * 3), []
    for sign in (1.0, -1.0):
        p = student.probe("parameter")(start)
        drive(make(student, kind, [p], SETTINGS[kind]), [p], [sign * g])
        places.append(p.data)
    differ = not np.array_equal(*places)
    expect.that("data", differ, "gradients of the other sign lead to the same place.")
    return make(student, kind, params, SETTINGS[kind])


def expect_moved(label, p, start):
    """The data of a parameter is an array of its shape, and not what it was."""
    received = p.data
    shaped = type(received) is np.ndarray and received.shape == start.shape
    shaped = shaped and received.dtype.kind == "f"
    expect.that(
        f"data of {label}", shaped, f"it is no float array of shape {start.shape} any more."
    )
    moved = not np.array_equal(received, start)
    expect.that(f"data of {label}", moved, "it has a gradient, and has not moved.")


@each
def test_skips_parameters_without_gradient(student, rng, kind):
    """A parameter whose grad is None is skipped: it stays where it is, and the others move."""
    params, starts = parameters(student, rng)
    gradients = same_gradients(rng, 3, starts)
    gradients[1] = [None] * 3
    drive(made(student, kind, params), params, gradients)
    expect.equal("data of the parameter without gradient", params[1].data, starts[1])
    for number in (0, 2, 3):
        expect_moved(f"parameter {number}", params[number], starts[number])


@each
def test_skipping_a_step_changes_no_memory(student, rng, kind):
    """A parameter that was skipped once goes on as if that step had not been.

    Seen where the same two steps without the one between them are right.
    """
    settings, start = SETTINGS[kind], rng.normal(size=(2, 3))
    g = np.abs(gradients_of(rng, 3, (2, 3)))
    places = []
    for steps in ([g[0], g[2]], [g[0], None, g[2]]):
        p = student.probe("parameter")(start)
        drive(made(student, kind, [p]), [p], [steps])
        expect_moved("the parameter", p, start)
        places.append(p.data)
    if not np.isfinite(places[0]).all():
        return
    form = form_of(student, kind)
    legal = [change(kind, g[[0, 2]], **settings, **form)]
    if kind == "Adam":  # one count of steps for the whole optimizer is legal too
        legal.append(change(kind, g[[0, 2]], t=[1, 3], **settings, **form))
    if np.allclose(places[0] - start, legal[0], rtol=1e-6, atol=1e-12):
        received = expect.array("data", places[1], start.shape) - start
        counts_all = np.allclose(received, legal[-1], rtol=1e-6, atol=1e-12)
        label = "change of the parameter that was skipped once"
        expect.close(label, received, legal[-1] if counts_all else legal[0], atol=1e-12)


@each
def test_gradients_stay_as_they_were(student, rng, kind):
    """step changes no gradient, over several steps with the same ones."""
    params, starts = parameters(student, rng)
    gradients = [g[0] for g in same_gradients(rng, 1, starts)]
    kept = [student.keep(gradient) for gradient in gradients]
    for p, gradient in zip(params, kept, strict=True):
        p.grad = gradient
    optimizer = made(student, kind, params)
    for _ in range(3):
        optimizer.step()
    for p, handle, gradient in zip(params, kept, gradients, strict=True):
        expect.unchanged("grad", gradient, student.fetch(handle))
        expect.unchanged("grad", gradient, p.grad)
    for number, (p, start) in enumerate(zip(params, starts, strict=True)):
        expect_moved(f"parameter {number}", p, start)


@each
def test_keeps_no_gradients_array(student, rng, kind):
    """An array that held a gradient may be written into after the step: nobody holds on to it."""
    params, starts = parameters(student, rng)
    gradients = same_gradients(rng, 2, starts)
    first = [student.keep(g[0]) for g in gradients]
    for p, gradient in zip(params, first, strict=True):
        p.grad = gradient
    optimizer = made(student, kind, params)
    optimizer.step()
    for p, g in zip(params, gradients, strict=True):
        p.overwrite(np.full_like(g[0], HUGE))
        p.grad = g[1]
    optimizer.step()
    for number, (p, start) in enumerate(zip(params, starts, strict=True)):
        expect_moved(f"parameter {number}", p, start)
        received = p.data
        far = bool((np.abs(received - start) > FAR).any())
        message = (
            "what was written into the array of an earlier gradient has come into a later step."
        )
        expect.that(f"data of parameter {number}", not far, message)


@each
def test_data_may_be_replaced(student, rng, kind):
    """Where a parameter's data is replaced from outside, steps go on from there."""
    params, starts = parameters(student, rng)
    gradients = same_gradients(rng, 3, starts)
    optimizer = made(student, kind, params)
    drive(optimizer, params, [g[:2] for g in gradients])
    places = [2 * FAR + rng.normal(size=start.shape) for start in starts]
    for p, place in zip(params, places, strict=True):
        p.data = place
    drive(optimizer, params, [g[2:] for g in gradients])
    for number, (p, place) in enumerate(zip(params, places, strict=True)):
        expect_moved(f"parameter {number}, since it was replaced", p, place)
        far = bool((np.abs(p.data - place) > FAR).any())
        message = "the step did not start from the new data."
        expect.that(f"data of parameter {number}", not far, message)


@each
def test_float32_stays_float32(student, rng, kind):
    """float32 parameters with float32 gradients stay float32."""
    start = rng.normal(size=(2, 3)).astype(np.float32)
    g = np.abs(gradients_of(rng, 10, (2, 3))).astype(np.float32)
    p = student.probe("parameter")(start)
    drive(made(student, kind, [p]), [p], [g])
    expect_moved("the parameter", p, start)
    expect.dtype("data", p.data, np.float32)


def test_zero_grad_without_gradients(student, rng):
    """zero_grad may be called where some parameters have no gradient yet, and steps go on."""
    params, starts = parameters(student, rng)
    optimizer = make(student, "SGD", params, {"lr": 0.1})
    params[2].grad = np.ones(starts[2].shape)
    optimizer.zero_grad()
    drive(optimizer, params, same_gradients(rng, 1, starts))
    for number, (p, start) in enumerate(zip(params, starts, strict=True)):
        expect_moved(f"parameter {number}", p, start)


BAD_SETTINGS = {
    "SGD": [],
    "SGDMomentum": [{"momentum": 1.0}, {"momentum": -0.1}],
    "RMSprop": [{"beta": 1.0}, {"beta": -0.1}, {"epsilon": 0.0}],
    "Adam": [{"beta1": 1.0}, {"beta2": 1.0}, {"beta1": -0.1}, {"beta2": -0.1}, {"epsilon": -1.0}],
}


@each
def test_refuses_bad_settings(student, rng, kind):
    """Settings out of their range raise a ValueError; with good ones, parameters move."""
    params, starts = parameters(student, rng)
    for bad in [{"lr": 0.0}, {"lr": -0.1}, {"lr": float("nan")}, *BAD_SETTINGS[kind]]:
        label = f"{kind} with {', '.join(f'{name} {value}' for name, value in bad.items())}"
        settings = {"lr": 0.1, **bad}
        expect.raises(label, lambda s=settings: make(student, kind, params, s), "ValueError")
    no_parameters = lambda: make(student, kind, [], {"lr": 0.1})  # noqa: E731
    expect.raises(f"{kind} without parameters", no_parameters, "ValueError")
    drive(made(student, kind, params), params, same_gradients(rng, 2, starts))
    for number, (p, start) in enumerate(zip(params, starts, strict=True)):
        expect_moved(f"parameter {number}", p, start)
