"""Instruments of the debugging lab: they run a lab script and show how it trains. Given.

    python lab.py curves             the loss of all six scripts, as a picture and in numbers
    python lab.py curves lab_3       of one of them
    python lab.py steps lab_3        how far each step goes, and how large gradients are
    python lab.py gradients lab_3    the gradients that are used against measured ones
    python lab.py batches lab_3      which classes are in the first batches
    python lab.py labels lab_3       the labels that are trained on against those of the data
    python lab.py inputs lab_3       mean and deviation of each input that the network sees
    python lab.py units lab_3        biases, and how hidden units differ and how many ever work

Every instrument works for every script, faulty or mended. None of them changes anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Weights = dict[str, FloatArray]

NAMES = ("W1", "b1", "W2", "b2")


# Data to train on, sorted by class, as a file often has them.


def spiral(
    rng: np.random.Generator, arms: int, count: int, turn: float
) -> tuple[FloatArray, IntArray]:
    """Return `count` points of each arm of a spiral, and the arms."""
    y = np.repeat(np.arange(arms), count)
    radius = rng.uniform(0.1, 1.0, len(y))
    angle = turn * radius + 2.0 * np.pi / arms * y + rng.normal(0.0, 0.1, len(y))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y


def rings(rng: np.random.Generator, count: int) -> tuple[FloatArray, IntArray]:
    """Return `count` points of each of four rings around each other, and the rings."""
    y = np.repeat(np.arange(4), count)
    radius = y + rng.uniform(0.7, 1.3, len(y))
    angle = rng.uniform(0.0, 2.0 * np.pi, len(y))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y


def clouds(
    rng: np.random.Generator, centres: FloatArray, count: int, opposite: bool = False
) -> tuple[FloatArray, IntArray]:
    """Return `count` points around each centre, half of them opposite to it if asked, and y."""
    y = np.repeat(np.arange(len(centres)), count)
    side = np.where(np.arange(len(y)) % 2, -1.0, 1.0) if opposite else np.ones(len(y))
    return side[:, np.newaxis] * centres[y] + rng.normal(size=(len(y), centres.shape[1])), y


UNITS = np.array([250.0, 3.0, 0.01, 0.5, 0.004, 1.0])
PIXELS = np.random.default_rng(6).choice([-1.0, 1.0], size=(6, 16))
DATA: dict[str, Callable[[np.random.Generator], tuple[FloatArray, IntArray]]] = {
    "lab_1": partial(spiral, arms=3, count=100, turn=3.0),
    "lab_2": partial(rings, count=200),
    "lab_3": partial(clouds, centres=4.0 * np.eye(5, 6), count=80),
    "lab_4": partial(clouds, centres=PIXELS, count=60),
    "lab_5": partial(clouds, centres=3.5 * np.eye(4, 5), count=120, opposite=True),
    "lab_6": partial(spiral, arms=2, count=150, turn=5.5),
}


def draw(name: str) -> tuple[FloatArray, IntArray, FloatArray, IntArray]:
    """Return x, y to train on and x, y to measure with.

    All but lab_3's have mean 0 and deviation 1; its six features come in units of their own.
    """
    rng = np.random.default_rng(0)
    (x, y), (x_new, y_new) = DATA[name](rng), DATA[name](rng)
    if name == "lab_3":
        return (x + 3.0) * UNITS, y, (x_new + 3.0) * UNITS, y_new
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    return (x - mean) / deviation, y, (x_new - mean) / deviation, y_new


# A run, recorded.


@dataclass(frozen=True)
class Step:
    """What a script had before one of its steps: copies, so that they stay as they were."""

    w: Weights
    gradients: Weights
    rows: IntArray
    x: FloatArray
    y: IntArray


@dataclass(frozen=True)
class Run:
    """A script's steps, the labels of its data, and the loss of its weights on new data."""

    steps: list[Step]
    y: IntArray
    final: float

    @property
    def classes(self) -> int:
        """Return how many classes there are."""
        return int(self.y.max()) + 1


