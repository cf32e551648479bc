"""Trains ResNet-18 on CIFAR-10: python train.py --data FOLDER --out FOLDER

FOLDER/cifar10.npz holds the images. The run ends by itself; killed, it goes on with --resume.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from data.cifar10_loader import CIFAR10Loader, load_cifar10
from torch import Tensor

from models.resnet import ResNet18
from optimizers import Adam
from schedulers import CosineAnnealingLR, WarmupLR
from training.metrics import MetricsLog
from training.trainer import Trainer

CHECKPOINT = "checkpoint.safetensors"
# BEGIN SOLUTION project.training
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.25
LABEL_SMOOTHING = 0.1
COMPILE = False  # as --compile does; untried on a GPU
# INSTEAD
# LEARNING_RATE = 1e-3  # these three are yours to choose
# WEIGHT_DECAY = 0.01
# LABEL_SMOOTHING = 0.0
# END SOLUTION
VALIDATION_SHARE = 50
"""One image of so many is kept for validation."""
WARMUP_SHARE = 20
"""One epoch of so many, but at least one, belongs to the warm-up."""


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line (None: the program's own). Given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of cifar10.npz")
    parser.add_argument("--out", type=Path, required=True, help="folder for what the run writes")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--lr", type=float, default=LEARNING_RATE, help="at the end of the warm-up")
    parser.add_argument("--seed", type=int, default=0, help="of the weights, orders and crops")
    parser.add_argument(
        "--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cuda or cpu"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint in --out, if there is one"
    )
    parser.add_argument("--compile", action="store_true", help="torch.compile the model (optional)")
    return parser.parse_args(argv)


def split(images: Tensor, labels: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return (images, labels) for training, and (images, labels) for validation.

    The last 1/50 of the images, rounded down, but at least one, are for validation.
    """
    # BEGIN SOLUTION project.training
    count = len(images) - max(1, len(images) // VALIDATION_SHARE)
    return (images[:count], labels[:count]), (images[count:], labels[count:])
    # END SOLUTION


def loaders(options: argparse.Namespace) -> tuple[CIFAR10Loader, CIFAR10Loader]:
    """Return the batches for training, shuffled and augmented, and those for validation.

    Both come from the *training* split. The test images are for the very end, and not for this
    program: what was chosen by looking at them can't be measured on them.
    """
    # BEGIN SOLUTION project.training
    training, validation = split(*load_cifar10(options.data, "train"))
    size, seed, device = options.batch_size, options.seed, options.device
    return (
        CIFAR10Loader(*training, size, train=True, seed=seed, device=device),
        CIFAR10Loader(*validation, size, train=False, device=device),
    )
    # END SOLUTION


def make_trainer(options: argparse.Namespace) -> Trainer:
    """Return a new model with its optimizer and schedule.

    The weights depend on --seed alone. The model is on its device before the optimizer is made, so
    that what the optimizer remembers is there as well. The cosine ends with the last epoch.
    """
    # BEGIN SOLUTION project.training
    torch.manual_seed(options.seed)
    model = ResNet18().to(options.device, memory_format=torch.channels_last)
    optimizer = Adam(list(model.parameters()), lr=options.lr, weight_decay=WEIGHT_DECAY)
    warmup = max(1, options.epochs // WARMUP_SHARE)
    cosine = CosineAnnealingLR(optimizer, T_max=max(1, options.epochs - warmup))
    scheduler = WarmupLR(optimizer, warmup, cosine)
    trainer = Trainer(model, optimizer, scheduler, options.device, LABEL_SMOOTHING)
    trainer.quickest.compile_it = options.compile or COMPILE
    return trainer
    # END SOLUTION


def run_epoch(
    trainer: Trainer, training: CIFAR10Loader, validation: CIFAR10Loader, epoch: int
) -> dict[str, float]:
    """Train for an epoch, counted from 0, and evaluate; return what metrics.jsonl says of it.

    Returns:
        train_loss, train_accuracy, val_loss, val_accuracy: as the Trainer measures them; lr: the
        epoch's learning rate; seconds: what training took, without evaluating; images_per_second:
        training images per second of those.
    """
    # BEGIN SOLUTION project.training
    begun = time.perf_counter()
    trained = trainer.train_epoch(training, epoch)
    ended = time.perf_counter()
    measured = trainer.evaluate(validation)
    return {
        "train_loss": trained["loss"],
        "train_accuracy": trained["accuracy"],
        "val_loss": measured["loss"],
        "val_accuracy": measured["accuracy"],
        "lr": trainer.optimizer.lr,
        "seconds": ended - begun,
        "images_per_second": len(training.images) / (ended - begun),
    }
    # END SOLUTION


def main(argv: Sequence[str] | None = None) -> None:
    """Train as the command line says (None: the program's own), and write to --out:

    - metrics.jsonl: a line per epoch, from 1, with `epoch` and the numbers of `run_epoch`;
    - TensorBoard's event files with the same numbers;
    - checkpoint.safetensors: after every epoch, once its line is written.

    With --resume, goes on after the epoch of the checkpoint in --out, with its weights. Prints a
    line per epoch.

    Beyond the texts (`project.robustness`): the curve of a resumed run is the one that it would
    have had without interruption. Without a checkpoint --resume starts afresh. Without --resume, an
    earlier run's checkpoint is removed, so that none can go on from it by mistake. The same --seed
    gives the same curve.
    """
    options = parse(argv)
    # BEGIN SOLUTION project.training
    training, validation = loaders(options)
    trainer = make_trainer(options)
    checkpoint, done = options.out / CHECKPOINT, 0
    if not options.resume:
        checkpoint.unlink(missing_ok=True)
    elif checkpoint.exists():
        done = trainer.load(checkpoint)
    log = MetricsLog(options.out, resume_epoch=done)
    training.set_epoch(done)
    for epoch in range(done + 1, options.epochs + 1):
        numbers = run_epoch(trainer, training, validation, epoch - 1)
        log.write(epoch, **numbers)
        trainer.save(checkpoint, epoch)
        print(
            f"epoch {epoch:3d}: loss {numbers['train_loss']:.4f}, "
            f"validation accuracy {numbers['val_accuracy']:.2%}, {numbers['seconds']:.1f} s",
            flush=True,
        )
    log.close()
    # END SOLUTION


if __name__ == "__main__":
    main()
