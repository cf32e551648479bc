"""A trainer with running averages."""

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from training.metrics import accuracy


class AverageMeter:
    """Keeps the average of a number."""

    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, value, n):
        """Add n values with that mean."""
        self.sum += float(value) * n
        self.count += n

    @property
    def avg(self):
        """The average so far."""
        return self.sum / self.count


class Trainer:
    """The loop around model, optimizer and scheduler."""

    def __init__(self, model, optimizer, scheduler, device="cpu", label_smoothing=0.0):
        self.model, self.device = model.to(device), device
        self.optimizer, self.scheduler = optimizer, scheduler
        self.criterion = nn.CrossEntropyLoss(label_smoothing=label_smoothing)

    def train_epoch(self, loader, epoch):
        """Train once through the loader."""
        self.model.train()
        self.scheduler.step(epoch)
        losses, hits = AverageMeter(), AverageMeter()
        for inputs, targets in loader:
            inputs, targets = inputs.to(self.device), targets.to(self.device)
            outputs = self.model(inputs)
            loss = self.criterion(outputs, targets)
            loss.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            losses.update(loss.item(), len(targets))
            hits.update(accuracy(outputs, targets), len(targets))
        return {"loss": losses.avg, "accuracy": hits.avg}

    def evaluate(self, loader):
        """Test on the loader."""
        self.model.eval()
        losses, hits = AverageMeter(), AverageMeter()
        for inputs, targets in loader:
            outputs = self.model(inputs.to(self.device)).detach()
            targets = targets.to(self.device)
            losses.update(nn.functional.cross_entropy(outputs, targets), len(targets))
            hits.update(accuracy(outputs, targets), len(targets))
        self.model.train()
        return {"loss": losses.avg, "accuracy": hits.avg}

    def save(self, path, epoch):
        """Write a checkpoint."""
        state = {f"model.{k}": v.contiguous() for k, v in self.model.state_dict().items()}
        state["rate"] = torch.tensor(self.optimizer.lr)
        save_file(state, str(path), metadata={"epoch": str(epoch)})

    def load(self, path):
        """Read a checkpoint."""
        with safe_open(str(path), framework="pt") as f:
            state = {k[6:]: f.get_tensor(k) for k in f.keys() if k.startswith("model.")}  # noqa: SIM118
            epoch = int(f.metadata()["epoch"])
        self.model.load_state_dict(state)
        return epoch
