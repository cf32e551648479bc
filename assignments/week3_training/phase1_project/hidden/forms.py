"""Ways in which BasicBlock and ResNet18 are met: the right one and known wrong ones, as settings.

The oracle computes with each. What a test is about is compared with what is right there; the rest
is held to the student's own form, which is found by a small experiment: so one fault doesn't cost
every test that runs through it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.suite import expect

STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))
Planned = tuple[str, int, int, int]


def plan() -> list[Planned]:
    """Return (name, channels in, channels out, stride) of the network's eight blocks."""
    found, before = [], 64
    for stage, (channels, stride) in enumerate(STAGES, start=1):
        found.append((f"layer{stage}.0", before, channels, stride))
        found.append((f"layer{stage}.1", channels, channels, 1))
        before = channels
    return found


@dataclass(frozen=True)
class BlockForm:
    """How a block computes: where ReLUs are, and what its shortcut does.

    last: "after" the addition, "before" it, or "nowhere". short: the shortcut is "added", "left
    out", "subtracted", "subtracted from", or added behind a ReLU of its own ("relu").
    """

    first_relu: bool = True
    last: str = "after"
    short: str = "added"


BLOCK = BlockForm()
BLOCKS = tuple(
    BlockForm(first, last, short)
    for first in (True, False)
    for last in ("after", "before", "nowhere")
    for short in ("added", "left out", "relu", "subtracted", "subtracted from")
)


@dataclass(frozen=True)
class Form:
    """How a network computes: its stem, its blocks' sizes, the average, and what comes after all.

    pool: size, stride and padding of a max-pooling in the stem. pooled: one of POOLED.
    end: "" or what stands behind the linear layer, "softmax" or "relu".
    """

    kernel: int = 3
    stride: int = 1
    pool: tuple[int, ...] = ()
    relu: bool = True
    blocks: tuple[Planned, ...] = tuple(plan())
    pooled: str = "mean"
    end: str = ""

    def rightly(self, *sides: str) -> Form:
        """Return this form with these sides of it as they should be."""
        return replace(self, **{side: getattr(RIGHT, side) for side in sides})


RIGHT = Form()
POOLED = ("mean", "max", "sum", "twice", "half")
"""What goes into the linear layer: the mean over the image, the largest, or the mean's multiple."""
POOLS: tuple[tuple[int, ...], ...] = ((), (3, 2, 1), (2, 2, 0))
LARGEST = 11
SIZES = (1, 2, 64, 128, 256, 512)


def listed(convolutions: list[dict[str, Any]], blocks: list[list[int]]) -> Form:
    """Return the form that a network's layers show: its first convolution, its blocks' sizes.

    What was received chooses between numbers of ours.
    """
    form = RIGHT
    if len(convolutions) == 1:
        kernel, stride = convolutions[0].get("kernel"), convolutions[0].get("stride")
        kernels = [n for n in range(1, LARGEST + 1, 2) if kernel == [n, n]]
        strides = [n for n in (1, 2, 4) if stride == [n, n]]
        form = replace(form, kernel=(kernels or [3])[0], stride=(strides or [1])[0])
    sizes = [[n for given in block for n in SIZES if n == given] for block in blocks]
    if len(sizes) == 8 and all(len(block) == 3 for block in sizes):
        own = [(name, i, o, s) for (name, *_), (i, o, s) in zip(plan(), sizes, strict=True)]
        form = replace(form, blocks=tuple(own))
    return form


def with_stems(form: Form) -> list[Form]:
    """Return forms with each pooling, and with and without a ReLU before it."""
    return [
        replace(form, pool=pool, relu=relu)
        for pool, relu in itertools.product(POOLS, (True, False))
    ]


def with_ends(form: Form) -> list[Form]:
    """Return forms with each average and each end."""
    return [
        replace(form, pooled=pooled, end=end)
        for pooled, end in itertools.product(POOLED, ("", "softmax", "relu"))
    ]


def nearest(
    label: str, received: Any, forms: Iterable[Any], oracle: Callable[[Any], np.ndarray]
) -> Any:
    """Return the form whose values come out, or None."""
    for form in forms:
        wanted = oracle(form)
        if type(received) is not np.ndarray or received.shape != wanted.shape:
            continue
        got = expect.array(label, received, wanted.shape)
        if np.allclose(got, wanted, rtol=1e-3, atol=1e-3):
            return form
    return None
