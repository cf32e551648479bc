"""A folder of grades is closed to other users of the machine, and so is all that is in it.

Points and feedback of a class are nobody else's business. Folders get the mode 0700 and files 0600,
also those that an earlier version left open, and whatever the umask is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.errors import OutputError

PRIVATE, PRIVATE_FOLDER = 0o600, 0o700
OTHERS_WORK_IN = ("training", "push")
"""Folders whose files sandboxes write, and hooks: these run as other users, and see to the modes
themselves."""


class OpenFolderError(OutputError):
    """A folder of grades can't be closed to others: which, why, and what to do."""


def make_private(out: Path) -> None:
    """Close a folder of grades, made if it is missing, and what is in it; links are not followed.

    Raises OpenFolderError where that can't be done, or where others need the folder.
    """
    try:
        out.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        _demand_own(out)
        out.chmod(PRIVATE_FOLDER)
        _close(out, OTHERS_WORK_IN)
    except OSError as error:
        problem = f"{error.filename or out} can't be closed to other users: {error.strerror}"
        raise OpenFolderError(f"{problem}. Choose a folder of your own (--out).") from error


@contextmanager
def private_files() -> Iterator[None]:
    """Make this process, and what it starts, close its new files to others meanwhile.

    Not for a process that starts sandboxes: those are other users.
    """
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def open_private(path: str | Path, flags: int) -> int:
    """Open a file that only its owner can read, also where it was there before: an opener."""
    handle = os.open(path, flags, PRIVATE)
    os.fchmod(handle, PRIVATE)
    return handle


def private_database(path: Path) -> None:
    """Make an empty file for a database that only its owner can read, or close the one that is
    there, without opening it: that would end the locks that this process has on it.
    """
    if not path.exists():
        os.close(open_private(path, os.O_CREAT | os.O_WRONLY))
    elif path.stat().st_uid == os.geteuid():
        path.chmod(PRIVATE)


def _demand_own(out: Path) -> None:
    """Raise OpenFolderError for a folder that is there for others too."""
    here = out.resolve()
    code = Path(__file__).resolve().parents[2]
    if here.stat().st_mode & stat.S_ISVTX or here == Path.home() or code.is_relative_to(here):
        raise OpenFolderError(
            f"grades are closed to everybody else, and {out} holds other things",
            "Choose a folder of its own for them (--out), such as grades",
        )


def _close(folder: Path, but: Collection[str] = ()) -> None:
    """Close what is below a folder, `but` some; what belongs to somebody else is left alone."""
    own = {os.geteuid(), folder.stat().st_uid}
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                mode = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # a database's journal, say, that has just been taken away
                continue
            if stat.S_ISLNK(mode.st_mode) or mode.st_uid not in own:
                continue
            if stat.S_ISREG(mode.st_mode):
                _set(entry.path, mode.st_mode, PRIVATE)
            elif stat.S_ISDIR(mode.st_mode) and entry.name not in but:
                _set(entry.path, mode.st_mode, PRIVATE_FOLDER)
                _close(Path(entry.path))


def _set(path: str, now: int, mode: int) -> None:
    """Set a file's mode where it differs; one that has just been taken away is no matter."""
    if stat.S_IMODE(now) == mode:
        return
    try:
        os.chmod(path, mode)
    except FileNotFoundError:
        return
