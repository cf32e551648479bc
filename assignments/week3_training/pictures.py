"""Pictures of week 3: how optimizers move, how fast they converge, what schedulers do.

    python pictures.py                   all pictures
    python pictures.py trajectories      one of them: trajectories, rates, schedules, batch_norm
    python pictures.py --out DIR         into another folder than figures/

Given, nothing to fill in. The pictures show your own optimizers.py, schedulers.py and
batch_norm.py; what is not filled in yet is left out, and the script says so. Matplotlib is imported
only where a picture is drawn.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from optimizers import SGD, Adam, Optimizer, RMSprop, SGDMomentum
from schedulers import CosineAnnealingLR, ExponentialLR, MultiStepLR, StepLR, WarmupLR

FloatArray = npt.NDArray[np.floating]

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9"]
"""Five colours that can be told apart with any kind of colour vision (Okabe and Ito)."""

GREY, DARK = "0.78", "0.25"


def figure_of(width: float, height: float, rows: int, columns: int, **options: Any) -> Any:
    """Return a new figure and its axes, without lines on top and at the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    for one in axes.flat:
        one.spines[["top", "right"]].set_visible(False)
        one.title.set_size("medium")
    return figure, axes


def save_figure(figure: Any, path: Path) -> None:
    """Save a figure as PNG; a file of that name is replaced only by a complete one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    figure.savefig(partial, dpi=130, format="png")
    os.replace(partial, path)
    print(f"saved {path}")


def filled_in(names: list[str], make: Callable[[str], Any]) -> list[tuple[str, str, Any]]:
    """Return each name with a colour and what `make` gives for it; name those with gaps left.

    Raises NotImplementedError if all have gaps.
    """
    found = []
    for name, colour in zip(names, COLOURS, strict=False):  # there may be more colours than names
        try:
            found.append((name, colour, make(name)))
        except NotImplementedError as gap:
            print(f"left out {name.splitlines()[0]}: {gap}")
    if not found:
        raise NotImplementedError(f"one of {len(names)} classes: none is filled in yet")
    return found


# How optimizers move.


class Parameter:
    """A parameter for an optimizer to move."""

    def __init__(self, data: FloatArray) -> None:
        """Keep the data; the gradient is set before each step."""
        self.data, self.grad = data, np.zeros_like(data)


STEPS = 60
START = np.array([-4.0, 1.4])
FUNCTIONS = {"$f = x^2 + y^2$": np.array([2.0, 2.0]), "$f = x^2 + 25 y^2$": np.array([2.0, 50.0])}
"""Functions to minimise, sum(curvature x^2) / 2, by their curvatures."""

OPTIMIZERS: dict[str, Callable[[list[Parameter]], Optimizer]] = {
    "SGD, lr 0.036": lambda parameters: SGD(parameters, lr=0.036),
    "SGDMomentum, lr 0.02, momentum 0.7": lambda parameters: SGDMomentum(
        parameters, lr=0.02, momentum=0.7
    ),
    "RMSprop, lr 0.1, beta 0.9": lambda parameters: RMSprop(parameters, lr=0.1, beta=0.9),
    "Adam, lr 0.3": lambda parameters: Adam(parameters, lr=0.3),
}


def descend(
    make: Callable[[list[Parameter]], Optimizer],
    curvature: FloatArray,
    start: FloatArray,
    steps: int,
) -> FloatArray:
    """Minimise sum(curvature x^2) / 2 and return all places, shape (steps + 1, dimensions)."""
    p = Parameter(start.copy())
    optimizer = make([p])
    places = [p.data.copy()]
    for _ in range(steps):
        p.grad = curvature * p.data
        optimizer.step()
        places.append(p.data.copy())
    return np.array(places)


def draw_contours(axes: Any, curvature: FloatArray) -> None:
    """Draw the level lines of a function as a background, and its minimum as a cross."""
    x, y = np.meshgrid(np.linspace(-4.6, 2.6, 200), np.linspace(-1.9, 1.9, 200))
    height = (curvature[0] * x**2 + curvature[1] * y**2) / 2.0
    levels = np.linspace(0.0, np.sqrt(height.max()), 16)[1:] ** 2
    axes.contour(x, y, height, levels=levels, colors="0.88", linewidths=0.8, zorder=0)
    axes.plot(0.0, 0.0, marker="+", color=DARK, markersize=11, zorder=4)
    axes.plot(*START, marker="o", color=DARK, markersize=5, zorder=4)
    axes.annotate("start", START, xytext=(0, 7), textcoords="offset points", ha="center")
    axes.set(xlabel="$x$", ylabel="$y$", xlim=(-4.6, 2.6), ylim=(-1.9, 1.9), aspect="equal")


def trajectories(path: Path) -> None:
    """Draw the paths of all optimizers on a bowl and in a ravine, and f along them."""

    def paths_of(name: str) -> list[FloatArray]:
        return [descend(OPTIMIZERS[name], c, START, STEPS) for c in FUNCTIONS.values()]

    found = filled_in(list(OPTIMIZERS), paths_of)
    figure, axes = figure_of(11.0, 7.4, 2, 2, sharey="row")
    for column, (formula, curvature) in enumerate(FUNCTIONS.items()):
        above, below = axes[:, column]
        draw_contours(above, curvature)
        above.set_title(formula)
        below.set(xlabel="step", xlim=(0, STEPS), yscale="log", ylim=(1e-8, 300.0))
        for name, colour, paths in found:
            places = paths[column]
            above.plot(*places.T, color=colour, marker=".", markersize=4, linewidth=1.3, label=name)
            below.plot((curvature * places**2).sum(axis=1) / 2.0, color=colour, linewidth=1.8)
    axes[1, 0].set_ylabel("$f$")
    figure.suptitle(f"{STEPS} steps with the same settings on a bowl and in a ravine")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    save_figure(figure, path)


# How fast they converge, against theory.

LOW, HIGH = 1.0, 25.0
CURVATURE = np.array([LOW, HIGH])
BEST_LR = 2.0 / (LOW + HIGH)
BEST_BETA = ((np.sqrt(HIGH) - np.sqrt(LOW)) / (np.sqrt(HIGH) + np.sqrt(LOW))) ** 2


def measured_factor(make: Callable[[list[Parameter]], Optimizer], steps: int = 400) -> float:
    """Return by what factor the distance to the minimum changes per step, late in the descent.

    It is the slope of the distance's logarithm over the second half of the steps; NaN, which is
    not drawn, where the distance has grown out of all bounds or become exactly 0.
    """
    distance = np.linalg.norm(descend(make, CURVATURE, np.array([1.0, 1.0]), steps), axis=1)
    if not np.isfinite(distance).all() or not distance.all():
        return float("nan")
    late = np.arange(steps // 2, steps + 1)
    return float(np.exp(np.polyfit(late, np.log(distance[late]), 1)[0]))


def descent_factor(lr: float) -> float:
    """Return what theory says of gradient descent: max |1 - lr h| over the curvatures h."""
    return float(np.abs(1.0 - lr * CURVATURE).max())


def momentum_lr(beta: float) -> float:
    """Return the best learning rate for a given beta; without momentum it is 2 / (LOW + HIGH)."""
    return 2.0 * (1.0 + beta) / (LOW + HIGH)


def momentum_factor(beta: float) -> float:
    """Return what theory says of momentum with the best learning rate for that beta.

    Along a direction of curvature h, x_{k+1} = (1 + beta - lr h) x_k - beta x_{k-1}. The
    factor is the largest root of z^2 - (1 + beta - lr h) z + beta over the curvatures. Where
    the roots are complex, that is sqrt(beta).
    """
    lr = momentum_lr(beta)
    roots = [np.roots([1.0, -(1.0 + beta - lr * curvature), beta]) for curvature in CURVATURE]
    return float(np.abs(roots).max())


def rates(path: Path) -> None:
    """Draw measured factors per step on theory's curves; print the best ones."""
    figure, (row,) = figure_of(13.0, 4.4, 1, 3)
    best_descent = draw_descent_factors(row[0])
    best_momentum = draw_momentum_factors(row[1])
    draw_distances(row[2])
    figure.suptitle(f"A quadratic with curvatures {LOW:g} and {HIGH:g}: what each step is worth")
    print(f"gradient descent, lr {BEST_LR:.4f}: measured {best_descent:.4f}, ", end="")
    print(f"theory {descent_factor(BEST_LR):.4f}")
    print(f"momentum, lr {momentum_lr(BEST_BETA):.4f}, beta {BEST_BETA:.4f}: ", end="")
    print(f"measured {best_momentum:.4f}, theory {np.sqrt(BEST_BETA):.4f}")
    save_figure(figure, path)


