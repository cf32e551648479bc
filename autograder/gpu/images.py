"""The images of a training job: a training part for the sandbox, and the secret test images."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

import data
from autograder.text.files import write_bytes

SIDE = 32
CLASSES = 10
DIGITS = "digits"
LARGEST_SHIFT = 2


@dataclass(frozen=True)
class Images:
    """A labelled image set in CIFAR-10's format, NHWC uint8 with labels uint8.

    `name` is the name of the data set that the images come from. `known` are the labels of the test
    images as everybody knows them, where y_test has others (`rearranged`).
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    known: np.ndarray | None = None

    @cached_property
    def digest(self) -> str:
        """A digest of all images and labels."""
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def rearranged(self, seed: int) -> Images:
        """Return the set as it is trained with: another one to whoever brings answers along.

        Every class has another number, the colours have changed places, and all images may stand on
        their heads, as a secret `seed` says. Training is as hard as before, and so is mirroring and
        moving images. Weights, labels or images from elsewhere fit no longer.
        """
        rng = np.random.default_rng(seed)
        classes = _moved_numbers(rng, CLASSES).astype(self.y_train.dtype)
        colours = _moved_numbers(rng, self.x_train.shape[3])
        down = -1 if rng.random() < 0.5 else 1
        x_train, x_test = (
            np.ascontiguousarray(images[:, ::down, :, colours])
            for images in (self.x_train, self.x_test)
        )
        y_train, y_test = classes[self.y_train], classes[self.y_test]
        return Images(self.name, x_train, y_train, x_test, y_test, self.y_test)

    def write_training_part(self, folder: Path) -> None:
        """Write folder/cifar10.npz with the training images and labels; test images never."""
        folder.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez(buffer, x_train=self.x_train, y_train=self.y_train)
        write_bytes(folder / "cifar10.npz", buffer.getvalue())
        folder.chmod(0o755)


def _moved_numbers(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return 0 to count - 1 in an order in which none has its old place."""
    while True:
        order = rng.permutation(count)
        if (order != np.arange(count)).all():
            return order


def load_images(name: str, subset: int | None = None) -> Images:
    """Load an image set, or the embedded digits in its format for the name "digits".

    `subset` is the maximum number of training images, and of test images. Raises DataError if the
    cache lacks the set.
    """
    found = data.load(name)
    assert isinstance(found, data.Dataset)
    arrays = {key: getattr(found, key) for key in ("x_train", "y_train", "x_test", "y_test")}
    if subset is not None:
        arrays = {key: array[:subset] for key, array in arrays.items()}
    if name == DIGITS:
        edge = (SIDE - arrays["x_train"].shape[1]) // 2
        for key in ("x_train", "x_test"):
            framed = np.pad(arrays[key], ((0, 0), (edge, edge), (edge, edge)))
            arrays[key] = np.repeat(framed[..., None], 3, axis=3)
    return Images(name, **arrays)


def moved(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return each image mirrored, or shifted by one or two pixels, or both: NHWC uint8.

    A network that recognises the content of the images classifies them as before.
    """
    count, height, width = images.shape[:3]
    mirrored = np.less(rng.random(count), 0.5)
    flipped = np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)
    shifts = rng.integers(-LARGEST_SHIFT, LARGEST_SHIFT + 1, size=(count, 2))
    still = ~mirrored & (shifts == 0).all(axis=1)
    shifts[still, 1] = LARGEST_SHIFT
    edge = LARGEST_SHIFT
    padded = np.pad(flipped, ((0, 0), (edge, edge), (edge, edge), (0, 0)), mode="edge")
    rows = edge + shifts[:, :1] + np.arange(height)
    columns = edge + shifts[:, 1:] + np.arange(width)
    return padded[np.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
