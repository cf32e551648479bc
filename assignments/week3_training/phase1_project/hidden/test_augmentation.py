"""Hidden tests of data/cifar10_loader.py: normalise, random_crop and random_flip."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("project.augmentation")

NEAR = {"rtol": 1e-5, "atol": 1e-5}
LOADER = "data.cifar10_loader"


def call(student, name, images, *more):
    """Return what a function makes of images, with their shape for certain."""
    function = getattr(student.module(LOADER), name)
    result = function(student.prepare("tensor", images), *more)
    return expect.array(f"result of {name}", result, images.shape)


def crop(student, images, padding, seed=0):
    return call(student, "random_crop", images, padding, student.prepare("generator", seed))


def flip(student, images, seed=0):
    return call(student, "random_flip", images, student.prepare("generator", seed))


def windows(image, padding):
    """Return {offset: window} of an image (C, H, W) padded with zeros."""
    padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)))
    _, height, width = image.shape
    return {
        (down, right): padded[:, down : down + height, right : right + width]
        for down in range(2 * padding + 1)
        for right in range(2 * padding + 1)
    }


def offsets(received, images, padding):
    """Return the offset of each piece in its padded image; fail where there is none."""
    found = []
    for n, (piece, image) in enumerate(zip(received, images, strict=True)):
        fits = [
            at for at, window in windows(image, padding).items() if np.array_equal(window, piece)
        ]
        message = (
            f"piece {n} is no {image.shape[1]} x {image.shape[2]} window of image {n} padded with "
            f"{padding} rows and columns of zeros on each side."
        )
        expect.that("random_crop", bool(fits), message)
        found.append(fits[0])
    return found


# normalise


def constants(student):
    module = student.module(LOADER)
    mean, std = (expect.array(name, getattr(module, name), (3,)) for name in ("MEAN", "STD"))
    fine = bool(np.all(np.abs(mean - 0.47) < 0.05) and np.all(np.abs(std - 0.25) < 0.05))
    expect.that("MEAN and STD", fine, "these are given and stay as they are.")
    return mean.astype(np.float64).reshape(3, 1, 1), std.astype(np.float64).reshape(3, 1, 1)


@pytest.mark.long
def test_normalise(student, rng):
    """normalise gives (images / 255 - MEAN) / STD as float32, channel by channel."""
    images = rng.integers(0, 256, (3, 3, 5, 4), dtype=np.uint8)
    mean, std = constants(student)
    received = call(student, "normalise", images)
    expect.dtype("result of normalise", received, np.float32)
    expect.close("result of normalise", received, (images / 255.0 - mean) / std, **NEAR)


def test_normalise_keeps_its_input(student, rng):
    """normalise does not change the images, and gives the same again."""
    images = rng.integers(0, 256, (2, 3, 4, 4), dtype=np.uint8)
    mean, std = constants(student)
    kept = student.prepare("tensor", images)
    for _ in range(2):
        received = student.module(LOADER).normalise(kept)
        expect.close("result of normalise", received, (images / 255.0 - mean) / std, **NEAR)
        expect.unchanged("images", images, student.fetch(kept))


# random_crop


@pytest.mark.weight(2)
def test_crops_are_windows(student, rng):
    """Every piece is a window of its own image, padded with zeros on all four sides."""
    for padding in (1, 2, 4):
        images = rng.normal(size=(12, 3, 6, 6)).astype(np.float32)
        found = offsets(crop(student, images, padding), images, padding)
        expect.that("random_crop", len(set(found)) > 1, "all images are cropped alike.")


def test_crops_of_oblong_images(student, rng):
    """Height and width are not mixed up, in images that are not square either."""
    images = rng.normal(size=(30, 2, 3, 7)).astype(np.float32)
    found = offsets(crop(student, images, 2), images, 2)
    for axis, name in enumerate(("vertical", "horizontal")):
        expect.that("random_crop", len({at[axis] for at in found}) > 1, f"no {name} shift varies.")


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


def test_crop_with_padding_0(student, rng):
    """Without padding there is only the image itself."""
    images = rng.normal(size=(4, 3, 5, 5)).astype(np.float32)
    expect.equal("result of random_crop, padding 0", crop(student, images, 0), images)
    offsets(crop(student, images, 1), images, 1)


def test_crop_of_bytes(student, rng):
    """Images of bytes stay bytes."""
    images = rng.integers(1, 256, (8, 3, 5, 5), dtype=np.uint8)
    received = crop(student, images, 1)
    expect.dtype("result of random_crop", received, np.uint8)
    offsets(received, images, 1)


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


def test_augmentation_keeps_its_input(student, rng):
    """random_crop and random_flip do not change the images that they are given."""
    images = rng.normal(size=(20, 3, 5, 5)).astype(np.float32)
    for name, more in (("random_crop", [2]), ("random_flip", [])):
        kept = student.prepare("tensor", images)
        function = getattr(student.module(LOADER), name)
        received = function(kept, *more, student.prepare("generator", 1))
        received = expect.array(f"result of {name}", received, images.shape)
        expect.that(name, not np.array_equal(received, images), "no image came out changed.")
        expect.unchanged(f"images given to {name}", images, student.fetch(kept))


def test_augmentation_leaves_the_global_generator(student, rng):
    """Nothing is drawn from torch's global generator, and its state plays no part."""
    images = rng.normal(size=(20, 1, 4, 4)).astype(np.float32)
    results = []
    for seed in (1, 2):
        cropped, flipped = (
            student.drive("seeded", seed, getattr(student.module(LOADER), name), *more)
            for name, more in (
                (
                    "random_crop",
                    (student.prepare("tensor", images), 2, student.prepare("generator", 5)),
                ),
                (
                    "random_flip",
                    (student.prepare("tensor", images), student.prepare("generator", 5)),
                ),
            )
        )
        results.append(expect.array("result of random_crop", cropped, images.shape))
        results.append(expect.array("result of random_flip", flipped, images.shape))
        state = student.drive("global_state")
        clean = student.drive("seeded_state", seed)
        expect.equal("global generator", np.array_equal(state, clean), True)
    expect.equal("crops with another global state", results[2], results[0])
    expect.equal("flips with another global state", results[3], results[1])
