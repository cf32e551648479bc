"""Members of folders and of zip and tar archives, read one by one, in memory.

Nothing is ever extracted to disk, and no member's name is ever opened as a path, except below a
folder, where links are not followed.
"""

from __future__ import annotations

import io
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

from autograder.intake.admission import (
    MAX_ARCHIVE_BYTES,
    MAX_SCANNED,
    TOO_LARGE,
    FileType,
    Member,
    Refused,
    clean_path,
    installed,
    is_undecodable,
)
from autograder.intake.tar_layout import MAX_HEADER_BYTES, TOO_LONG, Chunks, other_names
from autograder.intake.zip_layout import Layout, layouts, unpacked
from autograder.text.display import one_line

MAX_HEADERS_BYTES = 1024 * 1024
"""Maximum size of all extended headers of a tar archive together."""
CHUNK_BYTES = 64 * 1024

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
"""The exceptions that zipfile, tarfile and gzip raise for a damaged archive."""


def read_folder(folder: Path) -> Iterator[Member]:
    """Yield all members below a folder, sorted by name; links are not followed."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield from _walk(handle, "")
    finally:
        os.close(handle)


def _walk(folder: int, prefix: str) -> Iterator[Member]:
    """Walk an open folder. Admission refuses deep trees before this recursion gets deep."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        mode = os.lstat(name, dir_fd=folder).st_mode
        if stat.S_ISREG(mode):
            kind = FileType.FILE
        elif stat.S_ISDIR(mode):
            kind = FileType.FOLDER
        else:
            kind = FileType.LINK if stat.S_ISLNK(mode) else FileType.SPECIAL
        path = prefix + name

        def chunks(name: str = name) -> Iterator[bytes]:
            return file_chunks(name, folder)

        yield Member(path, kind, chunks)
        if kind is FileType.FOLDER and _is_entered(path):
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            try:
                yield from _walk(inner, path + "/")
            finally:
                os.close(inner)


def _is_entered(path: str) -> bool:
    """Whether what lies in a folder is looked at."""
    return is_undecodable(path) or (clean_path(path) is not None and not installed(path))


def file_chunks(name: str | Path, folder: int | None = None) -> Iterator[bytes]:
    """Yield a regular file's content; no link is followed, and a pipe in its place can't block."""
    with open_plain(name, folder) as stream:
        yield from _stream_chunks(stream)


def open_plain(name: str | Path, folder: int | None = None) -> io.FileIO:
    """Open a regular file. Raises Refused for anything else."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    stream = io.FileIO(os.open(name, flags, dir_fd=folder), "rb")
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise Refused(f"'{one_line(os.path.basename(name))}' is not a plain file")
    return stream


class _Readable(Protocol):
    """A stream of bytes, of whichever module."""

    def read(self, size: int, /) -> bytes: ...


def _stream_chunks(stream: _Readable) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def read_archive(name: str, chunks: Iterable[bytes]) -> Iterator[Member]:
    """Yield the members of an archive, whose format is told by its first bytes, not its name."""
    stream = io.BytesIO()
    for chunk in chunks:
        stream.write(chunk)
        if stream.tell() > MAX_ARCHIVE_BYTES:
            limit = MAX_ARCHIVE_BYTES // 1024 // 1024
            raise Refused(f"the archive is larger than {limit} MB; leave data and results out")
    content = stream.getvalue()  # not a copy: CPython shares it until the stream is written to
    if not content:
        raise Refused("the archive is empty (0 bytes); hand it in again")
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return read_zip(stream)
    is_tar = content.startswith(b"\x1f\x8b") or content[257:262] == b"ustar"
    if name.lower().endswith(".zip") and not is_tar:
        raise Refused("this is not a zip archive; pack your files again")
    stream.seek(0)
    return read_tar(stream)


def read_zip(stream: io.BytesIO) -> Iterator[Member]:
    """Yield the members of a zip archive. Raises Refused, or one of DAMAGE."""
    # Counted before zipfile makes an object of each, whatever the directory's own count says.
    if stream.getvalue().count(b"PK\x01\x02") > MAX_SCANNED:
        raise Refused(f"it has more than {MAX_SCANNED} entries; hand in your own files only")
    content = stream.getvalue()
    with zipfile.ZipFile(stream) as archive:
        infos = archive.infolist()
        members = layouts(content)
        if [info.header_offset for info in infos] != [one.offset for one in members]:
            raise Refused("its list of contents can be read in two ways; pack it again")
        for info, layout in zip(infos, members, strict=True):
            chunks = partial(_zip_content, info, content, layout)
            yield Member(zip_name(info), _zip_kind(info), chunks, packed=True)


def zip_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name as it was written: zipfile cuts `filename` at the first NUL."""
    return info.orig_filename if "\0" in info.orig_filename else info.filename


def zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Member:
    """Return one member of a class's open zip archive under the given name."""
    return Member(name, _zip_kind(info), _zip_chunks(archive, info))


def _zip_kind(info: zipfile.ZipInfo) -> FileType:
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode == stat.S_IFLNK:
        return FileType.LINK
    if mode in (stat.S_IFIFO, stat.S_IFSOCK):
        return FileType.PIPE
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        return FileType.SPECIAL
    return FileType.FOLDER if info.is_dir() else FileType.FILE


def _zip_chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], Iterator[bytes]]:
    def chunks() -> Iterator[bytes]:
        _demand_usual(info)
        with archive.open(info) as stream:
            yield from _stream_chunks(stream)

    return chunks


def _zip_content(info: zipfile.ZipInfo, content: bytes, layout: Layout) -> Iterator[bytes]:
    _demand_usual(info)
    yield from unpacked(content, layout, CHUNK_BYTES)


def _demand_usual(info: zipfile.ZipInfo) -> None:
    """Refuse a member that is packed in an unusual way."""
    shown = one_line(info.filename, 80)
    if info.flag_bits & 0x1:
        raise Refused(f"'{shown}' is protected by a password; pack it again without one")
    # The other methods inflate a whole block at once, whatever its size.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        problem = f"'{shown}' is packed by an unusual compression"
        raise Refused(f"{problem}; pack it again as a usual zip archive")


def read_tar(stream: io.BytesIO) -> Iterator[Member]:
    """Yield the members of a tar archive, gzipped or not. Raises Refused, or one of DAMAGE."""
    content = stream.getvalue()
    names = other_names(Chunks.of(content, CHUNK_BYTES))
    counted = _CountedStream(Chunks.of(content, CHUNK_BYTES))
    # A stream ("r|") only ever goes forward, so every byte is counted, headers too.
    end = 0
    with tarfile.open(
        fileobj=counted, mode="r|", encoding="utf-8", tarinfo=_limited_headers()
    ) as archive:
        for info in archive:
            chunks, others = _tar_chunks(archive, info), next(names, ())
            yield Member(info.name, _tar_kind(info), chunks, packed=True, other_names=others)
        end = archive.offset
    counted.finish(end)
    if next(names, None) is not None:
        raise Refused("it can be read in two ways; pack it again as a usual zip archive")


def _limited_headers() -> type[tarfile.TarInfo]:
    """Return a TarInfo class for reading one archive; it refuses long extended headers."""
    total = 0

    class Header(tarfile.TarInfo):
        def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
            # The hook that tarfile offers to subclasses. A member that is no regular file is a
            # header whose body gets parsed, or a link or device without one.
            nonlocal total
            if self.type not in tarfile.REGULAR_TYPES:
                total += self.size
                if self.size > MAX_HEADER_BYTES or total > MAX_HEADERS_BYTES:
                    raise Refused(TOO_LONG)
            return super()._proc_member(archive)  # type: ignore[misc]  # typeshed leaves it out

    return Header


class _CountedStream(io.BufferedIOBase):
    """A stream that raises Refused beyond MAX_ARCHIVE_BYTES and checks how the archive ends."""

    def __init__(self, stream: _Readable) -> None:
        self._stream = stream
        self._count = 0
        self._content_end = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = self._stream.read(-1 if size is None else size)
        if self._count + len(data) > MAX_ARCHIVE_BYTES:
            limit = MAX_ARCHIVE_BYTES >> 20
            raise Refused(f"{TOO_LARGE.format(limit)}; leave data and results out")
        content = data.rstrip(b"\0")
        if content:
            self._content_end = self._count + len(content)
        self._count += len(data)
        return data

    def finish(self, end: int) -> None:
        """Read to the end and check that only zeros, and a block of them, follow the last member.

        tarfile takes a cut between two members, and a header that it can't read, for the end.
        """
        while self.read(CHUNK_BYTES):
            pass
        if self._count < end + tarfile.BLOCKSIZE:
            raise EOFError("the end of the archive is missing")
        if self._content_end > end:
            raise EOFError("there is a header in it that can't be read")


def _tar_kind(info: tarfile.TarInfo) -> FileType:
    if info.issym() or info.islnk():
        return FileType.LINK
    if info.isdir():
        return FileType.FOLDER
    if info.isfifo() or info.sparse is not None:
        return FileType.PIPE
    plain = info.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
    return FileType.FILE if plain else FileType.SPECIAL


def _tar_chunks(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], Iterator[bytes]]:
    def chunks() -> Iterator[bytes]:
        stream = archive.extractfile(info)
        if stream is None:
            raise Refused(f"'{one_line(info.name)}' is not a plain file")
        with stream:
            yield from _stream_chunks(stream)

    return chunks
