"""The trainer as a dataclass; sums are kept as Python numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

from training.metrics import count_hits


@dataclass
class Sums:
    """Losses and hits of images."""

    loss: float = 0.0
    hits: int = 0
    images: int = 0

    def add(self, loss, logits, labels):
        """Let a batch in."""
        self.loss += float(loss) * len(labels)
        self.hits += int(count_hits(logits, labels))
        self.images += len(labels)

    @property
    def means(self):
        """Means over the images."""
        return {"loss": self.loss / self.images, "accuracy": self.hits / self.images}


@dataclass(eq=False)
class Trainer:
    """A model, its optimizer and its scheduler."""

    model: Any
    optimizer: Any
    scheduler: Any
    device: Any = "cpu"
    label_smoothing: float = 0.0

    def __post_init__(self):
        self.device = torch.device(self.device)
        self.model = self.model.to(self.device)

    def _batches(self, loader):
        for x, y in loader:
            yield x.to(self.device), y.to(self.device)

    def train_epoch(self, loader, epoch):
        """Do one step for each batch."""
        self.scheduler.step(epoch)
        self.model.train(True)
        sums = Sums()
        for x, y in self._batches(loader):
            self.optimizer.zero_grad()
            logits = self.model(x)
            loss = cross_entropy(logits, y, label_smoothing=self.label_smoothing)
            loss.backward()
            self.optimizer.step()
            sums.add(loss.detach(), logits.detach(), y)
        return sums.means

    def evaluate(self, loader):
        """Measure the model."""
        before, sums = self.model.training, Sums()
        self.model.train(False)
        try:
            with torch.inference_mode():
                for x, y in self._batches(loader):
                    logits = self.model(x)
                    sums.add(cross_entropy(logits, y), logits, y)
        finally:
            self.model.train(before)
        return sums.means

    @property
    def _owners(self):
        both = {"model": self.model, "optimizer": self.optimizer}
        return {name: one for name, one in both.items() if hasattr(one, "state_dict")}

    def save(self, path, epoch):
        """Write a checkpoint under another name, then rename it."""
        path = Path(path)
        tensors = {
            f"{owner}.{name}": tensor.contiguous().clone()
            for owner, one in self._owners.items()
            for name, tensor in one.state_dict().items()
        }
        partial = path.with_name(path.name + ".partial")
        save_file(tensors, partial, metadata={"epoch": str(epoch)})
        partial.replace(path)

    def load(self, path):
        """Read a checkpoint, return its epoch."""
        if not Path(path).is_file():
            raise FileNotFoundError(f"no checkpoint at {path}")
        with safe_open(path, "pt") as file:
            epoch = int(file.metadata()["epoch"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        for owner, one in self._owners.items():
            start = owner + "."
            state = {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
            if state:
                one.load_state_dict(state)
        return epoch
