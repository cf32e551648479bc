"""Compare what gradients cost: backward against measuring, on your own layers.

    python compare_costs.py              networks of growing width, one table
    python compare_costs.py --help       all options

Given, nothing to fill in. It needs Linear, ReLU, Network and CrossEntropyLoss. What to expect, and
why, is in reading/why_backward.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from losses import CrossEntropyLoss
from mnist_mlp import seeded, standardise
from neural_net import Linear, Network, ReLU

FloatArray = npt.NDArray[np.floating]
IntArray = npt.NDArray[np.integer]
EPSILON = 1e-5


def digits(count: int) -> tuple[FloatArray, IntArray]:
    """Return the first digits, shrunk to 14 x 14 pixels, standardised, and their labels."""
    # The course's `data` package lies in the repository's root, two folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import data

    images = data.load("digits")
    small = images.x_train.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    return standardise(small)[0][:count], images.y_train[:count]


class Task:
    """A network with one hidden layer, its loss, and a batch."""

    def __init__(self, width: int, x: FloatArray, y: IntArray, seed: int) -> None:
        """Make the network; the seed fixes its weights, if your Linear takes a generator."""
        rng = np.random.default_rng(seed)
        sizes = ((x.shape[1], width), (width, 10))
        self.linear = [seeded(Linear, *pair, rng=rng) for pair in sizes]
        self.network = Network([self.linear[0], ReLU(), self.linear[1]])
        self.loss_fn, self.x, self.y = CrossEntropyLoss(), x, y

    def loss(self) -> float:
        """Return the loss of the batch."""
        return float(self.loss_fn.forward(self.network.forward(self.x), self.y))


def backward_gradients(task: Task) -> list[FloatArray]:
    """Return the gradients of all parameters by one forward and one backward pass."""
    task.loss()
    task.network.backward(task.loss_fn.backward())
    return [gradient for layer in task.linear for gradient in (layer.dL_dW, layer.dL_db)]


def measured_gradients(task: Task) -> list[FloatArray]:
    """Return the same gradients by two forward passes for each single parameter."""
    found = []
    for parameter in (array for layer in task.linear for array in (layer.W, layer.b)):
        slopes = np.empty_like(parameter)
        for index in np.ndindex(parameter.shape):
            kept, ends = parameter[index], []
            for moved in (kept + EPSILON, kept - EPSILON):
                parameter[index] = moved
                ends.append(task.loss())
            parameter[index] = kept
            slopes[index] = (ends[0] - ends[1]) / (2.0 * EPSILON)
        found.append(slopes)
    return found


def timed(work: Callable[[], list[FloatArray]], repeats: int) -> tuple[list[FloatArray], float]:
    """Return what a call gives, and the least time of several calls, in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return result, 1e3 * min(times)


def line_of(width: int, task: Task) -> str:
    """Return the line of the table for one network."""
    exact, quick = timed(lambda: backward_gradients(task), 20)
    slopes, slow = timed(lambda: measured_gradients(task), 1)
    worst = max(np.abs(a - b).max() for a, b in zip(exact, slopes, strict=True))
    count = sum(gradient.size for gradient in exact)
    numbers = f"{count:12} | {quick:12.3f} | {slow:12.1f} | {slow / quick:5.0f}"
    return f"| {width:12} | {numbers} | {worst:10.0e} |"


def main() -> int:
    """Read the options and print the table; return 2 where a gap is in the way."""
    parser = argparse.ArgumentParser(description="Compare backward with measured gradients.")
    parser.add_argument("--widths", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if min(*options.widths, options.batch_size) < 1:
        parser.error("widths and --batch-size must be at least 1")
    x, y = digits(options.batch_size)
    print("| hidden units | parameters n | backward, ms | measured, ms | ratio | difference |")
    print("| ------------ | ------------ | ------------ | ------------ | ----- | ---------- |")
    try:
        for width in options.widths:
            print(line_of(width, Task(width, x, y, options.seed)), flush=True)
    except NotImplementedError as gap:
        print(f"\nThis needs something that is not written yet: {gap}")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