def copied(arrays: Mapping[str, Any]) -> Weights:
    """Return copies of the four arrays."""
    return {name: np.array(arrays[name], dtype=np.float64) for name in NAMES}


def loss_of(w: Weights, x: FloatArray, y: IntArray) -> float:
    """Return the mean cross-entropy of the network with these weights."""
    with np.errstate(all="ignore"):
        scores = np.maximum(x @ w["W1"].T + w["b1"], 0.0) @ w["W2"].T + w["b2"]
        scores = scores - scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return float(-logs[np.arange(len(y)), y].mean())


def run(name: str) -> Run:
    """Train with a script, and record each step."""
    x, y, x_new, y_new = draw(name)
    steps: list[Step] = []

    def watch(
        w: Weights, gradients: Weights, rows: IntArray, seen: FloatArray, labels: IntArray
    ) -> None:
        steps.append(Step(copied(w), copied(gradients), rows.copy(), seen.copy(), labels.copy()))

    with np.errstate(all="ignore"):
        w = import_module(name).train(x, y, 0, watch)
    if not steps:
        raise SystemExit(f"{name}.py never called watch: put the call back, before each step")
    return Run(steps, y, loss_of(w, x_new, y_new))


# The instruments.


def moments(steps: int, count: int = 9) -> list[int]:
    """Return about `count` numbers of steps, spread over the run, the first and the last among."""
    return sorted({int(n) for n in np.linspace(0, steps - 1, count)})


def table(heads: list[str], rows: list[list[object]]) -> None:
    """Print a table, numbers with three digits."""
    texts = [[f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in r] for r in rows]
    widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
    for line in (heads, *texts):
        print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def curve(name: str, found: Run) -> None:
    """Print the loss of some batches, as the script computes it, and the loss on new data."""
    at = moments(len(found.steps))
    losses = [loss_of(found.steps[n].w, found.steps[n].x, found.steps[n].y) for n in at]
    print(f"{name}: a guess has the loss log {found.classes} = {np.log(found.classes):.3f}")
    table(["step", *map(str, at)], [["loss of its batch", *losses]])
    print(f"at the end, on new data: {found.final:.3f}\n")


def steps(found: Run) -> None:
    """Print the size of gradients and of steps, each relative to the array that it changes."""
    last = len(found.steps) - 1
    rows: list[list[object]] = []
    for n in moments(last):
        now, after = found.steps[n], found.steps[n + 1]
        cells: list[object] = [n]
        for name in ("W1", "W2"):
            size = float(np.linalg.norm(now.w[name]))
            moved = float(np.linalg.norm(after.w[name] - now.w[name]))
            cells += [float(np.linalg.norm(now.gradients[name])), moved, moved / max(size, 1e-300)]
        rows.append(cells)
    heads = [f"{what} {name}" for name in ("W1", "W2") for what in ("gradient", "step", "step /")]
    table(["step", *heads], rows)
    print("sizes are norms; the last column of each is the step's size divided by the matrix's own")


def gradients(found: Run) -> None:
    """Print, for some entries of each array, the gradient used and the one that is measured."""
    step, rng, h = found.steps[min(3, len(found.steps) - 1)], np.random.default_rng(0), 1e-5
    rows: list[list[object]] = []
    for name in NAMES:
        for flat in rng.choice(step.w[name].size, size=2, replace=False):
            place = np.unravel_index(flat, step.w[name].shape)
            moved = []
            for change in (h, -h):
                w = copied(step.w)
                w[name][place] += change
                moved.append(loss_of(w, step.x, step.y))
            used, measured = float(step.gradients[name][place]), (moved[0] - moved[1]) / (2 * h)
            ratio = used / measured if abs(measured) > 1e-8 else "-"
            rows.append([f"{name}[{', '.join(map(str, place))}]", used, measured, ratio])
    table(["entry", "used", "measured", "used / measured"], rows)
    print("measured: the loss of the batch that is trained on, with the entry moved by 1e-5")


