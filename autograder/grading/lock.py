"""The lock of a folder of grades: one grading writes into it at a time.

The kernel releases it, however the process ends. The file stays: taking it away would let two
processes hold locks on two files of the same name.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import RecordError
from autograder.text.display import one_line

LOCK = "grading.lock"
ATTEMPTS, PAUSE_SECONDS = 10, 0.05
"""The lock is tried several times, since `autograder status` holds it for a moment."""


class RunningError(RecordError):
    """Another process grades into this folder; the message says which."""


@dataclass(frozen=True)
class Holder:
    """The process that holds the lock, 0 and "" where it can't be read."""

    pid: int = 0
    host: str = ""

    def __str__(self) -> str:
        return f"process {self.pid} on {one_line(self.host, 80)}" if self.pid else "another process"


@contextmanager
def only_grading(out: Path) -> Iterator[None]:
    """Hold the lock of a folder of grades. Raises RunningError if another process does."""
    handle = os.open(out / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if not _taken(handle):
            raise RunningError(
                f"{out} is being graded into already, by {_holder(handle)}",
                f"`autograder status --grades {out}` says how far that is. Wait for its end",
            )
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
        yield
    finally:
        os.close(handle)


def holder(out: Path) -> Holder | None:
    """Return the process that grades into this folder now; None if there is none."""
    try:
        stream = (out / LOCK).open("rb")
    except OSError:
        return None  # never locked, or closed to this user
    with closing(stream):
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder(stream.fileno())
        except OSError:
            return None
    return None


def _taken(handle: int) -> bool:
    """Take the lock if it is free. A file system without locks keeps nobody out."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        except OSError:
            return True
        return True
    return False


def _holder(handle: int) -> Holder:
    try:
        told = json.loads(os.pread(handle, 1000, 0))
        return Holder(int(told["pid"]), str(told["host"]))
    except (OSError, ValueError, TypeError, KeyError):
        return Holder()
