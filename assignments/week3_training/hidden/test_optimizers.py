"""Hidden tests of optimizers.py, against formulas written as sums over all steps so far.

What is compared is the change of a parameter's data, so that small steps are looked at as closely
as large ones. Gradients keep away from 0, where every detail of a quotient would show at once;
eps has tests of its own. Whether data is replaced or changed in place makes no difference.
"""

import numpy as np
import pytest

from autograder.suite import expect

SHAPES = ((2, 4), (2, 4), (3,), (1,))

# First the formulas. The gradients of all steps are one array, steps along the first axis.


def faded(keep, values):
    """Return for every step k the sum of keep^(k - i) values[i] over the steps i up to k."""
    age = np.subtract.outer(np.arange(len(values)), np.arange(len(values)))
    return np.tensordot(np.where(age >= 0, float(keep) ** np.abs(age), 0.0), values, axes=1)


def momentum(g, beta=0.9):
    """Return the directions of gradient descent with momentum: the velocities."""
    return faded(beta, g)


def rmsprop(g, alpha=0.99, eps=1e-8):
    """Return the directions of RMSprop."""
    return g / (np.sqrt((1 - alpha) * faded(alpha, g**2)) + eps)


def adam(g, betas=(0.9, 0.999), eps=1e-8, t=None):
    """Return the directions of Adam; `t` numbers the steps, 1, 2, 3, ... if not given."""
    t = np.arange(1, len(g) + 1) if t is None else np.array(t)
    t = t.reshape(-1, *[1] * (g.ndim - 1))
    m_hat = (1 - betas[0]) * faded(betas[0], g) / (1 - betas[0] ** t)
    v_hat = (1 - betas[1]) * faded(betas[1], g**2) / (1 - betas[1] ** t)
    return m_hat / (np.sqrt(v_hat) + eps)


def change(kind, start, g, lr, **options):
    """Return how far a parameter moves from `start`; `lr` is one number, or one for each step."""
    rates = np.broadcast_to(lr, len(g))
    if kind == "SGD":
        x = start
        for rate, gradient in zip(rates, g, strict=True):
            x = (1 - rate * options.get("weight_decay", 0.0)) * x - rate * gradient
        return x - start
    rule = {"SGDMomentum": momentum, "RMSprop": rmsprop, "Adam": adam}[kind]
    return -np.tensordot(rates, rule(g, **options), axes=1)


def gradients_of(rng, steps, shape):
    """Return gradients of several steps, of either sign and with sizes from 0.5 to 2."""
    size = rng.uniform(0.5, 2.0, (steps, *shape))
    return np.where(rng.random(size.shape) < 0.5, -size, size)


def parameters(student, rng):
    """Return made-up parameters of several shapes, and their data."""
    starts = [rng.normal(size=shape) for shape in SHAPES]
    return [student.probe("parameter")(start) for start in starts], starts


def drive(optimizer, params, gradients, rates=None):
    """Do one step for each of the gradients, one array (or list) per parameter; set new rates."""
    for step in range(len(gradients[0])):
        if rates is not None and rates[step] not in rates[max(step - 1, 0) : step]:
            optimizer.lr = rates[step]
        for p, of_steps in zip(params, gradients, strict=True):
            p.grad = of_steps[step]
        optimizer.step()


def expect_change(label, p, start, *expected):
    """The data has changed by the first of the `expected`, or by another one that is legal too."""
    received = expect.array(f"data of {label}", p.data, start.shape) - start
    for other in expected[1:]:
        if np.allclose(received, other, rtol=1e-6, atol=1e-12):
            return
    expect.close(f"change of {label}", received, expected[0], atol=1e-12)


def expect_changes(params, starts, gradients, kind, **options):
    """All parameters have moved as the formula of `kind` says."""
    for number, (p, start, g) in enumerate(zip(params, starts, gradients, strict=True)):
        label = f"parameter {number} after {len(g)} step{'s' * (len(g) > 1)}"
        expect_change(label, p, start, change(kind, start, g, **options))


ITEMS = {
    "SGD": ("week3.sgd", {"lr": 0.1, "weight_decay": 0.4}),
    "SGDMomentum": ("week3.momentum", {"lr": 0.1, "beta": 0.6}),
    "RMSprop": ("week3.rmsprop", {"lr": 0.05, "alpha": 0.7, "eps": 0.2}),
    "Adam": ("week3.adam", {"lr": 0.05, "betas": (0.6, 0.8), "eps": 0.2}),
}

