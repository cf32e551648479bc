"""The experiments of the extra credit: tables to paste into experiments.md, and pictures.

    python experiments.py norms          layer norm, batch norm and none, for several batch sizes
    python experiments.py dropout        what dropout does with few training examples
    python experiments.py activations    activations and gradients in depth, by initialisation
    python experiments.py clipping       training with and without clipped gradients
    python experiments.py all            the four in a row

Given: nothing here needs to be filled. Each experiment uses what you wrote (BatchNorm1d, Dropout,
and extra_credit.py) and runs for some seconds. Pictures go to figures/ (--out); the seed (--seed)
fixes every number, those of dropout only if yours takes a generator (week3.options).
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import extra_credit
import numpy as np
import numpy.typing as npt
from batch_norm import BatchNorm1d
from regularization import Dropout

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]


class Layer(Protocol):
    """What all layers here can do."""

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the output for a batch."""
        ...

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return the gradient with respect to that batch."""
        ...


class Dense:
    """y = x W^T + b with He initialisation."""

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator) -> None:
        """Draw W, shape (outputs, inputs); b is 0."""
        self.W = rng.standard_normal((outputs, inputs)) * (2.0 / inputs) ** 0.5
        self.b = np.zeros(outputs)

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the outputs, shape (N, outputs)."""
        self._input = x
        return self.b + x @ self.W.T

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Keep the gradients of W and b, and return that of x."""
        self.dL_dW, self.dL_db = dL_dy.T @ self._input, np.sum(dL_dy, axis=0)
        return dL_dy @ self.W


class Rectifier:
    """y = max(0, x)."""

    def forward(self, x: FloatArray) -> FloatArray:
        """Return x where it is positive, and 0 elsewhere."""
        self._open = x > 0.0
        return x * self._open

    def backward(self, dL_dy: FloatArray) -> FloatArray:
        """Return the gradient where x was positive, and 0 elsewhere."""
        return dL_dy * self._open


PARAMETERS = (("W", "dL_dW"), ("b", "dL_db"), ("gamma", "dL_dgamma"), ("beta", "dL_dbeta"))
"""The names of parameters and of their gradients; a layer has the first two, the others or none."""


class Model:
    """Layers in a row, with softmax and cross-entropy behind them, trained by gradient descent."""

    def __init__(self, parts: Sequence[Layer]) -> None:
        """Keep the layers, first to last."""
        self.parts = parts

    def scores(self, x: FloatArray, training: bool) -> FloatArray:
        """Return the last layer's output; the layers that have two modes are told which one."""
        for part in self.parts:
            if isinstance(part, BatchNorm1d):
                part.train() if training else part.eval()
            x = part.forward(x, training) if isinstance(part, Dropout) else part.forward(x)
        return x

    def step(self, x: FloatArray, y: IntArray, rate: float) -> None:
        """Take one step of gradient descent on a batch."""
        log_p = log_softmax(self.scores(x, training=True))
        gradient = (np.exp(log_p) - np.eye(log_p.shape[1])[y]) / len(y)
        for part in reversed(self.parts):
            gradient = part.backward(gradient)
        for part, (name, slope) in itertools.product(self.parts, PARAMETERS):
            if hasattr(part, name):
                setattr(part, name, getattr(part, name) - rate * getattr(part, slope))

    def measure(self, x: FloatArray, y: IntArray) -> tuple[float, float]:
        """Return loss and accuracy of the predictions for x."""
        log_p = log_softmax(self.scores(x, training=False))
        return float(-log_p[np.arange(len(y)), y].mean()), float(np.mean(log_p.argmax(1) == y))


def dropout_layer(p: float, rng: np.random.Generator) -> Dropout:
    """Return a Dropout; one that takes no generator draws other masks in each run."""
    try:
        return Dropout(p, rng=rng)
    except TypeError:
        return Dropout(p)


def log_softmax(scores: FloatArray) -> FloatArray:
    """Return the logarithm of the softmax of each row."""
    centred = scores - scores.max(axis=1, keepdims=True)
    return centred - np.log(np.sum(np.exp(centred), axis=1, keepdims=True))


def shuffled(count: int, size: int, rng: np.random.Generator) -> Iterator[IntArray]:
    """Yield the random batches of an epoch, all of `size` examples; a smaller rest is left out."""
    shuffle = rng.permutation(count)
    for start in range(0, count - size + 1, size):
        yield shuffle[start : start + size]


