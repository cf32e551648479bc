"""Hidden tests of data/cifar10_loader.py: load_cifar10 and CIFAR10Loader."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.colours import LOADER, normalised
from .epochs import MET, epoch, expect_split, folder_with, loader_of, orders, splits, tagged

pytestmark = pytest.mark.item("project.augmentation")

NEAR = {"rtol": 1e-4, "atol": 1e-4}


# load_cifar10


def test_load_training_images(student, rng):
    """load_cifar10 gives the training images, channels first, and their labels as int64."""
    arrays = splits(rng)
    name = folder_with(student, arrays)
    expect_split(student.module(LOADER).load_cifar10(name), arrays, "train")
    expect_split(student.module(LOADER).load_cifar10(name, "train"), arrays, "train")
    path = student.prepare("path", name)
    expect_split(student.module(LOADER).load_cifar10(path, split="train"), arrays, "train")


def test_load_test_images(student, rng):
    """load_cifar10(folder, "test") gives the test images and their labels."""
    arrays = splits(rng)
    name = folder_with(student, arrays)
    expect_split(student.module(LOADER).load_cifar10(name, "test"), arrays, "test")


# CIFAR10Loader


@pytest.mark.weight(2)
@pytest.mark.parametrize("train", [True, False], ids=["training", "evaluation"])
def test_every_image_once_with_its_label(student, train):
    """An epoch gives every image once, with its own label; the last batch may be smaller."""
    for count, size in ((23, 5), (24, 8), (3, 10)):
        loader = loader_of(student, *tagged(count), size, train=train)
        orders(student, loader, count, size, 2)


@pytest.mark.weight(2)
def test_evaluation_in_order_and_untouched(student, rng):
    """With train=False the images come in order, normalised, not cropped and not flipped."""
    images = rng.integers(0, 256, (11, 3, 32, 32), dtype=np.uint8)
    labels = rng.integers(0, 10, 11)
    loader = loader_of(student, images, labels, 4, train=False, seed=3)
    wanted = normalised(student, images, *MET)
    for turn in ("first", "second"):
        x, y = epoch(student, loader, 11, 4)
        if not np.allclose(x, wanted, **NEAR):
            expect.that(f"x, {turn} epoch", *_untouched(x, wanted))
        expect.close(f"x, {turn} epoch", x, wanted, **NEAR)
        expect.equal(f"y, {turn} epoch", y.astype(np.int64), labels)


def _untouched(x, wanted):
    """Return (False, what was done to the images), or (True, "") where that can't be told."""
    padded = np.pad(wanted, ((0, 0), (0, 0), (4, 4), (4, 4)))
    found = [_piece(piece, padded) for piece in x]
    if None in found:
        return True, ""
    if set(found) == {(4, 4, False)}:
        return False, "the images are in another order. With train=False they keep theirs."
    return False, "the images are cropped or mirrored. With train=False they stay as they are."


@pytest.mark.weight(2)
def test_training_is_shuffled(student):
    """With train=True the order is drawn anew for each epoch."""
    loader = loader_of(student, *tagged(40), 16, train=True)
    first, second, third = orders(student, loader, 40, 16, 3)
    expect.that("order", first != sorted(first), "the first epoch is not shuffled.")
    message = "the epochs have the same order."
    expect.that("order", len({tuple(first), tuple(second), tuple(third)}) == 3, message)
    expect.that(
        "order",
        any(sorted(first[at : at + 16]) != list(range(at, at + 16)) for at in (0, 16)),
        "images are shuffled within batches only.",
    )


@pytest.mark.weight(2)
def test_training_is_augmented(student, rng):
    """With train=True images are cropped with padding 4, and flipped, each on its own."""
    images = rng.integers(0, 256, (24, 3, 32, 32), dtype=np.uint8)
    loader = loader_of(student, images, np.arange(24) % 10, 24, train=True)
    x, _ = epoch(student, loader, 24, 24)
    found = _pieces(student, x, images)
    lost = found.count(None)
    message = f"{lost} of 24 images are no window of an image padded by 4, flipped or not."
    expect.that("x", lost == 0, message)
    for part, name in enumerate(("vertical offset", "horizontal offset", "flip")):
        drawn = {at[part] for at in found}
        expect.that("x", len(drawn) > 1, f"all images have the same {name}: {drawn}.")
    reach = {at[part] for at in found for part in (0, 1)}
    expect.that("x", max(reach) > 5 and min(reach) < 3, f"the offsets are only {sorted(reach)}.")


def _pieces(student, x, images):
    """Return where each of x comes from, or None.

    The padding may be zeros beside normalised images, or what black becomes when it is normalised;
    one of the two for all images.
    """
    plain, frame = normalised(student, images, *MET), np.zeros((1, 3, 40, 40), np.uint8)
    tries = []
    for padding in (np.zeros((1, 3, 40, 40)), normalised(student, frame, *MET)):
        padded = np.repeat(padding, len(images), axis=0)
        padded[:, :, 4:36, 4:36] = plain
        tries.append([_piece(piece, padded.astype(np.float32)) for piece in x])
        if None not in tries[-1]:
            break
    return min(tries, key=lambda found: found.count(None))


def _piece(piece, padded):
    """Return (offset down, offset to the right, flipped) of a piece of one of the images."""
    for flipped in (False, True):
        shown = piece[..., ::-1] if flipped else piece
        for down in range(9):
            for right in range(9):
                inner = padded[:, :, down : down + 32, right : right + 32]
                near = np.abs(inner[:, :, 16, 10:22] - shown[:, 16, 10:22]).max(axis=(1, 2)) < 1e-4
                if any(np.abs(inner[n] - shown).max() < 1e-4 for n in np.flatnonzero(near)):
                    return down, right, flipped
    return None


def test_number_of_batches(student):
    """len(loader) is the number of batches, the smaller last one included."""
    for count, size in ((23, 5), (24, 8), (3, 10)):
        for train in (True, False):
            loader = loader_of(student, *tagged(count), size, train=train)
            received = student.drive("length", loader)
            expect.equal(f"len for {count} images, batches of {size}", received, -(-count // size))
