"""Accuracy and the log, as dataclasses."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter

LOG = "metrics.jsonl"


def count_hits(logits, labels):
    """Return the number of hits as a scalar tensor."""
    return logits.argmax(dim=-1).eq(labels).sum()


def accuracy(logits, labels):
    """Return the share of hits."""
    return int(count_hits(logits, labels)) / len(labels)


def _epoch_of(line):
    try:
        return json.loads(line)["epoch"]
    except (ValueError, KeyError, TypeError):
        return None


@dataclass
class MetricsLog:
    """Lines of JSON, and events."""

    folder: Path
    resume_epoch: int = 0
    events: Any = field(init=False, repr=False)

    def __post_init__(self):
        self.folder = Path(self.folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        kept = [line for line in self._lines() if 1 <= (_epoch_of(line) or 0) <= self.resume_epoch]
        other = self.path.with_suffix(".new")
        other.write_text("".join(kept))
        other.replace(self.path)
        self.events = SummaryWriter(str(self.folder), purge_step=self.resume_epoch + 1)

    @property
    def path(self):
        """The file of lines."""
        return self.folder / LOG

    def _lines(self):
        if not self.path.exists():
            return []
        lines = self.path.read_text().splitlines(keepends=True)
        return [line for line in lines if line.endswith("\n")]

    def write(self, epoch, **numbers):
        """Write one epoch."""
        with self.path.open("a") as file:
            file.write(json.dumps({"epoch": epoch, **numbers}) + "\n")
        for name, number in numbers.items():
            self.events.add_scalar(name, number, epoch)
        self.events.flush()

    def close(self):
        """Close the events."""
        self.events.close()
