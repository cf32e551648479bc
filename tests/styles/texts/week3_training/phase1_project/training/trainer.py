"""The training loop."""

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file


class Trainer:
    """Trains and evaluates a model."""

    def __init__(self, model, optimizer, scheduler, device="cpu"):
        self.model = model.to(device)
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.device = device

    def train_epoch(self, loader, epoch):
        """Train for one epoch."""
        self.scheduler.step(epoch)
        self.model.train()
        return self._run(loader, train=True)

    def evaluate(self, loader):
        """Measure loss and accuracy."""
        self.model.eval()
        with torch.no_grad():
            return self._run(loader, train=False)

    def _run(self, loader, train):
        loss_sum, correct, total = 0.0, 0, 0
        for x, y in loader:
            x, y = x.to(self.device), y.to(self.device)
            logits = self.model(x)
            loss = F.cross_entropy(logits, y)
            if train:
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
            loss_sum += loss.item() * y.size(0)
            correct += (logits.argmax(dim=1) == y).sum().item()
            total += y.size(0)
        return {"loss": loss_sum / total, "accuracy": correct / total}

    def save(self, path, epoch):
        """Save the model."""
        tensors = {"model." + name: t for name, t in self.model.state_dict().items()}
        save_file(tensors, path, metadata={"epoch": str(epoch)})

    def load(self, path):
        """Load the model and return the epoch."""
        tensors = load_file(path)
        self.model.load_state_dict({name[len("model.") :]: t for name, t in tensors.items()})
        with safe_open(path, framework="pt") as file:
            return int(file.metadata()["epoch"])
