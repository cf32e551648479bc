"""The data package: what is embedded, the cache, and what a wrong file is answered with."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import data
from data import datasets

SMALL = {"x_train": (6, 28, 28), "y_train": (6,), "x_test": (4, 28, 28), "y_test": (4,)}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache in which "mnist" stands for six and four images."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setitem(datasets.SHAPES, "mnist", (SMALL["x_train"], SMALL["x_test"]))
    return tmp_path


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {
        key: rng.integers(0, 256 if key.startswith("x_") else 10, shape, np.uint8)
        for key, shape in SMALL.items()
    }


def test_digits_are_complete_and_have_the_documented_form():
    digits = data.load("digits")
    assert digits.name == "digits"
    assert digits.x_train.shape == (1437, 28, 28)
    assert digits.x_test.shape == (360, 28, 28)
    assert digits.y_train.shape == (1437,)
    assert digits.y_test.shape == (360,)
    assert {a.dtype for a in vars(digits).values() if isinstance(a, np.ndarray)} == {
        np.dtype(np.uint8)
    }
    assert digits.x_train.min() == 0
    assert digits.x_train.max() == 255


def test_every_digit_is_in_both_parts():
    digits = data.load("digits")
    assert np.bincount(digits.y_test).tolist() == [36] * 10
    # The origin's count of each class (its own description), less the 36 in the test part.
    origin = np.array([178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert np.bincount(digits.y_train).tolist() == (origin - 36).tolist()


def test_no_test_image_is_also_a_training_image():
    digits = data.load("digits")
    train = {image.tobytes() for image in digits.x_train}
    assert not [i for i, image in enumerate(digits.x_test) if image.tobytes() in train]


def test_digits_keep_a_margin_and_their_orientation():
    digits = data.load("digits")
    border = np.ones((28, 28), bool)
    border[2:26, 2:26] = False
    assert not digits.x_train[:, border].any()
    ones = digits.x_train[digits.y_train == 1].mean(axis=0)
    assert ones[:, 8:20].sum() > 3 * (ones[:, :8].sum() + ones[:, 20:].sum())  # upright strokes


def test_each_load_gives_fresh_arrays():
    first = data.load("digits")
    first.x_train[:] = 0
    assert data.load("digits").x_train.any()


def test_frame_interpolates_between_neighbours():
    image = np.zeros((1, 8, 8), np.uint8)
    image[0, 3, 4] = 16
    framed = datasets.frame(image)[0]
    assert framed[2 + 10, 2 + 13] == 255  # the centre of the three by three block of (3, 4)
    row = framed[2 + 10, 2 + 10 : 2 + 17]
    assert row.tolist() == [0, 85, 170, 255, 170, 85, 0]
    assert (framed[2 + 7 : 2 + 14, 2 + 13] == row).all()


def test_frame_repeats_the_edge():
    framed = datasets.frame(np.full((1, 8, 8), 16, np.uint8))[0]
    assert (framed[2:26, 2:26] == 255).all()
    assert framed.sum(dtype=int) == 24 * 24 * 255


def test_load_reads_the_cache(cache, arrays):
    np.savez(cache / "mnist.npz", **arrays)
    loaded = data.load("mnist")
    assert loaded.name == "mnist"
    for key, array in arrays.items():
        np.testing.assert_array_equal(getattr(loaded, key), array)
        assert getattr(loaded, key).dtype == np.uint8


def test_a_missing_file_names_itself_and_the_command(cache):
    assert not data.cached("mnist")
    with pytest.raises(data.DataError, match="make data NAMES=mnist") as caught:
        data.load("mnist")
    assert str(cache / "mnist.npz") in str(caught.value)


def test_digits_stand_in_for_a_missing_image_set(cache, arrays):
    assert data.load_or_digits("mnist").name == "digits"
    np.savez(cache / "mnist.npz", **arrays)
    assert data.cached("mnist")
    assert data.load_or_digits("mnist").name == "mnist"


def test_digits_do_not_stand_in_for_text():
    with pytest.raises(ValueError, match="image set only"):
        data.load_or_digits("shakespeare")


def test_digits_do_not_hide_a_damaged_file(cache):
    (cache / "mnist.npz").write_bytes(b"not a zip file")
    with pytest.raises(data.DataError):
        data.load_or_digits("mnist")


@pytest.mark.parametrize("call", [data.load, data.cached])
def test_an_unknown_name_is_answered_with_the_known_ones(call):
    with pytest.raises(ValueError, match="'mnst'; choose one of digits, mnist, cifar10"):
        call("mnst")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def replace_by_one_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip_a_pixel(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3] ^= 1
    path.write_bytes(bytes(raw))


@pytest.mark.parametrize("damage", [truncate, empty, replace_by_one_array, flip_a_pixel])
def test_a_damaged_file_names_itself_and_the_command(cache, arrays, damage):
    path = cache / "mnist.npz"
    np.savez(path, **arrays)
    damage(path)
    with pytest.raises(data.DataError, match="make data NAMES=mnist") as caught:
        data.load("mnist")
    assert f"{path} is damaged: it cannot be read" in str(caught.value)


WRONG_ARRAYS = {
    "an array is missing": ({"y_test": None}, "it has no array y_test"),
    "another dtype": (
        {"x_train": np.zeros(SMALL["x_train"])},
        r"x_train is float64 of shape \(6, 28, 28\), not uint8",
    ),
    "another shape": (
        {"x_test": np.zeros((3, 28, 28), np.uint8)},
        r"x_test is uint8 of shape \(3, 28, 28\), not uint8 of shape \(4, 28, 28\)",
    ),
    "a label too many": ({"y_test": np.array([0, 1, 2, 10], np.uint8)}, "has the label 10"),
    "objects, which would have to be unpickled": (
        {"y_train": np.array([{}] * 6, object)},
        "cannot be read",
    ),
}


@pytest.mark.parametrize("case", WRONG_ARRAYS)
def test_wrong_contents_are_named(cache, arrays, case):
    change, message = WRONG_ARRAYS[case]
    arrays = {key: array for key, array in (arrays | change).items() if array is not None}
    np.savez(cache / "mnist.npz", **arrays)
    with pytest.raises(data.DataError, match=message):
        data.load("mnist")


WRONG_TEXTS = {
    "too short": ({"text": b"too short"}, "it has 9 characters, not 1,115,394"),
    "not ASCII": ({"text": b"caf\xc3\xa9"}, "cannot be read"),
    "another array": ({"words": b"To be"}, "cannot be read"),
}


@pytest.mark.parametrize("case", WRONG_TEXTS)
def test_a_wrong_text_is_named(tmp_path, case):
    arrays, message = WRONG_TEXTS[case]
    path = tmp_path / "shakespeare.npz"
    held: dict[str, Any] = {key: np.frombuffer(text, np.uint8) for key, text in arrays.items()}
    np.savez(path, **held)
    with pytest.raises(data.DataError, match=message) as caught:
        datasets.read_text(path)
    assert "git checkout -- data/shakespeare.npz" in str(caught.value)


def test_a_text_that_is_no_archive_is_named(tmp_path):
    path = tmp_path / "shakespeare.npz"
    path.write_bytes(b"To be, or not to be")
    with pytest.raises(data.DataError, match="cannot be read"):
        datasets.read_text(path)


def test_the_text_is_embedded_whole(cache):
    """The very file that others train on, without a cache and without a network."""
    assert data.cached("shakespeare")
    text = data.load("shakespeare")
    assert hashlib.md5(text.encode("ascii")).hexdigest() == "6fb458f1232090904fb40fe944165e91"
    assert len(set(text)) == 65
    assert not list(cache.iterdir())


def test_what_is_embedded_lies_beside_the_loader():
    for name in data.EMBEDDED:
        assert datasets.file_of(name).parent == Path(datasets.__file__).parent
        assert datasets.file_of(name).is_file()


def test_the_cache_is_in_the_repository_unless_it_is_chosen(monkeypatch):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    assert data.cache_folder() == Path(data.__file__).parent / "cache"
    monkeypatch.setenv("COURSE_DATA", "~/sets")
    assert data.cache_folder() == Path.home() / "sets"


def test_loading_needs_numpy_alone():
    code = (
        "import sys, data; data.load('digits');"
        "print(sorted({'torch', 'torchvision', 'scipy', 'PIL'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
