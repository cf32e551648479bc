"""Opens the gradebook's file: to write, or to read what must stay as it is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from autograder.errors import RecordError
from autograder.gradebook.private import PRIVATE_FOLDER, private_database

LOCK_SECONDS = 30.0
FREE_PAGES, FREE_SHARE = 256, 0.1
"""Space is given back where so many pages, of 4 KiB mostly, are free, and such a share of all."""
PAGES_AT_ONCE = 16_384
"""A file with more pages in use, 64 MiB, is left as it is, since that would take seconds."""

CAUSES = {
    sqlite3.SQLITE_READONLY: ("may not be written", "Change its permissions, or copy it elsewhere"),
    sqlite3.SQLITE_READONLY_DBMOVED: (
        "was moved away while it was open",
        "Nothing in it is lost: name the folder where it is now",
    ),
    sqlite3.SQLITE_FULL: ("can't be written: the disk is full", "Make room. What is in it is kept"),
    sqlite3.SQLITE_IOERR: ("can't be read or written", "Is its disk full, or damaged?"),
    sqlite3.SQLITE_CANTOPEN: ("can't be opened", "Is its folder there, and may it be written?"),
    sqlite3.SQLITE_BUSY: ("is in use by another program", "Try again when that has ended"),
    sqlite3.SQLITE_CORRUPT: ("is damaged", "Take a copy of it from before; nothing was changed"),
    sqlite3.SQLITE_NOTADB: ("is no gradebook", "Move it away, or choose another folder"),
    sqlite3.SQLITE_PERM: ("may not be opened", "Change its permissions, or copy it elsewhere"),
}
"""What a machine or a person can cause, by SQLite's code: the problem, and the remedy."""


SCARCE_BYTES = 64 << 10

OF_THE_FILE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
"""Causes that lie with another program or in the file itself."""


FOR_ANOTHER_TIME = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL}


class GradebookError(RecordError):
    """The gradebook can't be used, or was asked for something that contradicts it."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the file system does to the gradebook's file into a GradebookError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is None or (code & 0xFF) not in CAUSES:
            raise
        code = code if code in CAUSES else code & 0xFF
        if code == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < SCARCE_BYTES:
            code = sqlite3.SQLITE_FULL  # a file beside the gradebook could not grow
        problem, remedy = CAUSES[code]
        raise GradebookError(f"{path} {problem} ({error})", remedy) from error


def is_refusal(error: GradebookError) -> bool:
    """Whether the file system refuses to write, rather than another program or the file itself."""
    code = getattr(error.__cause__, "sqlite_errorcode", sqlite3.SQLITE_BUSY)
    return (code & 0xFF) in CAUSES.keys() - OF_THE_FILE


class Connection(sqlite3.Connection):
    """A connection whose errors say what befell which file. `path` is set once it is open."""

    path: Path

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """Run one statement."""
        with explained(self.path):
            return super().execute(*arguments)

    def executemany(self, statement: str, rows: Iterable[Any]) -> sqlite3.Cursor:
        """Run one statement for each row."""
        with explained(self.path):
            return super().executemany(statement, rows)


@contextmanager
def nothing_new_left(path: Path) -> Iterator[None]:
    """Make the folder of a gradebook; take folder and file away where it can't be set up in it."""
    folder = path.parent
    new_folder, new_file = not folder.exists(), not path.exists()
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        private_database(path)
    except OSError as error:
        raise GradebookError(f"{path} can't be opened: {error}") from error
    try:
        yield
    except GradebookError as error:
        # What is in use is another program's, and what holds anything is a gradebook.
        if new_file and is_refusal(error) and path.exists() and not path.stat().st_size:
            path.unlink()
        if new_folder and not any(folder.iterdir()):
            folder.rmdir()
        raise


def connect(path: Path) -> Connection:
    """Open a gradebook's file, or make an empty one. Raises GradebookError."""
    with explained(path):
        connection = sqlite3.connect(
            path, timeout=LOCK_SECONDS, isolation_level=None, factory=Connection
        )
    connection.path = path
    return connection


def give_back_space(connection: Connection) -> None:
    """Shorten a gradebook's file by the pages that are free in it, where there are many.

    That is left for another time where any other process is reading or writing: none waits for it,
    and it waits for none. It takes a moment at most.
    """
    free, pages = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("freelist_count", "page_count")
    )
    if free < max(FREE_PAGES, FREE_SHARE * pages) or pages - free > PAGES_AT_ONCE:
        return
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            return
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except GradebookError as error:
        # In use, or no room for a second copy: nothing has changed.
        if getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF not in FOR_ANOTHER_TIME:
            raise
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(1000 * LOCK_SECONDS)}")


def is_writable(path: Path) -> bool:
    """Whether a gradebook's file, and what SQLite puts beside it, can be written."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)


def in_memory(path: Path) -> Connection:
    """Return an empty gradebook in memory, which errors call by a path."""
    memory = sqlite3.connect(":memory:", isolation_level=None, factory=Connection)
    memory.path = path
    return memory


def snapshot(path: Path) -> Connection:
    """Return a copy in memory of a gradebook that can't be written; its folder stays as it is."""
    memory = in_memory(path)
    try:
        with explained(path), _source(path) as source:
            source.backup(memory)
    except sqlite3.DatabaseError as error:
        memory.close()
        problem = f"{path} can't be used as a gradebook: {error}"
        raise GradebookError(f"{problem}. Move it away, or choose another folder.") from error
    return memory


@contextmanager
def _source(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file to be copied.

    With nothing in a journal beside it, it is whole as it stands. Otherwise SQLite has to read that
    too: in place where another program is at work, which keeps an index in shared memory beside the
    file; and else in a copy, where SQLite can make that index.
    """
    with tempfile.TemporaryDirectory(prefix="gradebook.") as folder:
        while True:
            present = [journal for journal in _journals(path) if _size(journal)]
            mode = "mode=ro" if present else "mode=ro&immutable=1"
            if not present or Path(f"{path}-shm").exists():
                break
            try:
                for file in (path, *present):
                    shutil.copyfile(file, Path(folder) / file.name)
            except FileNotFoundError:  # the journal has just been taken away: look again
                if path.exists():
                    continue
                break
            path, mode = Path(folder) / path.name, "mode=rw"
            break
        address = f"{path.absolute().as_uri()}?{mode}"
        with closing(sqlite3.connect(address, uri=True, timeout=LOCK_SECONDS)) as connection:
            yield connection


def _journals(path: Path) -> list[Path]:
    return [Path(f"{path}{end}") for end in ("-wal", "-journal")]


def _size(path: Path) -> int:
    """Return a file's size in bytes; 0 for one that is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
