"""Compare every value on the way through your layers with PyTorch's: where do they part?

    python compare_torch.py              three layers of linear, ReLU, sigmoid, tanh, cross-entropy
    python compare_torch.py --seed 1     other numbers

Given, nothing to fill in. A step of debugging: the first line that differs names the place of the
mistake, since everything after it differs as a consequence. It needs PyTorch, which nothing else in
weeks 1 and 2 does; without it the script says so and ends.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from losses import CrossEntropyLoss
from neural_net import Linear, ReLU, Sigmoid, Tanh

try:
    import torch
except ModuleNotFoundError:
    torch = None

FloatArray = npt.NDArray[np.floating]

SIZES = (7, 6, 5, 4)
"""Numbers that enter the three linear layers, and that leave the last one: all different."""

BATCH = 8
TOLERANCE = 1e-10
"""Two right answers in float64 differ by rounding alone; a mistake is larger by far."""


@dataclass
class Comparison:
    """What has been compared: the name of the first value that differs."""

    first: str = ""

    def add(self, name: str, yours: Any, theirs: Any) -> None:
        """Compare two values and print the line."""
        mine, right = np.asarray(yours, dtype=np.float64), theirs.detach().numpy()
        if mine.shape != right.shape:
            same, verdict = False, f"<- shape {mine.shape}, PyTorch has {right.shape}"
        else:
            error = float(np.max(np.abs(mine - right), initial=0.0))
            same = error <= TOLERANCE * max(1.0, float(np.abs(right).max(initial=0.0)))
            verdict = f"{error:.0e}" + ("" if same else f"  <- {worst_of(mine, right)}")
        if not same and not self.first:
            self.first = name
        print(f"{name:34} {right.shape!s:9} {verdict}")


def worst_of(mine: FloatArray, right: FloatArray) -> str:
    """Say where two arrays differ most, and which two numbers stand there."""
    where = np.unravel_index(np.argmax(np.nan_to_num(np.abs(mine - right), nan=np.inf)), mine.shape)
    index = ", ".join(map(str, where))
    return f"at [{index}]: {mine[where]:.6g}, PyTorch has {right[where]:.6g}"


@dataclass
class Pair:
    """One of your layers, and what PyTorch does instead."""

    name: str
    yours: Any
    theirs: Any
    transposed: bool = False
    """Whether your W is (inputs, outputs), which is right as well."""

    def as_theirs(self, array: Any) -> FloatArray:
        """Return your W, or its gradient, as PyTorch keeps it: (outputs, inputs)."""
        return np.asarray(array).T if self.transposed else np.asarray(array)


def make_layers(rng: np.random.Generator) -> list[Pair]:
    """Return the layers, each linear one with the same random weights on both sides."""
    layers = []
    for number, activation in enumerate((ReLU, Sigmoid, Tanh), start=1):
        inputs, outputs = SIZES[number - 1], SIZES[number]
        yours, theirs = Linear(inputs, outputs), torch.nn.Linear(inputs, outputs).double()
        W, b = rng.normal(size=(outputs, inputs)), rng.normal(size=outputs)
        transposed = yours.W.shape == (inputs, outputs)
        yours.W, yours.b = (W.T if transposed else W).copy(), b.reshape(yours.b.shape)
        theirs.weight.data, theirs.bias.data = torch.tensor(W), torch.tensor(b)
        layers.append(Pair(f"layer {number}, Linear", yours, theirs, transposed))
        name = activation.__name__
        layers.append(Pair(f"layer {number}, {name}", activation(), getattr(torch, name.lower())))
    return layers


def compare(rng: np.random.Generator) -> Comparison:
    """Send a batch forward and backward through both; print each value on the way."""
    layers, table = make_layers(rng), Comparison()
    x = rng.normal(size=(BATCH, SIZES[0]))
    labels = rng.integers(SIZES[-1], size=BATCH)
    passed = torch.tensor(x, requires_grad=True)
    kept = [passed]
    for pair in layers:
        x, passed = pair.yours.forward(x), pair.theirs(passed)
        passed.retain_grad()
        kept.append(passed)
        table.add(f"{pair.name}: forward", x, passed)
    loss_fn = CrossEntropyLoss()
    loss = torch.nn.functional.cross_entropy(passed, torch.tensor(labels))
    loss.backward()
    table.add("loss: forward", loss_fn.forward(x, labels), loss)
    gradient = loss_fn.backward()
    table.add("loss: backward", gradient, kept.pop().grad)
    for pair in layers[::-1]:
        gradient = pair.yours.backward(gradient)
        table.add(f"{pair.name}: backward", gradient, kept.pop().grad)
        if isinstance(pair.yours, Linear):
            table.add(
                f"{pair.name}: dL_dW", pair.as_theirs(pair.yours.dL_dW), pair.theirs.weight.grad
            )
            table.add(
                f"{pair.name}: dL_db", np.reshape(pair.yours.dL_db, -1), pair.theirs.bias.grad
            )
    return table


def main() -> int:
    """Read the options and compare; return 1 where anything differs, 2 where nothing could be."""
    parser = argparse.ArgumentParser(description="Compare your layers with PyTorch, step by step.")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if torch is None:
        print(
            "PyTorch is not installed, and this comparison needs it: `python check.py\n"
            "setup torch` installs it. Without it, gradient_check finds the same mistakes."
        )
        return 2
    print(f"{'value':34} {'shape':9} largest difference")
    try:
        table = compare(np.random.default_rng(options.seed))
    except NotImplementedError as gap:
        print(f"Up to here; the next step is not written yet: {gap}")
        return 2
    if table.first:
        print(f"\nThe first difference is in `{table.first}`: look there, not further down.")
        return 1
    print("\nAll values and gradients are those of PyTorch.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
