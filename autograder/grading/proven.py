"""Which weeks are proven on this machine: kept by fingerprint in the user's cache.

Where nothing can be kept, every process that grades proves its weeks anew.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator

from autograder.grading import user_cache

KEPT = "proven"
"""Where in the user's cache this is kept."""

PROOF = 1
"""The number of the proof; a new one where it demands more than before."""


def is_proven(fingerprint: str) -> bool:
    """Whether a week of this fingerprint was proven earlier."""
    return user_cache.read(KEPT, _name(fingerprint)) is not None


def remember(fingerprint: str, name: str) -> None:
    """Store that a week is proven; `name` is for people who look into the folder."""
    user_cache.write(KEPT, _name(fingerprint), f"{name}\n")


@contextlib.contextmanager
def alone(fingerprint: str) -> Iterator[None]:
    """Wait until no other process proves the same; where no lock can be had, don't."""
    place = user_cache.folder(KEPT)
    with contextlib.ExitStack() as stack:
        if place is not None:
            with contextlib.suppress(OSError):
                place.mkdir(0o700, parents=True, exist_ok=True)
                lock = stack.enter_context((place / f"{fingerprint[:16]}.lock").open("w"))
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _name(fingerprint: str) -> str:
    return f"{fingerprint}.{PROOF}"