def batches(found: Run) -> None:
    """Print how many examples of each class are in the first batches, by the data's labels."""
    rows: list[list[object]] = []
    for n, step in enumerate(found.steps[:10]):
        counts = np.bincount(found.y[step.rows], minlength=found.classes)
        rows.append([n, *map(int, counts), loss_of(step.w, step.x, step.y)])
    table(["step", *(f"class {c}" for c in range(found.classes)), "loss"], rows)


def labels(found: Run) -> None:
    """Print how often each class of the data is trained on as each class."""
    seen = np.zeros((found.classes, found.classes), dtype=int)
    for step in found.steps:
        np.add.at(seen, (found.y[step.rows], step.y), 1)
    heads = ["in the data", *(f"trained as {c}" for c in range(found.classes))]
    table(heads, [[f"class {c}", *map(int, row)] for c, row in enumerate(seen)])


def inputs(found: Run) -> None:
    """Print mean, deviation, smallest and largest value of each input that the network sees."""
    x = np.concatenate([step.x for step in found.steps[:50]])
    rows: list[list[object]] = [
        [d, float(v.mean()), float(v.std()), float(v.min()), float(v.max())]
        for d, v in enumerate(x.T)
    ]
    table(["input", "mean", "deviation", "smallest", "largest"], rows)


def units(found: Run) -> None:
    """Print how large biases are, how far hidden units differ, and how many are never positive."""
    rows: list[list[object]] = []
    for n in moments(len(found.steps), 5):
        w, x = found.steps[n].w, found.steps[n].x
        hidden = np.maximum(x @ w["W1"].T + w["b1"], 0.0)
        rows.append(
            [
                n,
                *(float(np.linalg.norm(w[name])) for name in ("W1", "b1", "W2", "b2")),
                float(np.ptp(w["W1"], axis=0).max()),
                f"{(hidden <= 0.0).all(axis=0).mean():.0%}",
            ]
        )
    heads = ["step", *(f"size {name}" for name in ("W1", "b1", "W2", "b2"))]
    table([*heads, "spread of W1's rows", "never positive"], rows)


INSTRUMENTS: dict[str, Callable[[Run], None]] = {
    one.__name__: one for one in (steps, gradients, batches, labels, inputs, units)
}


# The picture.


def draw_curves(runs: dict[str, Run], path: Path) -> None:
    """Save the losses of all batches, one panel for each script."""
    from matplotlib.figure import Figure

    columns = min(3, len(runs))
    figure = Figure(figsize=(3.7 * columns, 3.0 * -(-len(runs) // columns)), layout="constrained")
    panels = figure.subplots(-(-len(runs) // columns), columns, squeeze=False).flat
    for axes, (name, found) in zip(panels, runs.items(), strict=False):
        losses = [loss_of(step.w, step.x, step.y) for step in found.steps]
        axes.plot(losses, color="#0072B2", linewidth=0.9)
        axes.axhline(np.log(found.classes), color="0.5", linestyle="--", linewidth=0.9)
        axes.plot(len(losses) * 1.04, found.final, "o", color="#D55E00", clip_on=False)
        axes.set_title(name, fontsize="medium")
        axes.set(ylim=(0.0, 1.08 * max(*losses, found.final)), xlabel="step", ylabel="loss")
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("loss of each batch; dashed: a guess; dot: at the end, on new data")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    print(f"saved {path}")


def main(arguments: list[str]) -> None:
    """Run what the command line asks for."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    known = f"an instrument is curves or {', '.join(INSTRUMENTS)}; a script {', '.join(DATA)}"
    what, *names = arguments or [""]
    if what == "curves" and set(names) <= set(DATA):
        runs = {name: run(name) for name in names or DATA}
        for name, found in runs.items():
            curve(name, found)
        draw_curves(runs, Path(__file__).resolve().parent / "figures" / "lab.png")
    elif what in INSTRUMENTS and len(names) == 1 and names[0] in DATA:
        INSTRUMENTS[what](run(names[0]))
    else:
        raise SystemExit(f"{__doc__}\n{known}")


if __name__ == "__main__":
    main(sys.argv[1:])
