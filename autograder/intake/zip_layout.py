"""The layout of a zip archive, read strictly: every byte belongs to one member or to the directory.

A zip archive says most things twice: before each member and in the directory at its end. Programs
believe one or the other, and search for the end in different ways. An archive that a person sees
as one thing and the grader as another is refused; what usual programs write leaves no such room.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from autograder.intake.admission import Refused
from autograder.text.display import one_line

LOCAL, ENTRY = struct.Struct("<4s5H3I2H"), struct.Struct("<4s6H3I5H2I")
END, END_64, LOCATOR = (
    struct.Struct("<4s4H2IH"),
    struct.Struct("<4sQ2H2I4Q"),
    struct.Struct("<4sIQI"),
)
SIGNATURES = (b"PK\5\6", b"PK\6\6", b"PK\6\7")
ENCRYPTED, SIZES_FOLLOW, UTF8 = 0x1, 0x8, 0x800
ESSENTIAL = ENCRYPTED | SIZES_FOLLOW | UTF8 | 0x20 | 0x40 | 0x2000
"""The flags that say how a member is read: encrypted, streamed, UTF-8, patched, masked."""

ZIP64, UNICODE_PATH = 0x0001, 0x7075
OTHER_NAMES = (0x2605, 0x2705, 0x2805)
"""Extra fields of old Macintosh programs that hold a name as well."""

MAX_16, MAX_32 = 0xFFFF, 0xFFFFFFFF
DOS_FOLDER = 0x10
PACK_AGAIN = "pack it again as a usual zip archive"


@dataclass(frozen=True)
class Layout:
    """Where a member and its packed content begin, and what both headers say of it."""

    name: str
    offset: int
    method: int
    crc: int
    start: int
    packed_size: int
    size: int


@dataclass(frozen=True)
class _Entry:
    """A member as the directory describes it."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed_size: int
    size: int
    offset: int
    attributes: int

    @property
    def name(self) -> str:
        encoding = "utf-8" if self.flags & UTF8 else "cp437"
        return self.raw_name.decode(encoding, "replace")

    @property
    def shown(self) -> str:
        return f"'{one_line(self.name, 80)}'"


def layouts(content: bytes) -> list[Layout]:
    """Return the members of an archive in the order of its directory.

    Raises Refused for what two programs could read differently, zipfile.BadZipFile for an archive
    that is cut off.
    """
    first, last, count = _directory(content)
    entries = list(_entries(content, first, last, count))
    found: dict[int, Layout] = {}
    at = 0
    for entry in sorted(entries, key=lambda one: one.offset):
        if entry.offset != at:
            raise Refused(_gap(at, entry, found))
        layout, at = _member(content, entry, first)
        found[entry.offset] = layout
    if at != first:
        problem = "there is something in it that its list of contents does not have"
        raise Refused(f"{problem}; {PACK_AGAIN}")
    return [found[entry.offset] for entry in entries]


def _gap(at: int, entry: _Entry, before: Mapping[int, Layout]) -> str:
    if not before:
        return "there is something before its first file; pack it again"
    if entry.offset < at:
        last = one_line(before[max(before)].name, 80)
        return f"its files '{last}' and {entry.shown} overlap; pack it again"
    problem = f"there is something before {entry.shown} that its list of contents does not have"
    return f"{problem}; {PACK_AGAIN}"


# The end and the directory


def _directory(content: bytes) -> tuple[int, int, int]:
    """Return where the directory begins and ends, and how many members it has."""
    at = content.rfind(SIGNATURES[0])
    if at < 0 or at + END.size > len(content):
        raise zipfile.BadZipFile("its end is missing")
    _, *fields, comment = END.unpack_from(content, at)
    if at + END.size + comment != len(content):
        raise Refused(f"its end is not where it says; {PACK_AGAIN}")
    if any(content.find(signature, at + 4) >= 0 for signature in SIGNATURES):
        raise Refused(f"its comment looks like the end of an archive; {PACK_AGAIN}")
    last, told = at, tuple(fields)
    locator = at - LOCATOR.size
    if locator >= 0 and content.startswith(SIGNATURES[2], locator):
        last, told = _end_64(content, locator, told)
    disk, first_disk, here, count, length, first = told
    if (disk, first_disk) != (0, 0) or here != count:
        raise Refused(f"it is one of several parts; {PACK_AGAIN}")
    if first + length != last:
        if first + length > last:
            raise zipfile.BadZipFile("its list of contents is cut off")
        raise Refused(f"there is something before its first file or its list; {PACK_AGAIN}")
    if content.rfind(SIGNATURES[0], first, at) >= 0:
        raise Refused(f"it has two ends; {PACK_AGAIN}")
    return first, last, count


