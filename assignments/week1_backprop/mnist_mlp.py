"""A two-layer network that reads handwritten digits, and the script that trains it.

    python mnist_mlp.py                  train, save a picture of the curves and of what was learnt
    python mnist_mlp.py --study          compare depths and widths instead
    python mnist_mlp.py --help           all options

The first half of the file is yours to fill; the script below it is complete. Importing this module
needs NumPy alone: data, progress bar and plots are imported where they are used.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from losses import CrossEntropyLoss
from neural_net import Layer, Linear, Network, ReLU

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]


def standardise(train: npt.NDArray, *others: npt.NDArray) -> list[FloatArray]:
    """Flatten images and give them mean 0 and deviation 1. Given, as a worked example.

    Mean and standard deviation are two numbers, taken over all pixels of the *training* images, and
    applied to every array: the network must meet test images on the scale that it learned on.

    Args:
        train: training images, shape (N, H, W), any real dtype, not changed.
        others: more image arrays of the same H and W, not changed.

    Returns:
        One float64 array of shape (N, H * W) for each argument, in order.
    """
    mean, deviation = train.mean(dtype=np.float64), train.std(dtype=np.float64)
    return [(images.reshape(len(images), -1) - mean) / deviation for images in (train, *others)]


def minibatch_indices(
    count: int, batch_size: int, rng: np.random.Generator
) -> list[npt.NDArray[np.intp]]:
    """Divide the examples 0 .. count - 1 into random batches for one epoch.

    Beyond the texts: week1.tools.

    Args:
        count: how many examples there are.
        batch_size: examples in each batch, except that the last one has what is left.
        rng: decides the order; a new one at each call, so that no two epochs are the same.

    Returns:
        Index arrays, in which every example occurs exactly once in all. `x[batch]` and `y[batch]`
        are then a batch and its labels.
    """
    raise NotImplementedError("week1.tools: fill in minibatch_indices")


class TwoLayerMLP:
    """784 inputs, 128 hidden units with ReLU, 10 logits; the cross-entropy of the logits as loss.

    Attributes:
        layers: a list of three: Linear(784, 128), ReLU(), Linear(128, 10).
        loss_fn: CrossEntropyLoss.

    The methods use whatever these two hold at the moment, and take any layer with `forward` and
    `backward` for one (`hasattr(layer, "W")` says whether it has parameters).
    """

    layers: list[Any]
    loss_fn: CrossEntropyLoss

    def __init__(self, rng: np.random.Generator | None = None) -> None:
        """Create the layers and the loss.

        `rng` is beyond the texts (week1.tools): it is handed to both Linear layers for their
        initial weights, so that a run can be repeated.
        """
        raise NotImplementedError("week1.mlp: fill in TwoLayerMLP.__init__")

    def forward(self, x: FloatArray) -> FloatArray:
        """Return the logits, shape (N, 10), of the batch `x`, shape (N, 784)."""
        raise NotImplementedError("week1.mlp: fill in TwoLayerMLP.forward")

    def backward(self, dL_dy: FloatArray) -> None:
        """Compute all gradients, from the last layer to the first. Returns nothing.

        `dL_dy` is the gradient of the loss with respect to the logits, shape (N, 10), not changed.
        `forward` has been run on the batch. Afterwards `dL_dW` and `dL_db` of both Linear layers
        belong to it; no parameter has changed.
        """
        raise NotImplementedError("week1.mlp: fill in TwoLayerMLP.backward")

    def update_parameters(self, lr: float) -> None:
        """Take one step of gradient descent: W <- W - lr dL_dW, b <- b - lr dL_db, both layers."""
        raise NotImplementedError("week1.mlp: fill in TwoLayerMLP.update_parameters")

    def train_step(self, x_batch: FloatArray, y_batch: IntArray, lr: float) -> float:
        """Train on one batch: forward pass, loss, backward pass, update.

        Args:
            x_batch: inputs, shape (N, 784), not changed.
            y_batch: class indices, shape (N,), not changed.
            lr: learning rate, positive.

        Returns:
            The batch's mean loss before the update.
        """
        raise NotImplementedError("week1.mlp: fill in TwoLayerMLP.train_step")

    def predict(self, x: FloatArray) -> IntArray:
        """Return the class with the largest logit for each row of `x`: integers, shape (N,)."""
        raise NotImplementedError("week1.mlp: fill in TwoLayerMLP.predict")

    def evaluate(self, x: FloatArray, y: IntArray) -> float:
        """Return the accuracy: the share of rows of `x` whose prediction is right, from 0 to 1.

        `x`: shape (N, 784). `y`: the true class indices, shape (N,). (Percent, from 0 to 100, are
        accepted too.)
        """
        raise NotImplementedError("week1.mlp: fill in TwoLayerMLP.evaluate")

    def gradient_norms(self) -> list[dict[str, float]]:
        """Return the Euclidean norms of the stored gradients. Beyond the texts: week1.tools.

        One entry for each layer with parameters, first to last, in the form
        [{"W": ..., "b": ...}, {"W": ..., "b": ...}], with Python floats. The norm is the square
        root of the sum of the squares of all entries. Norms that shrink from layer to layer, going
        back, tell of gradients that vanish.
        """
        raise NotImplementedError("week1.tools: fill in TwoLayerMLP.gradient_norms")


# The training script. Nothing below needs to be filled.

EPOCHS = {"mnist": 5, "digits": 20}
"""How often all training images are gone through, as in grading. digits are 42 times fewer."""

BATCH_SIZE, LEARNING_RATE = 64, 0.01

EXPECTED = {"mnist": (0.952, 0.957), "digits": (0.961, 0.978)}
"""Test accuracies at which right solutions end with these settings: lowest and highest."""

LOOKS = 40
"""How often the accuracies are measured for the curves."""


def load_images() -> tuple[str, FloatArray, IntArray, FloatArray, IntArray]:
    """Return the data's name and standardised x_train, y_train, x_test, y_test.

    The data are MNIST, or digits if that isn't there.
    """
    # The course's `data` package lies in the repository's root, two folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import data

    images = data.load_or_digits("mnist")
    print(f"{images.name}: {len(images.x_train)} training images, {len(images.x_test)} test images")
    x_train, x_test = standardise(images.x_train, images.x_test)
    return images.name, x_train, images.y_train, x_test, images.y_test


def save_figure(figure: Any, path: Path) -> None:
    """Save a Matplotlib figure as PNG; a file of that name is replaced only by a complete one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    figure.savefig(partial, dpi=120, format="png")
    os.replace(partial, path)
    print(f"saved {path}")


