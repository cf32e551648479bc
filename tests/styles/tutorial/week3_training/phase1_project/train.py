"""Training script: momentum SGD with a warm-up and a cosine."""

import argparse
import time
from pathlib import Path

import torch

import optimizers
import schedulers
from data import cifar10_loader
from models import resnet
from training.metrics import MetricsLog
from training.trainer import Trainer


def get_args(argv):
    """Parse the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args(argv)


def get_loaders(args):
    """Return the loaders for training and validation."""
    images, labels = cifar10_loader.load_cifar10(args.data, "train")
    split = len(images) - max(len(images) // 50, 1)
    options = {"batch_size": args.batch_size, "device": args.device, "seed": args.seed}
    train = cifar10_loader.CIFAR10Loader(images[:split], labels[:split], train=True, **options)
    val = cifar10_loader.CIFAR10Loader(images[split:], labels[split:], train=False, **options)
    return train, val


def main(argv=None):
    """Train."""
    args = get_args(argv)
    torch.manual_seed(args.seed)
    train_loader, val_loader = get_loaders(args)
    net = resnet.ResNet18().to(args.device)
    optimizer = optimizers.SGDMomentum(net.parameters(), args.lr)
    cosine = schedulers.CosineAnnealingLR(optimizer, args.epochs)
    scheduler = schedulers.WarmupLR(optimizer, min(5, args.epochs), cosine)
    trainer = Trainer(net, optimizer, scheduler, args.device)
    path = args.out / "checkpoint.safetensors"
    done = trainer.load(path) if args.resume and path.exists() else 0
    log = MetricsLog(args.out, done)
    for epoch in range(done, args.epochs):
        start = time.perf_counter()
        train = trainer.train_epoch(train_loader, epoch)
        seconds = time.perf_counter() - start
        val = trainer.evaluate(val_loader)
        numbers = {f"train_{name}": value for name, value in train.items()}
        numbers |= {f"val_{name}": value for name, value in val.items()}
        speed = len(train_loader.dataset[0]) / seconds
        log.write(
            epoch + 1, lr=float(optimizer.lr), seconds=seconds, images_per_second=speed, **numbers
        )
        trainer.save(path, epoch + 1)
        print(epoch + 1, numbers)
    log.close()


if __name__ == "__main__":
    main()
