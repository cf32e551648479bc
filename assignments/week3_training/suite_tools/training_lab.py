"""What the suites of week 3's debugging lab share: data, the loss on new data, and its limits.

Each script's `train` is called on data that is drawn here, sorted by class. The weights that it
returns are used here as well, on new data of the same kind: the loss is nobody's claim. The limits
lie far above what any sensible repair reaches, and far below what the faulty scripts do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.suite import expect
from autograder.suite.student import Student

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Draws = Iterator[tuple[FloatArray, IntArray]]

TASK = "week3.debugging_lab"

FAULTS = (
    "activation skipped in backward",
    "biases never updated",
    "data not shuffled",
    "gradient has the wrong sign",
    "hidden units all alike",
    "initial weights too large",
    "inputs not standardised",
    "labels shifted by one",
    "learning rate falls too fast",
    "learning rate too high",
    "learning rate too low",
    "loss averaged twice",
    "loss never averaged",
)


def spiral(rng: np.random.Generator, arms: int, count: int, turn: float) -> Draws:
    """Yield two draws of x (arms * count, 2) and y, sorted: a spiral, whose arms turn so far."""
    y = np.repeat(np.arange(arms), count)
    for _ in range(2):
        radius = rng.uniform(0.1, 1.0, len(y))
        angle = turn * radius + 2.0 * np.pi / arms * y + rng.normal(0.0, 0.1, len(y))
        yield np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y


def rings(rng: np.random.Generator, count: int) -> Draws:
    """Yield two draws of four rings around each other, in two dimensions."""
    y = np.repeat(np.arange(4), count)
    for _ in range(2):
        radius = y + rng.uniform(0.7, 1.3, len(y))
        angle = rng.uniform(0.0, 2.0 * np.pi, len(y))
        yield np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y


def clouds(
    rng: np.random.Generator,
    classes: int,
    features: int,
    distance: float,
    count: int,
    opposite: bool = False,
) -> Draws:
    """Yield two draws of normal clouds, each in an own direction, or also opposite to itself."""
    centres = distance * np.linalg.qr(rng.normal(size=(features, classes)))[0].T
    y = np.repeat(np.arange(classes), count)
    side = np.where(np.arange(len(y)) % 2, -1.0, 1.0) if opposite else np.ones(len(y))
    for _ in range(2):
        yield side[:, np.newaxis] * centres[y] + rng.normal(size=(len(y), features)), y


UNITS = np.array([0.02, 300.0, 1.0, 0.1, 4.0, 0.004])
"""What a feature of lab_3 is multiplied by: it is measured in units of its own."""


def in_units(draws: Draws) -> Draws:
    """Yield draws of six features with each feature in units of its own, far from 0."""
    for x, y in draws:
        yield (x + 3.0) * UNITS, y


PROBLEMS: dict[str, tuple[Callable[[np.random.Generator], Draws], float]] = {
    "lab_1": (lambda rng: spiral(rng, 3, 100, 3.0), 0.15),
    "lab_2": (lambda rng: rings(rng, 200), 0.35),
    "lab_3": (lambda rng: in_units(clouds(rng, 5, 6, 4.0, 80)), 0.3),
    "lab_4": (lambda rng: clouds(rng, 6, 16, 4.5, 60), 0.5),
    "lab_5": (lambda rng: clouds(rng, 4, 5, 3.5, 120, opposite=True), 0.6),
    "lab_6": (lambda rng: spiral(rng, 2, 150, 5.5), 0.2),
}
"""For each script: what draws its data, and the loss on new data that a mended run stays below."""


def draw(name: str, rng: np.random.Generator) -> tuple[FloatArray, IntArray, FloatArray, IntArray]:
    """Return x, y to train on and x, y to measure with.

    All but lab_3's are standardised by the former's x.
    """
    (x, y), (x_new, y_new) = PROBLEMS[name][0](rng)
    if name == "lab_3":
        return x, y, x_new, y_new
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    return (x - mean) / deviation, y, (x_new - mean) / deviation, y_new


WIDEST = 4096
"""Most hidden units of a student's network: the examiner's memory is not the student's to fill."""