def draw_factors(
    axes: Any, settings: FloatArray, theory: Callable, measure: Callable, best: float
) -> float:
    """Draw the factor against a setting: theory as a line, measurements as dots, best as a star.

    `settings` are the first and the last setting and those to measure at. Returns the factor that
    is measured at the best one.
    """
    grid = np.linspace(settings[0], settings[-1], 400)
    from tqdm import tqdm

    measured = measure(best)
    axes.axhspan(1.0, 1.2, color="0.94", zorder=0)
    axes.plot(grid, [theory(setting) for setting in grid], color=GREY, linewidth=4, label="theory")
    dots = settings[1:-1]
    watched = tqdm(dots, "rates", leave=False, disable=None)  # shown in a terminal alone
    axes.plot(dots, [measure(s) for s in watched], "o", color=COLOURS[0], ms=5, label="measured")
    axes.plot(best, measured, "*", color=COLOURS[1], ms=15, label="measured, best setting")
    axes.set(xlim=(settings[0], settings[-1]), ylim=(0.55, 1.12))
    return measured


def draw_descent_factors(axes: Any) -> float:
    """Draw gradient descent's factor against its learning rate; return it at the best one."""

    def measure(lr: float) -> float:
        return measured_factor(lambda parameters: SGD(parameters, lr=lr))

    best = draw_factors(axes, np.linspace(0.0, 0.09, 24), descent_factor, measure, BEST_LR)
    axes.text(0.003, 1.05, "the distance grows", color=DARK)
    axes.set(xlabel=r"learning rate $\eta$", ylabel="factor of the distance per step")
    axes.set_title(r"Gradient descent: $\max\,|1 - \eta h|$")
    axes.legend(frameon=False, loc="lower left")
    return best


