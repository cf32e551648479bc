"""Public tests of data/cifar10_loader.py, on images of one colour each."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.colours import LOADER, normalised, scale_of

pytestmark = pytest.mark.item("project.augmentation")
beyond = pytest.mark.item("project.robustness")
of_loader = pytest.mark.needs("project.augmentation")

COUNT, SIZE = 10, 4


def test_load_cifar10(student):
    """Images come as uint8, channels first, and labels as int64; the test split isn't needed."""
    images = np.arange(2 * 32 * 32 * 3, dtype=np.uint16).astype(np.uint8).reshape(2, 32, 32, 3)
    name = student.prepare("folder").name
    arrays = {"x_train": images, "y_train": np.array([7, 2], np.uint8)}
    student.drive("write_arrays", f"{name}/cifar10.npz", arrays, [])
    load = student.module(LOADER).load_cifar10
    received, labels = load(name)
    expect.dtype("images", received, np.uint8)
    expect.equal("images", received, np.moveaxis(images, 3, 1))
    expect.dtype("labels", labels, np.int64)
    expect.equal("labels", labels, np.array([7, 2]))


def test_normalise(student):
    """Each channel has its own mean and deviation."""
    images = np.array([0, 51, 255], np.uint8).reshape(1, 3, 1, 1)
    wanted = normalised(student, images)
    received = student.module(LOADER).normalise(student.prepare("tensor", images))
    expect.close("normalised pixel", received, wanted, rtol=1e-4, atol=1e-4)


def test_random_crop(student):
    """A piece of an image padded by 1 is the image moved by -1, 0 or 1 in each direction."""
    images = np.zeros((200, 1, 3, 3), np.float32)
    images[:, :, 1, 1] = 5.0
    generator = student.prepare("generator", 1)
    received = student.module(LOADER).random_crop(student.prepare("tensor", images), 1, generator)
    received = expect.array("result of random_crop", received, images.shape)
    whole = bool(
        np.all(received.sum(axis=(1, 2, 3)) == 5.0) and np.all(received.max(axis=(1, 2, 3)) == 5.0)
    )
    expect.that("random_crop", whole, "the pixel in the middle is lost, or moved by more than 1.")
    places = {tuple(int(at) for at in np.argwhere(piece[0])[0]) for piece in received}
    message = f"in 200 images the pixel is at {len(places)} of 9 places."
    expect.that("random_crop", len(places) == 9, message)


def test_random_flip(student):
    """About half of the images are mirrored left-right."""
    images = np.tile(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), (200, 1, 1, 1))
    generator = student.prepare("generator", 1)
    received = student.module(LOADER).random_flip(student.prepare("tensor", images), generator)
    received = expect.array("result of random_flip", received, images.shape)
    mirrored = int(sum(np.array_equal(one, images[0, :, :, ::-1]) for one in received))
    same = int(sum(np.array_equal(one, images[0]) for one in received))
    message = f"{mirrored} of 200 images are mirrored, {same} are as they were."
    expect.that("random_flip", mirrored + same == 200 and 60 < mirrored < 140, message)


def loader_of(student, train, seed=0):
    """Return a loader of ten images; image n has the colour 20 n everywhere, and the label n."""
    images = np.repeat(20 * np.arange(COUNT), 3 * 32 * 32).reshape(COUNT, 3, 32, 32)
    tensors = [
        student.prepare("tensor", array) for array in (images.astype(np.uint8), np.arange(COUNT))
    ]
    return student.module(LOADER).CIFAR10Loader(*tensors, SIZE, train=train, seed=seed)


def epoch(student, loader):
    """Return which images came, in their order, after a look at their labels."""
    found = student.drive("epoch", loader)
    expect.equal("sizes of the batches", found["sizes"], [4, 4, 2])
    x = expect.array("x", found["x"], (COUNT, 3, 32, 32))
    mean, deviation = (part.ravel() for part in scale_of(student))
    colours = (x[:, :, 16, 16] * deviation + mean) * 255.0 / 20.0
    came = [round(float(colour[0])) for colour in colours]
    grey = np.abs(colours - np.array(came)[:, None]).max() <= 0.01
    expect.that("colours", bool(grey), "an image's middle is no longer the grey that it was.")
    alike = np.array_equal(found["y"], came)
    expect.that("labels", alike, "they are not those of the images, in the images' order.")
    return came


def test_evaluation_epoch(student):
    """With train=False the images come in order."""
    loader = loader_of(student, False)
    expect.equal("order", epoch(student, loader), list(range(COUNT)))
    expect.equal("len(loader)", student.drive("length", loader), 3)


def test_training_epochs(student):
    """With train=True they come shuffled, each once with its label, in a new order each time."""
    loader = loader_of(student, True)
    orders = [epoch(student, loader) for _ in range(3)]
    for order in orders:
        expect.equal("images of an epoch, sorted", sorted(order), list(range(COUNT)))
    expect.that("orders", len(set(map(tuple, orders))) == 3, "they repeat from epoch to epoch.")


@beyond
@of_loader
def test_an_epoch_again(student):
    """Beyond the texts: set_epoch(1) gives a new loader another one's second epoch."""
    first, second = loader_of(student, True, 5), loader_of(student, True, 5)
    orders = [epoch(student, first) for _ in range(2)]
    second.set_epoch(1)
    alike = epoch(student, second) == orders[1]
    expect.that("order of epoch 1", alike, "it is not the one of the other loader's second epoch.")


def test_augmentation_is_for_training(student):
    """Crops show padding at an image's edge in training, and never with train=False."""
    for train in (True, False):
        found = student.drive("epoch", loader_of(student, train))
        x = expect.array("x", found["x"], (COUNT, 3, 32, 32))
        edges = int(sum(bool(np.ptp(image, axis=(1, 2)).max() > 0.05) for image in x))
        message = f"{edges} of {COUNT} images of one colour with train={train} show padding."
        expect.that("padding", edges >= 3 if train else edges == 0, message)


@beyond
@of_loader
def test_load_cifar10_refuses(student):
    """Beyond the texts: a split that is not in the file raises a ValueError."""
    name = student.prepare("folder").name
    arrays = {"x_train": np.zeros((1, 32, 32, 3), np.uint8), "y_train": np.zeros(1, np.uint8)}
    student.drive("write_arrays", f"{name}/cifar10.npz", arrays, [])
    load = student.module(LOADER).load_cifar10
    expect.array("images", load(name)[0], (1, 3, 32, 32))
    expect.raises('load_cifar10(folder, "test")', load, "ValueError", name, "test")