def weights_of(answer: Any, features: int, classes: int) -> list[FloatArray]:
    """Return W1, b1, W2, b2 as float64 arrays of shapes that fit, or fail."""
    expect.that("train", isinstance(answer, dict), "it must return a dict of the four weights")
    for name in ("W1", "b1", "W2", "b2"):
        value = answer.get(name)
        lost = type(value) is np.ndarray and not np.isfinite(value).all()
        expect.that(name, not lost, "it holds NaN or infinity: the training has diverged")
    first = expect.shape_of("W1", answer.get("W1"))
    hidden = next((n for n in range(1, WIDEST + 1) if first == (n, features)), 0)
    message = f"expected shape (hidden units, {features}), got {first}."
    expect.that("W1", len(first) == 2 and first[1] == features and first[0] > 0, message)
    expect.that("W1", hidden > 0, f"a hidden layer has at most {WIDEST} units here")
    shapes = {"W1": (hidden, features), "b1": (hidden,), "W2": (classes, hidden), "b2": (classes,)}
    weights = (expect.array(name, answer.get(name), shape) for name, shape in shapes.items())
    return [array.astype(np.float64) for array in weights]


def held_out_loss(weights: list[FloatArray], x: FloatArray, y: IntArray) -> float:
    """Return the mean cross-entropy of the network's scores; infinity where they overflow."""
    W1, b1, W2, b2 = weights
    with np.errstate(all="ignore"):
        scores = np.maximum(x @ W1.T + b1, 0.0) @ W2.T + b2
        scores = scores - scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        loss = -logs[np.arange(len(y)), y].mean()
    return float(loss) if np.isfinite(loss) else float("inf")


def reading(loss: float, classes: int) -> str:
    """Say what a loss tells that is too large."""
    guess = float(np.log(classes))
    if loss >= 1000.0:
        return "the weights have grown out of all bounds"
    if loss > 1.5 * guess:
        return f"more than log({classes}) = {guess:.3f}, a guess's: the network is sure, and wrong"
    if loss > 0.95 * guess:
        return f"as much as log({classes}) = {guess:.3f}, a guess's: it has learned next to nothing"
    return "it has learned something, but not what it could"


def differ(W1: FloatArray) -> bool:
    """Tell whether a network's hidden units differ, by more than rounding makes of equal ones."""
    return bool(np.ptp(W1, axis=0).max() > 1e-6)


def answer_of(student: Student, name: str) -> dict[str, Any]:
    """Return what lab_answers.py says of a script; a script without a fault's name is not begun."""
    answer = getattr(student.lab_answers, name)()
    told = isinstance(answer, dict) and {"suspects", "measured", "fault"} <= answer.keys()
    expect.that(f"{name}()", told, 'it must return a dict with "suspects", "measured", "fault"')
    expect.attempted(f"{TASK}: say in lab_answers.py what is wrong in {name}.py", answer["fault"])
    return dict(answer)


def check_run(student: Student, name: str, rng: np.random.Generator) -> None:
    """Train with the student's script and measure the loss on new data."""
    answer_of(student, name)
    x, y, x_new, y_new = draw(name, rng)
    features, classes, limit = x.shape[1], int(y.max()) + 1, PROBLEMS[name][1]
    answer = getattr(student, name).train(x, y, int(rng.integers(1_000_000)))
    weights = weights_of(answer, features, classes)
    loss = held_out_loss(weights, x_new, y_new)
    number = f"{loss:.4g}" if loss < 1000.0 else "over 1000"
    said = f"{number} on new data, where a mended run stays below {limit}"
    expect.that("loss", loss < limit, f"{said}; {reading(loss, classes)}")
    if name == "lab_6":
        different = differ(weights[0])
        expect.that("W1", different, "all hidden units are alike: they began alike, and stay so")


def named(text: object) -> str:
    """Return a fault's name as FAULTS writes it, whatever capitals and signs are in it, or ""."""
    name = " ".join(re.findall("[a-z]+", text.lower())) if type(text) is str else ""
    return name if name in FAULTS else ""


def check_answer(student: Student, name: str) -> str:
    """See whether an answer has the form that is asked for; return the fault's name."""
    answer = answer_of(student, name)
    fault, suspects, measured = named(answer["fault"]), answer["suspects"], answer["measured"]
    expect.that("fault", bool(fault), "it must be one of the names in FAULTS")
    listed = isinstance(suspects, list | tuple) and 1 <= len(suspects) <= 3
    known = listed and all(map(named, suspects))
    expect.that("suspects", known, "one to three names from FAULTS, from the curve alone")
    said = type(measured) is str and re.search(r"[0-9]", measured) is not None
    expect.that("measured", said, "say in one line what you measured, with the number that decided")
    return fault
