"""Which wrong networks does the accuracy threshold tell from a right one? Measures it.

    python -m benchmarks.calibrate_digits                     digits, settings of grading.toml
    python -m benchmarks.calibrate_digits --data mnist --seeds 3
    python -m benchmarks.calibrate_digits --sweep             other epochs, rates and batches

Trains the network of week 1 (784-128-10, He initialisation, ReLU, mean cross-entropy, plain SGD,
standardised inputs), right and with one mistake at a time, over several seeds, and prints the test
accuracies and the points that they get. As in grading, the accuracy is that of the trained weights
in a right forward pass. Written in NumPy here, apart from the reference solution, so that every
mistake is one line.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # has to stand before NumPy's import

import argparse
import itertools
import tomllib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import data
from data.datasets import ImageSet

SEEDS = 10
TINY = {"seeds": 1, "epochs": 1, "mistakes": ("none", "frozen-1")}
GRADING = Path(__file__).parents[1] / "assignments" / "grading.toml"

MISTAKES = {
    "none": "no mistake",
    "relu-unmasked": "ReLU.backward hands its gradient on unmasked",
    "relu-inverted": "ReLU.backward lets it pass where the input was negative",
    "relu-missing": "no ReLU: the network is linear",
    "frozen-1": "the hidden layer is never updated",
    "frozen-2": "the output layer is never updated",
    "biases-only": "only the biases are updated",
    "flipped-1": "the hidden layer's gradients have the wrong sign",
    "flipped-all": "all gradients have the wrong sign",
    "no-one-hot": "the loss gradient is softmax / N, without the target",
    "not-divided": "the loss gradient is not divided by N",
    "divided-twice": "the loss gradient is divided by N twice",
    "bias-averaged": "the bias gradients are divided by N once more",
    "half-updates": "every second update is left out",
    "accumulated": "the gradients are never reset and add up",
    "zero-init": "all weights start at 0",
    "std-2/in": "weights ~ N(0, (2 / in)^2): the variance taken for the deviation",
    "std-1": "weights ~ N(0, 1)",
}


@dataclass(frozen=True)
class Settings:
    """One way to train: `epochs` over the data in batches of `batch_size` with step `lr`."""

    epochs: int
    batch_size: int
    lr: float


@dataclass
class Layer:
    """Weights (out, in), bias (out,) and the gradients of both."""

    W: np.ndarray
    b: np.ndarray
    dW: np.ndarray
    db: np.ndarray


def new_layer(inputs: int, outputs: int, mistake: str, rng: np.random.Generator) -> Layer:
    """A layer with W ~ N(0, 2 / inputs), unless the mistake says otherwise."""
    mistaken = {"zero-init": 0.0, "std-2/in": 2 / inputs, "std-1": 1.0}
    deviation = mistaken.get(mistake, float(np.sqrt(2 / inputs)))
    W = rng.normal(size=(outputs, inputs)) * deviation
    return Layer(W, np.zeros(outputs), np.zeros_like(W), np.zeros(outputs))


def step(layers: list[Layer], x: np.ndarray, y: np.ndarray, lr: float, mistake: str) -> None:
    """One forward pass, backward pass and update on the batch x (N, 784), y (N,)."""
    first, second = layers
    before = x @ first.W.T + first.b
    hidden = before if mistake == "relu-missing" else np.maximum(before, 0)
    logits = hidden @ second.W.T + second.b

    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    if mistake != "no-one-hot":
        p[np.arange(len(y)), y] -= 1
    upstream = p / len(y) ** {"not-divided": 0, "divided-twice": 2}.get(mistake, 1)

    back = upstream @ second.W
    if mistake == "relu-inverted":
        back = back * (before <= 0)
    elif mistake not in ("relu-unmasked", "relu-missing"):
        back = back * (before > 0)
    for layer, dy, inputs in ((second, upstream, hidden), (first, back, x)):
        dW, db = dy.T @ inputs, dy.sum(axis=0)
        if mistake == "accumulated":
            dW, db = dW + layer.dW, db + layer.db
        layer.dW, layer.db = dW, db / len(y) if mistake == "bias-averaged" else db

    for number, layer in enumerate(layers, 1):
        if mistake == f"frozen-{number}":
            continue
        flipped = mistake in (f"flipped-{number}", "flipped-all")
        rate = -lr if flipped else lr
        if mistake != "biases-only":
            layer.W = layer.W - rate * layer.dW
        layer.b = layer.b - rate * layer.db


def train(name: ImageSet, mistake: str, settings: Settings, seed: int) -> float:
    """Train once; the share of right answers of the trained weights on the test part, 0 to 1."""
    images = data.load(name)
    mean, deviation = images.x_train.mean(), images.x_train.std()
    x_train, x_test = (
        (x.reshape(len(x), -1) - mean) / deviation for x in (images.x_train, images.x_test)
    )
    rng = np.random.default_rng(seed)
    layers = [new_layer(784, 128, mistake, rng), new_layer(128, 10, mistake, rng)]
    steps = itertools.count()
    with np.errstate(over="ignore", invalid="ignore"):  # some mistakes diverge: they score chance
        for _ in range(settings.epochs):
            order = rng.permutation(len(x_train))
            for start in range(0, len(order), settings.batch_size):
                if mistake == "half-updates" and next(steps) % 2:
                    continue
                rows = order[start : start + settings.batch_size]
                step(layers, x_train[rows], images.y_train[rows], settings.lr, mistake)
        hidden = np.maximum(x_test @ layers[0].W.T + layers[0].b, 0)  # the grader's own forward
        logits = hidden @ layers[1].W.T + layers[1].b
    return float((logits.argmax(axis=1) == images.y_test).mean())


def credit(accuracy: float, curve: list[tuple[float, float]]) -> float:
    """The share of the points for an accuracy: straight lines between the curve's pairs."""
    accuracies, shares = zip(*curve, strict=True)
    return float(np.interp(accuracy, accuracies, shares))


