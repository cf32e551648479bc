"""Metrics and their log."""

import json
from pathlib import Path

from tensorboardX import SummaryWriter


def accuracy(logits, labels):
    """Return the share of right answers, as a scalar tensor."""
    _, predicted = logits.max(1)
    return predicted.eq(labels).float().mean()


class MetricsLog:
    """One line of JSON per epoch, and TensorBoard."""

    def __init__(self, folder, resume_epoch=0):
        self.path = Path(folder) / "metrics.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.board = SummaryWriter(str(folder))

    def write(self, epoch, **numbers):
        """Add an epoch."""
        with open(self.path, "a") as file:
            print(json.dumps(dict(numbers, epoch=epoch)), file=file)
        for tag in numbers:
            self.board.add_scalar(tag, numbers[tag], epoch)

    def close(self):
        """Close TensorBoard's writer."""
        self.board.close()
