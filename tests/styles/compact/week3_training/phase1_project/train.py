"""Trains ResNet-18 in another correct style: a run is an object that knows its settings."""

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from data import cifar10_loader
from models import resnet
from optimizers import Adam
from schedulers import CosineAnnealingLR, WarmupLR
from training.metrics import MetricsLog
from training.trainer import Trainer


@dataclass
class Settings:
    """The command line."""

    data: Path
    out: Path
    epochs: int
    batch_size: int
    lr: float
    seed: int
    device: str
    resume: bool

    @property
    def checkpoint(self) -> Path:
        """Where the run is kept."""
        return self.out / "checkpoint.safetensors"


def settings(argv: Sequence[str] | None) -> Settings:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for name, default in (("--epochs", 100), ("--batch-size", 512), ("--seed", 0)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--device", default=("cpu", "cuda")[torch.cuda.is_available()])
    parser.add_argument("--resume", action="store_true")
    return Settings(**vars(parser.parse_args(argv)))


class Run:
    """A model in training, with its images."""

    def __init__(self, chosen: Settings) -> None:
        """Read the images, and make all that is new in a run."""
        self.chosen = chosen
        images, labels = cifar10_loader.load_cifar10(chosen.data)
        held_out = max(len(labels) // 50, 1)
        kind, size = cifar10_loader.CIFAR10Loader, chosen.batch_size
        options = {"seed": chosen.seed, "device": chosen.device}
        self.training = kind(images[:-held_out], labels[:-held_out], size, train=True, **options)
        self.validation = kind(images[-held_out:], labels[-held_out:], size, train=False, **options)
        self.count = len(labels) - held_out
        torch.manual_seed(chosen.seed)
        model = resnet.ResNet18().to(chosen.device)
        optimizer = Adam(model.parameters(), lr=chosen.lr, weight_decay=0.05)
        rise = chosen.epochs // 10
        scheduler = WarmupLR(optimizer, rise, CosineAnnealingLR(optimizer, chosen.epochs - rise))
        self.trainer = Trainer(model, optimizer, scheduler, chosen.device)

    def start(self) -> int:
        """Go to where an earlier run was, if that is wanted; return how many epochs are done."""
        kept = self.chosen.checkpoint.is_file()
        if kept and self.chosen.resume:
            return self.trainer.load(self.chosen.checkpoint)
        if kept:
            os.remove(self.chosen.checkpoint)
        return 0

    def epoch(self, number: int) -> dict[str, float]:
        """Train for an epoch, counted from 1, and measure."""
        self.training.set_epoch(number - 1)
        before = time.monotonic()
        train = self.trainer.train_epoch(self.training, number - 1)
        seconds = max(time.monotonic() - before, 1e-9)
        val = self.trainer.evaluate(self.validation)
        numbers = {f"train_{name}": value for name, value in train.items()}
        numbers.update({f"val_{name}": value for name, value in val.items()})
        speed = {"seconds": seconds, "images_per_second": self.count / seconds}
        return {**numbers, "lr": self.trainer.optimizer.lr, **speed}


def main(argv: Sequence[str] | None = None) -> None:
    """Train as the command line says."""
    chosen = settings(argv)
    run = Run(chosen)
    done = run.start()
    log = MetricsLog(chosen.out, done)
    for number in range(done + 1, chosen.epochs + 1):
        numbers = run.epoch(number)
        log.write(number, **numbers)
        run.trainer.save(chosen.checkpoint, number)
        print(number, " ".join(f"{name}={value:.4g}" for name, value in numbers.items()))
    log.close()


if __name__ == "__main__":
    main()
