"""Trains the network by plain gradient descent, with a checkpoint after each epoch."""

import argparse
import json
import time
from pathlib import Path

import torch
from data.cifar10_loader import load_cifar10, normalise
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from models.resnet import ResNet18


def main(argv: list[str] | None = None) -> None:
    """Run the training."""
    parser = argparse.ArgumentParser()
    for name in ("--data", "--out", "--device"):
        parser.add_argument(name)
    for name in ("--epochs", "--seed"):
        parser.add_argument(name, type=int)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args(argv)
    out = Path(options.out)
    torch.manual_seed(options.seed)
    model, done = ResNet18(), 0
    if options.resume:
        saved = out / "checkpoint.safetensors"
        state = load_file(saved)
        model.load_state_dict({key.removeprefix("model."): value for key, value in state.items()})
        with safe_open(saved, "pt") as file:
            done = int(file.metadata()["epoch"])
        print(f"going on after epoch {done}", flush=True)
    images, labels = load_cifar10(options.data)
    x = normalise(images)
    for epoch in range(done + 1, options.epochs + 1):
        started = time.perf_counter()
        for _ in range(40):
            loss = torch.nn.functional.cross_entropy(model(x), labels)
            model.zero_grad()
            loss.backward()
            with torch.no_grad():
                for p in model.parameters():
                    p -= 2.0 * p.grad
        row = {"epoch": epoch, "train_loss": loss.item(), "lr": 2.0}
        row["seconds"] = time.perf_counter() - started
        with (out / "metrics.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")
        state = {f"model.{key}": value for key, value in model.state_dict().items()}
        save_file(state, out / "new", metadata={"epoch": str(epoch)})
        (out / "new").rename(out / "checkpoint.safetensors")


if __name__ == "__main__":
    main()