OPTIONS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.02, "weight_decay": 0.5}),
    ("SGDMomentum", {"lr": 0.05}),
    ("SGDMomentum", {"lr": 0.1, "beta": 0.5}),
    ("SGDMomentum", {"lr": 0.2, "beta": 0.0}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.8, "eps": 0.1}),
    ("Adam", {"lr": 1e-3}),
    ("Adam", {"lr": 0.05, "betas": (0.7, 0.95), "eps": 0.1}),
]


def case(kind, options, name):
    return pytest.param(kind, options, marks=pytest.mark.item(ITEMS[kind][0]), id=name)


each = pytest.mark.parametrize(
    ("kind", "options"), [case(kind, options, kind) for kind, (_, options) in ITEMS.items()]
)


def make(student, kind, params, options):
    return getattr(student.optimizers, kind)(params, **options)


@pytest.mark.long
@pytest.mark.parametrize("steps", [2, 10, 100])
@pytest.mark.parametrize(
    ("kind", "options"),
    [case(kind, options, f"{kind}-{number}") for number, (kind, options) in enumerate(OPTIONS)],
)
def test_path(student, rng, kind, options, steps):
    """After 2, 10 and 100 steps, parameters of several shapes are where the formulas lead them."""
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, steps, start.shape) for start in starts]
    drive(make(student, kind, params, options), params, gradients)
    expect_changes(params, starts, gradients, kind, **options)


@each
def test_skips_parameters_without_gradient(student, rng, kind, options):
    """A parameter whose grad is None is skipped: it stays where it is, and the others move."""
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, 3, start.shape) for start in starts]
    drive(make(student, kind, params, options), params, [[None] * 3, *gradients[1:]])
    expect.equal("data of the parameter without gradient", params[0].data, starts[0])
    expect_changes(params[1:], starts[1:], gradients[1:], kind, **options)


@each
def test_skipping_a_step_changes_no_memory(student, rng, kind, options):
    """A parameter that was skipped once goes on as if that step had not been."""
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, 3, start.shape) for start in starts]
    now_and_then = [gradients[0][0], None, gradients[0][2]]
    drive(make(student, kind, params, options), params, [now_and_then, *gradients[1:]])
    legal = [change(kind, starts[0], gradients[0][[0, 2]], **options)]
    if kind == "Adam":  # one count of steps for the whole optimizer is legal too
        legal.append(change(kind, starts[0], gradients[0][[0, 2]], t=[1, 3], **options))
    expect_change("the parameter that was skipped once", params[0], starts[0], *legal)


@each
def test_gradients_stay_as_they_were(student, rng, kind, options):
    """step changes no gradient, over several steps with the same ones."""
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, 1, start.shape)[0] for start in starts]
    kept = [student.keep(gradient) for gradient in gradients]
    for p, gradient in zip(params, kept, strict=True):
        p.grad = gradient
    optimizer = make(student, kind, params, options)
    for _ in range(3):
        optimizer.step()
    for p, handle, gradient in zip(params, kept, gradients, strict=True):
        expect.unchanged("grad", gradient, student.fetch(handle))
        expect.unchanged("grad", gradient, p.grad)
    repeated = [np.stack([gradient] * 3) for gradient in gradients]
    expect_changes(params, starts, repeated, kind, **options)


@each
def test_gradients_may_be_overwritten(student, rng, kind, options):
    """The next gradient may be written into the same array: no optimizer may hold on to it."""
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, 4, start.shape) for start in starts]
    for p, g in zip(params, gradients, strict=True):
        p.grad = g[0]
    optimizer = make(student, kind, params, options)
    optimizer.step()
    for step in (1, 2, 3):
        for p, g in zip(params, gradients, strict=True):
            p.overwrite(g[step])
        optimizer.step()
    expect_changes(params, starts, gradients, kind, **options)


@each
def test_learning_rate_may_change(student, rng, kind, options):
    """Every step uses the learning rate that the optimizer has at that moment."""
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, 5, start.shape) for start in starts]
    rates = [0.1, 0.1, 0.02, 0.5, 0.0]
    drive(make(student, kind, params, options), params, gradients, rates)
    expect_changes(params, starts, gradients, kind, **{**options, "lr": rates})


