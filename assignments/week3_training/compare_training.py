"""The comparisons that report.md asks for: tables to paste into it, and pictures.

    python compare_training.py initialisations   zero, small, large, Xavier's and He's weights
    python compare_training.py optimizers        SGD, momentum, RMSprop, Adam, at several rates
    python compare_training.py batch_norm        with it and without it, at several rates
    python compare_training.py all               the three in a row, about a minute

Given, nothing to fill in. The optimizers and the batch normalisation are your own; what has gaps
left is left out, and the script says so. Each comparison changes one thing: data, batches and first
weights are the same on both sides. `--data mnist` takes 10,000 images of MNIST (`python check.py
data mnist`) instead of the embedded digits, and a few minutes. Pictures go to figures/ (--out).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from batch_norm import BatchNorm1d
from experiments import Dense, Model, Rectifier, log_softmax, shuffled, table
from pictures import COLOURS, figure_of, save_figure

from optimizers import SGD, Adam, Optimizer, Parameter, RMSprop, SGDMomentum

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
Arrays = tuple[FloatArray, IntArray, FloatArray, IntArray]

BATCH = 32
LARGEST_SET = 10_000
LARGE_LOSS = 1e3
"""A loss beyond counts as diverged."""


def load(name: str) -> Arrays:
    """Return standardised x_train, y_train, x_test, y_test, at most LARGEST_SET of each."""
    # The course's `data` package lies in the repository's root, two folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import data

    try:
        images = data.load(name)
    except data.DataError as error:
        raise SystemExit(str(error)) from None
    mean, deviation = images.x_train.mean(), images.x_train.std()
    x_train, x_test = (
        (x[:LARGEST_SET].reshape(len(x[:LARGEST_SET]), -1) - mean) / deviation
        for x in (images.x_train, images.x_test)
    )
    return x_train, images.y_train[:LARGEST_SET], x_test, images.y_test[:LARGEST_SET]


def network_of(sizes: Sequence[int], seed: int, normalise: bool = False) -> Model:
    """Return linear layers of these sizes with ReLU between them, and your batch norm if wanted."""
    rng = np.random.default_rng(seed)
    parts: list[Any] = []
    for inputs, outputs in pairwise(sizes):
        parts.append(Dense(inputs, outputs, rng))
        if outputs != sizes[-1]:
            parts += [BatchNorm1d(outputs)] * normalise + [Rectifier()]
    return Model(parts)


def gradients_of(model: Model, x: FloatArray, y: IntArray) -> tuple[float, list[float]]:
    """Leave the gradients of a batch in the model's layers.

    Returns:
        The loss, and for each linear layer, the first one first, the norm of the gradient that
        arrived at its output.
    """
    log_p = log_softmax(model.scores(x, training=True))
    gradient, arrived = (np.exp(log_p) - np.eye(log_p.shape[1])[y]) / len(y), []
    for part in reversed(model.parts):
        if isinstance(part, Dense):
            arrived.append(float(np.linalg.norm(gradient)))
        gradient = part.backward(gradient)
    return float(-log_p[np.arange(len(y)), y].mean()), arrived[::-1]


# Initialisation: what reaches the first layer.

HIDDEN_LAYERS, WIDTH = 8, 100

STARTS: dict[str, Callable[[int, int], float]] = {
    "zero": lambda inputs, outputs: 0.0,
    "small, 0.01": lambda inputs, outputs: 0.01,
    "large, 0.5": lambda inputs, outputs: 0.5,
    "Xavier": lambda inputs, outputs: (2.0 / (inputs + outputs)) ** 0.5,
    "He": lambda inputs, outputs: (2.0 / inputs) ** 0.5,
}
"""The standard deviation of the weights between so many inputs and so many outputs."""


def initialisations(arrays: Arrays, options: argparse.Namespace) -> None:
    """Print and draw gradient norms through a deep network, by its first weights; then train it."""
    x, y = arrays[:2]
    sizes = (x.shape[1], *[WIDTH] * HIDDEN_LAYERS, 10)
    arriving, stored, learned = {}, {}, []
    for name, deviation in STARTS.items():
        rng = np.random.default_rng(options.seed)
        model = network_of(sizes, options.seed)
        layers = [part for part in model.parts if isinstance(part, Dense)]
        for layer in layers:
            outputs, inputs = layer.W.shape
            layer.W = rng.standard_normal(layer.W.shape) * deviation(inputs, outputs)
        loss, arriving[name] = gradients_of(model, x[:200], y[:200])
        stored[name] = [float(np.linalg.norm(layer.dL_dW)) for layer in layers]
        with np.errstate(all="ignore"):  # a run that diverges is a result here
            for batch in batches(len(x), options):
                model.step(x[batch], y[batch], rate=0.03)
            learned.append((name, loss, *ends(model, arrays)))
    heads = tuple(f"layer {k}" for k in range(1, HIDDEN_LAYERS + 2, 2))
    print("norm of dL/dy, the gradient that arrives at a layer's output:\n")
    table(("weights", *heads), [(name, *row[::2]) for name, row in arriving.items()])
    print("norm of dL/dW, the gradient of its weights:\n")
    table(("weights", *heads), [(name, *row[::2]) for name, row in stored.items()])
    table(("weights", "first loss", "training loss", "training acc.", "test acc."), learned)
    draw_norms(arriving, stored, options.out / "compare_initialisations.png")


def draw_norms(
    arriving: dict[str, list[float]], stored: dict[str, list[float]], path: Path
) -> None:
    """Draw both kinds of norms by layer; norms of 0 have no place on a logarithmic axis."""
    figure, grid = figure_of(10.5, 4.0, 1, 2)
    for axes, norms, what in zip(grid[0], (arriving, stored), ("dL/dy", "dL/dW"), strict=True):
        for (name, row), colour in zip(norms.items(), COLOURS, strict=True):
            places = [(k, norm) for k, norm in enumerate(row, start=1) if norm > 0.0]
            if places:
                axes.semilogy(*zip(*places, strict=True), "o-", color=colour, label=name)
        axes.set(xlabel="layer, from the input", ylabel=f"norm of {what}")
    grid[0, 0].legend(frameon=False)
    figure.suptitle("Gradients before the first step, by the first weights")
    save_figure(figure, path)


def ends(model: Model, arrays: Arrays) -> tuple[Any, Any, Any]:
    """Return training loss, training accuracy and test accuracy; a word for a diverged run."""
    x, y, x_test, y_test = arrays
    loss, accuracy = model.measure(x, y)
    if not loss < LARGE_LOSS:
        return "diverged", accuracy, model.measure(x_test, y_test)[1]
    return loss, accuracy, model.measure(x_test, y_test)[1]


# Optimizers: the same start, four ways to go on.

Maker = Callable[[list[Parameter], float], Optimizer]
MAKERS: dict[str, tuple[Maker, tuple[float, ...]]] = {
    "SGD": (lambda parameters, lr: SGD(parameters, lr=lr), (0.01, 0.1, 1.0)),
    "SGDMomentum": (lambda parameters, lr: SGDMomentum(parameters, lr=lr), (0.001, 0.01, 0.1)),
    "RMSprop": (
        lambda parameters, lr: RMSprop(parameters, lr=lr, beta=0.99),
        (0.0001, 0.001, 0.01),
    ),
    "Adam": (lambda parameters, lr: Adam(parameters, lr=lr), (0.0001, 0.001, 0.01)),
}
"""Each with three learning rates, a factor of 10 apart."""


def descend(
    maker: Maker, lr: float, arrays: Arrays, options: argparse.Namespace
) -> tuple[Model, list[float]]:
    """Train a network with your optimizer; return it, and the loss of every batch."""
    x, y = arrays[:2]
    model, losses = network_of((x.shape[1], 64, 64, 10), options.seed), []
    layers = [part for part in model.parts if isinstance(part, Dense)]
    places = [(layer, name) for layer in layers for name in ("W", "b")]
    parameters = [Parameter(getattr(*place)) for place in places]
    optimizer = maker(parameters, lr)
    for batch in batches(len(x), options):
        losses.append(gradients_of(model, x[batch], y[batch])[0])
        for (layer, name), parameter in zip(places, parameters, strict=True):
            parameter.grad = getattr(layer, f"dL_d{name}")
        optimizer.step()
        for (layer, name), parameter in zip(places, parameters, strict=True):
            setattr(layer, name, parameter.data)
    return model, losses


def batches(count: int, options: argparse.Namespace) -> Iterator[IntArray]:
    """Yield the batches of all epochs: the same ones for everything that is compared."""
    from tqdm import tqdm

    rng = np.random.default_rng(options.seed)
    for _ in tqdm(range(options.epochs), unit="epoch", leave=False, disable=None):
        yield from shuffled(count, BATCH, rng)


def optimizers(arrays: Arrays, options: argparse.Namespace) -> None:
    """Train with each optimizer at three learning rates; print the ends, draw the best curves."""
    rows = []
    figure, axes = figure_of(7.2, 4.0, 1, 1)
    for (name, (maker, rates)), colour in zip(MAKERS.items(), COLOURS, strict=False):
        best: tuple[float, float, list[float]] | None = None
        for lr in rates:
            try:
                with np.errstate(all="ignore"):
                    model, losses = descend(maker, lr, arrays, options)
                    loss, accuracy, test_accuracy = ends(model, arrays)
            except NotImplementedError as gap:
                print(f"left out {name}: {gap}\n")
                break
            early = float(np.mean(losses[: len(losses) // options.epochs]))
            rows.append((name, lr, early, loss, accuracy, test_accuracy))
            if loss != "diverged" and (best is None or loss < best[0]):
                best = (loss, lr, losses)
        if best:
            width = max(1, len(best[2]) // 60)
            smooth = np.convolve(best[2], np.ones(width) / width, mode="valid")
            axes[0, 0].semilogy(smooth, color=colour, label=f"{name}, lr {best[1]:g}")
    heads = ("optimizer", "lr", "mean loss, epoch 1", "training loss", "training acc.", "test acc.")
    if rows:
        table(heads, rows)
        axes[0, 0].set(xlabel="batch", ylabel="loss, running mean")
        axes[0, 0].set(title="Each optimizer at its best of three learning rates")
        axes[0, 0].legend(frameon=False)
        save_figure(figure, options.out / "compare_optimizers.png")


# Batch normalisation: with and without.


def batch_norm(arrays: Arrays, options: argparse.Namespace) -> None:
    """Train a network of six hidden layers with batch norm and without it, at four rates."""
    rows = []
    kinds = {"without": COLOURS[1], "with": COLOURS[0]}
    figure, grid = figure_of(11.0, 3.6, 1, 4, sharey=True)
    for axes, rate in zip(grid[0], (0.01, 0.1, 0.5, 2.0), strict=True):
        for kind, colour in tuple(kinds.items()):
            try:
                results, curve = learn(rate, kind == "with", arrays, options)
            except NotImplementedError as gap:
                print(f"left out batch norm: {gap}\n")
                del kinds[kind]
                continue
            rows.append((rate, kind, *results))
            shown = np.where(np.array(curve) < LARGE_LOSS, curve, np.nan)
            axes.semilogy(10 * np.arange(len(shown)), shown, color=colour, label=kind)
        axes.set(title=f"learning rate {rate}", xlabel="batch")
    grid[0, 0].set_ylabel("training loss")
    grid[0, 0].legend(frameon=False, title="batch norm", loc="lower left")
    heads = ("learning rate", "batch norm", "training loss", "training acc.", "test acc.")
    table(heads, rows)
    save_figure(figure, options.out / "compare_batch_norm.png")


def learn(
    rate: float, normalise: bool, arrays: Arrays, options: argparse.Namespace
) -> tuple[tuple[Any, Any, Any], list[float]]:
    """Train one network; return how it ends, and its loss after every tenth batch."""
    x, y = arrays[:2]
    model = network_of((x.shape[1], *[64] * 6, 10), options.seed, normalise)
    curve = []
    with np.errstate(all="ignore"):  # a run that diverges is a result here
        for number, batch in enumerate(batches(len(x), options)):
            model.step(x[batch], y[batch], rate)
            if number % 10 == 0:
                curve.append(model.measure(x[:500], y[:500])[0])
        return ends(model, arrays), curve


COMPARISONS = {
    "initialisations": initialisations,
    "optimizers": optimizers,
    "batch_norm": batch_norm,
}


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description="Run the comparisons of the report.")
    parser.add_argument("comparison", choices=[*COMPARISONS, "all"])
    parser.add_argument("--data", choices=("digits", "mnist"), default="digits")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0, help="for weights and batches")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder for pictures")
    options = parser.parse_args()
    if options.epochs < 1:
        parser.error("--epochs must be at least 1")
    arrays = load(options.data)
    for name, run in COMPARISONS.items():
        if options.comparison in (name, "all"):
            print(f"{name}: {options.data}, {options.epochs} epochs, seed {options.seed}\n")
            run(arrays, options)


if __name__ == "__main__":
    main()