def digits() -> tuple[FloatArray, IntArray, FloatArray, IntArray]:
    """Return x_train, y_train, x_test, y_test of the digits: rows of mean 0 and deviation 1."""
    # The course's `data` package lies in the repository's root, two folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import data

    images = data.load("digits")
    train, test = (x.reshape(len(x), -1) / 255.0 for x in (images.x_train, images.x_test))
    mean, deviation = train.mean(), train.std()
    return (train - mean) / deviation, images.y_train, (test - mean) / deviation, images.y_test


def watched(what: str, steps: Iterable[Any]) -> Iterable[Any]:
    """Return the steps behind a progress bar, which is shown in a terminal alone."""
    from tqdm import tqdm

    return tqdm(steps, what, leave=False, disable=None)


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a Markdown table; floats with three digits."""
    texts = [[f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in r] for r in rows]
    widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
    lines = [list(heads), ["-" * width for width in widths], *texts]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print(f"| {' | '.join(cells)} |")
    print()


def norms(options: argparse.Namespace) -> None:
    """Train with each kind of normalisation at several batch sizes; print the accuracies."""
    x, y, x_test, y_test = digits()
    kinds: dict[str, Callable[[int], list[Layer]]] = {
        "none": lambda width: [],
        "batch norm": lambda width: [BatchNorm1d(width)],
        "layer norm": lambda width: [extra_credit.LayerNorm(width)],
    }
    rows = []
    runs = list(itertools.product(kinds.items(), (2, 8, 64)))
    for (kind, make), size in watched("norms", runs):
        rng = np.random.default_rng(options.seed)
        layers: list[Layer] = []
        for inputs, outputs in ((x.shape[1], 64), (64, 64)):
            layers += [Dense(inputs, outputs, rng), *make(outputs), Rectifier()]
        model = Model([*layers, Dense(64, 10, rng)])
        for _ in range(5):
            for batch in shuffled(len(x), size, rng):
                model.step(x[batch], y[batch], rate=0.05)
        loss, accuracy = model.measure(x_test, y_test)
        rows.append((kind, size, model.measure(x, y)[0], loss, accuracy))
    table(("normalisation", "batch size", "training loss", "test loss", "test accuracy"), rows)


def dropout(options: argparse.Namespace) -> None:
    """Train a wide network on few examples, with more and more dropout; print and plot losses.

    A fifth of the training labels is replaced by random ones: there is something not to learn.
    """
    from matplotlib.figure import Figure

    x, y, x_test, y_test = digits()
    x, y = x[:300], y[:300].copy()
    y[::5] = np.random.default_rng(options.seed).integers(10, size=60)
    shares, rows = (0.0, 0.25, 0.5, 0.75), []
    figure = Figure(figsize=(12, 6), layout="constrained")
    grid = figure.subplots(2, len(shares), sharex=True, sharey="row")
    for p, (upper, lower) in zip(shares, grid.T, strict=True):
        rng = np.random.default_rng(options.seed)
        layers: list[Layer] = []
        for inputs, outputs in ((x.shape[1], 128), (128, 128)):
            layers += [Dense(inputs, outputs, rng), Rectifier(), dropout_layer(p, rng)]
        model = Model([*layers, Dense(128, 10, rng)])
        curves = []
        for _ in watched(f"dropout, p = {p}", range(50)):
            for batch in shuffled(len(x), 20, rng):
                model.step(x[batch], y[batch], rate=0.03)
            curves.append((model.measure(x, y), model.measure(x_test, y_test)))
        losses, accuracies = np.moveaxis(np.array(curves), 2, 0)
        upper.semilogy(losses, label=("training", "test"))
        lower.plot(accuracies)
        upper.set_title(f"p = {p}")
        lower.set(xlabel="epoch", ylim=(0, 1))
        (loss, accuracy), (test_loss, test_accuracy) = curves[-1]
        rows.append((p, loss, test_loss, losses[:, 1].min(), accuracy, test_accuracy))
    grid[0, 0].legend()
    grid[0, 0].set_ylabel("loss")
    grid[1, 0].set_ylabel("accuracy")
    heads = ("p", "training loss", "test loss", "lowest test loss")
    table((*heads, "training accuracy", "test accuracy"), rows)
    extra_credit.save_figure(figure, options.out / "dropout.png")


def activations(options: argparse.Namespace) -> None:
    """Send digits through ten layers, for each initialisation; print numbers, draw histograms."""
    x = digits()[0][:200]
    rows = []
    runs = list(itertools.product(("tanh", "relu"), INITIALISATIONS))
    for activation, name in watched("activations", runs):
        rng = np.random.default_rng(options.seed)
        sizes = [x.shape[1], *[100] * 10]
        weights = [INITIALISATIONS[name](*pair, rng) for pair in itertools.pairwise(sizes)]
        layers, h = [], x
        for W in weights:
            h = np.tanh(h @ W.T) if activation == "tanh" else np.maximum(h @ W.T, 0.0)
            layers.append(h)
        upstream = rng.standard_normal(h.shape)
        slopes = extra_credit.gradient_norms(weights, x, upstream, activation)
        first, *_, last = extra_credit.activation_statistics(layers)
        numbers = (first["deviation"], last["deviation"], last["dead"], slopes[-1], slopes[1])
        rows.append((activation, name, *numbers))
        path = options.out / f"activations_{activation}_{name.replace(' ', '_')}.png"
        extra_credit.plot_activations(layers, path, f"{activation}, {name}")
    heads = ("deviation, layer 1", "deviation, layer 10", "dead, layer 10")
    heads += ("gradient norm, layer 10", "gradient norm, layer 2")
    table(("activation", "initialisation", *heads), rows)


Initialiser = Callable[[int, int, np.random.Generator], FloatArray]
INITIALISATIONS: dict[str, Initialiser] = {
    "small": lambda inputs, outputs, rng: 0.01 * rng.standard_normal((outputs, inputs)),
    "xavier": extra_credit.xavier_normal,
    "he": extra_credit.he_normal,
    "orthogonal": lambda inputs, outputs, rng: extra_credit.orthogonal(outputs, inputs, rng),
}


def clipping(options: argparse.Namespace) -> None:
    """Fit a line to data with some wild targets, with and without clipping; print what comes out.

    The wild targets make gradients that are hundreds of times larger than the usual ones.
    """
    kinds: dict[str, Callable[[list[FloatArray]], list[FloatArray]]] = {
        "none": lambda gradients: gradients,
        "by value, 0.5": lambda gradients: extra_credit.clip_by_value(gradients, 0.5),
        "by norm, 10": lambda gradients: extra_credit.clip_by_norm(gradients, 10.0)[0],
        "by norm, 1": lambda gradients: extra_credit.clip_by_norm(gradients, 1.0)[0],
    }
    rows = []
    runs = list(itertools.product(kinds.items(), (0.001, 0.03)))
    for (kind, clip), rate in watched("clipping", runs):
        rng = np.random.default_rng(options.seed)
        truth, w, b = rng.standard_normal(20), np.zeros(20), np.zeros(1)
        largest, changed, steps = 0.0, 0, 2000
        for _ in range(steps):
            x = rng.standard_normal((16, 20))
            wild = 300.0 * rng.standard_normal(16) * (rng.random(16) < 0.01)
            residual = x @ w + b - (x @ truth + 0.5 + wild)
            gradients = [2.0 * residual @ x / 16, np.array([2.0 * residual.mean()])]
            clipped = clip(gradients)
            largest = max(largest, float(np.linalg.norm(np.concatenate(gradients))))
            same = zip(gradients, clipped, strict=True)
            changed += not all(np.array_equal(before, after) for before, after in same)
            w, b = w - rate * clipped[0], b - rate * clipped[1]
        error = float(np.sqrt(np.sum((w - truth) ** 2) + np.sum((b - 0.5) ** 2)))
        rows.append((kind, rate, largest, f"{changed / steps:.0%}", error))
    heads = ("clipping", "rate", "largest gradient norm", "steps clipped", "error of w and b")
    table(heads, rows)


EXPERIMENTS = {
    "norms": norms,
    "dropout": dropout,
    "activations": activations,
    "clipping": clipping,
}


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description="Run the experiments of the extra credit.")
    parser.add_argument("experiment", choices=[*EXPERIMENTS, "all"])
    parser.add_argument("--seed", type=int, default=0, help="for weights, batches and data")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder for pictures")
    options = parser.parse_args()
    for name, run in EXPERIMENTS.items():
        if options.experiment in (name, "all"):
            print(f"{name}, seed {options.seed}\n")
            run(options)


if __name__ == "__main__":
    main()
