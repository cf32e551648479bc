"""Hidden tests of data/cifar10_loader.py: normalise, random_crop and random_flip."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.colours import normalised
from .crops import call, crop, flip, offsets, windows

pytestmark = pytest.mark.item("project.augmentation")

NEAR = {"rtol": 1e-4, "atol": 1e-4}


# normalise


@pytest.mark.long
@pytest.mark.weight(3)
def test_normalise(student, rng):
    """normalise gives (images / 255 - mean) / deviation as float32, channel by channel."""
    images = rng.integers(0, 256, (3, 3, 5, 4), dtype=np.uint8)
    wanted = normalised(student, images)
    received = call(student, "normalise", images)
    expect.dtype("result of normalise", received, np.float32)
    expect.close("result of normalise", received, wanted, **NEAR)


# random_crop


@pytest.mark.weight(2)
def test_crops_are_windows(student, rng):
    """Every piece is a window of its own image, padded with zeros on all four sides."""
    for padding in (1, 2, 4):
        images = rng.normal(size=(12, 3, 6, 6)).astype(np.float32)
        found = offsets(crop(student, images, padding), images, padding)
        expect.that("random_crop", len(set(found)) > 1, "all images are cropped alike.")


@pytest.mark.weight(2)
def test_every_offset_occurs(student, rng):
    """All offsets occur, about equally often, and the two directions are independent."""
    count, padding = 900, 1
    images = rng.normal(size=(count, 1, 3, 3)).astype(np.float32)
    found = offsets(crop(student, images, padding), images, padding)
    for at in windows(images[0], padding):
        times = found.count(at)
        message = f"{times} of {count} pieces have the offset {at}; about {count // 9} should."
        expect.that("offsets", 50 <= times <= 160, message)


def test_crop_is_drawn_by_the_generator(student, rng):
    """The same generator state gives the same crops, another one gives others."""
    images = rng.normal(size=(20, 1, 4, 4)).astype(np.float32)
    first, again, other = (offsets(crop(student, images, 2, s), images, 2) for s in (3, 3, 4))
    expect.that("random_crop", first == again, "the same generator state gave other crops.")
    expect.that("random_crop", first != other, "two generator states gave the same crops.")


# random_flip


@pytest.mark.weight(2)
def test_flips_mirror_left_and_right(student, rng):
    """Each image comes out as it is or mirrored left-right, and about half are mirrored."""
    images = rng.normal(size=(400, 2, 2, 3)).astype(np.float32)
    received = flip(student, images)
    mirrored = np.array([np.array_equal(a, b[..., ::-1]) for a, b in zip(received, images)])  # noqa: B905
    same = np.array([np.array_equal(a, b) for a, b in zip(received, images)])  # noqa: B905
    wrong = int(np.sum(~mirrored & ~same))
    message = f"{wrong} of 400 images are neither as they were nor mirrored left-right."
    expect.that("random_flip", wrong == 0, message)
    message = f"{int(mirrored.sum())} of 400 images are mirrored; about half should be."
    expect.that("random_flip", 140 <= int(mirrored.sum()) <= 260, message)


def test_flips_are_drawn_by_the_generator(student, rng):
    """The same generator state gives the same flips, another one gives others."""
    images = rng.normal(size=(40, 1, 2, 2)).astype(np.float32)
    first, again, other = (flip(student, images, seed) for seed in (3, 3, 4))
    expect.that("random_flip", np.array_equal(first, again), "the same state gave other flips.")
    expect.that("random_flip", not np.array_equal(first, other), "two states gave the same flips.")
