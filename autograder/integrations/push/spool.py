"""The folder by which hooks and the service communicate: arrivals, answers and the lock.

A hook writes a file into `arrived/` and reads the one of the same name in `answers/`. The service
holds a lock on `service.lock` as long as it lives; the kernel releases it, however the service
ends. The files come through hooks that others call, so they are untrusted.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autograder.errors import RecordError
from autograder.intake.archives import file_chunks

ARRIVED, ANSWERS = "arrived", "answers"
LOCK, LOG, RELEASE = "service.lock", "service.log", "release"
ID = re.compile(r"(\d{9,12})\.(\d{6})-\d+")
REF = re.compile(r"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (refs/\S+)")
MAX_ARRIVAL_BYTES = 1 << 20
MAX_REFS = 1000
STALE_SECONDS = 24 * 3600
LOCK_ATTEMPTS, LOCK_PAUSE_SECONDS = 20, 0.1
"""The lock is tried several times, since a hook that checks it holds it for a moment."""


class SpoolError(RecordError):
    """The folder of what has arrived can't be used; the message says why and what to do."""


@dataclass(frozen=True)
class RefChange:
    """A ref that a push changed, by its full name; a hash of zeros means that it doesn't exist."""

    old: str
    new: str
    ref: str


@dataclass(frozen=True)
class Arrival:
    """A push as its hook recorded it, at the time `received`.

    `branch` is the graded branch, None: the one that HEAD names. `limit` is the number of gradings
    per day: None for the course's setting, 0 for no limit.
    """

    id: str
    student: str
    repository: Path
    branch: str | None
    limit: int | None
    received: datetime
    changes: tuple[RefChange, ...]


class Spool:
    """The folder itself. Raises SpoolError where it is missing or can't be written."""

    def __init__(self, path: Path):
        self.path = path
        self._lock: int | None = None

    def make(self, like: Path | None = None) -> None:
        """Create the folder, accessible to its owner only; as root, for the owner of `like`."""
        try:
            for folder in (self.path, self.path / ARRIVED, self.path / ANSWERS):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.chmod(0o700)
                if like is not None and os.geteuid() == 0:
                    status = like.stat()
                    os.chown(folder, status.st_uid, status.st_gid)
        except OSError as error:
            raise SpoolError(f"{error.filename} can't be made: {error.strerror}.") from error

    def acquire(self) -> bool:
        """Take the service's lock; False where another service holds it."""
        try:
            handle = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise SpoolError(f"{self.path / LOCK} can't be opened: {error.strerror}.") from error
        for _ in range(LOCK_ATTEMPTS):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(LOCK_PAUSE_SECONDS)
                continue
            os.ftruncate(handle, 0)
            os.write(handle, f"{os.getpid()}\n".encode())
            self._lock = handle
            return True
        os.close(handle)
        return False

    def release(self) -> None:
        """Release the lock. The caller must check for arrivals once more afterwards."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def holder(self) -> int | None:
        """Return the process id of the running service, 0 if unknown, None where none runs."""
        try:
            with open(self.path / LOCK) as stream:
                try:
                    fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    text = stream.read(20).strip()
                    return int(text) if text.isdigit() else 0
        except FileNotFoundError:
            pass
        return None

    def waiting(self) -> list[str]:
        """Return the ids of the arrivals that were not processed yet, the oldest first."""
        try:
            names = os.listdir(self.path / ARRIVED)
        except OSError as error:
            problem = f"{self.path / ARRIVED} can't be read: {error.strerror}"
            raise SpoolError(f"{problem}. `autograder hook install` makes it.") from error
        return sorted(name for name in names if ID.fullmatch(name))

    def read(self, id: str) -> Arrival:
        """Return an arrival. Raises ValueError where it is not what a hook writes."""
        content = b""
        for chunk in file_chunks(self.path / ARRIVED / id):
            content += chunk
            if len(content) > MAX_ARRIVAL_BYTES:
                raise ValueError("it is too long")
        return parse(id, content.decode("utf-8", "surrogateescape"))

    def remove(self, id: str) -> None:
        """Delete an arrival, once the ledger has it."""
        (self.path / ARRIVED / id).unlink(missing_ok=True)

    def set_aside(self, id: str) -> None:
        """Rename an arrival that can't be read, for a person to look at."""
        path = self.path / ARRIVED / id
        path.rename(path.with_name(f"{id}.unreadable"))

    def say(self, id: str, lines: Iterable[str], *, end: bool = False) -> None:
        """Append lines to a push's answer; the hook stops reading after the `end`.

        `lines` must be safe for a terminal.
        """
        text = "".join(f"T {line}\n" for line in lines) + ".\n" * end
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        path = self.path / ANSWERS / id
        try:
            handle = os.open(path, flags, 0o644)
        except OSError as error:
            raise SpoolError(f"{path} can't be written: {error.strerror}.") from error
        try:
            os.write(handle, text.encode("utf-8", "replace"))
        finally:
            os.close(handle)

    def ask_for_release(self) -> None:
        """Ask the present or next service to grade the pushes that wait for another day."""
        try:
            (self.path / RELEASE).touch()
        except OSError as error:
            raise SpoolError(f"{self.path} can't be written: {error.strerror}.") from error

    def is_released(self) -> bool:
        """Whether a release was asked for since the last call."""
        try:
            (self.path / RELEASE).unlink()
        except FileNotFoundError:
            return False
        return True

    def tidy(self) -> None:
        """Delete answers that nobody has read for a day."""
        now = time.time()
        for entry in os.scandir(self.path / ANSWERS):
            if now - entry.stat(follow_symlinks=False).st_mtime > STALE_SECONDS:
                os.unlink(entry.path)


def parse(id: str, text: str) -> Arrival:
    """Parse a hook's file: settings, an empty line, and the changed refs as git gives them."""
    timestamp = ID.fullmatch(id)
    if not timestamp:
        raise ValueError(f"{id!r} is no name that a hook gives")
    head, _, body = text.partition("\n\n")
    settings = dict(line.partition("=")[::2] for line in head.splitlines())
    student, repository = settings.get("student", ""), Path(settings.get("repository", ""))
    limit = settings.get("limit", "")
    if not student or not repository.is_absolute() or not (limit or "0").isdigit():
        raise ValueError("its settings are incomplete")
    return Arrival(
        id,
        student,
        repository,
        settings.get("branch") or None,
        int(limit) if limit else None,
        datetime.fromtimestamp(int(timestamp[1]), UTC).replace(microsecond=int(timestamp[2])),
        tuple(_changes(body.splitlines())),
    )


def _changes(lines: Sequence[str]) -> list[RefChange]:
    matches = [REF.fullmatch(line) for line in lines[:MAX_REFS]]
    return [RefChange(*match.groups()) for match in matches if match]
