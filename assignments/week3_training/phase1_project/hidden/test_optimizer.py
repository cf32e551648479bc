"""Hidden tests of optimizers.py: Adam on tensors, against its formula in NumPy, in float64."""

import numpy as np
import pytest

from autograder.suite import expect

from . import lists

pytestmark = pytest.mark.item("project.optimizer")

NEAR = {"rtol": 1e-6, "atol": 1e-9}
SHAPES = [(3, 2), (4,), (2, 1, 2)]
BOTH = pytest.mark.parametrize("decoupled", [True, False], ids=["decoupled", "penalty"])


def starts_of(rng):
    return [rng.normal(size=shape) for shape in SHAPES]


def gradients_of(rng, steps):
    """Return gradients for each step and parameter, whose sizes differ from entry to entry."""
    return [
        [rng.normal(size=s) * 10.0 ** rng.uniform(-2, 1, s) for s in SHAPES] for _ in range(steps)
    ]


def adam(
    start,
    gradients,
    lr=1e-3,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    decoupled=True,
    rates=None,
):
    """Return a parameter after 0, 1, ... steps; a gradient that is None is skipped."""
    p, m, v, t = np.array(start, dtype=np.float64), 0.0, 0.0, 0
    path = [p]
    for step, g in enumerate(gradients):
        if g is not None:
            rate = lr if rates is None else rates[step]
            t += 1
            g = g if decoupled else g + weight_decay * p
            m = betas[0] * m + (1 - betas[0]) * g
            v = betas[1] * v + (1 - betas[1]) * g**2
            shrunk = p - rate * weight_decay * p if decoupled else p
            root = np.sqrt(v / (1 - betas[1] ** t)) + eps
            p = shrunk - rate * m / (1 - betas[0] ** t) / root
        path.append(p)
    return np.array(path)


def optimize(student, starts, gradients, options, *more):
    """Return the path of each parameter."""
    make = student.optimizers.Adam
    found = student.drive("optimize", make, starts, gradients, options, *more)
    expect.equal("parameters are leaves, and keep the gradients given", found["same"], True)
    steps = len(gradients) + 1
    return [
        expect.array(f"path of parameter {n}", path, (steps, *start.shape))
        for n, (path, start) in enumerate(zip(found["path"], starts, strict=True))
    ]


def expect_paths(received, starts, gradients, near=NEAR, **options):
    """Compare how far every parameter has come after each step."""
    for n, (path, start) in enumerate(zip(received, starts, strict=True)):
        wanted = adam(start, [given[n] for given in gradients], **options)
        expect.close(f"parameter {n} after each step", path, wanted, **near)


@pytest.mark.weight(3)
def test_twenty_steps(student, rng):
    """Twenty steps of Adam without weight decay lead where the formula leads."""
    starts, gradients = starts_of(rng), gradients_of(rng, 20)
    options = {"lr": 0.05, "betas": (0.8, 0.95)}
    expect_paths(optimize(student, starts, gradients, options), starts, gradients, **options)


@pytest.mark.weight(2)
@BOTH
def test_weight_decay(student, rng, decoupled):
    """Weight decay in both forms: apart from the gradient (AdamW), and added to it."""
    starts, gradients = starts_of(rng), gradients_of(rng, 20)
    options = {"lr": 0.05, "weight_decay": 0.3, "decoupled": decoupled}
    expect_paths(optimize(student, starts, gradients, options), starts, gradients, **options)


def test_defaults(student, rng):
    """lr 1e-3, betas (0.9, 0.999), eps 1e-8 and no weight decay; decoupled where there is some."""
    starts, gradients = starts_of(rng), gradients_of(rng, 5)
    expect_paths(optimize(student, starts, gradients, {}), starts, gradients)
    options = {"weight_decay": 5.0}
    expect_paths(optimize(student, starts, gradients, options), starts, gradients, **options)


def test_eps(student, rng):
    """eps is added to the root after the correction, not inside it."""
    starts, gradients = starts_of(rng), gradients_of(rng, 4)
    options = {"lr": 0.1, "eps": 0.5}
    expect_paths(optimize(student, starts, gradients, options), starts, gradients, **options)


def test_gradients_of_zero(student):
    """A gradient of zeros is a gradient: the moments fade, and nothing becomes NaN."""
    starts = [np.array([1.0, -2.0])]
    gradients = [[np.array([0.0, 3.0])], [np.zeros(2)], [np.array([0.0, -1.0])], [np.zeros(2)]]
    options = {"lr": 0.1, "betas": (0.5, 0.75), "weight_decay": 0.2}
    expect_paths(optimize(student, starts, gradients, options), starts, gradients, **options)


@BOTH
def test_parameters_without_gradients(student, rng, decoupled):
    """A parameter whose grad is None is skipped: it stays, and weight decay leaves it alone."""
    starts, gradients = starts_of(rng), gradients_of(rng, 6)
    for step, given in enumerate(gradients):
        given[1] = None
        if step >= 4:
            given[2] = None
    options = {"lr": 0.05, "weight_decay": 0.3, "decoupled": decoupled}
    expect_paths(optimize(student, starts, gradients, options), starts, gradients, **options)


