"""Compares learning rate schedules: python compare_schedules.py --data FOLDER --out FOLDER

The same network, from the same weights, on the same batches, is trained four times: at a constant
rate, with StepLR, with the cosine, and with a warm-up in front of the cosine. Given, nothing to
fill in: the network, Adam, the trainer and the schedules are your own. StepLR is that of your
schedulers.py here, or else that of week 3.

With a GPU it trains ResNet-18 on all images, for 30 epochs each unless --epochs says otherwise.
Without one it takes three of your blocks, 16 to 64 channels wide, on 2,000 images for 10 epochs:
some minutes. Both sizes can be chosen (--network, --subset).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from data.cifar10_loader import CIFAR10Loader, load_cifar10
from torch import nn
from train import split

import schedulers
from models.resnet import BasicBlock, ResNet18, convolution
from optimizers import Adam
from training.trainer import Trainer

Maker = Callable[[Any, int], Any]
WEEK_3 = Path(__file__).resolve().parents[1] / "schedulers.py"
LR = 3e-3
"""The highest learning rate, of all four."""


class Constant:
    """No schedule at all."""

    def __init__(self, optimizer: Any) -> None:
        """Keep the optimizer."""
        self.optimizer = optimizer

    def step(self, epoch: int) -> None:
        """Leave the learning rate as it is."""


def step_lr() -> Any:
    """Return your class StepLR: of this folder's schedulers.py, or else of week 3's."""
    if hasattr(schedulers, "StepLR"):
        return schedulers.StepLR
    spec = importlib.util.spec_from_file_location("schedulers_of_week_3", WEEK_3)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"StepLR is neither in schedulers.py nor in {WEEK_3}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.StepLR


def warm_cosine(optimizer: Any, epochs: int) -> Any:
    """Return a warm-up of a tenth of the epochs, at least two, and the cosine for the others.

    A warm-up of one epoch would be none: it may have the full rate at once.
    """
    warmup = max(2, epochs // 10)
    cosine = schedulers.CosineAnnealingLR(optimizer, T_max=max(1, epochs - warmup))
    return schedulers.WarmupLR(optimizer, warmup, cosine)


SCHEDULES: dict[str, Maker] = {
    "constant": lambda optimizer, epochs: Constant(optimizer),
    "StepLR": lambda optimizer, epochs: step_lr()(optimizer, step_size=max(1, -(-epochs // 3))),
    "cosine": lambda optimizer, epochs: schedulers.CosineAnnealingLR(optimizer, T_max=epochs),
    "warm-up, cosine": warm_cosine,
}
"""StepLR divides the rate by 10 after each third of the epochs."""


def small_network() -> nn.Module:
    """Return a network of three of your blocks, for a machine without a GPU."""
    return nn.Sequential(
        convolution(3, 16, 3),
        BasicBlock(16, 16),
        BasicBlock(16, 32, 2),
        BasicBlock(32, 64, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


def run(name: str, options: argparse.Namespace) -> list[dict[str, float]]:
    """Train with one schedule; return the numbers of each epoch, and print them."""
    images, labels = load_cifar10(options.data, "train")
    training, validation = split(images, labels)
    few = options.subset or len(training[0])
    batches = CIFAR10Loader(
        training[0][:few],
        training[1][:few],
        options.batch_size,
        train=True,
        seed=options.seed,
        device=options.device,
    )
    held_out = CIFAR10Loader(*validation, 500, train=False, device=options.device)
    torch.random.manual_seed(options.seed)
    model = ResNet18() if options.network == "resnet18" else small_network()
    model = model.to(options.device, memory_format=torch.channels_last)
    optimizer = Adam(list(model.parameters()), lr=options.lr)
    schedule = SCHEDULES[name](optimizer, options.epochs)
    trainer = Trainer(model, optimizer, schedule, options.device)
    lines = []
    for epoch in range(options.epochs):
        start = time.perf_counter()
        trained = trainer.train_epoch(batches, epoch)
        seconds = time.perf_counter() - start
        measured = trainer.evaluate(held_out)
        lines.append(
            {"epoch": epoch + 1, "lr": optimizer.lr, "seconds": seconds}
            | {f"train_{key}": value for key, value in trained.items()}
            | {f"val_{key}": value for key, value in measured.items()}
        )
        print(
            f"{name}, epoch {epoch + 1}: rate {optimizer.lr:.5f}, training loss "
            f"{trained['loss']:.3f}, validation accuracy {measured['accuracy']:.2%}",
            flush=True,
        )
    return lines


def draw(runs: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Draw rates, training losses and validation accuracies of all runs by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 3.8), layout="constrained")
    what = {"lr": "learning rate", "train_loss": "training loss", "val_accuracy": "validation acc."}
    for axes, (key, label) in zip(figure.subplots(1, 3), what.items(), strict=True):
        for (name, lines), colour in zip(runs.items(), ("0.6", "C0", "C1", "C2"), strict=False):
            epochs = [line["epoch"] for line in lines]
            axes.plot(epochs, [line[key] for line in lines], color=colour, label=name)
        axes.set(xlabel="epoch", ylabel=label)
        axes.spines[["top", "right"]].set_visible(False)
        if key == "lr":
            axes.legend(frameon=False)
    figure.savefig(path, dpi=130)
    print(f"saved {path}")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line (None: the program's own)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of cifar10.npz")
    parser.add_argument("--out", type=Path, required=True, help="folder for table and picture")
    gpu = torch.cuda.is_available()
    parser.add_argument("--device", default="cuda" if gpu else "cpu", help="cuda or cpu")
    parser.add_argument("--network", choices=("resnet18", "small"))
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--subset", type=int, help="training images; 0 for all")
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--lr", type=float, default=LR, help="the highest learning rate")
    parser.add_argument("--seed", type=int, default=0, help="of weights and batches")
    parser.add_argument("--only", choices=tuple(SCHEDULES), nargs="+", default=list(SCHEDULES))
    options = parser.parse_args(argv)
    large = options.device != "cpu"
    defaults = {"network": "resnet18", "epochs": 30, "subset": 0, "batch_size": 512}
    if not large:
        defaults = {"network": "small", "epochs": 10, "subset": 2000, "batch_size": 64}
    for key, value in defaults.items():
        if getattr(options, key) is None:
            setattr(options, key, value)
    if min(options.epochs, options.batch_size) < 1 or options.subset < 0 or options.lr <= 0:
        parser.error("--epochs and --batch-size must be at least 1, and --lr positive")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Train with each schedule; write schedules.jsonl and schedules.png, print a table.

    Returns 2 where a gap is in the way.
    """
    options = parse(argv)
    try:
        runs = {name: run(name, options) for name in options.only}
    except NotImplementedError as gap:
        print(f"This needs something that is not written yet: {gap}")
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "schedules.jsonl").open("w", encoding="utf-8") as file:
        for name, lines in runs.items():
            file.writelines(json.dumps({"schedule": name} | line) + "\n" for line in lines)
    draw(runs, options.out / "schedules.png")
    what = f"{options.network}, {options.epochs} epochs, {options.subset or 'all'} images"
    print(f"\n{what}, highest rate {options.lr:g}, seed {options.seed}, {options.device}\n")
    print("| schedule | last rate | training loss | training acc. | validation acc. | best |")
    print("|---|---|---|---|---|---|")
    for name, lines in runs.items():
        last, best = lines[-1], max(line["val_accuracy"] for line in lines)
        print(
            f"| {name} | {last['lr']:.2g} | {last['train_loss']:.3f} | "
            f"{last['train_accuracy']:.2%} | {last['val_accuracy']:.2%} | {best:.2%} |"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
