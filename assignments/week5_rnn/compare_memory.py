"""Compare how long recurrent layers remember, on your own RNN and LSTM: two tables, two pictures.

    python compare_memory.py gradients   how much of a gradient reaches the first input
    python compare_memory.py recall      networks that have to say which symbol came first
    python compare_memory.py             both, some ten seconds

Given, nothing to fill in. It needs RNN and LSTM of rnn.py, `recall` also sequence_loss of
language.py. Four layers of the same size are compared: an RNN, and LSTMs whose forget gate begins
with bias 0, 1 and 3. Pictures go to figures/ (--out), where matplotlib is installed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from language import Adagrad, sequence_loss
from rnn import LSTM, RNN, gradient_by_step

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
Layer = RNN | LSTM
Curves = Mapping[str, Sequence[float]]

HIDDEN = 32
LENGTHS = (1, 2, 5, 10, 20, 50, 100)
SYMBOLS = 4
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def layers(inputs: int, seed: int) -> dict[str, Layer]:
    """Return the four layers that are compared, with fresh weights."""
    found: dict[str, Layer] = {"RNN": RNN(inputs, HIDDEN, rng=np.random.default_rng(seed))}
    for bias in (0.0, 1.0, 3.0):
        rng = np.random.default_rng(seed)
        found[f"LSTM, forget bias {bias:g}"] = LSTM(inputs, HIDDEN, bias, rng=rng)
    return found


def first_to_last(layer: Layer, steps: int, inputs: int, seed: int) -> float:
    """Return |dL/dx_1| / |dL/dx_T| for random inputs, where only the last state counts."""
    rng = np.random.default_rng(1000 + seed)
    x, grad_last = rng.normal(size=(steps, 8, inputs)), rng.normal(size=(8, HIDDEN))
    return gradient_by_step(layer, x, grad_last)[0]


def gradients(options: argparse.Namespace) -> Curves:
    """Print the ratio for each layer and length: the median of five seeds, before any training."""
    inputs, runs = 8, range(options.seed, options.seed + 5)
    found: dict[str, list[float]] = {name: [] for name in layers(inputs, 0)}
    for steps in LENGTHS:
        for name, curve in found.items():
            ratios = [first_to_last(layers(inputs, s)[name], steps, inputs, s) for s in runs]
            curve.append(float(np.median(ratios)))
    print("|dL/dx_1| / |dL/dx_T|, by the number of steps T, before training")
    print_table(found, LENGTHS, "{:.0e}")
    return found


def first_symbols(rng: np.random.Generator, batch: int, steps: int) -> tuple[FloatArray, IntArray]:
    """Return sequences and the symbol that each begins with.

    The first step shows one of SYMBOLS, one-hot; all later ones show noise, in other inputs.
    """
    symbols = rng.integers(SYMBOLS, size=batch)
    x = np.zeros((steps, batch, SYMBOLS + 2))
    x[0, np.arange(batch), symbols] = 1.0
    x[1:, :, SYMBOLS:] = rng.normal(size=(steps - 1, batch, 2))
    return x, symbols


class Recall:
    """A recurrent layer, and a linear one that reads its last state."""

    def __init__(self, layer: Layer) -> None:
        """Begin with no opinion: the linear layer's weights are 0."""
        self.layer, self.W = layer, np.zeros((HIDDEN, SYMBOLS))
        self.optimizer = Adagrad()

    def logits(self, x: FloatArray) -> FloatArray:
        """Return a score for each symbol, shape (N, SYMBOLS)."""
        self.last = self.layer.forward(x)[-1]
        return self.last @ self.W

    def train_step(self, x: FloatArray, symbols: IntArray, lr: float) -> None:
        """Take one step; the loss uses the last state alone."""
        layer = self.layer
        _, upstream = sequence_loss(self.logits(x)[:, None], symbols[:, None])
        dL_dlogits = upstream[:, 0]
        layer.backward([*[None] * (len(x) - 1), np.einsum("ns,hs->nh", dL_dlogits, self.W)])
        grads = [layer.dL_dWx, layer.dL_dWh, layer.dL_db, self.last.T @ dL_dlogits]
        self.optimizer.step([layer.Wx, layer.Wh, layer.b, self.W], grads, lr)


def recall(options: argparse.Namespace) -> Curves:
    """Train each layer to name the first symbol at the end, and print how often it is right."""
    every = max(options.steps // 6, 1)
    places = range(every, options.steps + 1, every)
    found: dict[str, list[float]] = {}
    for name, layer in layers(SYMBOLS + 2, options.seed).items():
        network, rng = Recall(layer), np.random.default_rng(options.seed)
        found[name] = []
        for step in range(1, options.steps + 1):
            network.train_step(*first_symbols(rng, 32, options.length), lr=0.1)
            if step in places:
                x, symbols = first_symbols(np.random.default_rng(10**6), 500, options.length)
                right = network.logits(x).argmax(axis=1) == symbols
                found[name].append(100.0 * float(right.mean()))
    print(f"first symbol of {options.length} named at the end, in %, by steps of training;")
    print(f"{100 / SYMBOLS:.0f} % is guessing")
    print_table(found, places, "{:.0f}")
    return found


def print_table(curves: Curves, places: Sequence[int], form: str) -> None:
    """Print a line for each layer."""
    heads = " | ".join(f"{place:>6}" for place in places)
    print(f"| {'layer':20} | {heads} |")
    print(f"| {'-' * 20} | {' | '.join('-' * 6 for _ in places)} |")
    for name, curve in curves.items():
        print(f"| {name:20} | {' | '.join(f'{form.format(value):>6}' for value in curve)} |")
    print(flush=True)


def draw(
    curves: Curves, places: Sequence[int], labels: tuple[str, str], path: Path, *, by_ten: bool
) -> None:
    """Draw the curves into a file, or say that matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        print("matplotlib is not installed: there is no picture.")
        return
    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    axes = figure.add_subplot(xlabel=labels[0], ylabel=labels[1])
    for (name, curve), colour in zip(curves.items(), COLOURS, strict=True):
        axes.plot(places, curve, marker=".", color=colour, label=name)
    if by_ten:
        axes.set_yscale("log")
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    print(f"drawn: {path}\n")


def main() -> int:
    """Read the options and compare; return 2 where a gap is in the way."""
    parser = argparse.ArgumentParser(description="Compare how long recurrent layers remember.")
    parser.add_argument("what", nargs="?", choices=("gradients", "recall", "all"), default="all")
    parser.add_argument("--length", type=int, default=30, help="steps of a sequence in recall")
    parser.add_argument("--steps", type=int, default=300, help="training steps in recall")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("figures"))
    options = parser.parse_args()
    if options.length < 2 or options.steps < 1:
        parser.error("--length must be at least 2, and --steps at least 1")
    asked: list[Callable[[], None]] = []
    if options.what != "recall":
        labels = ("number of steps T", "|dL/dx_1| / |dL/dx_T|")
        path = options.out / "memory_gradients.png"
        asked.append(lambda: draw(gradients(options), LENGTHS, labels, path, by_ten=True))
    if options.what != "gradients":
        every = max(options.steps // 6, 1)
        places = range(every, options.steps + 1, every)
        words = ("steps of training", "first symbol named, in %")
        picture = options.out / "memory_recall.png"
        asked.append(lambda: draw(recall(options), places, words, picture, by_ten=False))
    try:
        for compare in asked:
            compare()
    except NotImplementedError as gap:
        print(f"\nThis needs something that is not written yet: {gap}")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
