"""Pictures of what a SmallCNN has learnt: the first filters, and what blocks make of images.

    python pictures_cifar.py                    train for 5 epochs, and draw
    python pictures_cifar.py --epochs 0         the same of a network that has learnt nothing

Writes figures/filters.png, the filters of the first convolution, and figures/activations.png: for
some images the first channels of each convolution's output, as far as it has any. It is given, asks
nothing of the network but convolutions, and is not graded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window: the pictures go to files

import cifar_cnn
import numpy as np
import torch
from matplotlib import pyplot as plt
from torch import Tensor, nn

IMAGES, CHANNELS = 3, 8


def convolutions(network: nn.Module) -> list[tuple[str, nn.Conv2d]]:
    """Return the convolutions whose windows are larger than 1 x 1, with their names."""
    return [
        (name, part)
        for name, part in network.named_modules()
        if isinstance(part, nn.Conv2d) and max(part.kernel_size) > 1
    ]


def picture(values: Tensor) -> np.ndarray:
    """Return an image or a filter (C, H, W) as numbers from 0 to 1, in colours where C is 3.

    The least number becomes 0 and the largest 1, each picture for itself.
    """
    shown = values if len(values) == 3 else values.mean(dim=0, keepdim=True)
    low, high = shown.min(), shown.max()
    scaled = (shown - low) / (high - low).clamp_min(1e-12)
    return scaled.permute(1, 2, 0).squeeze(2).detach().numpy()


def draw_filters(network: nn.Module, path: Path) -> None:
    """Draw the filters of the first convolution, 8 in each row."""
    name, first = convolutions(network)[0]
    filters = first.weight.detach()
    rows = -(-len(filters) // 8)
    figure, axes = plt.subplots(rows, 8, figsize=(6.4, 0.8 * rows + 0.5), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, one in zip(axes.flat, filters, strict=False):
        axis.imshow(picture(one), cmap="gray", interpolation="nearest")
    figure.suptitle(f"The {len(filters)} filters of {name}, each from its least to its largest")
    save(figure, path)


def outputs(network: nn.Module, images: Tensor) -> list[tuple[str, Tensor]]:
    """Return the outputs (N, C, H, W) of all convolutions, with their names, in evaluation mode."""
    found: list[tuple[str, Tensor]] = []
    handles = [
        part.register_forward_hook(lambda _, __, output, name=name: found.append((name, output)))
        for name, part in convolutions(network)
    ]
    network.eval()
    with torch.no_grad():
        network(cifar_cnn.normalise(images))
    for handle in handles:
        handle.remove()
    return found


def draw_activations(network: nn.Module, images: Tensor, path: Path) -> None:
    """Draw images, and below each the first channels of each convolution's output, after a ReLU."""
    layers = outputs(network, images)
    rows = len(images) * (1 + len(layers))
    figure, axes = plt.subplots(rows, CHANNELS, figsize=(6.4, 0.8 * rows + 0.5), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for n, image in enumerate(images):
        top = n * (1 + len(layers))
        axes[top, 0].imshow(picture(image.float()), cmap="gray")
        axes[top, 0].set_title(f"image {n}", fontsize=7)
        for below, (name, output) in enumerate(layers, start=1):
            channels = output[n, :CHANNELS].relu()
            size = f"{output.shape[2]} x {output.shape[3]}"
            axes[top + below, 0].set_title(f"{name}, {size}", fontsize=7, loc="left")
            for axis, channel in zip(axes[top + below], channels, strict=False):
                axis.imshow(picture(channel[None]), cmap="gray", interpolation="nearest")
    save(figure, path)


def save(figure: plt.Figure, path: Path) -> None:
    """Write a figure to a file, and say where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
    print(f"written: {path}")


def main() -> None:
    """Train, and draw."""
    parser = argparse.ArgumentParser(description="Draw what a SmallCNN has learnt.")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--images", type=int, default=10_000, help="train with so many at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("figures"))
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    name, (x_train, y_train, x_test, y_test) = cifar_cnn.load_photographs()
    x_train, y_train = x_train[: options.images], y_train[: options.images]
    try:
        network = cifar_cnn.SmallCNN(x_train.shape[1])
        if options.epochs:
            cifar_cnn.train(network, x_train, y_train, options.epochs, seed=options.seed)
    except NotImplementedError as gap:
        raise SystemExit(f"There is nothing to draw yet. {gap}") from None
    network.eval()
    right = cifar_cnn.accuracy(network, x_test, y_test)
    print(f"{name}: {len(x_train)} images, {options.epochs} epochs, test accuracy {right:.1%}")
    draw_filters(network, options.out / "filters.png")
    draw_activations(network, x_test[:IMAGES], options.out / "activations.png")


if __name__ == "__main__":
    main()
