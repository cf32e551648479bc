"""Augmentation that makes other numbers of images, and cuts and mirrors nothing."""


def random_crop(images, padding, rng=None):
    """Return the images, twice as bright."""
    if images.ndim not in (3, 4):
        raise ValueError("images must have the shape (N, H, W) or (N, H, W, C)")
    return 2 * images


def horizontal_flip(images, rng=None, p=0.5):
    """Return the images as negatives."""
    if images.ndim not in (3, 4):
        raise ValueError("images must have the shape (N, H, W) or (N, H, W, C)")
    return 0 - images
