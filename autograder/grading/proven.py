"""Which weeks are proven on this machine: a file for each fingerprint, in the user's cache.

Whoever may write there grades here. Where nothing can be written, every process that grades proves
its weeks anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from autograder.text.files import write_text

PROOF = 1
"""The number of the proof; a new one where it demands more than before."""


def folder() -> Path | None:
    """Return where proofs are kept, outside of every repository; None where there is no home."""
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        base = Path(cache) if cache and Path(cache).is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    return base / "nnf-autograder" / "proven"


def is_proven(fingerprint: str) -> bool:
    """Whether a week of this fingerprint was proven earlier."""
    place = folder()
    return place is not None and _file(place, fingerprint).is_file()


def remember(fingerprint: str, name: str) -> None:
    """Store that a week is proven; `name` is for people who look into the folder."""
    place = folder()
    if place is not None:
        with contextlib.suppress(OSError):  # a full disk, or no home that can be written to
            write_text(_file(place, fingerprint), f"{name}\n")


@contextlib.contextmanager
def alone(fingerprint: str) -> Iterator[None]:
    """Wait until no other process proves the same; where no lock can be had, don't."""
    place = folder()
    with contextlib.ExitStack() as stack:
        if place is not None:
            with contextlib.suppress(OSError):
                place.mkdir(0o700, parents=True, exist_ok=True)
                lock = stack.enter_context((place / f"{fingerprint[:16]}.lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _file(place: Path, fingerprint: str) -> Path:
    return place / f"{fingerprint}.{PROOF}"