def test_learning_rate_may_change(student, rng):
    """Each step uses the `lr` that the optimizer has at that moment, also for weight decay."""
    starts, gradients = starts_of(rng), gradients_of(rng, 5)
    rates = [0.1, 0.1, 0.02, 0.5, 0.0]
    options = {"lr": 0.1, "weight_decay": 0.4}
    received = optimize(student, starts, gradients, options, rates)
    expect_paths(received, starts, gradients, rates=rates, **options)


def test_attributes(student, rng):
    """lr is the learning rate, params the list of the parameters."""
    params = [student.prepare("tensor", start) for start in starts_of(rng)]
    optimizer = student.optimizers.Adam(params, lr=0.25)
    expect.equal("lr", optimizer.lr, 0.25)
    expect.equal("type of lr", type(optimizer.lr).__name__, "float")
    listed = optimizer.params
    expect.that("params", type(listed) is list, "params should be a list.")
    expect.equal("number of params", len(listed), len(SHAPES))


@pytest.mark.weight(2)
@BOTH
def test_state_dict(student, rng, decoupled):
    """An optimizer that takes over another one's state goes on as that one would have."""
    starts, gradients = starts_of(rng), gradients_of(rng, 12)
    options = {"lr": 0.05, "weight_decay": 0.3, "decoupled": decoupled}
    received = optimize(student, starts, gradients, options, None, 5)
    expect_paths(received, starts, gradients, **options)


def test_state_of_a_new_optimizer(student, rng):
    """A state taken before the first step can be taken over too."""
    starts, gradients = starts_of(rng), gradients_of(rng, 4)
    received = optimize(student, starts, gradients, {"lr": 0.05}, None, 0)
    expect_paths(received, starts, gradients, lr=0.05)


def test_state_dict_is_flat(student, rng):
    """state_dict gives tensors by name, nothing else: a safetensors file takes nothing else."""
    optimizer = student.optimizers.Adam(student.prepare("with_gradients", starts_of(rng)))
    optimizer.step()
    state = student.prepare("state_dict_of", optimizer)
    expect.equal("types in the state dict", student.drive("kinds_in", state), ["Tensor"])
    sizes = [np.size(value) for value in student.drive("stored", state).values()]
    expect.that(
        "state dict",
        sum(sizes) > 2 * sum(np.prod(shape) for shape in SHAPES),
        "it is too small to hold two moments for each entry, and the number of steps.",
    )


def test_state_is_taken_over_as_a_copy(student, rng):
    """What happens to one optimizer later does not reach the other through a state dict."""
    starts, gradients = [np.array([1.0, 2.0])], [[np.array([3.0, -1.0])]] * 6
    found = student.drive(
        "optimize_two", student.optimizers.Adam, starts, gradients, {"lr": 0.05}, 3
    )
    wanted = adam(starts[0], [given[0] for given in gradients], lr=0.05)
    expect.close("the first optimizer's parameter", found[0], wanted[-1], **NEAR)
    expect.close("the second optimizer's parameter", found[1], wanted[-1], **NEAR)


def test_float32_parameters(student, rng):
    """float32 parameters go the same way, and stay float32."""
    starts = [start.astype(np.float32) for start in starts_of(rng)]
    gradients = [[g.astype(np.float32) for g in given] for given in gradients_of(rng, 20)]
    options = {"lr": 0.05, "weight_decay": 0.1}
    received = optimize(student, starts, gradients, options)
    for path in received:
        expect.dtype("parameter", path, np.float32)
    expect_paths(received, starts, gradients, {"rtol": 1e-4, "atol": 1e-4}, **options)


def test_zero_grad(student, rng):
    """zero_grad sets every gradient to None."""
    params = student.prepare("with_gradients", starts_of(rng))
    optimizer = student.optimizers.Adam(params)
    optimizer.zero_grad()
    found = [_kind(gradient) for gradient in student.drive("gradients_in", params)]
    lists.equal("gradients after zero_grad", found, ["None"] * len(SHAPES))


def _kind(gradient):
    """Say what became of a gradient of ones."""
    if gradient is None:
        return "None"
    zeros = type(gradient) is np.ndarray and not gradient.any()
    return "zeros" if zeros else "numbers"


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.0},
        {"lr": -0.1},
        {"betas": (1.0, 0.9)},
        {"betas": (0.9, 1.0)},
        {"betas": (-0.1, 0.9)},
        {"eps": 0.0},
        {"eps": -1e-8},
        {"weight_decay": -0.1},
    ],
    ids=lambda options: "-".join(f"{name} {value}" for name, value in options.items()),
)
def test_refuses_bad_settings(student, rng, options):
    """A setting that is out of its range raises a ValueError."""
    params = student.prepare("with_gradients", starts_of(rng))
    label = f"Adam(params, {options})"
    expect.raises(
        label, student.prepare, "ValueError", "made", student.optimizers.Adam, params, options
    )


def test_refuses_no_parameters(student):
    """An optimizer without parameters raises a ValueError; an iterator of some is fine."""
    expect.raises("Adam([])", student.optimizers.Adam, "ValueError", [])
    start, gradients = np.array([2.0]), [[np.array([1.0])]] * 2
    received = optimize(student, [start], gradients, {"lr": 0.1})
    expect_paths(received, [start], gradients, lr=0.1)
