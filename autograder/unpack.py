"""Folders and archives read member by member, in memory, through one gatekeeper of limits.

Nothing is ever extracted to disk and no name of a member is ever opened as a path, except below a
folder, where links are not followed.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from autograder.display import one_line

MAX_FILES = 2_000
MAX_SCANNED = 20_000
"""Members of an archive that are looked at, those that are silently skipped included."""
MAX_BYTES = 64 * 1024 * 1024
"""Both an archive itself and all that comes out of it."""
MAX_FILE_BYTES = 1024 * 1024
"""One module of an assignment."""
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""One document of an assignment: a photograph or a scan, which is never opened."""
MAX_HEADER_BYTES = 8 * 1024
MAX_HEADERS_BYTES = 1024 * 1024
"""Extended headers of a tar archive, one and all together: parsing long ones can take minutes."""
MAX_DEPTH = 32
MAX_NAME = 1_000
CHUNK = 64 * 1024

_FROM_SYSTEMS = ("__MACOSX", ".DS_Store", "Icon\r", "Thumbs.db", "desktop.ini")
_FROM_TOOLS = (".git", ".venv", "venv", "env", "node_modules", ".idea", ".vscode")
_CACHES = ("__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache", ".mypy_cache")
LEFTOVERS = frozenset((*_FROM_SYSTEMS, *_FROM_TOOLS, *_CACHES))
"""What systems and tools leave in every folder; skipped without a word."""

DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ArithmeticError,
    LookupError,
    RuntimeError,
    ValueError,
)
"""What zipfile, tarfile and gzip raise on bytes that are not what they should be."""


class Refused(Exception):
    """A submission that is not taken. The message says why and what the student can do."""


class Kind(Enum):
    """What a member is. Only files are ever read."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    SPECIAL = "device, pipe or other special file"


@dataclass(frozen=True)
class Member:
    """One member of a source, its name as found there. `chunks` reads it, piece by piece."""

    name: str
    kind: Kind
    chunks: Callable[[], Iterator[bytes]]


class Gate:
    """Judges every member of one submission and keeps the files that are wanted.

    `room` says how many bytes the file at a path may have, 0 where it isn't wanted. `files` maps a
    kept file's path to its bytes, or to None where it is larger. `ignored` lists the other files,
    `unfollowed` the links and special files of a folder. In an archive (`archive=True`) those are
    a refusal, and every file is inflated and counted; in a folder, files that aren't wanted are
    not read.
    """

    def __init__(self, room: Callable[[str], int], *, archive: bool) -> None:
        self.files: dict[str, bytes | None] = {}
        self.ignored: list[str] = []
        self.unfollowed: list[str] = []
        self._room = room
        self._archive = archive
        self._seen: dict[str, str] = {}
        self._scanned = 0
        self._bytes = 0

    def pass_through(self, member: Member) -> None:
        """Take one member. Raises Refused where it, or what has come so far, is not acceptable."""
        self._scanned += 1
        if self._scanned > MAX_SCANNED:
            raise Refused(f"it has more than {MAX_SCANNED} entries; hand in your own files only")
        path = clean_path(member.name)
        if path is None:
            return
        if member.kind in (Kind.LINK, Kind.SPECIAL):
            if self._archive:
                problem = f"'{one_line(path)}' is a {member.kind.value}"
                raise Refused(f"{problem}; pack plain files and folders only")
            self.unfollowed.append(path)
            return
        self._register(path, member.kind)
        if member.kind is Kind.FILE:
            self._read(path, member)

    def _register(self, path: str, kind: Kind) -> None:
        """Count the member and refuse two names that some file systems hold to be one."""
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
        if key in self._seen and kind is Kind.FILE:
            if self._seen[key] == path:
                raise Refused(f"it holds '{one_line(path)}' twice; remove one")
            names = f"'{one_line(self._seen[key])}' and '{one_line(path)}'"
            raise Refused(f"the names {names} are the same on some machines; rename one")
        self._seen.setdefault(key, path)
        if len(self._seen) > MAX_FILES:
            raise Refused(f"it has more than {MAX_FILES} files; hand in your own files only")

    def _read(self, path: str, member: Member) -> None:
        room = self._room(path)
        if not room:
            self.ignored.append(path)
            if not self._archive:
                return
        kept = bytearray()
        size = 0
        for chunk in member.chunks():
            self._bytes += len(chunk)
            size += len(chunk)
            if self._bytes > MAX_BYTES:
                limit = MAX_BYTES // 1024 // 1024
                raise Refused(f"it holds more than {limit} MB; leave data and results out")
            if size <= room:
                kept += chunk
        if room:
            self.files[path] = bytes(kept) if size <= room else None


def clean_path(name: str) -> str | None:
    """Return a member's name as a relative path with "/", or None for what is skipped silently.

    Raises Refused for a name that leads out of the submission or can't be shown or compared.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or any(part in LEFTOVERS or part.startswith("._") for part in parts):
        return None
    shown = one_line(name, 100)
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name):
        raise Refused(f"the file name '{shown}' has characters that can't be read; rename it")
    if name.startswith("/") or ".." in parts or "\\" in name or re.match("[A-Za-z]:", name):
        problem = f"the name '{shown}' leads, or could lead, out of the submission"
        raise Refused(f"{problem}; pack your folder again with relative names and '/'")
    if len(name) > MAX_NAME or len(parts) > MAX_DEPTH:
        raise Refused(f"the name '{shown}' is too long or in too many folders")
    return "/".join(parts)