def table(
    name: ImageSet,
    settings: Settings,
    curve: list[tuple[float, float]],
    seeds: int,
    mistakes: Sequence[str],
    pool: ProcessPoolExecutor,
) -> None:
    """Print one line for each mistake: its accuracies, and the mean share of the points."""
    print(
        f"{name}: {settings.epochs} epochs, batch {settings.batch_size}, lr {settings.lr}, "
        f"{seeds} seeds; curve {curve}"
    )
    print(f"{'mistake':15}  lowest  median  highest  points  full")
    runs = {
        mistake: [pool.submit(train, name, mistake, settings, seed) for seed in range(seeds)]
        for mistake in mistakes
    }
    for mistake, futures in runs.items():
        accuracies = np.array([future.result() for future in futures])
        shares = np.array([credit(accuracy, curve) for accuracy in accuracies])
        print(
            f"{mistake:15}  {accuracies.min():6.3f}  {np.median(accuracies):6.3f}  "
            f"{accuracies.max():7.3f}  {shares.mean():6.2f}  {(shares == 1).sum():2}/{seeds}",
            flush=True,
        )
    print()


def main(
    name: ImageSet = "digits",
    seeds: int = SEEDS,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    mistakes: Sequence[str] = tuple(MISTAKES),
    sweep: bool = False,
) -> None:
    """Print the tables. What is None is as grading.toml says; `sweep` tries a grid of settings."""
    graded = tomllib.loads(GRADING.read_text())["training"][name]
    chosen = Settings(
        epochs or graded["epochs"], batch_size or graded["batch_size"], lr or graded["lr"]
    )
    grid = [chosen]
    if sweep:
        grid = [
            Settings(epochs, batch_size, lr)
            for epochs in (5, 10, 20, 40)
            for batch_size in (16, 64)
            for lr in (0.003, 0.01, 0.03)
        ]
    for mistake in mistakes:
        print(f"{mistake:15}  {MISTAKES[mistake]}")
    print()
    with ProcessPoolExecutor() as pool:
        for settings in grid:
            table(name, settings, graded["curve"], seeds, mistakes, pool)


def command() -> None:
    """Read the options and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", dest="name", choices=["digits", "mnist"], default="digits")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--lr", type=float)
    parser.add_argument("--mistakes", nargs="+", choices=list(MISTAKES), default=list(MISTAKES))
    parser.add_argument("--sweep", action="store_true", help="try a grid of settings")
    main(**vars(parser.parse_args()))


if __name__ == "__main__":
    command()