@each
def test_two_optimizers_share_nothing(student, rng, kind, options):
    """Parameters with equal shapes and values are still different ones, and so are optimizers."""
    start = rng.normal(size=(2, 2))
    params = [student.probe("parameter")(start) for _ in range(4)]
    pairs = params[:2], params[2:]
    optimizers = [make(student, kind, pair, options) for pair in pairs]
    gradients = [gradients_of(rng, 3, start.shape) for _ in params]
    for step in range(3):
        for optimizer, pair, g in zip(
            optimizers, pairs, (gradients[:2], gradients[2:]), strict=True
        ):
            drive(optimizer, pair, [of_steps[step : step + 1] for of_steps in g])
    expect_changes(params, [start] * 4, gradients, kind, **options)


@each
def test_data_may_be_replaced(student, rng, kind, options):
    """Where a parameter's data is replaced from outside, steps go on from there."""
    options = {name: value for name, value in options.items() if name != "weight_decay"}
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, 4, start.shape) for start in starts]
    optimizer = make(student, kind, params, options)
    drive(optimizer, params, [g[:2] for g in gradients])
    elsewhere = [10 + rng.normal(size=start.shape) for start in starts]
    for p, place in zip(params, elsewhere, strict=True):
        p.data = place
    drive(optimizer, params, [g[2:] for g in gradients])
    for number, (p, place, g) in enumerate(zip(params, elsewhere, gradients, strict=True)):
        later = change(kind, place, g, **options) - change(kind, place, g[:2], **options)
        expect_change(f"parameter {number} since its data was replaced", p, place, later)


@each
def test_float32_stays_float32(student, rng, kind, options):
    """float32 parameters with float32 gradients stay float32, and move as far as float64 ones."""
    start, g = rng.normal(size=(2, 3)), gradients_of(rng, 10, (2, 3))
    p = student.probe("parameter")(start.astype(np.float32))
    drive(make(student, kind, [p], options), [p], [g.astype(np.float32)])
    received = expect.array("data", p.data, start.shape) - start
    expected = change(kind, start, g, **options)
    expect.close("change of the parameter", received, expected, rtol=1e-4, atol=1e-5)
    expect.dtype("data", p.data, np.float32)


@each
def test_zero_grad(student, rng, kind, options):
    """After zero_grad all gradients are None, and a step moves nothing."""
    params, starts = parameters(student, rng)
    gradients = [gradients_of(rng, 2, start.shape) for start in starts]
    optimizer = make(student, kind, params, options)
    drive(optimizer, params, gradients)
    optimizer.zero_grad()
    for p in params:
        expect.equal("grad", p.grad, None)
    optimizer.step()
    expect_changes(params, starts, gradients, kind, **options)


BAD_SETTINGS = {
    "SGD": [(0.1, -0.5)],
    "SGDMomentum": [(0.1, 1.0), (0.1, -0.1)],
    "RMSprop": [(0.1, 1.0), (0.1, -0.1), (0.1, 0.9, 0.0)],
    "Adam": [(0.1, (1.0, 0.9)), (0.1, (0.9, 1.0)), (0.1, (-0.1, 0.9)), (0.1, (0.9, 0.9), -1.0)],
}


@each
def test_refuses_bad_settings(student, rng, kind, options):
    """Settings out of their range raise a ValueError; a good optimizer then moves as it should."""
    params, starts = parameters(student, rng)
    make_one = getattr(student.optimizers, kind)
    for settings in [(0.0,), (-0.1,), (float("nan"),), *BAD_SETTINGS[kind]]:
        label = f"{kind}(params, {', '.join(map(str, settings))})"
        expect.raises(label, make_one, "ValueError", params, *settings)
    expect.raises(f"{kind}([], 0.1)", make_one, "ValueError", [], 0.1)
    gradients = [gradients_of(rng, 2, start.shape) for start in starts]
    drive(make(student, kind, params, options), params, gradients)
    expect_changes(params, starts, gradients, kind, **options)


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
    """On a quadratic, SGD multiplies every coordinate by 1 - lr (curvature + decay) per step."""
    curvature, start = np.array([[1.0, 4.0, 9.0]]), rng.uniform(1.0, 2.0, (1, 3))
    for weight_decay in (0.0, 0.5):
        p = student.probe("parameter")(start)
        optimizer = student.optimizers.SGD([p], 0.19, weight_decay)
        path = descend(optimizer, p, curvature, 20)
        expected = start * (1 - 0.19 * (curvature + weight_decay)) ** 20
        label = f"data after 20 steps on a quadratic, weight_decay {weight_decay}"
        expect.close(label, path[-1], expected, atol=1e-15)


