"""What is kept on this machine between runs: small texts by their keys, in the user's cache.

Whoever may write there grades here. Where nothing can be written, nothing is kept.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from autograder.text.files import write_text


def folder(kind: str) -> Path | None:
    """Return where one kind of thing is kept, outside of every repository; None without a home."""
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        base = Path(cache) if cache and Path(cache).is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    return base / "nnf-autograder" / kind


def read(kind: str, key: str) -> str | None:
    """Return what is kept under a key, None if nothing is."""
    place = folder(kind)
    if place is None:
        return None
    try:
        return (place / key).read_text("utf-8")
    except OSError:
        return None


def write(kind: str, key: str, text: str) -> None:
    """Keep a text under a key, which must do as a file's name."""
    place = folder(kind)
    if place is not None:
        with contextlib.suppress(OSError):  # a full disk, or no home that can be written to
            place.mkdir(0o700, parents=True, exist_ok=True)
            write_text(place / key, text)
