"""Compare the gradients of your engine with those that you wrote by hand in week 1.

    python compare_engines.py            linear, relu, linear on a batch of digits
    python compare_engines.py --seed 1   other weights, another batch

Given, nothing to fill in. The same network with the same weights is made twice, of your layers of
week 1 and of your layers on the engine. If both find the same gradients, to about 12 digits, then
either both are right or both have the same mistake; week 1's were checked by measured slopes. It
needs `week1.linear`, `week1.relu`, `week1.cross_entropy`, and `week2.layers` with what that needs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from autograd import Tensor
from mnist_autograd import LinearAutograd, ReLUAutograd

FloatArray = npt.NDArray[np.floating]

SIZES = ((784, 32), (32, 10))
BATCH = 16
TOLERANCE = 1e-10


def digits(rng: np.random.Generator) -> tuple[FloatArray, npt.NDArray[np.integer]]:
    """Return a random batch of digits, standardised, and their labels."""
    # The course's `data` package lies in the repository's root, two folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import data

    images = data.load("digits")
    rows = rng.choice(len(images.x_train), size=BATCH, replace=False)
    flat = images.x_train[rows].reshape(BATCH, -1)
    return (flat - images.x_train.mean()) / images.x_train.std(), images.y_train[rows]


def fill(layer: Any, W: FloatArray, b: FloatArray, wrap: Any) -> bool:
    """Put W, shape (inputs, outputs), and b into a layer; say whether it keeps W the other way."""
    turned = tuple(layer.W.shape) != W.shape
    layer.W = wrap(W.T.copy() if turned else W.copy())
    layer.b = wrap(b.reshape(layer.b.shape))
    return turned


def by_hand(weights: list[Any], x: FloatArray, y: Any) -> tuple[list[FloatArray], FloatArray]:
    """Return logits and all gradients as week 1 finds them, and that of the logits."""
    # Your modules of week 1. At the end of the path: those of this week come first.
    sys.path.append(str(Path(__file__).resolve().parents[1] / "week1_backprop"))
    from losses import CrossEntropyLoss
    from neural_net import Linear, ReLU

    layers = [Linear(*sizes) for sizes in SIZES]
    turned = [fill(layer, W, b, np.array) for layer, (W, b) in zip(layers, weights, strict=True)]
    relu, loss_fn = ReLU(), CrossEntropyLoss()
    logits = layers[1].forward(relu.forward(layers[0].forward(x)))
    loss_fn.forward(logits, y)
    upstream = loss_fn.backward()
    layers[0].backward(relu.backward(layers[1].backward(upstream)))
    found = [logits]
    for layer, other_way in zip(layers, turned, strict=True):
        found += [layer.dL_dW.T if other_way else layer.dL_dW, np.reshape(layer.dL_db, -1)]
    return found, upstream


def by_engine(weights: list[Any], x: FloatArray, upstream: FloatArray) -> list[FloatArray]:
    """Return the same as the engine finds it.

    The loss is the sum of logits times the upstream gradient, a constant: it has the gradient of
    the cross-entropy, so this comparison needs no cross-entropy on the engine.
    """
    layers = [LinearAutograd(*sizes) for sizes in SIZES]
    turned = [
        fill(layer, W, b, lambda array: Tensor(array, requires_grad=True))
        for layer, (W, b) in zip(layers, weights, strict=True)
    ]
    logits = layers[1](ReLUAutograd()(layers[0](Tensor(x))))
    (logits * Tensor(upstream)).sum().backward()
    found = [logits.data]
    for layer, other_way in zip(layers, turned, strict=True):
        found += [layer.W.grad.T if other_way else layer.W.grad, np.reshape(layer.b.grad, -1)]
    return found


NAMES = ("logits", "W of layer 1", "b of layer 1", "W of layer 2", "b of layer 2")


def main() -> int:
    """Read the options and print the table; return 1 where the two differ, 2 for a gap."""
    parser = argparse.ArgumentParser(description="Compare week 2's gradients with week 1's.")
    parser.add_argument("--seed", type=int, default=0, help="for weights and batch")
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    weights = [
        (rng.normal(0.0, (2.0 / n) ** 0.5, size=(n, m)), rng.normal(size=m)) for n, m in SIZES
    ]
    x, y = digits(rng)
    try:
        hand, upstream = by_hand(weights, x, y)
        engine = by_engine(weights, x, upstream)
    except NotImplementedError as gap:
        print(f"The comparison needs something that is not written yet: {gap}")
        return 2
    print(f"{'':14} {'shape':10} {'norm, week 1':>13} {'norm, engine':>13} {'difference':>11}")
    worst = 0.0
    for name, a, b in zip(NAMES, hand, engine, strict=True):
        if np.shape(a) != np.shape(b):
            print(f"{name:14} {np.shape(a)!s:10} but {np.shape(b)} on the engine")
            worst = np.inf
            continue
        error = float(np.abs(a - b).max() / max(1e-300, np.abs(a).max()))
        worst = max(worst, error if np.isfinite(error) else np.inf)
        norms = f"{np.linalg.norm(a):13.6f} {np.linalg.norm(b):13.6f}"
        print(f"{name:14} {np.shape(a)!s:10} {norms} {error:11.0e}")
    if worst > TOLERANCE:
        print("\nThey differ. Only W: look at the matrix product. Only b: at broadcasting. Only")
        print("layer 1: at relu, and at what the product hands to its left operand.")
        return 1
    print("\nYour engine finds the gradients that you derived by hand.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