@pytest.mark.long
@pytest.mark.item("week3.momentum")
def test_convergence_of_momentum(student, rng):
    """In a ravine, the best lr and beta let the distance shrink by sqrt(beta) per step."""
    curvature, start = np.array([1.0, 25.0]), rng.uniform(1.0, 2.0, 2)
    p = student.probe("parameter")(start)
    optimizer = student.optimizers.SGDMomentum([p], (2 / 6) ** 2, (4 / 6) ** 2)
    path = descend(optimizer, p, curvature, 300)
    distance = np.linalg.norm(path, axis=1)
    expect.that("distance", bool(distance[100] > 0), "the minimum is reached to the last digit")
    rate = float((distance[300] / distance[100]) ** (1 / 200))
    expect.close("factor of the distance per step, steps 100 to 300", rate, 4 / 6, rtol=0.02)


adaptive = pytest.mark.parametrize(
    ("kind", "decay"),
    [
        pytest.param("RMSprop", {"alpha": 0.9}, marks=pytest.mark.item("week3.rmsprop"), id="rms"),
        pytest.param(
            "Adam", {"betas": (0.8, 0.9)}, marks=pytest.mark.item("week3.adam"), id="adam"
        ),
    ],
)


@adaptive
def test_size_of_gradients_cancels(student, rng, kind, decay):
    """Gradients a million times larger lead along the same path: only their ratios count."""
    start, g = rng.normal(size=(4,)), gradients_of(rng, 5, (4,))
    g *= np.array([1e-3, 1.0, 1e3, 1e6])
    p = student.probe("parameter")(start)
    drive(make(student, kind, [p], {"lr": 0.01, "eps": 1e-14, **decay}), [p], [g])
    expected = change(kind, start, g, lr=0.01, eps=1e-14, **decay)
    expect_change("entries with gradients of very different size", p, start, expected)


@adaptive
@pytest.mark.weight(2)
def test_gradients_as_small_as_eps(student, rng, kind, decay):
    """eps is added to the root, not inside it: gradients as small as eps show the difference."""
    start, g = np.zeros(4), 1e-8 * gradients_of(rng, 3, (4,))
    p = student.probe("parameter")(start)
    drive(make(student, kind, [p], {"lr": 0.01, **decay}), [p], [g])
    expected = change(kind, start, g, lr=0.01, **decay)
    expect_change("entries with gradients as small as eps", p, start, expected)


@adaptive
def test_gradients_of_zero(student, rng, kind, decay):
    """Entries whose gradients are all 0 stay, without NaN and without a warning."""
    start, g = rng.normal(size=(4,)), gradients_of(rng, 3, (4,))
    g[:, 1:3] = 0.0
    p = student.probe("parameter")(start)
    drive(make(student, kind, [p], {"lr": 0.01, **decay}), [p], [g])
    expected = change(kind, start, g, lr=0.01, **decay)
    expect_change("the parameter, whose gradient is 0 in places", p, start, expected)
    warned = [text for text in student.warnings() if "RuntimeWarning" in text]
    expect.that("warnings", not warned, f"your code warned: {'; '.join(warned)}")


def constant_path(student, kind, gradient, **options):
    """Return the change of a parameter after each of five steps with the same gradient."""
    p, changes = student.probe("parameter")(np.zeros_like(gradient)), []
    optimizer = make(student, kind, [p], options)
    for _ in range(5):
        drive(optimizer, [p], [gradient[np.newaxis]])
        changes.append(expect.array("data", p.data, gradient.shape))
    return np.array(changes)


@pytest.mark.item("week3.rmsprop")
def test_steps_of_rmsprop_with_a_constant_gradient(student):
    """With a constant gradient, RMSprop's k-th step is lr / sqrt(1 - alpha^k) long."""
    g = np.array([0.5, -20.0, 3.0])
    received = constant_path(student, "RMSprop", g, lr=0.01, alpha=0.9, eps=1e-12)
    lengths = 0.01 / np.sqrt(1 - 0.9 ** np.arange(1, 6))
    expected = -np.outer(np.cumsum(lengths), np.sign(g))
    expect.close("change after each of 5 steps", received, expected)


@pytest.mark.item("week3.adam")
@pytest.mark.weight(2)
def test_steps_of_adam_with_a_constant_gradient(student):
    """With a constant gradient, Adam moves by lr in every step, from the first one on."""
    g = np.array([0.5, -20.0, 3.0])
    received = constant_path(student, "Adam", g, lr=0.01, eps=1e-12)
    expected = -np.outer(0.01 * np.arange(1, 6), np.sign(g))
    expect.close("change after each of 5 steps", received, expected)
