"""Compare a network from scratch with a trained one that is used again: cats against dogs.

    python compare_transfer.py                             50, 100, 500 images: a quarter of an hour
    python compare_transfer.py --images 50 --test 200 --draws 1     a quick look, a minute
    python compare_transfer.py --ways scratch frozen       without fine-tuning: three minutes

Given, nothing to fill in. It needs `cifar.network` and `cifar.transfer`, CIFAR-10 and the weights
of EfficientNet-Lite0: `python check.py data cifar10 efficientnet` fetches both (make data).

Each draw takes other training images, the same for all ways; all are measured on the same test
images. The ways:

    scratch    your SmallCNN, trained on these images alone, augmented
    frozen     the trunk as it is, and a new head
    tuned      then everything is trained but batch normalisation, which stays frozen
    free       the same, and batch normalisation is trained too

ImageNet, on which the trunk was trained, has cats and more than a hundred kinds of dogs among its
classes. So this is the best case of transfer: the trunk has met what it is asked for.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from cifar_cnn import SmallCNN, accuracy, train
from efficientnet import FEATURES, Trunk, prepared, pretrained
from torch import Tensor, nn
from transfer import fine_tune, freeze, replace_head

CAT, DOG = 3, 5
"""Their numbers in CIFAR-10."""

STEPS = 300
"""Steps from scratch: the same number for few images as for many, so that none is cut short."""

HEAD_EPOCHS = 100
TUNED_EPOCHS = 3
TUNED_RATE = 3e-5
BATCH = 32
PIXELS = 96
"""Rows and columns that photographs of 32 x 32 are enlarged to: the trunk was trained on larger."""


@dataclass(frozen=True)
class Pets:
    """Photographs of cats (label 0) and dogs (1), uint8 (N, 3, 32, 32), and labels int64 (N,)."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor

    def draw(self, count: int, seed: int) -> tuple[Tensor, Tensor]:
        """Return `count` training images, as many cats as dogs, and their labels."""
        generator = torch.Generator().manual_seed(seed)
        rows = []
        for label in (0, 1):
            those = torch.nonzero(self.y_train == label)[:, 0]
            rows.append(those[torch.randperm(len(those), generator=generator)[: count // 2]])
        chosen = torch.cat(rows)
        return self.x_train[chosen], self.y_train[chosen]


def load(test_images: int) -> tuple[Pets, Trunk]:
    """Return the photographs, and the trunk with its trained weights."""
    # The course's `data` package lies in the repository's root, three folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[3]))
    import data

    try:
        found, weights = data.load("cifar10"), data.load("efficientnet")
    except data.DataError as error:
        raise SystemExit(f"{error}\nThis comparison needs both cifar10 and efficientnet.") from None
    parts: list[Tensor] = []
    for x, y in ((found.x_train, found.y_train), (found.x_test, found.y_test)):
        pets = (y == CAT) | (y == DOG)
        parts.append(torch.from_numpy(x[pets]).permute(0, 3, 1, 2).contiguous())
        parts.append(torch.from_numpy(y[pets] == DOG).long())
    x_train, y_train, x_test, y_test = parts
    return Pets(x_train, y_train, x_test[:test_images], y_test[:test_images]), pretrained(weights)


def features(network: nn.Module, images: Tensor, pixels: int) -> Tensor:
    """Return what a network in evaluation mode makes of photographs, in small batches."""
    with torch.no_grad():
        return torch.cat([network(prepared(part, pixels)) for part in images.split(BATCH)])


def share_right(logits: Tensor, labels: Tensor) -> float:
    """Return the share of rows whose largest logit is that of their label."""
    return float((logits.argmax(dim=1) == labels).float().mean())


class Comparison:
    """The four ways, on the same photographs."""

    def __init__(self, pets: Pets, trunk: Trunk, pixels: int = PIXELS) -> None:
        """Keep them; the trunk is never changed, and what it makes of the test images is kept."""
        self.pets, self.trunk, self.pixels = pets, trunk, pixels
        self.tested: Tensor | None = None

    def scratch(self, images: Tensor, labels: Tensor, seed: int) -> float:
        """Return the accuracy of SmallCNN, trained on these images alone."""
        torch.manual_seed(seed)
        network, epochs = SmallCNN(3, 2), STEPS // -(-len(images) // BATCH)
        train(network, images, labels, epochs, batch_size=BATCH, lr=3e-3, seed=seed)
        return accuracy(network, self.pets.x_test, self.pets.y_test)

    def frozen(self, images: Tensor, labels: Tensor, seed: int) -> float:
        """Return the accuracy with a new head on the trunk as it is."""
        head = self._new_head(images, labels, seed)
        if self.tested is None:
            self.tested = features(self.trunk, self.pets.x_test, self.pixels)
        with torch.no_grad():
            return share_right(head(self.tested), self.pets.y_test)

    def tuned(self, images: Tensor, labels: Tensor, seed: int) -> float:
        """Return the accuracy after everything but batch normalisation was trained as well."""
        return self._fine_tuned(images, labels, seed, norms_frozen=True)

    def free(self, images: Tensor, labels: Tensor, seed: int) -> float:
        """Return the accuracy after everything was trained as well."""
        return self._fine_tuned(images, labels, seed, norms_frozen=False)

    def _new_head(self, images: Tensor, labels: Tensor, seed: int) -> nn.Module:
        """Return a new head, trained on the frozen trunk.

        What a frozen trunk makes of an image is the same in every epoch, so it is computed once,
        and the head alone is trained on it.
        """
        trunk = copy.deepcopy(self.trunk)
        freeze(trunk)
        seen = features(trunk, images, self.pixels)
        torch.manual_seed(seed)
        head = nn.Sequential(nn.Linear(FEATURES, 1000))
        replace_head(head, 2)
        fine_tune(head, seen, labels, HEAD_EPOCHS, lr=1e-3, batch_size=BATCH, seed=seed)
        return head

    def _fine_tuned(self, images: Tensor, labels: Tensor, seed: int, norms_frozen: bool) -> float:
        """Train trunk and head together, from where `frozen` ends; return the accuracy."""
        network = nn.Sequential(copy.deepcopy(self.trunk), self._new_head(images, labels, seed))
        if norms_frozen:
            for part in network.modules():
                if isinstance(part, nn.BatchNorm2d):
                    freeze(part)
        seen = prepared(images, self.pixels)
        fine_tune(network, seen, labels, TUNED_EPOCHS, lr=TUNED_RATE, batch_size=BATCH, seed=seed)
        return share_right(features(network, self.pets.x_test, self.pixels), self.pets.y_test)

    def way(self, name: str) -> Callable[[Tensor, Tensor, int], float]:
        """Return one of the four by its name."""
        ways = {
            "scratch": self.scratch,
            "frozen": self.frozen,
            "tuned": self.tuned,
            "free": self.free,
        }
        return ways[name]


WAYS = ("scratch", "frozen", "tuned", "free")

Found = dict[tuple[int, str], list[float]]
"""Number of images and way -> an accuracy for each draw."""


def compare(
    comparison: Comparison, counts: list[int], draws: int, ways: list[str], seed: int = 0
) -> Iterator[tuple[int, str, float, float]]:
    """Yield number of images, way, accuracy and CPU seconds, one draw after the other."""
    for draw in range(seed, seed + draws):
        for count in counts:
            images, labels = comparison.pets.draw(count, draw)
            for name in ways:
                started = time.process_time()
                right = comparison.way(name)(images, labels, draw)
                yield count, name, right, time.process_time() - started


def table(found: Found, counts: list[int], ways: list[str]) -> str:
    """Return the accuracies in per cent: mean over the draws, and the least and the largest."""
    lines = ["| images | " + " | ".join(ways) + " |", "| --- " * (1 + len(ways)) + "|"]
    for count in counts:
        cells = []
        for name in ways:
            runs = [100.0 * right for right in found[count, name]]
            cells.append(f"{sum(runs) / len(runs):.1f} ({min(runs):.1f} to {max(runs):.1f})")
        lines.append(f"| {count} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def read_options() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description="Cats against dogs: from scratch, and transfer.")
    parser.add_argument("--images", type=int, nargs="+", default=[50, 100, 500])
    parser.add_argument("--draws", type=int, default=3, help="of training images")
    parser.add_argument("--test", type=int, default=1000, help="test images, at most 2,000")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument(
        "--pixels", type=int, default=PIXELS, help="what the trunk sees of an image"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first draw")
    options = parser.parse_args()
    if min(*options.images, options.test) < 2 or options.draws < 1 or options.pixels < 32:
        parser.error("at least 2 images of each kind, 1 draw and 32 pixels")
    return options


def main() -> int:
    """Run the ways, draw after draw, and print a table; return 2 where a gap is in the way."""
    options = read_options()
    comparison = Comparison(*load(options.test), options.pixels)
    found: Found = {}
    counts, ways = options.images, options.ways
    try:
        for count, name, right, took in compare(
            comparison, counts, options.draws, ways, options.seed
        ):
            found.setdefault((count, name), []).append(right)
            line = f"draw {len(found[count, name])}, {count:4} images, {name:7}"
            print(f"{line}: {right:.1%} in {took:.0f} CPU seconds", flush=True)
    except NotImplementedError as gap:
        print(f"\nThis needs something that is not written yet: {gap}")
        return 2
    print(f"\nAccuracy in per cent on {len(comparison.pets.y_test)} test images; in brackets the")
    print(f"least and the largest of {options.draws} draws:\n")
    print(table(found, counts, ways))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
