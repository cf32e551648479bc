"""Hidden tests of data/cifar10_loader.py: load_cifar10 and CIFAR10Loader."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("project.augmentation")

NEAR = {"rtol": 1e-5, "atol": 1e-5}
LOADER = "data.cifar10_loader"


# load_cifar10


def splits(rng, train=6, test=4):
    """Return arrays as cifar10.npz holds them."""
    return {
        "x_train": rng.integers(0, 256, (train, 32, 32, 3), dtype=np.uint8),
        "y_train": rng.permutation(np.arange(train) % 10).astype(np.uint8),
        "x_test": rng.integers(0, 256, (test, 32, 32, 3), dtype=np.uint8),
        "y_test": rng.permutation(np.arange(test) + 5).astype(np.uint8),
    }


def folder_with(student, arrays, broken=()):
    """Return the name of a folder in the sandbox with a cifar10.npz in it."""
    name = student.prepare("folder").name
    student.drive("write_arrays", f"{name}/cifar10.npz", arrays, list(broken))
    return name


def expect_split(loaded, arrays, split):
    """Compare what load_cifar10 gave with the arrays in the file."""
    count = len(arrays[f"y_{split}"])
    expect.that(
        "result of load_cifar10",
        type(loaded) is tuple and len(loaded) == 2,
        "it should be a tuple of two tensors, images and labels.",
    )
    images = expect.array(f"{split} images", loaded[0], (count, 3, 32, 32))
    expect.dtype(f"{split} images", images, np.uint8)
    for n, wanted in enumerate(arrays[f"x_{split}"].transpose(0, 3, 1, 2)):
        expect.equal(f"{split} image {n}", images[n], wanted)
    expect.dtype(f"{split} labels", loaded[1], np.int64)
    expect.equal(f"{split} labels", loaded[1], arrays[f"y_{split}"].astype(np.int64))


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


# CIFAR10Loader


def tagged(count):
    """Return images of one colour each, by which they are known, and labels of no order."""
    tags = np.stack([np.arange(count) * 3 % 256, np.arange(count) * 7 % 256], axis=1)
    images = np.full((count, 3, 32, 32), 128, np.uint8)
    images[:, :2] = tags[:, :, None, None]
    return images, (np.arange(count) * 7 + 3) % 10


def loader_of(student, images, labels, batch_size, *, train, **more):
    tensors = [student.prepare("tensor", array) for array in (images, labels.astype(np.int64))]
    return student.module(LOADER).CIFAR10Loader(*tensors, batch_size, train=train, **more)


def normalised(student, images):
    """Return images as they should come out, without augmentation."""
    module = student.module(LOADER)
    mean, std = (expect.array(n, getattr(module, n), (3,)).astype(float) for n in ("MEAN", "STD"))
    return (images / 255.0 - mean.reshape(3, 1, 1)) / std.reshape(3, 1, 1)


def epoch(student, loader, count, batch_size):
    """Return (x, y) of one epoch, with the batches' sizes and dtypes for certain."""
    found = student.drive("epoch", loader)
    wanted = [min(batch_size, count - start) for start in range(0, count, batch_size)]
    expect.equal("sizes of the batches", found["sizes"], wanted)
    expect.equal("dtypes of x and y", found["dtypes"], ["torch.float32 torch.int64"])
    x = expect.array("x", found["x"], (count, 3, 32, 32))
    return x, expect.array("y", found["y"], (count,))


def order_of(student, x, count):
    """Return which tagged image each row of x is, by the pixel that is in every crop."""
    images, _ = tagged(count)
    wanted = normalised(student, images)[:, :, 0, 0]
    distance = np.abs(x[:, None, :, 16, 16] - wanted[None]).max(axis=2)
    near = distance.min(axis=1)
    message = (
        "its middle is of no image's colour. Is it normalised, and cropped from its own image?"
    )
    expect.that("x", bool(near.max() < 1e-3), f"row {int(near.argmax())}: {message}")
    return distance.argmin(axis=1)


def orders(student, loader, count, batch_size, epochs=1):
    """Return the orders of several epochs, in which every image comes once with its label."""
    _, labels = tagged(count)
    found = []
    for _ in range(epochs):
        x, y = epoch(student, loader, count, batch_size)
        order = order_of(student, x, count)
        message = "an epoch should give every image exactly once."
        expect.that("images of an epoch", sorted(order) == list(range(count)), message)
        expect.equal("labels, in the order of the images", y.astype(np.int64), labels[order])
        found.append(order.tolist())
    return found


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
    wanted = normalised(student, images)
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
    plain = normalised(student, images).astype(np.float32)
    padded = np.pad(plain, ((0, 0), (0, 0), (4, 4), (4, 4)))
    x, _ = epoch(student, loader, 24, 24)
    found = [_piece(piece, padded) for piece in x]
    lost = found.count(None)
    message = f"{lost} of 24 images are no window of an image padded with 4 zeros, flipped or not."
    expect.that("x", lost == 0, message)
    for part, name in enumerate(("vertical offset", "horizontal offset", "flip")):
        drawn = {at[part] for at in found}
        expect.that("x", len(drawn) > 1, f"all images have the same {name}: {drawn}.")
    reach = {at[part] for at in found for part in (0, 1)}
    expect.that("x", max(reach) > 5 and min(reach) < 3, f"the offsets are only {sorted(reach)}.")


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
    expect.equal("labels of epoch 2 after set_epoch(2)", y, passes[2][1])
    expect.close("images of epoch 2 after set_epoch(2)", x, passes[2][0])
    resumed.set_epoch(0)
    x, y = epoch(student, resumed, 30, 8)
    expect.equal("labels of epoch 0 after set_epoch(0)", y, passes[0][1])
    expect.close("images of epoch 0 after set_epoch(0)", x, passes[0][0])
    x, y = epoch(student, resumed, 30, 8)
    expect.equal("labels of the pass after that", y, passes[1][1])


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
    expect.close("images under another global seed", results[1][0], results[0][0])


def test_number_of_batches(student):
    """len(loader) is the number of batches, the smaller last one included."""
    for count, size in ((23, 5), (24, 8), (3, 10)):
        for train in (True, False):
            loader = loader_of(student, *tagged(count), size, train=train)
            received = student.drive("length", loader)
            expect.equal(f"len for {count} images, batches of {size}", received, -(-count // size))


def test_images_and_labels_stay_as_they_are(student):
    """Iterating changes neither the images nor the labels that the loader was given."""
    images, labels = tagged(12)
    kept = [student.prepare("tensor", array) for array in (images, labels)]
    loader = student.module(LOADER).CIFAR10Loader(*kept, 5, train=True)
    orders(student, loader, 12, 5, 2)
    expect.unchanged("images", images, student.fetch(kept[0]))
    expect.unchanged("labels", labels, student.fetch(kept[1]))


def test_loader_refuses(student):
    """Fewer labels than images, or a batch size below 1, raise a ValueError."""
    images, labels = tagged(6)
    orders(student, loader_of(student, images, labels, 4, train=True), 6, 4)
    for what, count, size in (("5 labels for 6 images", 5, 4), ("batches of 0", 6, 0)):
        call = lambda n=count, b=size: loader_of(student, images, labels[:n], b, train=True)  # noqa: E731
        expect.raises(f"CIFAR10Loader with {what}", call, "ValueError")
