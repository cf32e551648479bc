"""Week 7's measure of generated images: what real images get, and what cheats do not get."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import data
from tests.conftest import ROOT

HIDDEN = ROOT / "assignments" / "week7_generative" / "hidden"
COUNT = 700


@pytest.fixture(scope="module")
def images():
    """The suite's module on images, imported as a suite's modules are: beside each other."""
    with pytest.MonkeyPatch.context() as patch:
        package = ModuleType("hidden_of_week7")
        package.__path__ = [str(HIDDEN)]
        patch.setitem(sys.modules, "hidden_of_week7", package)
        yield importlib.import_module("hidden_of_week7.gan_images")
        for name in [name for name in sys.modules if name.startswith("hidden_of_week7.")]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def gallery(images):
    return images.gallery(SimpleNamespace(name="digits", data=data.load("digits")))


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def means(gallery):
    labels = data.load("digits").y_train
    ten = np.stack([gallery.known[labels == digit].mean(axis=0) for digit in range(10)])
    return ten[np.arange(COUNT) % 10]


def noisy(pictures, rng, deviation):
    return np.clip(pictures + deviation * rng.normal(size=pictures.shape), 0, 1)


def test_turns_are_undone_and_none_but_the_first_leaves_an_image(images, rng):
    pictures = rng.random((3, 784)).astype(np.float32)
    seen = [images.turned(pictures, turn) for turn in range(images.TURNS)]
    assert len({one.tobytes() for one in seen}) == images.TURNS
    for turn, one in enumerate(seen):
        assert np.array_equal(images.turned_back(one, turn), pictures)
    assert np.array_equal(seen[0], pictures)


def test_unseen_real_images_get_everything(gallery):
    found = gallery.measured(gallery.unseen)
    assert found.share == 1.0
    assert found.nearer == pytest.approx(0.5, abs=0.01)
    assert found.much_nearer == pytest.approx(0.05, abs=0.01)


def test_the_distance_grows_from_real_images_to_noise(gallery, rng):
    noise = gallery.measured(rng.random((COUNT, 784)).astype(np.float32))
    blurred = gallery.measured((gallery.unseen + gallery.unseen[::-1]) / 2)
    assert 0 < blurred.distance < noise.distance
    assert noise.share == 0.0


@pytest.mark.parametrize("deviation", [0.0, 0.05, 0.1, 0.2])
def test_mean_images_are_too_few(gallery, rng, deviation):
    found = gallery.measured(noisy(means(gallery), rng, deviation))
    assert found.classes == 10
    assert not found.varied
    assert found.share == 0.0


@pytest.mark.parametrize("deviation", [0.0, 0.05, 0.1, 0.2, 0.25])
def test_training_images_are_known_by_heart(gallery, rng, deviation):
    found = gallery.measured(noisy(gallery.known[:COUNT], rng, deviation))
    assert found.by_heart
    assert found.share == 0.0


def test_training_images_moved_by_a_pixel_are_known_by_heart(gallery):
    square = np.roll(gallery.known[:COUNT].reshape(-1, 28, 28), 1, axis=2)
    assert gallery.measured(square.reshape(-1, 784)).by_heart


def test_five_digits_get_half_at_most(gallery):
    kept = gallery.unseen[gallery.judge.classes(gallery.unseen) < 5]
    found = gallery.measured(kept)
    assert found.classes == 5
    assert 0.0 < found.share <= 0.5


def test_one_image_is_nothing(gallery, rng):
    found = gallery.measured(noisy(np.repeat(gallery.unseen[:1], COUNT, axis=0), rng, 0.1))
    assert found.classes == 1
    assert found.share == 0.0


def test_the_judge_is_made_once_and_knows_the_digits(images, gallery):
    again = SimpleNamespace(name="digits", data=None)  # it is not looked at
    assert images.gallery(again) is gallery
    right = gallery.judge.classes(gallery.unseen) == data.load("digits").y_test
    assert right.mean() > 0.93
