"""Stands in for tensorboardX where it is not installed: the curves are in metrics.jsonl anyway."""

from typing import Any


class SummaryWriter:
    """Takes the numbers and writes nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take whatever the real one takes."""

    def add_scalar(self, name: str, number: float, epoch: int) -> None:
        """Drop the number."""

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
