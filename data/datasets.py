"""Loading a data set by its name: the embedded digits and text, or a file of the cache."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from data.weights import Weights, from_safetensors

if TYPE_CHECKING:
    from data.minilm import Pretrained

ImageSet = Literal["digits", "mnist", "cifar10"]

NAMES = ("digits", "mnist", "cifar10", "shakespeare", "snippets", "efficientnet", "minilm")

EMBEDDED = ("digits", "shakespeare")
"""Those whose files lie beside this one, so that they are always there."""

SHAPES = {
    "digits": ((1437, 8, 8), (360, 8, 8)),  # as embedded; `load` returns them in a 28x28 frame
    "mnist": ((60_000, 28, 28), (10_000, 28, 28)),
    "cifar10": ((50_000, 32, 32, 3), (10_000, 32, 32, 3)),
}
"""The shapes of x_train and x_test in the file of each image set."""

CLASSES = 10
SHAKESPEARE_BYTES = 1_115_394
WEIGHTS_SHA256 = {
    "efficientnet": "f2773fe91abe4bfe9c383d4f7f335af73f50a1584decab13e0bf548d62d0f059",
    "minilm": "9c056e4ca41d02e17e4c7b0a7b21a69562aa5d3ad613b38a7f60bd5cb46c257a",
}
"""The SHA-256 sum of the file of each trained network."""

FILES = {
    "snippets": "movie-snippets.tsv.xz",
    "efficientnet": "efficientnet-lite0-trunk6-fp16.safetensors",
    "minilm": "minilm-l3-8000-int8.safetensors",
}
"""What the cache calls a file that is no .npz."""


class DataError(Exception):
    """A data set is missing, or its file is damaged. The message names the remedy."""


@dataclass(frozen=True)
class Dataset:
    """A labelled image set with its official split (digits: the course's own split).

    Attributes:
        name: "digits", "mnist" or "cifar10".
        x_train: uint8, 0 (background) to 255. digits: (1437, 28, 28); mnist: (60000, 28, 28);
            cifar10: (50000, 32, 32, 3), channels red, green, blue.
        y_train: uint8, the class 0 to 9 of each image in x_train, shape (len(x_train),).
        x_test: as x_train. digits: (360, 28, 28); mnist: (10000, 28, 28);
            cifar10: (10000, 32, 32, 3).
        y_test: uint8, shape (len(x_test),).
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def cache_folder() -> Path:
    """The folder of the downloaded data sets: $COURSE_DATA, or data/cache in the repository."""
    chosen = os.environ.get("COURSE_DATA")
    return Path(chosen).expanduser() if chosen else Path(__file__).with_name("cache")


def cache_file(name: str) -> Path:
    """Where the cache keeps `name`: mnist.npz, cifar10.npz, or as FILES says."""
    return cache_folder() / FILES.get(name, f"{name}.npz")


def file_of(name: str) -> Path:
    """The file that `load(name)` reads, whether it is there or not."""
    _check_name(name)
    return Path(__file__).with_name(f"{name}.npz") if name in EMBEDDED else cache_file(name)


def cached(name: str) -> bool:
    """Whether `load(name)` has a file to read. Those in EMBEDDED are always there."""
    _check_name(name)
    return name in EMBEDDED or cache_file(name).is_file()


@overload
def load(name: Literal["shakespeare", "snippets"]) -> str: ...
@overload
def load(name: Literal["efficientnet"]) -> Weights: ...
@overload
def load(name: Literal["minilm"]) -> Pretrained: ...
@overload
def load(name: ImageSet) -> Dataset: ...
@overload
def load(name: str) -> Dataset | str | Weights | Pretrained: ...
def load(name: str) -> Dataset | str | Weights | Pretrained:
    """Read a data set. No network is used.

    Args:
        name: "digits", "mnist", "cifar10", "shakespeare", "snippets", "efficientnet" or "minilm".

    Returns:
        A `Dataset` of fresh arrays; for "shakespeare" a str of 1,115,394 ASCII characters; for
        "snippets" a str of 10,603 lines `rating<TAB>sentence`, with ratings from -4 to 4; for
        "efficientnet" the weights of a trained network, name to array of float32; for "minilm" a
        `data.minilm.Pretrained`, with the word pieces and the weights of a BERT.

    Raises:
        ValueError: no data set has this name.
        DataError: the cache lacks its file, or the file is damaged.
    """
    path = file_of(name)
    if name == "shakespeare":
        return read_text(path)
    if name == "digits":
        arrays = read_arrays("digits", path)
        framed = {key: frame(x) if key.startswith("x_") else x for key, x in arrays.items()}
        return Dataset("digits", **framed)
    if not path.is_file():
        raise DataError(
            f"{name} is not in the data cache: there is no file {path}. "
            f"`{command(name)}` downloads it."
        )
    if name == "snippets":
        from data.snippets import read_snippets  # it needs this module's errors

        return read_snippets(path)
    if name == "minilm":
        from data.minilm import read_minilm  # it needs this module's errors

        return read_minilm(path)
    if name in WEIGHTS_SHA256:
        return read_weights(name, path)
    return Dataset(name, **read_arrays(name, path))


def load_or_digits(name: ImageSet) -> Dataset:
    """Like `load`, but the digits where the cache lacks `name`: see the result's `.name`.

    A damaged file is still a DataError: only a missing one is replaced.
    """
    if name not in SHAPES:
        raise ValueError(f"digits can stand in for an image set only, not for {name!r}")
    return load(name if cached(name) else "digits")


def load_file(path: Path) -> Dataset:
    """Read a data set that is no part of this package: an .npz file of somebody's own.

    Args:
        path: a file with the arrays x_train, y_train, x_test, y_test: inputs of one shape, as
            numbers, one an example, and integer labels.

    Returns:
        A `Dataset` called like the file; its shapes and types are the file's.

    Raises:
        DataError: the file can't be read, lacks an array, or they don't belong together.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            x_train, y_train, x_test, y_test = (
                file[key] for key in ("x_train", "y_train", "x_test", "y_test")
            )
    except KeyError as error:
        raise DataError(f"{path} has no array {error.args[0].split()[0]}") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error})") from error
    for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if x.dtype.kind not in "uif" or x.shape[1:] != x_train.shape[1:] or not x.size:
            problem = f"x_{part} holds no numbers, or examples of another shape than x_train"
            raise DataError(f"{path}: {problem}")
        if y.dtype.kind not in "ui" or y.shape != x.shape[:1]:
            raise DataError(f"{path}: y_{part} must be one integer for each of {len(x)} examples")
    return Dataset(path.stem, x_train, y_train, x_test, y_test)


def frame(images: np.ndarray) -> np.ndarray:
    """Enlarge 8x8 images three times and centre them in MNIST's 28x28 frame.

    Bilinear: pixel i of the 24 lies at (i + 1/2) / 3 - 1/2 of the 8 and is the weighted mean of
    its two neighbours there; beyond the edge the edge pixel repeats. Two background pixels remain
    on every side. All arithmetic is in integers, so the result is the same on every machine.

    Args:
        images: (N, 8, 8) uint8, 0 to 16.

    Returns:
        (N, 28, 28) uint8, 0 to 255 (16 becomes 255).
    """
    thirds = np.zeros((24, 8), np.int64)  # each row holds the weights of one pixel, times 3
    for i in range(24):
        source, offset = divmod(i - 1, 3)
        thirds[i, max(source, 0)] += 3 - offset
        thirds[i, min(source + 1, 7)] += offset
    enlarged = thirds @ images.astype(np.int64) @ thirds.T  # 0 to 16 * 9
    framed = np.zeros((len(images), 28, 28), np.uint8)
    framed[:, 2:26, 2:26] = (enlarged * 255 + 72) // 144
    return framed


def read_arrays(name: str, path: Path) -> dict[str, np.ndarray]:
    """Read and check the four arrays of an image set's .npz file.

    Raises:
        DataError: the file can't be read, or an array has another type, shape or range.
    """
    shapes = dict(zip(("x_train", "x_test"), SHAPES[name], strict=True))
    shapes |= {key.replace("x", "y"): shape[:1] for key, shape in shapes.items()}
    try:
        with path.open("rb") as stream:
            if not zipfile.is_zipfile(stream):
                raise ValueError("not a whole .npz archive")
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as file:
                arrays = {key: file[key] for key in shapes}
    except KeyError as error:
        raise damaged(name, path, f"it has no array {error.args[0].split()[0]}") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise damaged(name, path, f"it cannot be read ({error})") from error
    for key, array in arrays.items():
        if array.dtype != np.uint8 or array.shape != shapes[key]:
            found = f"{array.dtype} of shape {array.shape}"
            raise damaged(name, path, f"{key} is {found}, not uint8 of shape {shapes[key]}")
        if key.startswith("y_") and array.max() >= CLASSES:
            raise damaged(name, path, f"{key} has the label {array.max()}, not only 0 to 9")
    return arrays


def read_text(path: Path) -> str:
    """Read and check the embedded text, whose file has an array `text` of ASCII codes.

    Raises:
        DataError: the file can't be read, is not ASCII or has another length.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            text = file["text"].tobytes().decode("ascii")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise damaged("shakespeare", path, f"it cannot be read ({error})") from error
    if len(text) != SHAKESPEARE_BYTES:
        reason = f"it has {len(text):,} characters, not {SHAKESPEARE_BYTES:,}"
        raise damaged("shakespeare", path, reason)
    return text


def read_weights(name: str, path: Path) -> Weights:
    """Read and check the weights of a trained network; as float32.

    Raises:
        DataError: the file can't be read, or is another one.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise damaged(name, path, f"it cannot be read ({error})") from error
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256[name]:
        raise damaged(name, path, f"its SHA-256 sum is not {WEIGHTS_SHA256[name]}")
    return {key: array.astype(np.float32) for key, array in from_safetensors(content).items()}


def damaged(name: str, path: Path, reason: str) -> DataError:
    """The error for a file that exists but has the wrong content."""
    if name in EMBEDDED:
        remedy = f"Restore it from the repository: git checkout -- data/{path.name}"
    else:
        remedy = f"This replaces it: {command(name)}"
    return DataError(f"{path} is damaged: {reason}. {remedy}")


def command(name: str) -> str:
    """Return the command that downloads a data set: check.py's, where a students' tree is."""
    is_students = (Path(__file__).resolve().parents[1] / "check.py").is_file()
    return f"python check.py data {name}" if is_students else f"make data NAMES={name}"


def _check_name(name: str) -> None:
    if name not in NAMES:
        raise ValueError(f"there is no data set {name!r}; choose one of {', '.join(NAMES)}")