def read_folder(folder: Path) -> Iterator[Member]:
    """Yield what is below a folder, in the order of names; no link is followed on the way."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield from _walk(handle, "")
    finally:
        os.close(handle)


def _walk(folder: int, prefix: str) -> Iterator[Member]:
    """Walk an open folder. The gate refuses deep trees before this recursion gets deep."""
    with os.scandir(folder) as found:
        names = sorted(entry.name for entry in found)
    for name in names:
        mode = os.lstat(name, dir_fd=folder).st_mode
        if stat.S_ISREG(mode):
            kind = Kind.FILE
        elif stat.S_ISDIR(mode):
            kind = Kind.FOLDER
        else:
            kind = Kind.LINK if stat.S_ISLNK(mode) else Kind.SPECIAL
        path = prefix + name

        def chunks(name: str = name) -> Iterator[bytes]:
            return _file_chunks(name, folder)

        yield Member(path, kind, chunks)
        if kind is Kind.FOLDER and clean_path(path) is not None:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            try:
                yield from _walk(inner, path + "/")
            finally:
                os.close(inner)


def _file_chunks(name: str | Path, folder: int | None = None) -> Iterator[bytes]:
    """Read a regular file; no link is followed, and a pipe put in its place can't block."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with open(os.open(name, flags, dir_fd=folder), "rb", buffering=0) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise Refused(f"'{one_line(str(name))}' is not a plain file")
        yield from _stream_chunks(stream)


def _stream_chunks(stream: io.RawIOBase | gzip.GzipFile | io.BufferedIOBase) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def read_archive(path: Path) -> Iterator[Member]:
    """Yield the members of an archive. Its first bytes say of which kind it is, not its name."""
    data = bytearray()
    for chunk in _file_chunks(path):
        data += chunk
        if len(data) > MAX_BYTES:
            limit = MAX_BYTES // 1024 // 1024
            raise Refused(f"the archive is larger than {limit} MB; leave data and results out")
    content = bytes(data)
    if not content:
        raise Refused("the archive is empty (0 bytes); hand it in again")
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return read_zip(content)
    is_tar = content.startswith(b"\x1f\x8b") or content[257:262] == b"ustar"
    if path.suffix.lower() == ".zip" and not is_tar:
        raise Refused("this is not a zip archive; pack your files again")
    return read_tar(content)


