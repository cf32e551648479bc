"""Hidden tests of optimizers.py, against formulas written as sums over all steps so far.

What is compared is the change of a parameter's data, so that small steps are looked at as closely
as large ones. Gradients keep away from 0, where every detail of a quotient would show at once;
epsilon has tests of its own. Whether data is replaced or changed in place makes no difference.
Where plain steps are wrong already, tests of something else look at that alone.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .optimizer_paths import (
    ITEMS,
    SETTINGS,
    change,
    drive,
    expect_change,
    expect_changes,
    form_of,
    gradients_of,
    make,
    parameters,
)
from .optimizer_sides import (
    expect_own_steps,
    expect_rates_count,
    expect_scale_cancels,
    expect_settings_count,
    expect_stays,
    plain_steps_fit,
)

OPTIONS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.02}),
    ("SGDMomentum", {"lr": 0.05}),
    ("SGDMomentum", {"lr": 0.1, "momentum": 0.5}),
    ("SGDMomentum", {"lr": 0.2, "momentum": 0.0}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.05, "beta": 0.8, "epsilon": 0.1}),
    ("Adam", {"lr": 1e-3}),
    ("Adam", {"lr": 0.05, "beta1": 0.7, "beta2": 0.95, "epsilon": 0.1}),
]


def case(kind, options, name, weight=1):
    marks = [pytest.mark.item(ITEMS[kind]), pytest.mark.weight(weight)]
    return pytest.param(kind, options, marks=marks, id=name)


each = pytest.mark.parametrize(
    ("kind", "settings"), [case(kind, settings, kind) for kind, settings in SETTINGS.items()]
)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        case(kind, settings, f"{kind}-{place}", 2 if kind in ("SGD", "RMSprop") else 1)
        for place, (kind, settings) in enumerate(OPTIONS)
    ],
)
def test_path(student, rng, kind, settings):
    """After 2, 10 and 100 steps, parameters of several shapes are where the formulas lead them."""
    form = form_of(student, kind)
    for given in (settings, *beside(settings)):
        params, starts = parameters(student, rng)
        gradients = [gradients_of(rng, 100, start.shape) for start in starts]
        optimizer = make(student, kind, params, given)
        for before, after in ((0, 2), (2, 10), (10, 100)):
            drive(optimizer, params, [g[before:after] for g in gradients])
            so_far = [g[:after] for g in gradients]
            expect_changes(params, starts, so_far, kind, **given, **form)


def beside(settings):
    """Return other settings beside a momentum of 0, with which gradient descent would be right."""
    return [{**settings, "momentum": 0.7}] if settings.get("momentum") == 0.0 else []


@each
def test_arguments(student, rng, kind, settings):
    """The constructor takes its arguments by name and, in the same order, by position."""
    if not plain_steps_fit(student, kind):
        expect_settings_count(student, kind)
        return
    form = form_of(student, kind)
    for way in ("by name", "by position"):
        params, starts = parameters(student, rng)
        gradients = [gradients_of(rng, 3, start.shape) for start in starts]
        optimizer_class = getattr(student.optimizers, kind)
        if way == "by name":
            optimizer = optimizer_class(parameters=params, **settings)
        else:
            optimizer = optimizer_class(params, *settings.values())
        drive(optimizer, params, gradients)
        expect_changes(params, starts, gradients, kind, **settings, **form)


@each
def test_learning_rate_may_change(student, rng, kind, settings):
    """Every step uses the learning rate that the optimizer has at that moment."""
    if not plain_steps_fit(student, kind):
        expect_rates_count(student, kind)
        return
    form = form_of(student, kind)
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, 5, start.shape) for start in starts]
    rates = [0.1, 0.1, 0.02, 0.5, 0.0]
    drive(make(student, kind, params, settings), params, gradients, rates)
    expect_changes(params, starts, gradients, kind, **{**settings, "lr": rates}, **form)


@each
def test_two_optimizers_share_nothing(student, rng, kind, settings):
    """Parameters with equal shapes and values are still different ones, and so are optimizers."""
    start = rng.normal(size=(2, 2))
    params = [student.probe("parameter")(start) for _ in range(4)]
    pairs = params[:2], params[2:]
    optimizers = [make(student, kind, pair, settings) for pair in pairs]
    gradients = [gradients_of(rng, 3, start.shape) for _ in params]
    for step in range(3):
        for optimizer, pair, g in zip(
            optimizers, pairs, (gradients[:2], gradients[2:]), strict=True
        ):
            drive(optimizer, pair, [of_steps[step : step + 1] for of_steps in g])
    if plain_steps_fit(student, kind):
        form = form_of(student, kind)
        expect_changes(params, [start] * 4, gradients, kind, **settings, **form)
    else:
        expect_own_steps(student, kind, params, start, gradients)


@pytest.mark.item("week3.sgd")
def test_zero_grad(student, rng):
    """After zero_grad all gradients are zeros (or None), the data is unmoved, and steps go on."""
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, 2, start.shape) for start in starts]
    optimizer = make(student, "SGD", params, {"lr": 0.1})
    drive(optimizer, params, [g[:1] for g in gradients])
    before = [
        expect.array("data", p.data, start.shape) for p, start in zip(params, starts, strict=True)
    ]
    optimizer.zero_grad()
    for number, (p, start) in enumerate(zip(params, starts, strict=True)):
        grad = p.grad
        if type(grad) in (int, float):
            grad = np.full(start.shape, float(grad))
        if grad is not None:
            label = f"grad of parameter {number} after zero_grad"
            expect.close(label, grad, np.zeros(start.shape), atol=0.0)
        # Where the step before it leads is asked by the tests of the path, and below.
        expect.repeated(f"data of parameter {number}", before[number], p.data, rtol=0, atol=0)
    drive(optimizer, params, [g[1:] for g in gradients])
    if plain_steps_fit(student, "SGD"):
        expect_changes(params, starts, gradients, "SGD", lr=0.1)
        return
    for number, (p, place) in enumerate(zip(params, before, strict=True)):
        moved = not np.array_equal(expect.array("data", p.data, place.shape), place)
        expect.that(f"parameter {number}", moved, "it has not moved since zero_grad.")


# What theory says, and what belongs to one optimizer only.


def descend(optimizer, p, curvature, steps):
    """Minimise sum(curvature x^2) / 2; return the data after every step, the start included."""
    path = [expect.array("data", p.data, curvature.shape)]
    for _ in range(steps):
        p.grad = curvature * path[-1]
        optimizer.step()
        path.append(expect.array("data", p.data, curvature.shape))
    return np.array(path)


@pytest.mark.item("week3.sgd")
def test_convergence_of_sgd(student, rng):
    """On a quadratic, SGD multiplies every coordinate by 1 - lr curvature per step."""
    curvature, start = np.array([[1.0, 4.0, 9.0]]), rng.uniform(1.0, 2.0, (1, 3))
    p = student.probe("parameter")(start)
    path = descend(student.optimizers.SGD([p], 0.19), p, curvature, 20)
    expected = start * (1 - 0.19 * curvature) ** 20
    expect.close("data after 20 steps on a quadratic", path[-1], expected, atol=1e-15)


def momentum_path(start, curvature, lr, momentum, steps):
    """Return where momentum leads on that quadratic, after every step, the start included."""
    path, v = [start], np.zeros_like(start)
    for _ in range(steps):
        v = momentum * v + curvature * path[-1]
        path.append(path[-1] - lr * v)
    return np.array(path)


@pytest.mark.long
@pytest.mark.item("week3.momentum")
def test_convergence_of_momentum(student, rng):
    """In a ravine, the best lr and momentum shrink the distance by sqrt(momentum) per step."""
    curvature, start = np.array([1.0, 25.0]), rng.uniform(1.0, 2.0, 2)
    p = student.probe("parameter")(start)
    optimizer = student.optimizers.SGDMomentum([p], (2 / 6) ** 2, (4 / 6) ** 2)
    path = descend(optimizer, p, curvature, 300)
    wanted = momentum_path(start, curvature, (2 / 6) ** 2, (4 / 6) ** 2, 30)
    expect.close("data in the first 30 steps", path[:31], wanted, atol=1e-12)
    distance = np.linalg.norm(path, axis=1)
    expect.that("distance", bool(distance[100] > 0), "the minimum is reached to the last digit")
    rate = float((distance[300] / distance[100]) ** (1 / 200))
    expect.close("factor of the distance per step, steps 100 to 300", rate, 4 / 6, rtol=0.02)


adaptive = pytest.mark.parametrize(
    ("kind", "decay"),
    [
        pytest.param("RMSprop", {"beta": 0.9}, marks=pytest.mark.item("week3.rmsprop"), id="rms"),
        pytest.param(
            "Adam", {"beta1": 0.8, "beta2": 0.9}, marks=pytest.mark.item("week3.adam"), id="adam"
        ),
    ],
)


@adaptive
def test_size_of_gradients_cancels(student, rng, kind, decay):
    """Gradients a million times larger lead along the same path: only their ratios count."""
    form, settings = form_of(student, kind), {"lr": 0.01, "epsilon": 1e-14, **decay}
    start, g = rng.normal(size=(4,)), gradients_of(rng, 5, (4,))
    scales = np.array([1e-3, 1.0, 1e3, 1e6])
    if not plain_steps_fit(student, kind):
        expect_scale_cancels(student, kind, g, scales, settings)
        return
    g *= scales
    p = student.probe("parameter")(start)
    drive(make(student, kind, [p], settings), [p], [g])
    expected = change(kind, g, **settings, **form)
    expect_change("entries with gradients of very different size", p, start, expected)


@adaptive
@pytest.mark.weight(2)
def test_gradients_as_small_as_epsilon(student, rng, kind, decay):
    """Gradients as small as epsilon are held back by it, inside the root more than outside."""
    form, settings = form_of(student, kind), {"lr": 0.01, **decay}
    start, g = np.zeros(4), 1e-8 * gradients_of(rng, 3, (4,))
    p = student.probe("parameter")(start)
    drive(make(student, kind, [p], settings), [p], [g])
    expected = change(kind, g, **settings, **form)
    expect_change("entries with gradients as small as epsilon", p, start, expected)


@adaptive
def test_gradients_of_zero(student, rng, kind, decay):
    """Entries whose gradients are all 0 stay where they are, without NaN."""
    form, settings = form_of(student, kind), {"lr": 0.01, **decay}
    start, g = rng.normal(size=(4,)), gradients_of(rng, 3, (4,))
    g[:, 1:3] = 0.0
    p = student.probe("parameter")(start)
    drive(make(student, kind, [p], settings), [p], [g])
    if not plain_steps_fit(student, kind):
        expect_stays(p, start, g[0] == 0.0)
        return
    expected = change(kind, g, **settings, **form)
    expect_change("the parameter, whose gradient is 0 in places", p, start, expected)


def five_and_one(gradient):
    """Return five times the same gradient, and another one."""
    return np.vstack([np.tile(gradient, (5, 1)), -0.3 * gradient[::-1]])


def constant_path(student, kind, gradient, **options):
    """Return the change of a parameter after each of the steps of five_and_one."""
    p, changes = student.probe("parameter")(np.zeros_like(gradient)), []
    optimizer = make(student, kind, [p], options)
    for g in five_and_one(gradient):
        drive(optimizer, [p], [g[np.newaxis]])
        changes.append(expect.array("data", p.data, gradient.shape))
    return np.array(changes)


@pytest.mark.item("week3.rmsprop")
def test_steps_of_rmsprop_with_a_constant_gradient(student):
    """With a constant gradient, RMSprop's k-th step is lr / sqrt(1 - beta^k) long."""
    g, settings = np.array([0.5, -20.0, 3.0]), {"lr": 0.01, "beta": 0.9, "epsilon": 1e-12}
    received = constant_path(student, "RMSprop", g, **settings)
    lengths = 0.01 / np.sqrt(1 - 0.9 ** np.arange(1, 6))
    expected = -np.outer(np.cumsum(lengths), np.sign(g))
    expect.close("change after each of 5 steps", received[:5], expected)
    expected = change("RMSprop", five_and_one(g), **settings)
    expect.close("change after another gradient", received[5], expected)


@pytest.mark.item("week3.adam")
@pytest.mark.weight(2)
def test_steps_of_adam_with_a_constant_gradient(student):
    """With a constant gradient, Adam moves by lr in every step, from the first one on."""
    g, settings = np.array([0.5, -20.0, 3.0]), {"lr": 0.01, "epsilon": 1e-12}
    received = constant_path(student, "Adam", g, **settings)
    expected = -np.outer(0.01 * np.arange(1, 6), np.sign(g))
    expect.close("change after each of 5 steps", received[:5], expected)
    expected = change("Adam", five_and_one(g), **settings)
    expect.close("change after another gradient", received[5], expected)
