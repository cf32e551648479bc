"""The picture of batch normalisation: a network with it and without it, at two learning rates.

Given, nothing to fill in. `pictures.py` calls `batch_norm_curves`. The normalisation is your own
BatchNorm1d; all else of the network is here, in plain NumPy. The data are MNIST, or the embedded
digits where MNIST is not in the data cache.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from batch_norm import BatchNorm1d

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]

HIDDEN = (100, 100, 100)
CLASSES = 10
BATCH = 100
LEARNING_RATES = (0.1, 1.0)
EPOCHS = {"mnist": 3, "digits": 60}
LOOKS = 40
"""How often the test accuracy is measured in one run."""

HIGHEST_LOSS = 5.0
"""Losses beyond are not drawn: they belong to a run that diverges."""

WITH, WITHOUT = "with batch norm", "without it"
COLOURS = {WITH: "#0072B2", WITHOUT: "#D55E00"}
LINES = dict(zip(LEARNING_RATES, ("-", (0, (4, 1.5))), strict=True))


class DeepNetwork:
    """Linear layers with ReLU between them; batch normalisation before each ReLU, if wanted."""

    def __init__(self, inputs: int, normalise: bool, rng: np.random.Generator) -> None:
        """Draw the weights as He initialisation does. Biases are 0.

        A bias before a batch normalisation does nothing, as the mean is taken out again. It is
        there all the same, so that the networks differ in one thing only.
        """
        sizes = pairwise((inputs, *HIDDEN, CLASSES))
        self.weights = [rng.normal(0.0, np.sqrt(2.0 / n), size=(n, m)) for n, m in sizes]
        self.biases = [np.zeros(W.shape[1]) for W in self.weights]
        self.norms = [BatchNorm1d(units) for units in HIDDEN] if normalise else []

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the logits, shape (N, CLASSES), and keep what every layer was given."""
        self.inputs = []
        for k, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            self.inputs.append(x)
            x = x @ W + b
            if k < len(HIDDEN):
                x = self.norms[k].forward(x) if self.norms else x
                x = np.maximum(x, 0.0)
        return x

    def train_step(self, x: FloatArray, y: IntArray, lr: float) -> float:
        """Do one step of gradient descent on the cross-entropy; return it from before the step."""
        logits = self.forward(x)
        log_prob = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        rows = np.arange(len(y))
        gradient = np.exp(log_prob)
        gradient[rows, y] -= 1.0
        self._descend(gradient / len(y), lr)
        return -float(log_prob[rows, y].mean())

    def _descend(self, gradient: FloatArray, lr: float) -> None:
        """Go back through the layers with the gradient of the logits, updating each on the way."""
        for k in reversed(range(len(self.weights))):
            if k < len(HIDDEN):
                gradient = gradient * (self.inputs[k + 1] > 0.0)
                if self.norms:
                    norm = self.norms[k]
                    gradient = norm.backward(gradient)
                    norm.gamma = norm.gamma - lr * norm.dL_dgamma
                    norm.beta = norm.beta - lr * norm.dL_dbeta
            dL_dW, dL_db = self.inputs[k].T @ gradient, gradient.sum(axis=0)
            gradient = gradient @ self.weights[k].T
            self.weights[k] = self.weights[k] - lr * dL_dW
            self.biases[k] = self.biases[k] - lr * dL_db

    def accuracy(self, x: FloatArray, y: IntArray) -> float:
        """Return the share of right predictions, in evaluation mode."""
        for norm in self.norms:
            norm.eval()
        logits = self.forward(x)
        for norm in self.norms:
            norm.train()
        return float(np.mean(logits.argmax(axis=1) == y))


@dataclass
class Run:
    """What one training run gave. `when` holds the batch after which each accuracy was measured."""

    kind: str
    lr: float
    losses: list[float] = field(default_factory=list)
    when: list[int] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)

    @property
    def diverged(self) -> bool:
        """Tell whether the run ended with a loss that is no number any more."""
        return not np.isfinite(self.losses[-1])

    @property
    def end(self) -> str:
        """Say how the run ended."""
        if self.diverged:
            return f"diverged in batch {len(self.losses)}"
        return f"{self.accuracies[-1]:.1%}"