def draw_momentum_factors(axes: Any) -> float:
    """Draw momentum's factor against beta; return it at the best setting."""

    def measure(beta: float) -> float:
        return measured_factor(lambda p: SGDMomentum(p, momentum_lr(beta), beta))

    best = draw_factors(axes, np.linspace(0.0, 0.999, 24), momentum_factor, measure, BEST_BETA)
    some = np.linspace(0.3, 1.0, 100)
    axes.plot(some, np.sqrt(some), color=DARK, linewidth=1, linestyle="--")
    axes.annotate(
        r"$\sqrt{\beta}$", (0.75, np.sqrt(0.75)), xytext=(14, -16), textcoords="offset points"
    )
    axes.set(xlabel=r"$\beta$")
    axes.set_title(r"Momentum, $\eta = 2\,(1 + \beta) / (h_{\min} + h_{\max})$")
    return best


def draw_distances(axes: Any) -> None:
    """Draw the distance to the minimum against the step, at the best settings of both."""
    steps, start = np.arange(61), np.array([1.0, 1.0])
    best_momentum = momentum_lr(BEST_BETA), BEST_BETA
    settings = (
        ("gradient descent", lambda p: SGD(p, BEST_LR), descent_factor(BEST_LR)),
        ("momentum", lambda p: SGDMomentum(p, *best_momentum), np.sqrt(BEST_BETA)),
    )
    for (name, make, factor), colour in zip(settings, COLOURS, strict=False):
        distance = np.linalg.norm(descend(make, CURVATURE, start, len(steps) - 1), axis=1)
        axes.plot(steps, distance, color=colour, linewidth=2, label=name)
        slope = distance[0] * factor**steps
        label = f"slope of {factor:.3f} per step"
        axes.plot(steps, slope, color=colour, linewidth=1, linestyle="--", label=label)
    axes.set(xlabel="step", yscale="log", xlim=(0, steps[-1]), ylim=(1e-11, 10.0))
    axes.set_title("Distance to the minimum")
    axes.legend(frameon=False, loc="lower left")


