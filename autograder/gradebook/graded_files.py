"""The files of submissions as they were graded, kept beside the gradebook by fingerprint.

The gradebook itself knows submissions by their fingerprints alone. This store holds the modules
behind each of them once, compressed, however many students and runs had the same: so that what a
result was given for can be read again, also when the student has handed in something else since.
Documents are large and stay where they are; the store knows the class folders that were graded.
"""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from autograder.gradebook.opening import Connection, GradebookError, connect
from autograder.gradebook.private import private_database
from autograder.gradebook.submission import Submission

NAME = "graded_files.sqlite"
APPLICATION_ID = 0x4E4E4647
TABLES = (
    """CREATE TABLE files (
        fingerprint TEXT NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL,
        PRIMARY KEY (fingerprint, name)) WITHOUT ROWID""",
    "CREATE TABLE folders (path TEXT PRIMARY KEY, last REAL NOT NULL) WITHOUT ROWID",
    f"PRAGMA application_id = {APPLICATION_ID}",
    "PRAGMA user_version = 1",
)


def keep_files(gradebook: Path, submissions: Iterable[Submission]) -> None:
    """Keep the modules of submissions beside a gradebook's file. Raises GradebookError."""
    new = {one.fingerprint: one.files for one in submissions if one.files and not one.refusal}
    if not new:
        return
    with _writing(gradebook) as connection:
        kept = {row[0] for row in connection.execute("SELECT DISTINCT fingerprint FROM files")}
        rows = (
            (fingerprint, name, zlib.compress(content))
            for fingerprint, files in new.items()
            if fingerprint not in kept
            for name, content in files.items()
        )
        connection.executemany("INSERT INTO files VALUES (?, ?, ?)", rows)


def keep_folder(gradebook: Path, folder: Path) -> None:
    """Remember from where a class was graded. Raises GradebookError."""
    with _writing(gradebook) as connection:
        row = (str(folder.absolute()), time.time())
        connection.execute("INSERT OR REPLACE INTO folders VALUES (?, ?)", row)


def kept_folders(gradebook: Path) -> list[Path]:
    """Return the class folders and zip files that were graded and are still there, the last first.

    Raises GradebookError where the store is damaged.
    """
    rows = _read(gradebook, "SELECT path FROM folders ORDER BY last DESC", ())
    return [path for (name,) in rows if (path := Path(name)).exists()]


def kept_files(gradebook: Path, fingerprint: str) -> dict[str, bytes] | None:
    """Return the modules of a submission by name, as they were graded; None where none are kept.

    Raises GradebookError where the store is damaged.
    """
    path = gradebook.with_name(NAME)
    query = "SELECT name, content FROM files WHERE fingerprint = ? ORDER BY name"
    rows = _read(gradebook, query, (fingerprint,))
    try:
        files = {name: zlib.decompress(content) for name, content in rows}
    except zlib.error as error:
        raise GradebookError(f"{path} can't be read ({error})", "Move it away") from error
    if files and Submission("", files).fingerprint != fingerprint:
        raise GradebookError(f"{path} holds other files than were graded", "Move it away")
    return files or None


def _read(gradebook: Path, query: str, values: tuple[str, ...]) -> list[Any]:
    """Return a query's rows; none where there is no store."""
    path = gradebook.with_name(NAME)
    if not path.is_file():
        return []
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            return connection.execute(query, values).fetchall()
    except sqlite3.DatabaseError as error:
        raise GradebookError(f"{path} can't be read ({error})", "Move it away") from error


@contextmanager
def _writing(gradebook: Path) -> Iterator[Connection]:
    """Open the store, made if it is missing, and run the body as one transaction."""
    path = gradebook.with_name(NAME)
    try:
        private_database(path)
    except OSError as error:
        raise GradebookError(f"{path} can't be written: {error.strerror}") from error
    with closing(connect(path)) as connection:
        _prepare(connection)
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


def _prepare(connection: Connection) -> None:
    """Make the tables of an empty store. Raises GradebookError for a file that is another one."""
    connection.execute("BEGIN IMMEDIATE")
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application == 0 and not connection.execute("SELECT * FROM sqlite_master").fetchone():
        for statement in TABLES:
            connection.execute(statement)
    connection.execute("COMMIT")
    if application not in (0, APPLICATION_ID):
        raise GradebookError(f"{connection.path} is no store of graded files", "Move it away")
