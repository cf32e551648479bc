"""Trains ResNet-18 on CIFAR-10."""

import argparse
import os
import time

import torch
from data.cifar10_loader import CIFAR10Loader, load_cifar10

from models.resnet import ResNet18
from optimizers import Adam
from schedulers import CosineAnnealingLR, WarmupLR
from training.metrics import MetricsLog
from training.trainer import Trainer


def main(argv=None):
    """Run the training."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.001)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args(argv)

    torch.manual_seed(args.seed)
    images, labels = load_cifar10(args.data)
    n_val = max(1, len(images) // 50)
    train_loader = CIFAR10Loader(
        images[:-n_val], labels[:-n_val], args.batch_size, train=True, seed=args.seed
    )
    val_loader = CIFAR10Loader(images[-n_val:], labels[-n_val:], args.batch_size, train=False)

    model = ResNet18().to(args.device)
    optimizer = Adam(list(model.parameters()), lr=args.lr)
    warmup = 5
    cosine = CosineAnnealingLR(optimizer, T_max=max(1, args.epochs - warmup))
    scheduler = WarmupLR(optimizer, warmup, cosine)
    trainer = Trainer(model, optimizer, scheduler, args.device)

    checkpoint = os.path.join(args.out, "checkpoint.safetensors")
    start = trainer.load(checkpoint) if args.resume else 0
    log = MetricsLog(args.out, start)
    for epoch in range(start, args.epochs):
        begin = time.time()
        train = trainer.train_epoch(train_loader, epoch)
        seconds = time.time() - begin
        val = trainer.evaluate(val_loader)
        log.write(
            epoch + 1,
            train_loss=train["loss"],
            train_accuracy=train["accuracy"],
            val_loss=val["loss"],
            val_accuracy=val["accuracy"],
            lr=optimizer.lr,
            seconds=seconds,
            images_per_second=(len(images) - n_val) / seconds,
        )
        trainer.save(checkpoint, epoch + 1)
        print(f"epoch {epoch + 1}: loss {train['loss']:.4f}, accuracy {val['accuracy']:.4f}")
    log.close()


if __name__ == "__main__":
    main()
