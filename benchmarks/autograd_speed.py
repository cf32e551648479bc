"""Cost of the autograd engine: week 2's network against week 1's; a chain of 100,000 values.

Both reference networks (784-128-10, batches of 64) start with the same weights and are trained on
the same batches in the same process, epoch by epoch in turns, with one thread; their test
accuracies at the end are printed, too, since only equal work may be compared. Uses MNIST where it
is cached ($COURSE_DATA), else the embedded digits.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

SOLUTIONS = Path(__file__).resolve().parent.parent / "solutions"
ROUNDS = 5
BATCH, RATE = 64, 0.01
CHAIN = 100_000
TINY = {"rounds": 1, "chain": 1000, "name": "digits"}


def networks(rounds: int, name: str) -> tuple[str, list[float], list[float], tuple[float, float]]:
    """Return the data's name, seconds per epoch of week 1 and of week 2, and both accuracies.

    `name` is the data set: "mnist", with the digits where it is not cached, or "digits".
    """
    sys.path[:0] = [str(SOLUTIONS / folder) for folder in ("week1_backprop", "week2_autograd")]
    import numpy as np
    from mnist_autograd import AutogradMLP
    from mnist_mlp import TwoLayerMLP, standardise

    import data

    images = data.load_or_digits("digits" if name == "digits" else "mnist")
    x, x_test = standardise(images.x_train, images.x_test)
    models = by_hand, by_engine = TwoLayerMLP(rng=np.random.default_rng(0)), AutogradMLP()
    for old, new in zip(by_hand.layers[::2], by_engine.layers[::2], strict=True):
        new.W.data, new.b.data = old.W.T.copy(), old.b.copy()  # W is (out, in) there
    seconds: list[list[float]] = [[], []]
    for epoch in range(rounds):
        order = np.random.default_rng(epoch).permutation(len(x))
        batches = [order[start : start + BATCH] for start in range(0, len(x), BATCH)]
        for model, times in zip(models, seconds, strict=True):
            started = time.perf_counter()
            for batch in batches:
                model.train_step(x[batch], images.y_train[batch], RATE)
            times.append(time.perf_counter() - started)
    first, second = (model.evaluate(x_test, images.y_test) for model in models)
    return images.name, seconds[0], seconds[1], (first, second)


def chains(rounds: int, chain: int) -> tuple[list[float], list[float]]:
    """Return the seconds for building ((x + x) + x) + ..., and for its backward pass."""
    sys.path.insert(0, str(SOLUTIONS / "week2_autograd"))
    from autograd import Value

    building, walking = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        y = x = Value(1.0)
        for _ in range(chain):
            y = y + x
        built = time.perf_counter()
        y.backward()
        building.append(built - started)
        walking.append(time.perf_counter() - built)
        if x.grad != chain + 1:
            raise SystemExit(f"the chain's gradient is {x.grad}, not {chain + 1}")
    return building, walking


def main(rounds: int = ROUNDS, chain: int = CHAIN, name: str = "mnist") -> None:
    """Print the ratio of the epochs' times, and the chain's time."""
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"))
    # A process of its own: the number of threads is fixed when NumPy is first imported.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        name, first, second, accuracies = pool.submit(networks, rounds, name).result()
        building, walking = pool.submit(chains, rounds, chain).result()
    ratio = statistics.median(b / a for a, b in zip(first, second, strict=True))
    print(f"Week 1's network and week 2's on {name}, {rounds} epochs of each by turns")
    print(
        f"  week 1 {statistics.median(first):.2f} s, week 2 {statistics.median(second):.2f} s an "
        f"epoch; ratio {ratio:.2f} (median of {rounds} rounds; goal: at most 2)"
    )
    print(f"  test accuracies: {accuracies[0]:.2%} and {accuracies[1]:.2%}")
    print(
        f"  a chain of {chain:,} values: built in {statistics.median(building):.2f} s, backward "
        f"pass {statistics.median(walking):.2f} s (goal: together at most 2)"
    )


if __name__ == "__main__":
    main()
