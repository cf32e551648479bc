"""What tests of augmentation share: calls of the student's functions, and windows of images."""

import numpy as np

from autograder.suite import expect

from ..suite_tools.colours import LOADER


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


def expect_moved(label, received, images):
    """Expect some image to be another one that is mostly a piece of it, mirrored or not.

    Whether it is the right piece is a matter of other tests.
    """
    padding = 3
    for piece, image in zip(received, images, strict=True):
        shown = [np.flip(image, axis=turned) for turned in ((), 1, 2, (1, 2))]
        found = (window for each in shown for window in windows(each, padding).values())
        like = any(np.mean(window == piece) > 0.3 for window in found)
        if like and not np.array_equal(piece, image):
            return
    expect.that(label, False, "no image came out as another piece of itself.")