def seeded(kind: Any, *sizes: int, rng: np.random.Generator) -> Any:
    """Return kind(*sizes) with weights from `rng`, or from anywhere if it takes no generator."""
    try:
        return kind(*sizes, rng=rng)
    except TypeError:
        return kind(*sizes)


def batches_of(count: int, size: int, rng: np.random.Generator) -> list[npt.NDArray[np.integer]]:
    """Return the batches of an epoch; while `minibatch_indices` is a gap, ones drawn at random."""
    try:
        return list(minibatch_indices(count, size, rng))
    except (NameError, NotImplementedError):
        return [rng.integers(count, size=size) for _ in range(-(-count // size))]


def norms_of(model: Any) -> str:
    """Return the norms of the stored gradients as text; none while `gradient_norms` is a gap."""
    try:
        norms = model.gradient_norms() if hasattr(model, "gradient_norms") else []
    except NotImplementedError:
        norms = []
    return ", norm of dL_dW: " * bool(norms) + ", ".join(f"{layer['W']:.3f}" for layer in norms)


def plot_curves(losses: list[float], looks: list[tuple[int, float, float]], path: Path) -> None:
    """Save the loss of every batch, and the accuracies beside it.

    `looks` has rows of: batches so far, accuracy on training images, accuracy on test images.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    width = min(50, 1 + len(losses) // 20)
    mean = np.convolve(losses, np.ones(width) / width, mode="valid")
    left.plot(losses, color="0.8", label="batch")
    left.plot(np.arange(len(mean)) + width - 1, mean, label=f"mean of {width}")
    left.set(title="Training loss", ylabel="cross-entropy", ylim=(0, None))
    batches, on_training, on_test = zip(*looks, strict=True)
    right.plot(batches, on_training, color="0.6", label=f"training images: {on_training[-1]:.1%}")
    right.plot(batches, on_test, label=f"test images: {on_test[-1]:.1%}")
    right.set(title="Accuracy", ylabel="share of right predictions", ylim=(0, 1))
    for axes in (left, right):
        axes.set(xlabel="batch", xlim=(0, len(losses)))
        axes.grid(axis="y", color="0.93")
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    save_figure(figure, path)


def plot_learnt(start: FloatArray, end: FloatArray, path: Path, shown: int = 32) -> None:
    """Save what the hidden units have learnt: their weights minus those that they began with.

    `start` and `end` have one row for each unit, shape (units, H * H). The units that changed most
    come first. For the first eight, the weights before and after stand above: the random numbers
    of the start hide what has been added to them.
    """
    from matplotlib.figure import Figure

    side = int(np.sqrt(start.shape[1]))
    most = np.argsort(-np.linalg.norm(end - start, axis=1))[:shown]
    start, change, columns = start[most], (end - start)[most], 8
    rows = [("start", start[:columns]), ("end", (start + change)[:columns])]
    cuts = range(0, len(most), columns)
    rows += [("end - start" if cut == 0 else "", change[cut : cut + columns]) for cut in cuts]
    figure = Figure(figsize=(8.4, 1.02 * len(rows) + 0.7), layout="constrained")
    limits = np.abs(start).max(), np.abs(change).max()
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for k, (axes_of_row, (label, units)) in enumerate(zip(grid, rows, strict=True)):
        for axes in axes_of_row:
            axes.set(xticks=[], yticks=[], frame_on=False)
        limit = limits[0] if k < 2 else limits[1]
        for axes, unit in zip(axes_of_row, units, strict=False):  # the last row may be shorter
            axes.imshow(unit.reshape(side, side), cmap="RdBu", vmin=-limit, vmax=limit)
        axes_of_row[0].set_ylabel(label)
    figure.suptitle("First layer, the units that changed most (blue: more, red: less)")
    save_figure(figure, path)


def first_layer(model: Any) -> FloatArray:
    """Return a copy of the first layer's weights, with one row for each hidden unit."""
    weights = np.array(model.layers[0].W)
    return weights if len(weights) == 128 else weights.T


def train(options: argparse.Namespace) -> None:
    """Train a TwoLayerMLP as the options say; print both accuracies after each epoch."""
    from tqdm import tqdm

    name, x_train, y_train, x_test, y_test = load_images()
    rng = np.random.default_rng(options.seed)
    model = seeded(TwoLayerMLP, rng=rng)
    start, losses, looks = first_layer(model), [], []
    epochs = options.epochs or EPOCHS[name]
    total = epochs * -(-len(x_train) // options.batch_size)
    when = set(np.linspace(1, total, LOOKS).round().astype(int).tolist())
    some = slice(10_000)  # the curve of the training images goes by so many at most
    for epoch in range(1, epochs + 1):
        batches = batches_of(len(x_train), options.batch_size, rng)
        # A progress bar, where somebody looks: disable=None leaves it out of files and pipes.
        for batch in tqdm(batches, f"epoch {epoch}", unit="batch", leave=False, disable=None):
            losses.append(model.train_step(x_train[batch], y_train[batch], options.lr))
            if len(losses) in when:
                pair = model.evaluate(x_train[some], y_train[some]), model.evaluate(x_test, y_test)
                looks.append((len(losses), *map(share, pair)))
        on_training, on_test = model.evaluate(x_train, y_train), model.evaluate(x_test, y_test)
        accuracies = f"train accuracy {share(on_training):.4f}, test accuracy {share(on_test):.4f}"
        print(f"epoch {epoch}: {accuracies}{norms_of(model)}")
    print(expectation(name, options, share(on_test)))
    plot_curves(losses, looks, options.out / "learning_curves.png")
    plot_learnt(start, first_layer(model), options.out / "what_was_learnt.png")


def share(accuracy: float) -> float:
    """Return an accuracy as a share from 0 to 1, whether it comes as that or in percent."""
    return accuracy / 100 if accuracy > 1 else accuracy


def expectation(name: str, options: argparse.Namespace, reached: float) -> str:
    """Say where right solutions end, and how that compares with the accuracy that was reached."""
    low, high = EXPECTED[name]
    settings = (options.epochs or EPOCHS[name], options.batch_size, options.lr)
    if settings != (EPOCHS[name], BATCH_SIZE, LEARNING_RATE):
        return f"Right solutions end at {low:.1%} to {high:.1%} with the settings of the handout."
    said = f"Right solutions end at {low:.1%} to {high:.1%} on {name} after {settings[0]} epochs"
    below = "; this is less. What usually causes that is under 'Common pitfalls' in the handout."
    return said + (below if reached < low - 0.005 else ".")


def study(options: argparse.Namespace) -> None:
    """Print a table of both accuracies and the training time over depth and width."""
    from tqdm import tqdm

    name, x_train, y_train, x_test, y_test = load_images()
    x_train, y_train = x_train[: options.images], y_train[: options.images]
    epochs = options.epochs or EPOCHS[name]
    print("hidden layers  width  training accuracy  test accuracy  difference  seconds")
    for depth in (2, 3, 5):
        for width in (32, 64, 128):
            rng = np.random.default_rng(options.seed)
            sizes = [x_train.shape[1], *[width] * depth]
            layers: list[Layer] = []
            for size_in, size_out in itertools.pairwise(sizes):
                layers += [seeded(Linear, size_in, size_out, rng=rng), ReLU()]
            network = Network([*layers, seeded(Linear, width, 10, rng=rng)])
            start, what = time.perf_counter(), f"{depth} x {width}"
            for _ in tqdm(range(epochs), what, unit="epoch", leave=False, disable=None):
                for batch in batches_of(len(x_train), options.batch_size, rng):
                    network.train_step(x_train[batch], y_train[batch], options.lr)
            seconds = time.perf_counter() - start
            learned, general = (
                float(np.mean(network.forward(x).argmax(axis=1) == y))
                for x, y in ((x_train, y_train), (x_test, y_test))
            )
            accuracies = f"{learned:17.4f}  {general:13.4f}  {learned - general:10.4f}"
            print(f"{depth:13}  {width:5}  {accuracies}  {seconds:7.1f}", flush=True)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description="Train a two-layer network on digits.")
    parser.add_argument("--epochs", type=int, help="without it 5 on MNIST, and 20 on digits")
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    parser.add_argument("--lr", type=float, default=LEARNING_RATE, help="learning rate")
    parser.add_argument("--seed", type=int, default=0, help="for weights and batches")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder for pictures")
    parser.add_argument("--study", action="store_true", help="compare depths and widths")
    parser.add_argument("--images", type=int, help="with --study: train on the first so many only")
    options = parser.parse_args()
    smallest = min(1 if options.epochs is None else options.epochs, options.batch_size)
    if smallest < 1 or options.lr <= 0:
        parser.error("--epochs and --batch-size must be at least 1, and --lr positive")
    (study if options.study else train)(options)


if __name__ == "__main__":
    main()
