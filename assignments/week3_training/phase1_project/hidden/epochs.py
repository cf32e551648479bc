"""What tests of the loader share: files of images, images known by their colour, epochs."""

import numpy as np

from autograder.suite import expect

from ..suite_tools.colours import DEVIATIONS, LOADER, MEANS, normalised

MET = (
    (*MEANS, (0.4734,) * 3, (0.4490,) * 3, (0.0,) * 3, (0.485, 0.456, 0.406)),
    (*DEVIATIONS, (0.2517,) * 3, (0.2011,) * 3, (1.0,) * 3, (0.229, 0.224, 0.225)),
)
"""Means and deviations that are met, right or wrong: which are right is asked of `normalise`."""


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
        type(loaded) in (tuple, list) and len(loaded) == 2,
        "it should be a tuple of two tensors, images and labels.",
    )
    images = expect.array(f"{split} images", loaded[0], (count, 3, 32, 32))
    expect.dtype(f"{split} images", images, np.uint8)
    for n, wanted in enumerate(arrays[f"x_{split}"].transpose(0, 3, 1, 2)):
        expect.equal(f"{split} image {n}", images[n], wanted)
    expect.dtype(f"{split} labels", loaded[1], np.int64)
    expect.equal(f"{split} labels", loaded[1], arrays[f"y_{split}"].astype(np.int64))


def tagged(count):
    """Return images of one colour each, by which they are known, and labels of no order."""
    tags = np.stack([np.arange(count) * 3 % 256, np.arange(count) * 7 % 256], axis=1)
    images = np.full((count, 3, 32, 32), 128, np.uint8)
    images[:, :2] = tags[:, :, None, None]
    return images, (np.arange(count) * 7 + 3) % 10


def loader_of(student, images, labels, batch_size, *, train, **more):
    tensors = [student.prepare("tensor", array) for array in (images, labels.astype(np.int64))]
    return student.module(LOADER).CIFAR10Loader(*tensors, batch_size, train=train, **more)


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
    wanted = normalised(student, images[:, :, :1, :1], *MET)[:, :, 0, 0]
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