def _end_64(content: bytes, locator: int, told: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Return where the directory ends and what the end says, by its version of 64 bits."""
    _, disk, at, disks = LOCATOR.unpack_from(content, locator)
    if at + END_64.size != locator or not content.startswith(SIGNATURES[1], at):
        raise Refused(f"its end is not where it says; {PACK_AGAIN}")
    _, length, _, _, *now = END_64.unpack_from(content, at)
    limits = (MAX_16, MAX_16, MAX_16, MAX_16, MAX_32, MAX_32)
    agrees = all(old in (new, limit) for old, new, limit in zip(told, now, limits, strict=True))
    if not agrees or disk or disks > 1 or length != END_64.size - 12:
        raise Refused(f"its two ends contradict each other; {PACK_AGAIN}")
    return at, tuple(now)


def _entries(content: bytes, first: int, last: int, count: int) -> Iterator[_Entry]:
    at = first
    for _ in range(count):
        if at + ENTRY.size > last or not content.startswith(b"PK\1\2", at):
            raise Refused(f"its list of contents is not as long as it says; {PACK_AGAIN}")
        fields = ENTRY.unpack_from(content, at)
        (flags, method), (crc, packed, size) = fields[3:5], fields[7:10]
        names, extras, comment, disk, _, attributes, offset = fields[10:]
        at += ENTRY.size
        raw_name, extra = content[at : at + names], content[at + names : at + names + extras]
        at += names + extras + comment
        entry = _Entry(raw_name, flags, method, crc, packed, size, offset, attributes)
        found = _extra_fields(extra, entry)
        sizes = _sizes_64(found.get(ZIP64), (size, packed, offset), entry)
        if disk not in (0, MAX_16) or at > last:
            raise Refused(f"its list of contents is not as long as it says; {PACK_AGAIN}")
        yield _Entry(raw_name, flags, method, crc, sizes[1], sizes[0], sizes[2], attributes)
    if at != last:
        raise Refused(f"its list of contents is not as long as it says; {PACK_AGAIN}")


# Members


def _member(content: bytes, entry: _Entry, limit: int) -> tuple[Layout, int]:
    """Check a member's own header; return its layout, and where the next one has to begin."""
    at = entry.offset
    if at + LOCAL.size > limit or not content.startswith(b"PK\3\4", at):
        raise zipfile.BadZipFile(f"there is no file where {entry.shown} should be")
    fields = LOCAL.unpack_from(content, at)
    (flags, method), (crc, packed, size) = fields[2:4], fields[6:9]
    names, extras = fields[9:11]
    start = at + LOCAL.size + names + extras
    raw_name, extra = content[at + LOCAL.size : start - extras], content[start - extras : start]
    local = _Entry(raw_name, flags, method, crc, packed, size, at, entry.attributes)
    found = _extra_fields(extra, local)
    size, packed, _ = _sizes_64(found.get(ZIP64), (size, packed, 0), local)
    streamed = bool(flags & SIZES_FOLLOW)
    told, known = (crc, packed, size), (entry.crc, entry.packed_size, entry.size)
    same = raw_name == entry.raw_name and method == entry.method
    same &= not (flags ^ entry.flags) & ESSENTIAL
    same &= told == known or (
        streamed and all(a in (0, b) for a, b in zip(told, known, strict=True))
    )
    _demand(same, entry)
    end = start + entry.packed_size
    if end > limit:
        raise zipfile.BadZipFile(f"{entry.shown} is cut off")
    if streamed:
        end += _descriptor(content, end, entry)
    _demand_kind(entry)
    return Layout(entry.name, at, method, entry.crc, start, entry.packed_size, entry.size), end


def _demand(same: bool, entry: _Entry) -> None:
    if not same:
        raise Refused(
            f"it says two different things of {entry.shown}; it is damaged, pack it again"
        )


def _demand_kind(entry: _Entry) -> None:
    """Refuse a file that some programs take for a folder, and the other way round."""
    is_folder = entry.raw_name.endswith(b"/")
    by_mode = entry.attributes >> 16 & 0o170000
    says_folder = by_mode == 0o040000 or bool(entry.attributes & DOS_FOLDER)
    _demand(says_folder <= is_folder and not (is_folder and by_mode == 0o100000), entry)
    _demand(not (is_folder and entry.size), entry)


def _descriptor(content: bytes, at: int, entry: _Entry) -> int:
    """Return the length of what follows a streamed member: its checksum and sizes once more."""
    for numbers in ("<3I", "<I2Q"):
        follows = struct.pack(numbers, entry.crc, entry.packed_size, entry.size)
        for signed in (b"PK\7\x08" + follows, follows):
            if content.startswith(signed, at):
                return len(signed)
    raise Refused(f"it says two different things of {entry.shown}; it is damaged, pack it again")


def _extra_fields(extra: bytes, entry: _Entry) -> dict[int, bytes]:
    """Return the extra fields by number; refuse other names in them."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(extra):
        number, length = struct.unpack_from("<2H", extra, at)
        at += 4 + length
        repeated = number in found and number in (ZIP64, UNICODE_PATH)
        _demand(at <= len(extra) and not repeated and number not in OTHER_NAMES, entry)
        found[number] = extra[at - length : at]
    _demand(not extra[at:].strip(b"\0"), entry)
    if UNICODE_PATH in found:
        _demand_one_name(found[UNICODE_PATH], entry)
    return found


def _demand_one_name(field: bytes, entry: _Entry) -> None:
    """Refuse a second name, unless it says in UTF-8 what could not be said in an old encoding.

    Part for part of the path both are then the same, or neither of them is ASCII.
    """
    other = field[5:].decode("utf-8", "replace").split("/")
    parts = entry.name.split("/")
    agree = len(other) == len(parts) and all(
        one == two or not (one.isascii() or two.isascii())
        for one, two in zip(parts, other, strict=True)
    )
    if not agree:
        shown = one_line("/".join(other), 80)
        raise Refused(
            f"it has two names for a file, {entry.shown} and '{shown}'; pack it again with names "
            "of plain letters"
        )


def _sizes_64(
    field: bytes | None, sizes: tuple[int, int, int], entry: _Entry
) -> tuple[int, int, int]:
    """Return size, packed size and offset; those that don't fit into 32 bits stand in a field."""
    wanted = [place for place, size in enumerate(sizes) if size == MAX_32]
    if field is None:
        return sizes
    numbers = struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8])
    _demand(len(numbers) >= len(wanted), entry)
    if not wanted:  # some programs write what nobody needs
        _demand(all(n in (0, s) for n, s in zip(numbers, sizes, strict=False)), entry)
        return sizes
    size, packed, offset = (
        numbers[wanted.index(place)] if place in wanted else told
        for place, told in enumerate(sizes)
    )
    return size, packed, offset


