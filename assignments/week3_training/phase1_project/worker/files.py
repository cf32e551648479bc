"""Drivers for tests of code that reads and writes files: a fresh folder, what goes in and out.

Nothing of this is read by the examiner: what crosses are texts of limited length and numbers.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

MOST_FILES = 200
BROKEN = b"\x93NUMPY\x01\x00\x10\x00this is no array"


class Folder:
    """A fresh temporary folder, called `name`, which goes when nothing holds it any more."""

    def __init__(self) -> None:
        self.name = tempfile.mkdtemp()
        weakref.finalize(self, shutil.rmtree, self.name, ignore_errors=True)


def folder() -> Folder:
    """Make a fresh folder."""
    return Folder()


def path(*parts: str) -> Path:
    """Return a Path."""
    return Path(*parts)


def write_arrays(name: str, arrays: dict[str, np.ndarray], broken: list[str]) -> None:
    """Write an npz file; the arrays called `broken` are in it too, but can't be read."""
    np.savez(name, **arrays)
    with zipfile.ZipFile(name, "a") as archive:
        for label in broken:
            archive.writestr(f"{label}.npy", BROKEN)


def write_text(name: str, text: str) -> None:
    """Write a text file."""
    Path(name).write_text(text, "utf-8")


def listing(name: str) -> list[str]:
    """Return the names of the files below a folder, sorted."""
    top = Path(name)
    found = (str(file.relative_to(top)) for file in top.rglob("*") if file.is_file())
    return sorted(found)[:MOST_FILES]


def checkpoint(name: str) -> dict[str, Any]:
    """Return a safetensors file: {"metadata": texts, "tensors": by name}."""
    with safe_open(name, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return {"metadata": dict(file.metadata() or {}), "tensors": tensors}


def saved_shapes(name: str) -> dict[str, list[int]]:
    """Return the shapes of a safetensors file's tensors by name."""
    with safe_open(name, framework="pt") as file:
        return {key: file.get_slice(key).get_shape() for key in file.keys()}  # noqa: SIM118


DRIVERS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        folder,
        path,
        write_arrays,
        write_text,
        listing,
        checkpoint,
        saved_shapes,
    )
}
