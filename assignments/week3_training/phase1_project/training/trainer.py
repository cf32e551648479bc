"""Training for an epoch, evaluating, and checkpoints from which a run goes on.

Optional, for speed on a GPU:

- Images and weights are in channels-last order: in memory, the channels of a pixel lie side by
  side, as its convolutions want them.
- Where it has bfloat16, autocast computes convolutions and matrix products in it. Parameters,
  gradients, the loss and the statistics of batch normalisation stay float32.
- Losses and hits are added up on the device and read once per epoch. Python runs ahead of a GPU and
  queues work for it; each `.item()`, `.cpu()` or print of a tensor would let the queue run dry.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from training.metrics import count_hits

Batches = Iterable[tuple[Tensor, Tensor]]


class Stateful(Protocol):
    """What a checkpoint can keep the state of."""

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that it remembers."""

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take over what `state_dict` returned."""


class Optimizer(Protocol):
    """What a training step needs of an optimizer."""

    lr: float

    def step(self) -> None:
        """Move every parameter by its gradient."""

    def zero_grad(self) -> None:
        """Set all gradients to zeros, or to None."""


class Scheduler(Protocol):
    """What an epoch needs of a scheduler."""

    def step(self, epoch: int) -> None:
        """Set the optimizer's learning rate for an epoch, counted from 0."""


def prepare(device: torch.device) -> None:
    """Let a GPU be fast: TF32 for float32, and the quickest convolution algorithms. Given."""
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True


# Optional: what makes a training step faster, torch.compile or a CUDA graph, may stand here.


class Trainer:
    """A model, its optimizer and its scheduler, and what is done with the three.

    Attributes:
        model: the network, on the device.
        optimizer: of the model's parameters.
        scheduler: of the optimizer.
        device: where the model and the batches are.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        scheduler: Scheduler,
        device: str | torch.device = "cpu",
        label_smoothing: float = 0.0,
    ) -> None:
        """Keep the three, call `prepare(device)`, and put the model on the device.

        `label_smoothing`: the share of the training target that is spread evenly over all classes,
        from 0 to 1. With 0, the target is the label alone.
        """
        raise NotImplementedError("project.training: fill in Trainer.__init__")

    def train_epoch(self, loader: Batches, epoch: int) -> dict[str, float]:
        """Train on every batch of `loader` once: one step of the optimizer for each.

        First the scheduler sets the epoch's learning rate: `scheduler.step(epoch)`. The model is
        put into training mode. The loss of a batch is the mean cross-entropy of its images.

        Args:
            loader: yields (x, y): x float32, (B, 3, 32, 32); y int64, (B,); at least one batch.
            epoch: which epoch it is, counted from 0.

        Returns:
            {"loss", "accuracy"}: means over the *images* of the epoch (the last batch may be
            smaller), of what the training steps themselves computed: each batch was seen by the
            weights of its own step. The accuracy is from 0 to 1.
        """
        raise NotImplementedError("project.training: fill in Trainer.train_epoch")

    @torch.no_grad()
    def evaluate(self, loader: Batches) -> dict[str, float]:
        """Measure the model as it is on every batch of `loader`.

        The model is in evaluation mode meanwhile; its weights and buffers stay as they are, and so
        does the learning rate. Beyond the texts (`project.robustness`): no gradients are recorded,
        and afterwards the model is in the mode that it had before.

        Args:
            loader: as for `train_epoch`.

        Returns:
            {"loss", "accuracy"}: means over the images, the loss without label smoothing.
        """
        raise NotImplementedError("project.training: fill in Trainer.evaluate")

    # `train_epoch` and `evaluate` share the logits and the loss of a batch: a helper for both?

    def save(self, path: str | Path, epoch: int) -> None:
        """Write a checkpoint after `epoch` epochs: a safetensors file.

        It holds the tensors "model.<name>" for each name in the model's `state_dict()`, and the
        metadata {"epoch": "<epoch>"}.

        Beyond the texts (`project.robustness`): it also holds "optimizer.<name>" for each name in
        the optimizer's `state_dict()`, where it has that method. (A scheduler remembers nothing: an
        epoch's rate depends on the epoch alone.) It is written under another name in the same
        folder and then renamed: whenever the run is killed, `path` is a whole checkpoint, the last
        one or this one.
        """
        raise NotImplementedError("project.training: fill in Trainer.save")

    def load(self, path: str | Path) -> int:
        """Put the model into a checkpoint's state, and return its epoch.

        Beyond the texts (`project.robustness`): the optimizer as well.

        Raises:
            FileNotFoundError: if there is no such file (`project.robustness`).
        """
        raise NotImplementedError("project.training: fill in Trainer.load")

    def _parts(self) -> dict[str, Stateful | nn.Module]:
        """Return what a checkpoint holds, by the first part of its tensors' names. Given."""
        parts: dict[str, Any] = {"model": self.model, "optimizer": self.optimizer}
        return {name: owner for name, owner in parts.items() if hasattr(owner, "state_dict")}


class Total:
    """Adds up losses and hits on the device; only `means` waits for it. Given."""

    def __init__(self, device: torch.device) -> None:
        """Start at nothing."""
        self.loss = torch.zeros((), dtype=torch.float64, device=device)
        self.hits = torch.zeros((), dtype=torch.int64, device=device)
        self.images = 0

    def add(self, logits: Tensor, loss: Tensor, labels: Tensor) -> None:
        """Let in one batch: logits (B, C), the mean loss over its images, labels (B,)."""
        self.loss += loss * len(labels)
        self.hits += count_hits(logits, labels.to(logits.device))
        self.images += len(labels)

    def means(self) -> dict[str, float]:
        """Return {"loss", "accuracy"}, means over all images so far, of which there are some."""
        if not self.images:
            raise ValueError("there was no batch")
        return {
            "loss": float(self.loss) / self.images,
            "accuracy": int(self.hits) / self.images,
        }
