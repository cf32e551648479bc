"""Hidden tests of regularization.random_crop and horizontal_flip.

Where the pictures themselves are wrong, the tests of how they are drawn ask for that alone.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .moved_pictures import mirrored, pictures, places

pytestmark = pytest.mark.item("week3.augmentation")


def generator(student, seed=0):
    """Return a seeded generator in the worker."""
    return student.probe("generator")(seed)


def crop(student, images, padding, seed=0):
    """Return what random_crop gives: an array of the images' shape."""
    received = student.regularization.random_crop(images, padding, generator(student, seed))
    return expect.array("random_crop", received, images.shape)


def flip(student, images, *p, seed=0):
    """Return what horizontal_flip gives: an array of the images' shape."""
    received = student.regularization.horizontal_flip(images, generator(student, seed), *p)
    return expect.array("horizontal_flip", received, images.shape)


def crops_rightly(student):
    """Tell whether what random_crop gives are windows, to the last pixel."""
    images = pictures(np.random.default_rng(4))
    try:
        places(images, crop(student, images, 2), 2)
    except expect.Wrong:
        return False
    return True


def flips_rightly(student):
    """Tell whether horizontal_flip mirrors with p = 1, and does nothing with p = 0."""
    images = pictures(np.random.default_rng(4))
    mirrors = np.array_equal(flip(student, images, 1.0), images[:, :, ::-1])
    return mirrors and np.array_equal(flip(student, images, 0.0), images)


# random_crop


@pytest.mark.long
@pytest.mark.weight(3)
def test_crops_are_windows(student, rng):
    """Each image comes out as a window of itself, surrounded by zeros, in the same order."""
    images = pictures(rng)
    received = crop(student, images, 2)
    places(images, received, 2)
    moved = not np.array_equal(received, images)
    expect.that("random_crop", moved, "12 images with padding 2 came out as they went in.")


@pytest.mark.weight(2)
def test_each_crop_has_its_own_place(student, rng):
    """In one call the images are cut at different places, vertically and horizontally."""
    images = pictures(rng, 60)
    top, left = places(images, crop(student, images, 3), 3, crops_rightly(student))
    for name, offsets in (("row", top), ("column", left)):
        count = len(np.unique(offsets))
        message = f"all 60 windows begin in the same {name} of the padded images."
        expect.that(f"{name} of the windows", count > 1, message)
    expect.that(
        "places of the windows",
        not np.array_equal(top, left),
        "every window moves by the same number of rows as of columns.",
    )


@pytest.mark.long
@pytest.mark.weight(2)
def test_crops_reach_all_places(student, rng):
    """Windows begin in rows and columns 0 to 2 * padding, each about equally often."""
    images = pictures(rng, 400, (4, 4))
    found = places(images, crop(student, images, 2), 2, crops_rightly(student))
    for name, offsets in zip(("rows", "columns"), found, strict=True):
        never = [place for place in range(5) if place not in offsets]
        said = f"of 400 windows with padding 2, none begins in {name} {', '.join(map(str, never))}."
        expect.that(f"first {name} of the windows", not never, said)
        counts = np.bincount(offsets, minlength=5)
        expect.close(f"windows for each of the {name}", counts, np.full(5, 80), rtol=0, atol=60)


def test_crops_of_colour_images(student, rng):
    """Images with channels, (N, H, W, C), are cut in height and width alone."""
    images = pictures(rng, 20, (4, 6, 3))
    top, left = places(images, crop(student, images, 1), 1, crops_rightly(student))
    for name, offsets in (("row", top), ("column", left)):
        message = f"all 20 windows begin in the same {name} of the padded images."
        expect.that(f"{name} of the windows", len(np.unique(offsets)) > 1, message)


def test_crops_without_padding(student, rng):
    """With padding 0 all images stay as they are, and with padding 1 they do not."""
    images = pictures(rng)
    expect.equal("random_crop with padding 0", crop(student, images, 0), images)
    moved = not np.array_equal(crop(student, images, 1), images)
    expect.that("random_crop with padding 1", moved, "12 images came out as they went in.")


# horizontal_flip


@pytest.mark.weight(3)
def test_flips_mirror_left_and_right(student, rng):
    """With p = 1 every image is mirrored, with 0 none: columns of pixels change their order."""
    images = pictures(rng)
    expect.equal("horizontal_flip with p = 0", flip(student, images, 0.0), images)
    expect.equal("horizontal_flip with p = 1", flip(student, images, 1.0), images[:, :, ::-1])


@pytest.mark.weight(2)
def test_each_flip_is_drawn_by_itself(student, rng):
    """Each image is mirrored with probability p (default 0.5), by itself."""
    images, exact = pictures(rng, 600, (2, 3)), flips_rightly(student)
    for p in ((0.2,), (0.7,), ()):
        share = float(np.mean(mirrored(images, flip(student, images, *p), exact)))
        wanted = p[0] if p else 0.5
        expect.close(f"share mirrored with p = {wanted}", share, wanted, rtol=0, atol=0.15)


def test_flips_are_not_counted(student, rng):
    """An image that comes alone is mirrored in some calls, and left as it is in others."""
    image, one = pictures(rng, 1), generator(student)
    received = [student.regularization.horizontal_flip(image, one) for _ in range(40)]
    arrays = [expect.array("horizontal_flip of one image", y, image.shape) for y in received]
    exact = flips_rightly(student)
    count = int(sum(mirrored(image, y, exact).sum() for y in arrays))
    expect.that("one image in 40 calls", count > 0, "it was never mirrored; p is 0.5.")
    expect.that("one image in 40 calls", count < 40, "it was mirrored every time; p is 0.5.")


def test_flips_of_probability_zero(student, rng):
    """With p = 0 no image is mirrored, with p = 1 all are."""
    images = pictures(rng, 50)
    expect.equal("horizontal_flip with p = 0", flip(student, images, 0.0), images)
    received = mirrored(images, flip(student, images, 1.0), flips_rightly(student))
    expect.equal("images mirrored with p = 1", received, np.ones(50, dtype=bool))


def test_flips_of_colour_images(student, rng):
    """Images with channels, (N, H, W, C), are mirrored in their width alone."""
    images = pictures(rng, 30, (4, 6, 3))
    count = int(mirrored(images, flip(student, images)).sum())
    expect.that("horizontal_flip", 0 < count < 30, f"{count} of 30 images are mirrored; p is 0.5.")
    expect.equal("horizontal_flip with p = 1", flip(student, images, 1.0), images[:, :, ::-1])
