"""What a generator's images are worth: the examiner's judge, and what it is not fooled by.

Two descriptions of an image are used: the 64 features of the examiner's classifier, which know what
digits are, and its coordinates along the 24 main directions of the training images (`shapes`),
which pixel noise hardly moves. Of each, the Fréchet distance of a set from the unseen real images
is taken, in hundredths of these images' variance, and both are added up: ten mean images fool the
first alone, but have no variance within a digit, which the second sees.

A set must also be varied (the distance to the nearest sibling, against that of real images), and
not known by heart: of images that were never seen, half lie nearer to a training image than the
median of them does, and one in twenty nearer than their twentieth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from autograder.suite import expect

from .gan_judge import Judge, distances, frechet_distance, nearest_sibling, train

PIXELS, SIDE, LATENT, MOST = 784, 28, 64, 2_000_000
SHAPES = 24
COUNT = 1_400
"""So many images are judged, as many as there are training images of the smallest set."""

MOST_KNOWN = 3_000
"""To so many training images the directions and the siblings of real images are owed."""

LEAST_SHARE = 0.02
"""A digit counts as present from this share of the images on."""

CURVE = ((25.0, 1.0), (45.0, 0.5), (110.0, 0.0))
"""Pairs of a distance and the credit: straight lines between them."""

LEAST_SIBLING = 0.45
"""Times the distance to the nearest sibling among real images."""

HALF, TWENTIETH = 0.7, 0.25
"""At most so many images may lie nearer to a training image than the median of unseen real images
does, and than the nearest twentieth of them does."""

TURNS = 8
MOVES = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]


def turned(images: np.ndarray, turn: int) -> np.ndarray:
    """Return square images (N, 784) turned by right angles, mirrored from turn 4 on."""
    square = images.reshape(-1, SIDE, SIDE)
    square = square[:, :, ::-1] if turn >= 4 else square
    return np.ascontiguousarray(np.rot90(square, turn % 4, axes=(1, 2))).reshape(-1, PIXELS)


def turned_back(images: np.ndarray, turn: int) -> np.ndarray:
    """Undo `turned`."""
    square = np.rot90(images.reshape(-1, SIDE, SIDE), -(turn % 4), axes=(1, 2))
    square = square[:, :, ::-1] if turn >= 4 else square
    return np.ascontiguousarray(square).reshape(-1, PIXELS)


def rows(images: np.ndarray) -> np.ndarray:
    """Return uint8 images as rows of pixels from 0 to 1."""
    return images.reshape(len(images), PIXELS).astype(np.float32) / np.float32(255)


@dataclass(frozen=True)
class Found:
    """What was measured of a set of images.

    distance: the sum of both Fréchet distances; classes: digits present; sibling: against real
    images; nearer, much_nearer: the shares of images nearer to a training image than half, and than
    a twentieth, of the unseen real ones.
    """

    distance: float
    classes: int
    sibling: float
    nearer: float
    much_nearer: float

    @property
    def by_heart(self) -> bool:
        """Whether the generator knows training images by heart."""
        return self.nearer > HALF or self.much_nearer > TWENTIETH

    @property
    def varied(self) -> bool:
        """Whether the images differ from each other."""
        return self.sibling >= LEAST_SIBLING

    @property
    def share(self) -> float:
        """The credit, from 0 to 1."""
        if self.by_heart or not self.varied:
            return 0.0
        near = [distance for distance, _ in CURVE]
        worth = float(np.interp(self.distance, near, [credit for _, credit in CURVE]))
        return worth * self.classes / 10


class Gallery:
    """The real images of a data set, and all that generated ones are measured by."""

    def __init__(self, data: Any):
        self.known = rows(data.x_train)
        labels = data.y_train.astype(int)
        self.unseen = rows(data.x_test[:: max(1, len(data.x_test) // 2_000)])
        self.judge: Judge = train(self.known, labels)
        few = self.known[:MOST_KNOWN]
        self.middle = few.mean(axis=0)
        self.directions = np.linalg.svd(few - self.middle, full_matrices=False)[2][:SHAPES]
        self.sibling = nearest_sibling(self.shapes(few[:COUNT]))
        self.of_known = self.shapes(self.known)
        seen = self.shapes(self.unseen)
        self.real = [self.judge.features(self.unseen), seen]
        self.near = np.quantile(self.away(self.unseen), [0.5, 0.05])

    def shapes(self, images: np.ndarray) -> np.ndarray:
        """Return the coordinates along the main directions, (N, 24)."""
        return (images - self.middle) @ self.directions.T

    def away(self, images: np.ndarray) -> np.ndarray:
        """Return each image's distance to the nearest training image, moved by a pixel or not."""
        moved = [np.roll(images.reshape(-1, SIDE, SIDE), by, axis=(1, 2)) for by in MOVES]
        each = [nearest(self.shapes(one.reshape(-1, PIXELS)), self.of_known) for one in moved]
        return np.min(each, axis=0)

    def measured(self, images: np.ndarray) -> Found:
        """Measure upright images (N, 784)."""
        described = [self.judge.features(images), self.shapes(images)]
        parts = [
            100 * frechet_distance(one, real) / np.trace(np.cov(real.T.astype(float)))
            for one, real in zip(described, self.real, strict=True)
        ]
        counts = np.bincount(self.judge.classes(images), minlength=10) / len(images)
        away = self.away(images)
        return Found(
            distance=float(sum(parts)),
            classes=int((counts >= LEAST_SHARE).sum()),
            sibling=nearest_sibling(described[1]) / self.sibling,
            nearer=float(np.mean(away < self.near[0])),
            much_nearer=float(np.mean(away < self.near[1])),
        )


def nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the distance of each point to the nearest of others."""
    parts = [distances(part, others).min(axis=1) for part in np.array_split(points, 20)]
    return np.sqrt(np.concatenate(parts))


class _Kept:
    """A data set as a key that is compared by its name."""

    def __init__(self, settings: Any):
        self.settings = settings

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and other.settings.name == self.settings.name

    def __hash__(self) -> int:
        return hash(self.settings.name)


@lru_cache(maxsize=2)
def _gallery(kept: _Kept) -> Gallery:
    return Gallery(kept.settings.data)


def gallery(settings: Any) -> Gallery:
    """Return the gallery of the settings' data set, made once in each process."""
    return _gallery(_Kept(settings))


def parameters_of(student: Any, network: Any) -> dict[str, np.ndarray]:
    """Return parameters and buffers of a generator; fail where they are too many."""
    held = student.drive("state", network)
    expect.that("Generator", isinstance(held, dict) and bool(held), "it has no parameters.")
    count = sum(int(np.prod(expect.shape_of("a parameter", one))) for one in held.values())
    message = f"it has {count} numbers in parameters and buffers, and at most {MOST} are allowed."
    expect.that("Generator", count <= MOST, message)
    return held


def painted(student: Any, network: Any, z: np.ndarray, turn: int) -> np.ndarray:
    """Return the images that a generator makes of noise, turned back."""
    parts = [
        expect.array("Generator(z)", student.drive("asked", network, part), (len(part), PIXELS))
        for part in np.array_split(z, 4)
    ]
    images = np.concatenate(parts).astype(np.float32)
    inside = float(images.min()) >= 0 and float(images.max()) <= 1
    expect.that("Generator(z)", inside, "it makes numbers below 0 or above 1.")
    return turned_back(images, turn)