def read_zip(content: bytes) -> Iterator[Member]:
    """Yield the members of a zip archive. Raises Refused, or one of DAMAGE."""
    # Counted before zipfile makes an object of each, whatever the directory's own count says.
    if content.count(b"PK\x01\x02") > MAX_SCANNED:
        raise Refused(f"it has more than {MAX_SCANNED} entries; hand in your own files only")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            # zipfile cuts `filename` at the first NUL; `orig_filename` is what was written.
            name = info.orig_filename if "\0" in info.orig_filename else info.filename
            yield Member(name, _zip_kind(info), _zip_chunks(archive, info))


def _zip_kind(info: zipfile.ZipInfo) -> Kind:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode == stat.S_IFLNK:
        return Kind.LINK
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        return Kind.SPECIAL
    return Kind.FOLDER if info.is_dir() else Kind.FILE


def _zip_chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], Iterator[bytes]]:
    def chunks() -> Iterator[bytes]:
        if info.flag_bits & 0x1:
            raise Refused("it is protected by a password; pack it again without one")
        # The other methods inflate a whole block at once, whatever its size.
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused("it uses an unusual compression; pack it again as a usual zip archive")
        with archive.open(info) as stream:
            yield from _stream_chunks(stream)

    return chunks


def read_tar(content: bytes) -> Iterator[Member]:
    """Yield the members of a tar archive, gzipped or not. Raises Refused, or one of DAMAGE."""
    raw: io.BytesIO | gzip.GzipFile = io.BytesIO(content)
    if content.startswith(b"\x1f\x8b"):
        raw = gzip.GzipFile(fileobj=raw)
    counted = _Counted(raw)
    # A stream ("r|") only ever goes forward, so every inflated byte is counted, headers too.
    with tarfile.open(
        fileobj=counted, mode="r|", encoding="utf-8", tarinfo=_limited_headers()
    ) as archive:
        for info in archive:
            yield Member(info.name, _tar_kind(info), _tar_chunks(archive, info))
    counted.finish()


def _limited_headers() -> type[tarfile.TarInfo]:
    """Return the class that tarfile makes one archive's headers with; it refuses long ones."""
    total = 0

    class Header(tarfile.TarInfo):
        def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
            # The hook that tarfile offers to subclasses. Whatever is no plain type is a header
            # whose body gets parsed, or a link or device without one.
            nonlocal total
            if self.type not in tarfile.REGULAR_TYPES:
                total += self.size
                if self.size > MAX_HEADER_BYTES or total > MAX_HEADERS_BYTES:
                    raise Refused("its headers are too long; pack it again as a usual zip archive")
            return super()._proc_member(archive)

    return Header


class _Counted:
    """A stream that refuses to give more than MAX_BYTES and knows how it ended."""

    def __init__(self, stream: io.BytesIO | gzip.GzipFile) -> None:
        self._stream = stream
        self._count = 0
        self._tail = b""

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._count += len(data)
        if self._count > MAX_BYTES:
            limit = MAX_BYTES // 1024 // 1024
            raise Refused(f"it holds more than {limit} MB; leave data and results out")
        self._tail = (self._tail + data)[-tarfile.BLOCKSIZE :]
        return data

    def finish(self) -> None:
        """Read to the end and check it: tarfile takes a cut between two members for the end."""
        while self.read(CHUNK):
            pass
        if self._tail.strip(b"\0"):
            raise EOFError("the end of the archive is missing")


def _tar_kind(info: tarfile.TarInfo) -> Kind:
    if info.issym() or info.islnk():
        return Kind.LINK
    if info.isdir():
        return Kind.FOLDER
    plain = info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and info.sparse is None
    return Kind.FILE if plain else Kind.SPECIAL


def _tar_chunks(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], Iterator[bytes]]:
    def chunks() -> Iterator[bytes]:
        stream = archive.extractfile(info)
        if stream is None:
            raise Refused(f"'{one_line(info.name)}' is not a plain file")
        with stream:
            yield from _stream_chunks(stream)

    return chunks
