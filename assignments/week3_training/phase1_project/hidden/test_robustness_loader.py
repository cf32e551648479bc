"""Hidden tests beyond the texts: data/cifar10_loader.py, what it refuses, keeps and depends on.

They are blocked where the loader itself is at fault.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.colours import LOADER
from .crops import crop, expect_moved, offsets
from .epochs import epoch, expect_split, folder_with, loader_of, order_of, orders, splits, tagged

pytestmark = [
    pytest.mark.item("project.robustness"),
    pytest.mark.needs("project.augmentation"),
]


# Functions


def test_crops_of_oblong_images(student, rng):
    """Height and width are not mixed up, in images that are not square either."""
    images = rng.normal(size=(30, 2, 3, 7)).astype(np.float32)
    found = offsets(crop(student, images, 2), images, 2)
    for axis, name in enumerate(("vertical", "horizontal")):
        expect.that("random_crop", len({at[axis] for at in found}) > 1, f"no {name} shift varies.")


def test_crop_with_padding_0(student, rng):
    """Without padding there is only the image itself."""
    images = rng.normal(size=(12, 3, 5, 5)).astype(np.float32)
    expect.equal("result of random_crop, padding 0", crop(student, images, 0), images)
    received = crop(student, images, 1)
    offsets(received, images, 1)
    expect_moved("result of random_crop, padding 1", received, images)


def test_crop_of_bytes(student, rng):
    """Images of bytes stay bytes."""
    images = rng.integers(1, 256, (12, 3, 5, 5), dtype=np.uint8)
    received = crop(student, images, 1)
    expect.dtype("result of random_crop", received, np.uint8)
    offsets(received, images, 1)
    expect_moved("result of random_crop", received, images)


def test_augmentation_keeps_its_input(student, rng):
    """random_crop and random_flip do not change the images that they are given."""
    images = rng.normal(size=(20, 3, 5, 5)).astype(np.float32)
    for name, more in (("random_crop", [2]), ("random_flip", [])):
        kept = student.prepare("tensor", images)
        function = getattr(student.module(LOADER), name)
        received = function(kept, *more, student.prepare("generator", 1))
        received = expect.array(f"result of {name}", received, images.shape)
        expect_moved(f"result of {name}", received, images)
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
        for result in results[-2:]:
            expect_moved("images", result, images)
        state = student.drive("global_state")
        clean = student.drive("seeded_state", seed)
        expect.equal("global generator", np.array_equal(state, clean), True)
    for k, name in ((0, "crops"), (1, "flips")):
        label = f"{name} with another global state"
        # What is drawn is asked by other tests; here, that the global state has no part in it.
        expect.repeated(label, results[k], results[2 + k], rtol=0, atol=0)


# load_cifar10


def test_load_only_what_is_asked_for(student, rng):
    """A file without test images, or with broken ones, gives its training images all the same."""
    arrays = {name: array for name, array in splits(rng).items() if name.endswith("train")}
    for broken in ((), ("x_test", "y_test")):
        name = folder_with(student, arrays, broken)
        expect_split(student.module(LOADER).load_cifar10(name, "train"), arrays, "train")


def test_load_refuses(student, rng):
    """ValueError for an unknown split, and one that is not in the file; FileNotFoundError."""
    arrays = {name: array for name, array in splits(rng).items() if name.endswith("train")}
    name = folder_with(student, arrays)
    load = student.module(LOADER).load_cifar10
    expect_split(load(name), arrays, "train")
    expect.raises('load_cifar10(folder, "valid")', load, "ValueError", name, "valid")
    expect.raises('load_cifar10 of a file without "test"', load, "ValueError", name, "test")
    empty = f"{name}/nothing"
    expect.raises("load_cifar10 of an empty folder", load, "FileNotFoundError", empty)


@pytest.mark.weight(2)
def test_what_is_drawn_depends_on_seed_and_epoch(student):
    """Seed and epoch alone decide: set_epoch(k) gives what the k-th pass over another one gives."""
    images, labels = tagged(30)
    loader = loader_of(student, images, labels, 8, train=True, seed=4)
    passes = [epoch(student, loader, 30, 8) for _ in range(3)]
    order_of(student, passes[0][0], 30)
    resumed = loader_of(student, images, labels, 8, train=True, seed=4)
    resumed.set_epoch(2)
    x, y = epoch(student, resumed, 30, 8)
    # Which order an epoch has is up to the student; that of the first is no mere 0 to 29.
    expect.repeated("labels of epoch 2 after set_epoch(2)", passes[2][1], y)
    # As above.
    expect.repeated("images of epoch 2 after set_epoch(2)", passes[2][0], x)
    resumed.set_epoch(0)
    x, y = epoch(student, resumed, 30, 8)
    # As above.
    expect.repeated("labels of epoch 0 after set_epoch(0)", passes[0][1], y)
    # As above.
    expect.repeated("images of epoch 0 after set_epoch(0)", passes[0][0], x)
    x, y = epoch(student, resumed, 30, 8)
    # As above.
    expect.repeated("labels of the pass after that", passes[1][1], y)


def test_seeds_draw_differently(student):
    """Another seed draws another order."""
    found = set()
    for seed in range(4):
        loader = loader_of(student, *tagged(30), 8, train=True, seed=seed)
        found |= {tuple(order) for order in orders(student, loader, 30, 8)}
    expect.that("orders", len(found) == 4, "seeds 0 to 3 do not give four orders.")


def test_the_global_generator_plays_no_part(student):
    """torch's global generator has no influence, and its state is left as it is."""
    results = []
    for seed in (1, 2):
        loader = loader_of(student, *tagged(20), 6, train=True, seed=7)
        clean = student.drive("seeded_state", seed)
        x, _ = epoch(student, loader, 20, 6)
        results.append((x, order_of(student, x, 20)))
        state = student.drive("global_state")
        expect.equal("global generator is left as it is", np.array_equal(state, clean), True)
    # Which order is drawn is up to the student.
    expect.repeated("images under another global seed", results[0][0], results[1][0])


def test_images_and_labels_stay_as_they_are(student):
    """Iterating changes neither the images nor the labels that the loader was given."""
    images, labels = tagged(12)
    kept = [student.prepare("tensor", array) for array in (images, labels)]
    loader = student.module(LOADER).CIFAR10Loader(*kept, 5, train=True)
    orders(student, loader, 12, 5, 2)
    expect.unchanged("images", images, student.fetch(kept[0]))
    expect.unchanged("labels", labels, student.fetch(kept[1]))


def test_loader_refuses(student):
    """Fewer labels than images, or a batch size below 1, raise a ValueError; batches of 1 don't."""
    images, labels = tagged(6)
    orders(student, loader_of(student, images, labels, 1, train=True), 6, 1)
    for what, count, size in (("5 labels for 6 images", 5, 4), ("batches of 0", 6, 0)):
        call = lambda n=count, b=size: loader_of(student, images, labels[:n], b, train=True)  # noqa: E731
        expect.raises(f"CIFAR10Loader with {what}", call, "ValueError")
