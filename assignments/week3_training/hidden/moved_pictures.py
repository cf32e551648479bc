"""What tests of augmentation share: images, and where each of those that came back was cut out."""

import numpy as np

from autograder.suite import expect


def pictures(rng, n=12, shape=(5, 7), dtype=np.uint8):
    """Return images of random numbers from 1 to 255: no pixel is 0."""
    return rng.integers(1, 256, size=(n, *shape)).astype(dtype)


def windows(images, padding):
    """Return all windows of the zero-padded images, by their place: {(top, left): images}."""
    height, width = images.shape[1:3]
    padded = np.zeros((len(images), height + 2 * padding, width + 2 * padding, *images.shape[3:]))
    padded[:, padding : padding + height, padding : padding + width] = images
    places = range(2 * padding + 1)
    return {
        (top, left): padded[:, top : top + height, left : left + width]
        for top in places
        for left in places
    }


def any_moved(images, received):
    """Return whether some image came out as another one that is mostly a piece of it.

    Mirrored or not, whatever the padding is made of: anything else is a matter of other tests.
    """
    shown = [np.flip(images, axis=turned) for turned in ((), 1, 2, (1, 2))]
    pieces = [piece for each in shown for piece in windows(each, 4).values()]
    axes = tuple(range(1, images.ndim))
    like = np.any([np.mean(piece == received, axis=axes) > LIKE for piece in pieces], axis=0)
    return bool(np.any(like & np.any(received != images, axis=axes)))


LIKE = 0.4
"""The share of its pixels by which a picture is known to be mostly a piece of another one."""


def choices(label, received, candidates, exact=True):
    """Return, for each image, the key of the candidate that it is; fail if it is none of them.

    Unless `exact`, it is the one that it is most like: of a corner's window a fifth is left.
    """
    alike = np.array(
        [
            [np.mean(one == other) for one, other in zip(candidate, received, strict=True)]
            for candidate in candidates.values()
        ]
    )
    best = alike.argmax(axis=0)
    keys = list(candidates)
    for n, key in enumerate(keys[choice] for choice in best):
        if alike[best[n], n] < (1 if exact else LIKE / 2):
            expect.close(f"{label} {n}", received[n], candidates[key][n], rtol=0, atol=0)
    return np.array([keys[choice] for choice in best])


def places(images, received, padding, exact=True):
    """Return the rows and columns, each of shape (N,), where the crops were cut out."""
    label = "compared with the most similar window of its padded original, image"
    return choices(label, received, windows(images, padding), exact).T


def mirrored(images, received, exact=True):
    """Return which images came out mirrored; fail if one is neither itself nor its mirror image.

    Unless `exact`, return which came out as something else than they were.
    """
    if not exact:
        return np.any(images != received, axis=tuple(range(1, images.ndim)))
    label = "compared with itself and with its mirror image, image"
    return choices(label, received, {False: images, True: np.flip(images, axis=2)})