# What schedulers do.

EPOCHS = 100
BASE_LR = 0.1


class Rate:
    """Stands for an optimizer where only its learning rate matters."""

    def __init__(self) -> None:
        """Start with the base learning rate."""
        self.lr = BASE_LR


class Scheduler(Protocol):
    """What is asked of a scheduler here."""

    def step(self, epoch: int) -> None:
        """Set the learning rate of an epoch: 0, 1, 2, ..."""


SCHEDULERS: dict[str, Callable[[Rate], Scheduler]] = {
    "StepLR\nstep_size 30, gamma 0.3": lambda rate: StepLR(rate, 30, gamma=0.3),
    "MultiStepLR\nmilestones 20, 80, gamma 0.3": lambda rate: MultiStepLR(
        rate, [20, 80], gamma=0.3
    ),
    "ExponentialLR\ngamma 0.96": lambda rate: ExponentialLR(rate, gamma=0.96),
    "CosineAnnealingLR\nT_max 100, eta_min 0.01": lambda rate: CosineAnnealingLR(rate, 100, 0.01),
    "WarmupLR\n20 epochs, then a cosine": lambda rate: WarmupLR(
        rate, 20, CosineAnnealingLR(rate, 80)
    ),
}


def learning_rates(make: Callable[[Rate], Scheduler]) -> FloatArray:
    """Return the learning rate of each epoch, with a step of the scheduler before each."""
    rate = Rate()
    scheduler = make(rate)
    received = []
    for epoch in range(EPOCHS):
        scheduler.step(epoch)
        received.append(rate.lr)
    return np.array(received)


def schedules(path: Path) -> None:
    """Draw the learning rate against the epoch for all schedulers, one panel for each."""
    found = filled_in(list(SCHEDULERS), lambda name: learning_rates(SCHEDULERS[name]))
    figure, (row,) = figure_of(3.0 * len(found), 3.4, 1, len(found), sharey=True)
    for axes, (name, colour, received) in zip(row, found, strict=True):
        for _, _, others in found:
            axes.step(range(EPOCHS), others, where="post", color="0.88", linewidth=1)
        axes.step(range(EPOCHS), received, where="post", color=colour, linewidth=2.2)
        axes.set_title(name)
        axes.set(xlabel="epoch", xlim=(0, EPOCHS - 1), ylim=(0.0, 1.05 * BASE_LR))
    row[0].set_ylabel("learning rate")
    save_figure(figure, path)


# Batch normalisation has a file of its own: it trains.


def batch_norm(path: Path) -> None:
    """Draw training with and without batch normalisation."""
    from pictures_batch_norm import batch_norm_curves

    batch_norm_curves(path)


PICTURES: dict[str, Callable[[Path], None]] = {
    "trajectories": trajectories,
    "rates": rates,
    "schedules": schedules,
    "batch_norm": batch_norm,
}


def main() -> int:
    """Draw what was asked for; return 1 if something could not be drawn, else 0."""
    parser = argparse.ArgumentParser(description="Draw the pictures of week 3.")
    parser.add_argument("picture", nargs="?", default="all", choices=[*PICTURES, "all"])
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder for pictures")
    options = parser.parse_args()
    status = 0
    for name in PICTURES if options.picture == "all" else [options.picture]:
        try:
            PICTURES[name](options.out / f"{name}.png")
        except NotImplementedError as gap:
            print(f"did not draw {name}.png, which needs {gap}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
