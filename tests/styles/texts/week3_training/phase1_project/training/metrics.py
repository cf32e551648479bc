"""Accuracy and a log."""

import json
import os

from tensorboardX import SummaryWriter


def accuracy(logits, labels):
    """Return the share of right predictions."""
    return (logits.argmax(dim=1) == labels).float().mean().item()


class MetricsLog:
    """metrics.jsonl and TensorBoard."""

    def __init__(self, folder, resume_epoch=0):
        os.makedirs(folder, exist_ok=True)
        mode = "a" if resume_epoch > 0 else "w"
        self.path = os.path.join(folder, "metrics.jsonl")
        with open(self.path, mode):
            pass
        self.writer = SummaryWriter(str(folder))

    def write(self, epoch, **numbers):
        """Log the numbers of an epoch."""
        with open(self.path, "a") as file:
            file.write(json.dumps({"epoch": epoch, **numbers}) + "\n")
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, epoch)

    def close(self):
        """Close the files."""
        self.writer.close()
