"""Waiting for descriptors, whatever their numbers: `select.select` takes none above 1,023."""

from __future__ import annotations

import errno
import os
import select
from typing import Any


def readable(*watched: Any, seconds: float) -> list[Any]:
    """Return those of some descriptors or sockets that can be read, or have ended, by then.

    Raises OSError for one that is closed here.
    """
    return _ready(watched, select.POLLIN, seconds)


def writable(*watched: Any, seconds: float) -> list[Any]:
    """Return those of some descriptors or sockets that take something, or have ended, by then.

    Raises OSError for one that is closed here.
    """
    return _ready(watched, select.POLLOUT, seconds)


def _ready(watched: tuple[Any, ...], events: int, seconds: float) -> list[Any]:
    poller = select.poll()
    by_number = {one if isinstance(one, int) else one.fileno(): one for one in watched}
    for number in by_number:
        poller.register(number, events)
    found = poller.poll(1000.0 * max(0.0, seconds))
    if any(seen & select.POLLNVAL for _, seen in found):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return [by_number[number] for number, _ in found]
