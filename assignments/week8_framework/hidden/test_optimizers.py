"""Hidden tests of optimizers and schedules: where given gradients move parameters."""

import math

import numpy as np
import pytest

from autograder.suite import expect

from .asking import drive, listed

SGD = [
    pytest.mark.item("framework.sgd"),
    pytest.mark.needs("framework.backward", "framework.arithmetic"),
]
ADAM = [
    pytest.mark.item("framework.adam"),
    pytest.mark.needs("framework.backward", "framework.arithmetic"),
]
SCHEDULES = pytest.mark.item("framework.schedules")
SIZES = ((3, 4), (5,))
STEPS = 5


def marked(marks):
    """Return a decorator that puts several marks onto a test."""

    def decorate(function):
        for mark in marks:
            function = mark(function)
        return function

    return decorate


def velocities(gradients, options):
    """Return the directions of gradient descent with momentum."""
    velocity, found = 0.0, []
    for gradient in gradients:
        velocity = options.get("momentum", 0.0) * velocity + gradient
        found.append(velocity)
    return found


def moments(gradients, options):
    """Return the directions of Adam."""
    (first, second), eps = options.get("betas", (0.9, 0.999)), options.get("eps", 1e-8)
    m = v = 0.0
    found = []
    for number, gradient in enumerate(gradients, start=1):
        m = first * m + (1 - first) * gradient
        v = second * v + (1 - second) * gradient**2
        mean, square = m / (1 - first**number), v / (1 - second**number)
        found.append(mean / (np.sqrt(square) + eps))
    return found


def check_steps(student, rng, name, directions, options, lr=0.03):
    """Compare the parameters after each of five steps with the suite's own."""
    start = [rng.normal(size=size) for size in SIZES]
    raw = [[rng.normal(size=size) for size in SIZES] for _ in range(STEPS)]
    how = [name, lr, options]
    received = listed(name, drive(student, "optimise", start, raw, how), STEPS)
    decay = options.get("weight_decay", 0.0)
    for number, x in enumerate(start):
        seen, memory = x, []
        for step in range(STEPS):
            memory.append(raw[step][number] + decay * seen)
            seen = seen - lr * directions(memory, options)[-1]
            one = listed("the parameters", received[step], len(SIZES))[number]
            expect.close(f"{name}: parameter {number + 1} after step {step + 1}", one, seen)


def check_skipped(student, rng, name, directions, options):
    """A parameter without a gradient stays, and what is remembered of the others is their own."""
    start = [rng.normal(size=size) for size in SIZES]
    raw = [[rng.normal(size=SIZES[0]), None] for _ in range(3)]
    received = listed(name, drive(student, "optimise", start, raw, [name, 0.1, options]), 3)
    moved, memory = start[0], []
    for step in raw:
        memory.append(step[0] + options["weight_decay"] * moved)
        moved = moved - 0.1 * directions(memory, options)[-1]
    last = listed("the parameters", received[-1], 2)
    expect.close(f"{name}: a parameter with gradients", last[0], moved)
    expect.close(f"{name}: a parameter without", last[1], start[1])


@marked(SGD)
@pytest.mark.parametrize(
    "options",
    [{}, {"momentum": 0.8}, {"weight_decay": 0.2}, {"momentum": 0.5, "weight_decay": 0.1}],
)
def test_sgd(student, rng, options):
    """Gradient descent, with momentum and weight decay: five steps."""
    check_steps(student, rng, "sgd", velocities, options)


@marked(SGD)
def test_sgd_skips(student, rng):
    """Gradient descent leaves a parameter without a gradient as it is."""
    check_skipped(student, rng, "sgd", velocities, {"momentum": 0.9, "weight_decay": 0.1})


@marked(ADAM)
@pytest.mark.parametrize(
    "options",
    [{}, {"betas": (0.7, 0.95)}, {"eps": 0.5}, {"weight_decay": 0.3}],
    ids=["as it comes", "betas", "eps", "weight decay"],
)
def test_adam(student, rng, options):
    """Adam, with betas, eps and weight decay: five steps."""
    check_steps(student, rng, "adam", moments, options)


@marked(ADAM)
def test_adam_skips(student, rng):
    """Adam leaves a parameter without a gradient as it is."""
    check_skipped(student, rng, "adam", moments, {"weight_decay": 0.1})


CASES = {
    "step": ({"size": 3, "gamma": 0.5}, lambda k: 0.5 ** (k // 3)),
    "step, gamma 0.1": ({"size": 2}, lambda k: 0.1 ** (k // 2)),
    "exponential": ({"gamma": 0.8}, lambda k: 0.8**k),
    "cosine": ({"epochs": 6}, lambda k: 0.5 + 0.5 * math.cos(math.pi * min(k / 6, 1))),
    "cosine, lowest": (
        {"epochs": 5, "lowest": 0.2},
        lambda k: 0.2 + 0.4 * (1 + math.cos(math.pi * min(k / 5, 1))),
    ),
}


@SCHEDULES
@pytest.mark.parametrize("case", CASES)
def test_schedule(student, rng, case):
    """The rate after each epoch, at first and behind the end too."""
    options, factor = CASES[case]
    lr = float(rng.uniform(0.01, 0.5))
    found = drive(student, "rates", lr, case.partition(",")[0], options, 8)
    for k, rate in enumerate(listed("the rates", found, 9)):
        expect.close(f"the rate after {k} epochs", rate, lr * factor(k))


@SCHEDULES
@pytest.mark.needs("framework.sgd")
def test_schedule_counts(student, rng):
    """The optimizer steps by the rate that its schedule has set."""
    x, gradient = rng.normal(size=3), rng.normal(size=3)
    found = drive(student, "moved_by_schedule", x, 0.2, 0.3, gradient)
    expect.close("after a step, an epoch, and a step", found, x - 0.2 * 1.3 * gradient)
