"""Accuracy and a run's log in another correct style: plain loops, files by the os module."""

import json
import os
from pathlib import Path

from tensorboardX import SummaryWriter
from torch import Tensor


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Return the share of rows (N, C) whose largest number is at their label."""
    hits = 0
    for row, label in zip(logits.detach().tolist(), labels.tolist(), strict=True):
        best = 0
        for column, value in enumerate(row):
            if value > row[best]:
                best = column
        hits += best == label
    return hits / labels.shape[0]


def _epoch_of(line: bytes) -> int | None:
    """Return the epoch that a line tells of, or None where the line is torn."""
    try:
        return json.loads(line)["epoch"]
    except ValueError:
        return None


class MetricsLog:
    """Keeps metrics.jsonl and TensorBoard's event files in one folder."""

    def __init__(self, folder: Path, resume_epoch: int = 0) -> None:
        """Begin anew, or after the given epoch of an earlier run."""
        os.makedirs(folder, exist_ok=True)
        self._name = os.path.join(folder, "metrics.jsonl")
        self._rewrite(resume_epoch)
        self._descriptor = os.open(self._name, os.O_WRONLY | os.O_APPEND)
        self._board = SummaryWriter(os.fspath(folder), purge_step=resume_epoch + 1)

    def _rewrite(self, last: int) -> None:
        """Drop what is later than epoch `last`."""
        old: list[bytes] = []
        if os.path.exists(self._name):
            with open(self._name, "rb") as file:
                old = file.readlines()
        numbers = [_epoch_of(line) for line in old]
        kept = [
            line.rstrip() + b"\n"
            for line, number in zip(old, numbers, strict=True)
            if number is not None and number <= last
        ]
        with open(self._name + "~", "wb") as file:
            file.writelines(kept)
        os.rename(self._name + "~", self._name)

    def write(self, epoch: int, **numbers: float) -> None:
        """Add a line, and a point to each of TensorBoard's curves."""
        line = json.dumps(dict(epoch=epoch, **numbers))
        os.write(self._descriptor, line.encode() + b"\n")
        for name in numbers:
            self._board.add_scalar(name, numbers[name], global_step=epoch)
        self._board.flush()

    def close(self) -> None:
        """Close the files."""
        os.close(self._descriptor)
        self._board.close()
