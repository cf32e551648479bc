"""Adam's formula in NumPy, in float64, and what its tests share."""

import numpy as np

from autograder.suite import expect

NEAR = {"rtol": 1e-4, "atol": 1e-5}
"""Near enough for float32, as the parameters of networks are."""
SHAPES = [(3, 2), (4,), (2, 1, 2)]


def starts_of(rng):
    """Return where three parameters begin."""
    return [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]


def gradients_of(rng, steps):
    """Return gradients for each step and parameter, whose sizes differ from entry to entry.

    None is so small that an epsilon of 1e-8 could be seen, wherever in the formula it stands.
    """
    return [[_sizes(rng, shape) for shape in SHAPES] for _ in range(steps)]


def _sizes(rng, shape):
    size = 10.0 ** rng.uniform(-1.3, 1.3, shape)
    return np.where(rng.random(shape) < 0.5, -size, size).astype(np.float32)


def adam(
    start,
    gradients,
    lr=1e-3,
    beta1=0.9,
    beta2=0.999,
    epsilon=1e-8,
    weight_decay=0.0,
    decoupled=True,
    rates=None,
    place="outside",
):
    """Return a parameter after 0, 1, ... steps; a gradient that is None is skipped.

    `place`: where epsilon stands, one of PLACES.
    """
    p, m, v, t = np.array(start, dtype=np.float64), 0.0, 0.0, 0
    path = [p]
    for step, given in enumerate(gradients):
        if given is not None:
            rate = lr if rates is None else rates[step]
            t += 1
            g = given.astype(np.float64) + (0.0 if decoupled else weight_decay * p)
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            shrunk = p - rate * weight_decay * p if decoupled else p
            v_hat = v / (1 - beta2**t)
            added = epsilon / np.sqrt(1 - beta2**t) if place == "uncorrected" else epsilon
            root = np.sqrt(v_hat + added) if place == "inside" else np.sqrt(v_hat) + added
            p = shrunk - rate * m / (1 - beta1**t) / root
        path.append(p)
    return np.array(path)


PLACES = {"outside": 0.5, "inside": 0.5**0.5, "uncorrected": 0.001**0.5 / (0.001**0.5 + 1.0)}
"""Outside the root, inside it, or outside that of the uncorrected v, where the corrections are in
the learning rate; with the length of the first step with a gradient, a rate and an epsilon of 1."""


def place_of(student):
    """Find out where the student's epsilon stands, by a single step; "outside" if nowhere."""
    start, gradients = [np.zeros(1, np.float32)], [[np.ones(1, np.float32)]]
    [path] = optimize(student, start, gradients, {"lr": 1.0, "epsilon": 1.0})
    near = [place for place, length in PLACES.items() if abs(path[-1, 0] + length) < 0.003]
    return near[0] if near else "outside"


def optimize(student, starts, gradients, options, *more):
    """Return the path of each parameter; the parameters have stayed leaves of the graph.

    `options` are given by name, or by position as a list.
    """
    make = student.optimizers.Adam
    found = student.drive("optimize", make, starts, gradients, options, *more)
    expect.equal("parameters are leaves that require gradients", found["leaves"], True)
    steps = len(gradients) + 1
    return [
        expect.array(f"path of parameter {n}", path, (steps, *start.shape))
        for n, (path, start) in enumerate(zip(found["path"], starts, strict=True))
    ]


def expect_paths(received, starts, gradients, **options):
    """Compare where every parameter is after each step."""
    for n, (path, start) in enumerate(zip(received, starts, strict=True)):
        wanted = adam(start, [given[n] for given in gradients], **options)
        expect.close(f"parameter {n} after each step", path, wanted, **NEAR)
