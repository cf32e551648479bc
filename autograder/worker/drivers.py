"""The engine's drivers: long loops that the engine runs in the worker, by name.

Drivers for a week's suites are in the week's folder (`week_drivers`). A driver runs in the same
process as student code, so its result is not trusted: the examiner fetches the weights and measures
the accuracy itself.

A week with a training job (`[week.job]` in course.toml) has to bring two drivers, which the job
asks for:

    network(device, checkpoint)     the student's network, freshly built, on `device` ("cuda" or
                                    "cpu") and in evaluation mode; with the weights that the file
                                    `checkpoint` holds, unless that is ""
    logits(network, images, device) its logits, float32 (N, classes), of images: uint8 (N, 3, H, W)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

LONGEST_TEXT = 200_000

MOST_LINES = 20_000
"""Number of lines after which counting stops; far more than any operation on whole arrays runs."""


def standardise(images: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    """Return (images - mean) / deviation as rows: (N, ...) uint8 -> (N, features) float64."""
    rows = images.reshape(len(images), -1).astype(np.float64)
    rows -= mean
    rows /= deviation
    return rows


def train_epoch(
    model: Any, x: np.ndarray, y: np.ndarray, batch: int, lr: float, seed: int
) -> float:
    """Call `model.train_step(x, y, lr)` once for each batch of a shuffled epoch.

    x: (N, features), y: (N,) integer labels. Returns the mean of the losses that it was given
    (for the curve in the report; no points depend on it).
    """
    order = np.random.default_rng(seed).permutation(len(x))
    losses = []
    for start in range(0, len(x), batch):
        rows = order[start : start + batch]
        losses.append(float(model.train_step(x[rows], y[rows], lr)))
    return float(np.mean(losses))


def text_of(name: str) -> str:
    """Return the beginning of a text file, "" where there is none."""
    file = Path(name)
    return file.read_text("utf-8", "replace")[:LONGEST_TEXT] if file.is_file() else ""


def lines_run(method: Any, *arguments: Any) -> list[Any]:
    """Call `method(*arguments)`; return its result and how many lines of its own folder it ran.

    So a test can show somebody a loop over the batch: twice as many examples run twice the lines.
    """
    code = getattr(getattr(method, "__func__", method), "__code__", None)
    folder, lines = os.path.dirname(code.co_filename) if code else "", 0

    def entered(frame: FrameType, event: str, argument: Any) -> Any:
        return counted if frame.f_code.co_filename.startswith(folder) else None

    def counted(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return counted if lines < MOST_LINES else None

    before = sys.gettrace()
    sys.settrace(entered if folder else None)
    try:
        result = method(*arguments)
    finally:
        sys.settrace(before)
    return [result, lines]


DRIVERS: dict[str, Callable[..., Any]] = {
    "standardise": standardise,
    "train_epoch": train_epoch,
    "text_of": text_of,
    "lines_run": lines_run,
}

PROBES: dict[str, object] = {"generator": np.random.default_rng}
"""Objects that any week can pass to student code by name: functions can't cross the channel."""
