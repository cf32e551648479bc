"""Downloads into the cache: each file is complete and verified, or absent."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.datasets import DataError, cache_file, load, read_arrays, read_text
from data.vision import datasets

SHAKESPEARE_URL = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
)
SHAKESPEARE_MD5 = "6fb458f1232090904fb40fe944165e91"

SILENCE_SECONDS = 30.0
"""Timeout for a server that sends no data, in seconds."""


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    Attributes:
        archives: the name and MD5 of every file that is downloaded.
        write: downloads into the given folder, going on from the archives already there, and
            writes the finished data to the given path.
        check: raises DataError where the file at the given path is not the data set.
    """

    archives: dict[str, str]
    write: Callable[[Path, Path], None]
    check: Callable[[Path], Any]


def fetch(name: str) -> bool:
    """Bring one data set into the cache, unless it is there and in order.

    The archives are downloaded into a folder of their own beside the target. After a failure it
    keeps those that arrived whole, so that the next call goes on from there, and nothing else.

    Args:
        name: "mnist", "cifar10" or "shakespeare".

    Returns:
        Whether the file was written; False when it was there already.

    Raises:
        DataError: the download failed, or what arrived is not the data set.
    """
    target = cache_file(name)
    if target.is_file():
        try:
            load(name)
        except DataError as error:
            print(error, flush=True)
        else:
            return False
    source = sources()[name]
    folder = target.with_name(f".{name}-download")
    try:
        keep_whole_archives(folder, source.archives)
        folder.mkdir(parents=True, exist_ok=True)
        finished = folder / target.name
        with give_up_on_silence(SILENCE_SECONDS):
            source.write(folder, finished)
        source.check(finished)
        os.replace(finished, target)
    except (OSError, http.client.HTTPException, RuntimeError, ValueError, DataError) as error:
        raise DataError(
            f"{name} could not be downloaded: {type(error).__name__}: {str(error).strip()}\n"
            f"Nothing incomplete was left in {target.parent}. Check the network and the free disk "
            f"space, then run `make data NAMES={name}` again: it goes on from the files that "
            "arrived whole."
        ) from error
    else:
        shutil.rmtree(folder)
    finally:
        keep_whole_archives(folder, source.archives)
    return True


def sources() -> dict[str, Source]:
    """The source of every data set that can be downloaded."""
    return {
        "mnist": Source(dict(datasets.MNIST.resources), write_mnist, check_images("mnist")),
        "cifar10": Source(
            {datasets.CIFAR10.filename: datasets.CIFAR10.tgz_md5},
            write_cifar10,
            check_images("cifar10"),
        ),
        "shakespeare": Source({"input.txt": SHAKESPEARE_MD5}, write_shakespeare, read_text),
    }


def check_images(name: str) -> Callable[[Path], Any]:
    """A check that a file is the image set `name`."""
    return lambda path: read_arrays(name, path)


def write_mnist(folder: Path, finished: Path) -> None:
    """Download MNIST into `folder` and write it as .npz to `finished`."""
    train, test = (datasets.MNIST(folder, train=part, download=True) for part in (True, False))
    save(finished, train.data, train.targets, test.data, test.targets)


def write_cifar10(folder: Path, finished: Path) -> None:
    """Download CIFAR-10 into `folder` and write it as .npz to `finished`."""
    with warnings.catch_warnings():
        # The archive's arrays were pickled by an old NumPy, for which NumPy 2.4 warns.
        warnings.simplefilter("ignore", np.exceptions.VisibleDeprecationWarning)
        # torchvision unpacks without a filter: what the archive holds is known by its checksum.
        warnings.filterwarnings("ignore", "Python 3.14 will", DeprecationWarning)
        train, test = (
            datasets.CIFAR10(folder, train=part, download=True) for part in (True, False)
        )
    save(finished, train.data, train.targets, test.data, test.targets)


def write_shakespeare(folder: Path, finished: Path) -> None:
    """Download the text into `folder` and write it to `finished`."""
    datasets.utils.download_url(SHAKESPEARE_URL, folder, "input.txt", SHAKESPEARE_MD5)
    shutil.copyfile(folder / "input.txt", finished)


def save(path: Path, x_train: Any, y_train: Any, x_test: Any, y_test: Any) -> None:
    """Write four arrays (or tensors, or lists) of integers 0 to 255 as uint8 to an .npz file."""
    np.savez(
        path,
        x_train=np.asarray(x_train, dtype=np.uint8),
        y_train=np.asarray(y_train, dtype=np.uint8),
        x_test=np.asarray(x_test, dtype=np.uint8),
        y_test=np.asarray(y_test, dtype=np.uint8),
    )


def keep_whole_archives(folder: Path, archives: dict[str, str]) -> None:
    """Delete everything in `folder` but the archives whose checksum is right; then it, if empty."""
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):  # what a folder holds comes before it
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif not (
            path.name in archives and datasets.utils.check_integrity(path, archives[path.name])
        ):
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


@contextlib.contextmanager
def give_up_on_silence(seconds: float) -> Iterator[None]:
    """Limit how long a socket that is opened inside waits for the next byte."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
