"""A conventional training script of ResNet-18 on CIFAR-10, to measure the reference against.

The same network with torch's own parts, as a careful beginner writes it: nn.BatchNorm2d, a
DataLoader whose data set crops and flips one image at a time, torch.optim.AdamW with a schedule,
float32, and `.item()` in each step. It writes metrics.jsonl as the project's train.py does, and
its weights after chosen epochs.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(3, 1, 1)
STD = torch.tensor([0.2470, 0.2435, 0.2616]).view(3, 1, 1)


class Images(Dataset):
    """Images and labels, one by one; for training, cropped and flipped at random."""

    def __init__(self, x: np.ndarray, y: np.ndarray, train: bool) -> None:
        """Keep the images, uint8 (N, 32, 32, 3), and their labels, (N,)."""
        self.x, self.y, self.train = x, y, train

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.x)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Return one image, float32 (3, 32, 32), and its label."""
        image = torch.from_numpy(self.x[index]).permute(2, 0, 1).float() / 255
        image = (image - MEAN) / STD
        if self.train:
            down, right = torch.randint(0, 9, (2,)).tolist()
            image = functional.pad(image, (4, 4, 4, 4))[:, down : down + 32, right : right + 32]
            if torch.rand(()) < 0.5:
                image = image.flip(2)
        return image, int(self.y[index])


class Block(nn.Module):
    """Two 3 x 3 convolutions, and a shortcut past both."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        """Make the layers."""
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut = nn.Sequential()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output."""
        out = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        return functional.relu(out + self.shortcut(x))


def network() -> nn.Sequential:
    """Return ResNet-18 for images of 32 x 32 pixels."""
    layers = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    before = 64
    for after in (64, 128, 256, 512):
        layers += [Block(before, after, 1 if before == after else 2), Block(after, after, 1)]
        before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def rate(step: int, steps: int) -> float:
    """Return the share of the learning rate in a step: warm-up over a 20th, then a cosine."""
    warmup = steps // 20
    if step < warmup:
        return (step + 1) / warmup
    return (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2


def evaluate(model: nn.Module, loader: DataLoader, device: str) -> float:
    """Return the accuracy."""
    model.eval()
    hits = images = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (model(x.to(device)).argmax(1).cpu() == y).sum().item()
            images += len(y)
    return hits / images


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--workers", type=int, default=2, help="processes of the DataLoader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--keep", type=int, nargs="*", default=[], help="epochs to keep weights of")
    options = parser.parse_args()
    device = options.device
    torch.manual_seed(options.seed)
    with np.load(options.data / "cifar10.npz") as arrays:
        x, y = arrays["x_train"], arrays["y_train"]
    count = len(x) - max(1, len(x) // 50)
    settings = {"batch_size": options.batch_size, "num_workers": options.workers}
    settings |= {"pin_memory": device != "cpu", "persistent_workers": options.workers > 0}
    training = DataLoader(Images(x[:count], y[:count], True), shuffle=True, **settings)
    validation = DataLoader(Images(x[count:], y[count:], False), **settings)
    model = network().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.25)
    steps = options.epochs * len(training)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps))
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "metrics.jsonl").open("w") as log:
        for epoch in range(1, options.epochs + 1):
            started, loss_sum, hits = time.perf_counter(), 0.0, 0
            model.train()
            for images, labels in training:
                images, labels = images.to(device), labels.to(device)
                optimizer.zero_grad()
                logits = model(images)
                loss = criterion(logits, labels)
                loss.backward()
                optimizer.step()
                scheduler.step()
                loss_sum += loss.item() * len(labels)
                hits += (logits.argmax(1) == labels).sum().item()
            line = {"epoch": epoch, "train_loss": loss_sum / count, "train_accuracy": hits / count}
            line["seconds"] = time.perf_counter() - started
            line["val_accuracy"] = evaluate(model, validation, device)
            log.write(json.dumps(line) + "\n")
            log.flush()
            if epoch in options.keep:
                weights = {name: t.cpu().contiguous() for name, t in model.state_dict().items()}
                save_file(weights, options.out / f"{epoch}.safetensors")


if __name__ == "__main__":
    main()
