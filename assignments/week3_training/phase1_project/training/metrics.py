"""Accuracy, and the log of a run: lines of JSON, and TensorBoard's event files beside them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from tensorboardX import SummaryWriter
from torch import Tensor

LOG = "metrics.jsonl"


def count_hits(logits: Tensor, labels: Tensor) -> Tensor:
    """Return how many rows have their largest logit at their label.

    `logits`: shape (N, C); `labels`: int64, shape (N,). Returns an int64 scalar, still on their
    device: reading it (`int(...)`, `.item()`) would make the program wait for the GPU.
    """
    raise NotImplementedError("project.training: fill in count_hits")


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Return the share of rows whose largest logit is at their label, from 0 to 1.

    `logits`: shape (N, C); `labels`: int64, shape (N,), N at least 1. Only the order of a
    row's logits counts, not their size.
    """
    raise NotImplementedError("project.training: fill in accuracy")


class MetricsLog:
    """Writes the numbers of each epoch to `folder`/metrics.jsonl and to TensorBoard event files.

    metrics.jsonl has one JSON object per line, for instance {"epoch": 1, "train_loss": 1.5}.

    Beyond the texts (`project.robustness`): a line is written whole and at once, so that a run can
    be watched, and loses nothing when it is killed.
    """

    def __init__(self, folder: Path, resume_epoch: int = 0) -> None:
        """Make the folder and open the log.

        With `resume_epoch` = k, the lines of epochs 1 to k that an earlier run left in the folder
        are kept.

        Beyond the texts (`project.robustness`): all others are dropped, those of later epochs,
        which the resumed run will write again, and a last line that is not whole. With 0, the log
        starts empty. The new file is written under another name and then renamed, so at no time is
        a kept line missing on disk.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / LOG
        raise NotImplementedError("project.training: fill in MetricsLog.__init__")
        # TensorBoard: purge_step hides what an earlier run wrote for the epochs from there on.
        self.events = SummaryWriter(str(folder), purge_step=resume_epoch + 1)

    # Reading the whole lines of epochs up to some number fits well into a helper here.

    def write(self, epoch: int, **numbers: float) -> None:
        """Write one epoch, counted from 1: a line {"epoch": epoch, **numbers}, and its events."""
        raise NotImplementedError("project.training: fill in MetricsLog.write")
        for name, number in numbers.items():
            self.events.add_scalar(name, number, epoch)
        self.events.flush()

    def close(self) -> None:
        """Close the files. Nothing is written afterwards."""
        self.events.close()
