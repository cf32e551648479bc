"""The layout of a tar archive, read strictly: one name and one size for each member.

A member's header has room for 100 characters of plain letters. For longer and other names there are
two kinds of headers before it, of POSIX and of GNU, which some programs don't read. So a name may
be said once more only where it has to be, and the short one must be no other file's.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from autograder.intake.admission import Refused
from autograder.text.display import one_line

BLOCK = tarfile.BLOCKSIZE
NAME_BYTES, PREFIX_BYTES = tarfile.LENGTH_NAME, tarfile.LENGTH_PREFIX
RECORD = re.compile(rb"(\d{1,10}) ([^=\n]+)=")
NUMBER = re.compile(rb"[ \0]*([0-7]*)[ \0]*")
LISTED = b"0\x007"
"""The types of plain files."""

WITHOUT_CONTENT = b"123456"
EXTENDED = b"xX"
FOR_ALL, LONG_NAME, LONG_LINK = b"gLK"
GZIP = b"\x1f\x8b"
MAX_HEADER_BYTES = 8 * 1024
"""Maximum size of one extended header. Parsing long ones can take minutes."""
TOO_LONG = "its headers are too long; pack it again as a usual zip archive"
PACK_AGAIN = "pack it again as a usual zip archive"


@dataclass
class _Said:
    """What the headers before a member say of it."""

    kinds: list[int] = field(default_factory=list)
    names: list[bytes] = field(default_factory=list)
    sizes: list[bytes] = field(default_factory=list)


class Chunks:
    """Chunks of bytes as a stream; `of` begins it anew each time, so that nothing is kept."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    @classmethod
    def of(cls, content: bytes, chunk_bytes: int) -> Chunks:
        """Return the content, unpacked where it is a gzip file, in pieces of at most that size."""
        if content.startswith(GZIP):
            return cls(_gunzipped(content, chunk_bytes))
        return cls(content[at : at + chunk_bytes] for at in range(0, len(content), chunk_bytes))

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, fewer only at the end; all of them for a negative size."""
        parts = []
        while size:
            if not self._rest and not (chunk := next(self._chunks, b"")):
                break
            self._rest = self._rest or chunk
            part = self._rest if size < 0 else self._rest[:size]
            parts.append(part)
            self._rest = self._rest[len(part) :]
            size -= len(part) if size > 0 else 0
        return b"".join(parts)

    def skip(self, size: int, chunk_bytes: int = 64 * 1024) -> None:
        """Pass over bytes."""
        while size > 0 and (passed := self.read(min(size, chunk_bytes))):
            size -= len(passed)


def _gunzipped(content: bytes, chunk_bytes: int) -> Iterator[bytes]:
    """Yield what a gzip file holds. Raises Refused, EOFError or zlib.error.

    Some programs read only the first of several gzip files behind each other, others all.
    """
    inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
    at = 0
    while not inflate.eof:
        rest = inflate.unconsumed_tail
        if not rest:
            rest, at = content[at : at + chunk_bytes], at + chunk_bytes
        part = inflate.decompress(rest, chunk_bytes)
        if part:
            yield part
        elif not rest and not inflate.eof:
            raise EOFError("its end is missing")
    if inflate.unused_data.strip(b"\0") or content[at:].strip(b"\0"):
        raise Refused(f"there is something behind its end; {PACK_AGAIN}")


def other_names(stream: Chunks) -> Iterator[tuple[str, ...]]:
    """Yield, for each member in its order, the other names that a program could read for it.

    Raises Refused for what two programs read differently, tarfile.ReadError for damage.
    """
    said = _Said()
    while any(header := stream.read(BLOCK)):
        size = _number(header[124:136])
        if len(header) < BLOCK or size is None or not _has_checksum(header):
            raise tarfile.ReadError("there is a header in it that can't be read")
        kind = header[156]
        if kind in (*EXTENDED, FOR_ALL, LONG_NAME, LONG_LINK):
            if size > MAX_HEADER_BYTES:
                raise Refused(TOO_LONG)
            body = stream.read(-(-size // BLOCK) * BLOCK)[:size]
            if kind in (*EXTENDED, FOR_ALL):
                _note_records(said, kind, body)
            else:
                said.kinds.append(kind)
                said.names += [body.split(b"\0")[0]] if kind == LONG_NAME else []
            continue
        yield _names_of(said, header, kind, size)
        said = _Said()
        stream.skip(0 if kind in WITHOUT_CONTENT else -(-size // BLOCK) * BLOCK)


def _note_records(said: _Said, kind: int, body: bytes) -> None:
    """Note a POSIX header: lines of a length, a key and a value."""
    said.kinds.append(kind)
    keys = set()
    at = 0
    while at < len(body) and body[at] != 0:
        match = RECORD.match(body, at)
        end = at + int(match[1]) if match else 0
        if match is None or end <= match.end() or end > len(body) or body[end - 1] != 0x0A:
            raise tarfile.ReadError("there is a header in it that can't be read")
        key, value = match[2], body[match.end() : end - 1]
        if key in keys:
            shown = one_line(key.decode("utf-8", "replace"), 40)
            raise Refused(f"a header says '{shown}' twice; {PACK_AGAIN}")
        keys.add(key)
        if kind == FOR_ALL and key in (b"path", b"size", b"linkpath"):
            raise Refused(f"a header gives all of its files one name or size; {PACK_AGAIN}")
        said.names += [value] if key == b"path" else []
        said.sizes += [value] if key == b"size" else []
        at = end


def _names_of(said: _Said, header: bytes, kind: int, size: int) -> tuple[str, ...]:
    """Check what is said of a member; return the name in its own header, if that is another."""
    short = _short_name(header)
    shown = f"'{one_line((said.names or [short])[-1].decode('utf-8', 'replace'), 80)}'"
    own_kinds = [one for one in said.kinds if one != FOR_ALL]
    if len(own_kinds) != len(set(own_kinds)) or len(said.names) > 1:
        raise Refused(f"it has several names for {shown}; {PACK_AGAIN}")
    if any(not one.isdigit() or int(one) != size for one in said.sizes):
        raise Refused(f"it says two different sizes of {shown}; {PACK_AGAIN}")
    if kind in WITHOUT_CONTENT and size:
        raise Refused(f"{shown} is no file and has content; {PACK_AGAIN}")
    if kind in LISTED and (said.names or [short])[-1].endswith(b"/") and kind != 0:
        raise Refused(f"{shown} is a file and a folder; {PACK_AGAIN}")
    if not said.names or said.names[0].rstrip(b"/") == short.rstrip(b"/"):
        return ()
    if _fits(said.names[0]):
        name = one_line(short.decode("utf-8", "replace"), 80)
        raise Refused(f"it has two names for a file, '{name}' and {shown}; {PACK_AGAIN}")
    return (short.decode("utf-8", "surrogateescape"),)


def _fits(name: bytes) -> bool:
    """Whether a name needs no header of its own."""
    name = name.rstrip(b"/")
    return len(name) <= NAME_BYTES and all(0x20 <= byte < 0x7F for byte in name)


def _short_name(header: bytes) -> bytes:
    name, prefix = header[:NAME_BYTES].split(b"\0")[0], b""
    if header[257:263] == b"ustar\0":
        prefix = header[345 : 345 + PREFIX_BYTES].split(b"\0")[0]
    return prefix + b"/" + name if prefix else name


def _number(text: bytes) -> int | None:
    """Return a header's number, None where it is none."""
    if text[0] & 0x80:
        return int.from_bytes(bytes([text[0] & 0x7F]) + text[1:], "big")
    match = NUMBER.fullmatch(text)
    return int(match[1] or b"0", 8) if match else None


def _has_checksum(header: bytes) -> bool:
    """Whether the sum of a header's bytes is right; old programs took them for signed ones."""
    summed = header[:148] + b" " * 8 + header[156:]
    signed = sum(summed) - 256 * sum(byte > 127 for byte in summed)
    return _number(header[148:156]) in (sum(summed), signed)
