"""The files and folders at the top of a class's directory or zip file, read lazily."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.errors import InputError
from autograder.intake.admission import MAX_NAME_CHARACTERS, FileType, Member, Refused, is_leftover
from autograder.intake.archives import (
    DAMAGE,
    file_chunks,
    open_plain,
    read_folder,
    zip_member,
    zip_name,
)
from autograder.text.display import one_line

MAX_CLASS_BYTES = 4 * 1024**3
MAX_CLASS_ENTRIES = 20_000
MAX_DIRECTORY_BYTES = MAX_CLASS_ENTRIES * 1024
"""Maximum size of the central directory at a zip file's end, which is read whole."""

_END = struct.Struct("<4s4H2IH")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_BYTES = 20
_MAX_COMMENT_BYTES = 0xFFFF


class IntakeError(InputError):
    """The submissions as a whole can't be used: which, why, and what to do."""


@dataclass(frozen=True)
class ClassEntry:
    """One file or folder of a class. `chunks` reads a file, `members` and `inside` a folder.

    `members` yields all that is below the folder, by relative paths; `inside` returns the entries
    directly in it. A link is an entry too and is never followed.
    """

    name: str
    kind: FileType
    chunks: Callable[[], Iterator[bytes]]
    members: Callable[[], Iterator[Member]]
    inside: Callable[[], list[ClassEntry]]


@contextmanager
def open_class(path: Path) -> Iterator[tuple[list[ClassEntry], list[str]]]:
    """Yield the entries at the top of a class's directory or zip file, sorted by name.

    The second list has the names of members that lead out of the zip file; they belong to nobody.
    Nothing is written. Raises IntakeError where the class can't be read at all.
    """
    with ExitStack() as stack:
        try:
            if path.is_dir():
                entries, unsafe_names = _directory(path), list[str]()
            else:
                stream = stack.enter_context(open_plain(path))
                archive = stack.enter_context(_open_zip(path, stream))
                entries, unsafe_names = _zip_entries(archive)
        except (OSError, Refused) as error:
            reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
            if path.is_symlink():
                reason = "it is a link"
            problem = f"the submissions can't be read: {path}: {reason}"
            raise IntakeError(f"{problem}. Give a directory or one zip file.") from error
        yield entries, unsafe_names


def _directory(path: Path) -> list[ClassEntry]:
    return [_entry(path / name) for name in sorted(os.listdir(path)) if _is_wanted(name)]


def _is_wanted(name: str) -> bool:
    return not name.startswith(".") and not is_leftover(name)


def _entry(path: Path) -> ClassEntry:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        kind = FileType.LINK
    elif stat.S_ISDIR(mode):
        kind = FileType.FOLDER
    else:
        kind = FileType.FILE if stat.S_ISREG(mode) else FileType.SPECIAL
    return ClassEntry(
        path.name,
        kind,
        lambda: file_chunks(path),
        lambda: read_folder(path),
        lambda: _directory(path) if kind is FileType.FOLDER else [],
    )


def _open_zip(path: Path, stream: io.FileIO) -> zipfile.ZipFile:
    size = os.fstat(stream.fileno()).st_size
    if size > MAX_CLASS_BYTES:
        limit = MAX_CLASS_BYTES // 1024**3
        raise IntakeError(f"{path} is larger than {limit} GB. Unpack it and give the directory.")
    if os.pread(stream.fileno(), 4, 0) not in (b"PK\x03\x04", b"PK\x05\x06"):
        problem = f"{path} is neither a directory nor a zip file"
        raise IntakeError(f"{problem}. Give the zip file as it was downloaded, or unpack it.")
    damage = f"{path} is damaged or incomplete. Download it again"
    try:
        count = _count_entries(stream.fileno(), size)
        if count > MAX_CLASS_ENTRIES:
            problem = f"{path} has more than {MAX_CLASS_ENTRIES} entries"
            raise IntakeError(f"{problem}. Unpack it and give the directory.")
        return zipfile.ZipFile(stream)
    except DAMAGE as error:
        raise IntakeError(f"{damage} ({one_line(str(error), 120)}).") from error


def _count_entries(handle: int, size: int) -> int:
    """Count the entries of a zip file before zipfile makes an object of each.

    The number that the file itself gives is not trusted.
    """
    tail_size = min(size, _MAX_COMMENT_BYTES + _END.size + _END_64.size + _LOCATOR_BYTES)
    tail = os.pread(handle, tail_size, size - tail_size)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0:
        raise zipfile.BadZipFile("its end is missing")
    length = _END.unpack_from(tail, end)[5]
    end_64 = end - _LOCATOR_BYTES - _END_64.size
    if end_64 >= 0 and tail.startswith(b"PK\x06\x07", end - _LOCATOR_BYTES):
        length, end = _END_64.unpack_from(tail, end_64)[8], end_64
    start = size - tail_size + end - length
    if length > MAX_DIRECTORY_BYTES:
        return MAX_CLASS_ENTRIES + 1
    if start < 0:
        raise zipfile.BadZipFile("its list of contents is cut off")
    return os.pread(handle, length, start).count(b"PK\x01\x02")


def _zip_entries(archive: zipfile.ZipFile) -> tuple[list[ClassEntry], list[str]]:
    """Return the entries at the top of a zip file, and the names that lead out of it."""
    members, unsafe_names = [], []
    for info in archive.infolist():
        name = zip_name(info)
        member = zip_member(archive, info, name)
        first = name.split("/")[0]
        leads_away = not first or first == ".." or "\\" in first
        if leads_away or len(first) > MAX_NAME_CHARACTERS:
            unsafe_names.append(name)
        else:
            members.append(member)
    return _grouped(members), unsafe_names


def _grouped(members: Sequence[Member]) -> list[ClassEntry]:
    """Group members of a zip file into entries by the first part of their paths."""
    files: list[Member] = []
    folders: dict[str, list[Member]] = {}
    for member in members:
        name, slash, rest = member.name.partition("/")
        if name == "." and rest:
            name, slash, rest = rest.partition("/")
        if not name or not _is_wanted(name):
            continue
        if slash or member.kind is FileType.FOLDER:
            below = folders.setdefault(name, [])
            if rest:
                below.append(replace(member, name=rest))
        else:
            files.append(replace(member, name=name))
    entries = [_zipped_file(member) for member in files]
    entries += [_zipped_folder(name, below) for name, below in folders.items()]
    return sorted(entries, key=lambda entry: entry.name)


def _zipped_file(member: Member) -> ClassEntry:
    return ClassEntry(member.name, member.kind, member.chunks, lambda: iter(()), list)


def _zipped_folder(name: str, below: Sequence[Member]) -> ClassEntry:
    # Sorted as a directory is walked, whatever order they were packed in.
    ordered = sorted(below, key=lambda member: member.name.split("/"))
    return ClassEntry(
        name, FileType.FOLDER, lambda: iter(()), lambda: iter(ordered), lambda: _grouped(ordered)
    )