# Content


def unpacked(content: bytes, layout: Layout, chunk_bytes: int) -> Iterator[bytes]:
    """Yield a member's content: all that is there, and no more than both headers say.

    Raises zipfile.BadZipFile where it is damaged, zlib.error where it is no packed data.
    """
    shown = f"'{one_line(layout.name, 80)}'"
    packed = memoryview(content)[layout.start : layout.start + layout.packed_size]
    crc = size = 0
    for chunk in _inflated(packed, layout.method, chunk_bytes, shown):
        crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        if size > layout.size:
            break
        yield chunk
    if (crc, size) != (layout.crc, layout.size):
        raise zipfile.BadZipFile(f"the content of {shown} is not what was packed")


def _inflated(packed: memoryview, method: int, chunk_bytes: int, shown: str) -> Iterator[bytes]:
    if method == zipfile.ZIP_STORED:
        for at in range(0, len(packed), chunk_bytes):
            yield bytes(packed[at : at + chunk_bytes])
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    for at in range(0, len(packed), chunk_bytes):
        rest = bytes(packed[at : at + chunk_bytes])
        while rest:
            yield inflate.decompress(rest, chunk_bytes)
            rest = inflate.unconsumed_tail
        if inflate.eof and (inflate.unused_data or at + chunk_bytes < len(packed)):
            raise zipfile.BadZipFile(f"there is something behind the content of {shown}")
    while not inflate.eof:
        chunk = inflate.decompress(b"", chunk_bytes)
        if not chunk:
            raise zipfile.BadZipFile(f"the content of {shown} is cut off")
        yield chunk
