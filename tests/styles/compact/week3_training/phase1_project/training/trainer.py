"""Training in another correct style: numbers in lists, checkpoints as bytes, headers by hand."""

import json
import os
import struct
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import torch
from safetensors import torch as safe
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from training.metrics import accuracy


class Seen(NamedTuple):
    """What one batch gave."""

    loss: float
    accuracy: float
    images: int


def _summary(seen: list[Seen]) -> dict[str, float]:
    """Return means over images from means over batches."""
    sizes = [batch.images for batch in seen]
    return {
        "loss": fmean([batch.loss for batch in seen], weights=sizes),
        "accuracy": fmean([batch.accuracy for batch in seen], weights=sizes),
    }


class Trainer:
    """Trains a model, measures it, and keeps it in files."""

    def __init__(
        self, model: nn.Module, optimizer: Any, scheduler: Any, device: str = "cpu"
    ) -> None:
        """Keep all, the model on the device."""
        self.model = model.to(device)
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.device = device

    def _outcome(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Seen]:
        """Return the loss to differentiate, and the numbers to report."""
        labels = labels.to(self.device)
        logits = self.model(images.to(self.device))
        loss = cross_entropy(logits, labels)
        return loss, Seen(loss.item(), accuracy(logits, labels), labels.shape[0])

    def train_epoch(self, loader: Iterable[tuple[Tensor, Tensor]], epoch: int) -> dict[str, float]:
        """Take one step per batch; return {"loss", "accuracy"} over all images."""
        self.scheduler.step(epoch)
        self.model.train()
        seen: list[Seen] = []
        for images, labels in loader:
            loss, outcome = self._outcome(images, labels)
            seen.append(outcome)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return _summary(seen)

    def evaluate(self, loader: Iterable[tuple[Tensor, Tensor]]) -> dict[str, float]:
        """Return {"loss", "accuracy"} over all images; nothing of the model changes."""
        mode = self.model.training
        self.model.eval()
        try:
            with torch.inference_mode():
                return _summary([self._outcome(*batch)[1] for batch in loader])
        finally:
            self.model.train(mode)

    def save(self, path: str | Path, epoch: int) -> None:
        """Write a checkpoint, under another name at first."""
        tensors: dict[str, Tensor] = {}
        for prefix in ("model", "optimizer"):
            for name, value in getattr(self, prefix).state_dict().items():
                tensors[f"{prefix}.{name}"] = value.detach().cpu().clone()
        name = os.fspath(path)
        with open(name + ".new", "wb") as file:
            file.write(safe.save(tensors, metadata={"epoch": f"{epoch:d}"}))
            file.flush()
            os.fsync(file.fileno())
        os.rename(name + ".new", name)

    def load(self, path: str | Path) -> int:
        """Go to the state in a checkpoint; return its epoch."""
        with open(path, "rb") as file:
            content = file.read()
        # The format: the length of a JSON header as 8 bytes, the header, the numbers.
        (length,) = struct.unpack_from("<Q", content)
        metadata = json.loads(content[8 : 8 + length])["__metadata__"]
        shares: dict[str, dict[str, Tensor]] = {"model": {}, "optimizer": {}}
        for name, tensor in safe.load(content).items():
            prefix, _, rest = name.partition(".")
            shares[prefix][rest] = tensor
        for prefix, state in shares.items():
            getattr(self, prefix).load_state_dict(state)
        return int(metadata["epoch"])
