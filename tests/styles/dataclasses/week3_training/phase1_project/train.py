"""Trains ResNet-18 on CIFAR-10; the parts of a run are the fields of a dataclass."""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from data.cifar10_loader import CIFAR10Loader, load_cifar10

from models.resnet import ResNet18
from optimizers import Adam
from schedulers import CosineAnnealingLR, WarmupLR
from training.metrics import MetricsLog
from training.trainer import Trainer


def parse(argv=None):
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for name, default in (("epochs", 100), ("batch-size", 512), ("lr", 1e-3), ("seed", 0)):
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--compile", action="store_true")
    return parser.parse_args(argv)


def split(images, labels):
    """Keep the last images for validation."""
    count = len(images) - max(1, len(images) // 50)
    return (images[:count], labels[:count]), (images[count:], labels[count:])


def loaders(options):
    """Return the batches for training and for validation."""
    parts = split(*load_cifar10(options.data, "train"))
    return tuple(
        CIFAR10Loader(
            *part, options.batch_size, train=train, seed=options.seed, device=options.device
        )
        for part, train in zip(parts, (True, False), strict=True)
    )


def make_trainer(options):
    """Return a new model with its optimizer and schedule."""
    torch.manual_seed(options.seed)
    model = ResNet18().to(options.device)
    optimizer = Adam(list(model.parameters()), lr=options.lr, weight_decay=0.01)
    warmup = max(1, options.epochs // 20)
    cosine = CosineAnnealingLR(optimizer, T_max=max(1, options.epochs - warmup))
    return Trainer(model, optimizer, WarmupLR(optimizer, warmup, cosine), options.device)


def run_epoch(trainer, training, validation, epoch):
    """Train for an epoch and evaluate."""
    training.set_epoch(epoch)
    start = time.perf_counter()
    train = trainer.train_epoch(training, epoch)
    seconds = time.perf_counter() - start
    numbers = {f"train_{name}": number for name, number in train.items()}
    numbers |= {f"val_{name}": number for name, number in trainer.evaluate(validation).items()}
    speed = len(training.images) / seconds
    return numbers | {"lr": trainer.optimizer.lr, "seconds": seconds, "images_per_second": speed}


@dataclass
class Run:
    """A run and where it stands."""

    options: Any

    @property
    def checkpoint(self):
        """The file of the checkpoint."""
        return self.options.out / "checkpoint.safetensors"

    def go(self):
        """Train to the end."""
        training, validation = loaders(self.options)
        trainer, done = make_trainer(self.options), 0
        if self.options.resume and self.checkpoint.exists():
            done = trainer.load(self.checkpoint)
        else:
            self.checkpoint.unlink(missing_ok=True)
        log = MetricsLog(self.options.out, done)
        for epoch in range(done, self.options.epochs):
            numbers = run_epoch(trainer, training, validation, epoch)
            log.write(epoch + 1, **numbers)
            trainer.save(self.checkpoint, epoch + 1)
            print(epoch + 1, *(f"{name} {number:.4g}" for name, number in numbers.items()))
        log.close()


def main(argv=None):
    """Train as the command line says."""
    Run(parse(argv)).go()


if __name__ == "__main__":
    main()