def batch_norm_curves(path: Path, epochs: int | None = None, seed: int = 0) -> None:
    """Train four networks and save their curves as one PNG.

    Args:
        path: where the picture goes; a file of that name is replaced only by a complete one.
        epochs: how long to train; None: 3 epochs on MNIST (less than a minute), 60 on digits.
        seed: for weights and batches. All four start with the same weights.

    Raises:
        NotImplementedError: if BatchNorm1d has a gap left; before any training, and no file.
        ValueError: if `epochs` is less than 1.
    """
    if epochs is not None and epochs < 1:
        raise ValueError(f"epochs must be at least 1, got {epochs}")
    name, *arrays = load_rows()
    epochs = EPOCHS[name] if epochs is None else epochs
    # With batch normalisation first: if that has a gap, nobody has to wait for it.
    kinds = [(kind, lr) for kind in (WITH, WITHOUT) for lr in LEARNING_RATES]
    title = {"mnist": "MNIST"}.get(name, name)
    runs = [train(kind, lr, arrays, epochs, seed) for kind, lr in kinds]
    draw(runs, len(arrays[0]) // BATCH, f"{len(HIDDEN)} hidden layers, {title}", path)


def load_rows() -> tuple[str, FloatArray, IntArray, FloatArray, IntArray]:
    """Return the data's name, and standardised x_train, y_train, x_test, y_test."""
    # The course's `data` package lies in the repository's root, two folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import data

    images = data.load_or_digits("mnist")
    mean, deviation = images.x_train.mean(), images.x_train.std()
    x_train, x_test = (
        (x.reshape(len(x), -1) - mean) / deviation for x in (images.x_train, images.x_test)
    )
    return images.name, x_train, images.y_train, x_test, images.y_test


def train(kind: str, lr: float, arrays: list[npt.NDArray], epochs: int, seed: int) -> Run:
    """Train one network, until its loss is no number any more; print how it went."""
    from tqdm import tqdm

    x_train, y_train, x_test, y_test = arrays
    rng = np.random.default_rng(seed)
    network = DeepNetwork(x_train.shape[1], kind == WITH, rng)
    run, started = Run(kind, lr), time.perf_counter()
    batches = [batch for _ in range(epochs) for batch in shuffled(len(x_train), rng)]
    looks = set(np.linspace(1, len(batches), LOOKS).round().astype(int).tolist())
    # A progress bar, where somebody looks: disable=None leaves it out of files and pipes.
    watched = tqdm(batches, f"{kind}, rate {lr}", unit="batch", leave=False, disable=None)
    for count, batch in enumerate(watched, start=1):
        with np.errstate(all="ignore"):  # a diverging run overflows; that is what it shows
            run.losses.append(network.train_step(x_train[batch], y_train[batch], lr))
        if run.diverged:
            break
        if count in looks:
            run.when.append(count)
            run.accuracies.append(network.accuracy(x_test, y_test))
    watched.close()  # a run that diverges leaves the loop early
    seconds = time.perf_counter() - started
    print(f"{kind}, learning rate {lr}: {run.end} ({seconds:.0f} s)")
    return run


def shuffled(count: int, rng: np.random.Generator) -> list[npt.NDArray[np.intp]]:
    """Return the whole batches of one epoch in random order; what is left over is left out."""
    rows = rng.permutation(count)
    return [rows[i : i + BATCH] for i in range(0, count - BATCH + 1, BATCH)]


def draw(runs: list[Run], per_epoch: int, what: str, path: Path) -> None:
    """Draw loss and test accuracy of all runs against the epoch, and save the picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    longest = max(len(run.losses) for run in runs)
    window, lowest = -(-longest // 36), HIGHEST_LOSS / 10
    for run in runs:
        look = {"color": COLOURS[run.kind], "linestyle": LINES[run.lr], "linewidth": 1.8}
        mean = trailing_mean(run.losses, window)
        lowest = min([lowest, *mean[mean > 0.0]])  # NaN, where a run diverged, is not > 0
        left.plot(np.arange(1, len(mean) + 1) / per_epoch, mean, **look)
        if run.diverged:
            last = len(run.losses) / per_epoch
            cross = {"color": COLOURS[run.kind], "markersize": 9, "mew": 2.5, "clip_on": False}
            left.plot(last, HIGHEST_LOSS, "x", **cross)
        label = f"{run.kind}, learning rate {run.lr}: {run.end}"
        right.plot(np.array(run.when) / per_epoch, run.accuracies, label=label, **look)
    left.set(title=f"Training loss, mean of {window} batches", ylabel="cross-entropy")
    left.set(yscale="log", ylim=(0.7 * lowest, HIGHEST_LOSS))
    right.set(title="Test accuracy, in evaluation mode", ylabel="accuracy", ylim=(0.85, 1.0))
    for axes in (left, right):
        axes.set(xlabel="epoch", xlim=(0.0, longest / per_epoch))
        axes.grid(axis="y", which="both", color="0.93", linewidth=0.7)
        axes.spines[["top", "right"]].set_visible(False)
    right.legend(frameon=False, loc="lower right")
    figure.suptitle(f"Batch normalisation: {what}, batches of {BATCH}")
    save_figure(figure, path)


def trailing_mean(losses: list[float], window: int) -> FloatArray:
    """Return, for each batch, the mean of the latest `window` losses (of fewer at first)."""
    with np.errstate(over="ignore"):
        return np.array(
            [np.mean(losses[max(0, k - window) : k]) for k in range(1, len(losses) + 1)]
        )


def save_figure(figure: Any, path: Path) -> None:
    """Save a Matplotlib figure as PNG; a file of that name is replaced only by a complete one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        figure.savefig(partial, dpi=130, format="png")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    print(f"saved {path}")
