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
    # BEGIN SOLUTION project.training
    return torch.sum(logits.argmax(dim=1) == labels)
    # END SOLUTION


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Return the share of rows whose largest logit is at their label, from 0 to 1.

    `logits`: shape (N, C); `labels`: int64, shape (N,), N at least 1. Only the order of a
    row's logits counts, not their size.
    """
    # BEGIN SOLUTION project.training
    return int(count_hits(logits, labels)) / len(labels)
    # END SOLUTION


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
        # BEGIN SOLUTION project.training
        kept = "".join(f"{line}\n" for line in self._lines_until(resume_epoch))
        temporary = folder / f"{LOG}.part"
        temporary.write_text(kept, "utf-8")
        os.replace(temporary, self.path)
        # END SOLUTION
        # TensorBoard: purge_step hides what an earlier run wrote for the epochs from there on.
        self.events = SummaryWriter(str(folder), purge_step=resume_epoch + 1)

    # BEGIN SOLUTION project.training
    def _lines_until(self, last: int) -> list[str]:
        """Return the whole lines of epochs up to `last` that are in the file, if there is one."""
        kept = []
        for line in self.path.read_text("utf-8").splitlines() if self.path.exists() else []:
            try:
                epoch = json.loads(line)["epoch"]
            except json.JSONDecodeError:
                continue  # the run was killed while it wrote this line
            if epoch <= last:
                kept.append(line)
        return kept

    # INSTEAD
    # # Reading the whole lines of epochs up to some number fits well into a helper here.
    # END SOLUTION

    def write(self, epoch: int, **numbers: float) -> None:
        """Write one epoch, counted from 1: a line {"epoch": epoch, **numbers}, and its events."""
        # BEGIN SOLUTION project.training
        line = json.dumps({"epoch": epoch, **numbers}) + "\n"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line)
        # END SOLUTION
        for name, number in numbers.items():
            self.events.add_scalar(name, number, epoch)
        self.events.flush()

    def close(self) -> None:
        """Close the files. Nothing is written afterwards."""
        self.events.close()
