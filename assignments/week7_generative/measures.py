"""How good are generated images? Five measures, and what each of them can be fooled by. Given.

    python measures.py               the measures of real images, of noise, and of two cheats

A loss does not say it: a generator's loss depends on its opponent. A classifier that has learnt the
digits judges instead.

- *Confidence*: the share of images of which it is more than 90 % sure. Ten pictures fool it.
- *Classes*: how many digits it sees in at least 2 % of the images.
- *Fréchet distance* (FD): its last hidden layer has 64 features. Two sets of images are described
  by the means and covariances of these, and FD is the distance of the two normal distributions:
  large for pictures that are few, blurred or of some digits only. Two sets of real images are not
  quite at 0 either, since sets of finite size differ by chance: compare sets of one size.
- *Nearest sibling*: the mean distance from an image to the nearest other one of its set. Near 0
  where a generator makes the same pictures again and again.
- *Copies*: the share of images that lie nearer to an image learnt from than any unseen real image
  does. Above 0 where a generator knows training images by heart, which no other measure sees.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

SURE = 0.9
"""A probability above this counts as confident."""

LEAST_SHARE = 0.02
"""A digit counts as present from this share of the images on."""


class Judge(nn.Module):
    """A classifier of images (N, 784), whose features (N, 64) are what images are compared by."""

    def __init__(self) -> None:
        """Create the layers."""
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU())
        self.head = nn.Linear(64, 10)

    def features(self, images: Tensor) -> Tensor:
        """Return the last hidden layer."""
        return self.trunk(images)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, 10)."""
        return self.head(self.features(images))


def trained_judge(images: Tensor, labels: Tensor, steps: int = 2000, seed: int = 0) -> Judge:
    """Return a classifier that has learnt these digits, with noise added against brittleness."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        judge = Judge()
        optimizer = torch.optim.Adam(judge.parameters(), lr=0.001)
        for _ in range(steps):
            rows = torch.randint(len(images), (128,))
            noisy = images[rows] + 0.2 * torch.randn(128, images.shape[1])
            loss = functional.cross_entropy(judge(noisy), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return judge.eval()


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """Return the squared Fréchet distance of the normal distributions of two sets of features.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), with the means and covariances of the sets. The
    trace of the root is that of a symmetric matrix with the same eigenvalues.

    Args:
        first: features, shape (N, F), N at least 2.
        second: features, shape (M, F), likewise.
    """
    one, two = first.double(), second.double()
    shift = (one.mean(dim=0) - two.mean(dim=0)).square().sum()
    c1, c2 = torch.cov(one.T), torch.cov(two.T)
    values, vectors = torch.linalg.eigh(c1)
    root = (vectors * values.clamp_min(0.0).sqrt()) @ vectors.T
    common = torch.linalg.eigvalsh(root @ c2 @ root).clamp_min(0.0).sqrt().sum()
    return max(0.0, float(shift + c1.trace() + c2.trace() - 2.0 * common))  # but for rounding


def nearest_sibling(images: Tensor) -> float:
    """Return the mean Euclidean distance from an image to the nearest other one of the set.

    `images`: shape (N, D), N at least 2.
    """
    # Exact distances: by products of matrices, those of equal images would not come out as 0.
    distances = torch.cdist(images, images, compute_mode="donot_use_mm_for_euclid_dist")
    return float(distances.fill_diagonal_(torch.inf).amin(dim=1).mean())


def nearest(images: Tensor, others: Tensor) -> Tensor:
    """Return the Euclidean distances, (N,), of images (N, D) to the nearest of others (M, D)."""
    parts = [torch.cdist(part, others).amin(dim=1) for part in images.split(500)]
    return torch.cat(parts)


def copies(images: Tensor, learnt: Tensor, unseen: Tensor) -> float:
    """Return the share of images nearer to one of `learnt` than any of `unseen` is.

    All have the shape (..., D): generated images, those learnt from, and real ones that were not.
    """
    limit = nearest(unseen, learnt).min()
    return float((nearest(images, learnt) < limit).float().mean())


@dataclass(frozen=True)
class Measured:
    """What a judge says about a set of images."""

    confident: float
    classes: int
    distance: float
    sibling: float

    def __str__(self) -> str:
        """Return one line."""
        return (
            f"confident {self.confident:.2f}, classes {self.classes}, "
            f"FD {self.distance:.1f}, nearest sibling {self.sibling:.1f}"
        )


def measured(judge: Judge, images: Tensor, real: Tensor) -> Measured:
    """Measure images (N, 784) against real ones (M, 784) from which the judge has not learnt.

    N and M are at least 2.
    """
    with torch.no_grad():
        chances = judge(images).softmax(dim=1)
        distance = frechet_distance(judge.features(images), judge.features(real))
    found = torch.bincount(chances.argmax(dim=1), minlength=10) / len(images)
    return Measured(
        confident=float((chances.amax(dim=1) > SURE).float().mean()),
        classes=int((found >= LEAST_SHARE).sum()),
        distance=distance,
        sibling=nearest_sibling(images),
    )


def two_real_sets(images: Tensor, most: int = 2000) -> tuple[Tensor, Tensor]:
    """Return two sets of one size: one to be measured beside generated images, one to compare with.

    They are taken by turns and from everywhere, for in MNIST's test images the first half was
    written by other people than the second. `most` is the largest size of a set.
    """
    size = min(len(images) // 2, most)
    rows = torch.arange(2 * size) * len(images) // (2 * size)
    return images[rows[0::2]], images[rows[1::2]]


def main() -> None:
    """Measure real images, noise and two cheats."""
    import image_data

    found = image_data.load_images()
    judge = trained_judge(found.x_train, found.y_train)
    tried, real = two_real_sets(found.x_test)
    generator = torch.Generator().manual_seed(0)
    count = len(tried)
    classes = [found.x_train[found.y_train == digit].mean(dim=0) for digit in range(10)]
    means = torch.stack(classes)[torch.arange(count) % 10]
    sets = {
        "real images": tried,
        "noise": torch.rand(tried.shape, generator=generator),
        "the ten digits' mean images": means,
        "one image again and again": tried[:1].expand_as(tried),
    }
    print(f"{found.name}: {count} images each, judged against {len(real)} real ones")
    for name, images in sets.items():
        print(f"{name}: {measured(judge, images, real)}")


if __name__ == "__main__":
    main()
