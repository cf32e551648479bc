"""Archives that two programs read differently are refused, and those of usual programs are taken.

Each attack is made byte by byte: what a person who unpacks it sees is another file than the one
that would be graded, in one program at least.
"""

from __future__ import annotations

import gzip
import io
import shutil
import struct
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.handed_in import FILES, is_whole, refusal_of, take_one, zip_bytes

GRADED, SHOWN = b"a = 'graded'\n", b"a = 'shown to a person'\n"
ENTITLED = {name: content for name, content in FILES.items() if name != "layers.py"}


@dataclass(frozen=True)
class Part:
    """A member of a zip archive: what its own header says, and where it differs the directory.

    `listed` False leaves it out of the directory, `local` False writes no header and content.
    """

    name: bytes
    content: bytes
    flags: int = 0
    method: int = 8
    extra: bytes = b""
    directory_extra: bytes | None = None
    directory: tuple[tuple[str, object], ...] = ()
    listed: bool = True
    follows: bytes = b""
    attributes: int = 0o100644 << 16
    tail: bytes = b""


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def packed(*parts: Part, end: Callable[[bytes, int, int], bytes] | None = None) -> bytes:
    """Return an archive of parts; `end` makes its end of the directory, its place and count."""
    out, directory, count = b"", b"", 0
    for part in parts:
        data = (deflated(part.content) if part.method == 8 else part.content) + part.tail
        numbers = (zlib.crc32(part.content), len(data), len(part.content))
        told = (0, 0, 0) if part.flags & 8 else numbers
        head = (20, part.flags, part.method, 0, 33, *told, len(part.name), len(part.extra))
        offset = len(out)
        out += struct.pack("<4s5H3I2H", b"PK\3\4", *head) + part.name + part.extra
        out += data + part.follows
        if not part.listed:
            continue
        given = dict(part.directory)
        values = {"flags": part.flags, "method": part.method, "name": part.name, "offset": offset}
        values |= dict(zip(("crc", "packed", "size"), numbers, strict=True)) | given
        extra = part.extra if part.directory_extra is None else part.directory_extra
        directory += struct.pack(
            "<4s6H3I5H2I", b"PK\1\2", 3 << 8 | 20, 20, values["flags"], values["method"], 0, 33,
            values["crc"], values["packed"], values["size"], len(values["name"]), len(extra), 0, 0,
            0, part.attributes, values["offset"],
        ) + values["name"] + extra  # fmt: skip
        count += 1
    if end is not None:
        return out + end(directory, len(out), count)
    return out + directory + ending(len(directory), len(out), count)


def ending(
    length: int, place: int, count: int, comment: bytes = b"", said: int | None = None
) -> bytes:
    said = len(comment) if said is None else said
    return struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, length, place, said) + comment


def ending_64(length: int, place: int, count: int, at: int) -> bytes:
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, place)
    return record + struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)


def extra(number: int, content: bytes) -> bytes:
    return struct.pack("<2H", number, len(content)) + content


def unicode_path(raw: bytes, name: str, crc: int | None = None) -> bytes:
    crc = zlib.crc32(raw) if crc is None else crc
    return extra(0x7075, struct.pack("<BI", 1, crc) + name.encode())


HONEST = Part(b"layers.py", GRADED)
OTHERS = tuple(Part(name.encode(), content) for name, content in ENTITLED.items())
HIDDEN = Part(b"layers.py", SHOWN, listed=False)
STREAMED = replace(
    HONEST, flags=8, follows=b"PK\7\x08" + struct.pack(
        "<3I", zlib.crc32(GRADED), len(deflated(GRADED)), len(GRADED)
    ),
)  # fmt: skip


def changed(**directory: object) -> bytes:
    """The directory says something else of layers.py than the member itself."""
    return packed(replace(HONEST, directory=tuple(directory.items())), *OTHERS)


def two_directories(second: Part) -> bytes:
    """A whole archive behind another one, whose places are counted from its own beginning."""
    return packed(Part(b"layers.py", SHOWN)) + packed(second, *OTHERS)


def inside_comment() -> bytes:
    """The comment holds a directory and an end of its own."""
    whole = packed(HONEST, *OTHERS)

    def end(directory: bytes, place: int, count: int) -> bytes:
        inner = directory + ending(len(directory), place, count)
        return directory + ending(len(directory), place, count, inner)

    assert zipfile.is_zipfile(io.BytesIO(whole))
    return packed(HONEST, *OTHERS, end=end)


ZIP_ATTACKS: dict[str, bytes] = {
    "another name in Unicode": packed(
        replace(HONEST, directory_extra=unicode_path(b"layers.py", "notes.txt")), *OTHERS
    ),
    "another name in Unicode, in both headers": packed(
        replace(HONEST, extra=unicode_path(b"layers.py", "notes.txt")), *OTHERS
    ),
    "another name in Unicode, before the member alone": packed(
        replace(HONEST, extra=unicode_path(b"layers.py", "notes.txt"), directory_extra=b""), *OTHERS
    ),
    "layers.py in Unicode alone": packed(
        Part(b"n\x94tes.py", SHOWN, extra=unicode_path(b"n\x94tes.py", "layers.py")), *OTHERS
    ),
    "another name in Unicode with another checksum": packed(
        replace(HONEST, extra=unicode_path(b"layers.py", "notes.txt", 1)), *OTHERS
    ),
    "a folder of another name in Unicode": packed(
        Part(b"a/\x94/layers.py", GRADED, extra=unicode_path(b"a/\x94/layers.py", "b/\u00f6/x.py")),
        *OTHERS,
    ),
    "two names in Unicode": packed(
        replace(HONEST, extra=2 * unicode_path(b"layers.py", "layers.py")), *OTHERS
    ),
    "another name for old Macintoshes": packed(
        replace(HONEST, extra=extra(0x2705, b"ZPIT\x09notes.txt")), *OTHERS
    ),
    "extra fields longer than they are": packed(
        replace(HONEST, extra=b"\x75\x70\xff\x00\1"), *OTHERS
    ),
    "a member before the others that no directory lists": packed(HIDDEN, HONEST, *OTHERS),
    "a member between the others that no directory lists": packed(HONEST, HIDDEN, *OTHERS),
    "a member behind the others that no directory lists": packed(HONEST, *OTHERS, HIDDEN),
    "bytes between two members": packed(replace(HONEST, follows=b"x = 1\n"), *OTHERS),
    "bytes behind the last member": packed(*OTHERS, replace(HONEST, follows=b"x = 1\n")),
    "bytes before the first member": b"#!/bin/sh\n" + packed(HONEST, *OTHERS),
    "bytes behind the end": packed(HONEST, *OTHERS) + b"x = 1\n",
    "a second archive behind the end": two_directories(HONEST),
    "an end within a comment": inside_comment(),
    "a comment longer than it says": packed(
        HONEST, *OTHERS, end=lambda d, at, n: d + ending(len(d), at, n, b"a comment", 3)
    ),
    "a comment shorter than it says": packed(
        HONEST, *OTHERS, end=lambda d, at, n: d + ending(len(d), at, n, b"a comment", 30)
    ),
    "two ends": packed(
        HONEST, *OTHERS, end=lambda d, at, n: d + ending(len(d), at, n) + ending(len(d), at, n)
    ),
    "bytes between the directory and the end": packed(
        HONEST, *OTHERS, end=lambda d, at, n: d + b"xxxx" + ending(len(d), at, n)
    ),
    "fewer members than there are": packed(
        HONEST, *OTHERS, end=lambda d, at, n: d + ending(len(d), at, n - 1)
    ),
    "more members than there are": packed(
        HONEST, *OTHERS, end=lambda d, at, n: d + ending(len(d), at, n + 1)
    ),
    "a directory of other length": packed(
        HONEST, *OTHERS, end=lambda d, at, n: d + ending(len(d) - 55, at, n)
    ),
    "a directory in another place": packed(
        HONEST, *OTHERS, end=lambda d, at, n: d + ending(len(d), at + 4, n)
    ),
    "an end of 64 bits that counts others": packed(
        HONEST, *OTHERS,
        end=lambda d, at, n: d + ending_64(len(d), at, n - 1, at + len(d)) + ending(len(d), at, n),
    ),
    "an end of 64 bits of another directory": packed(
        HONEST, *OTHERS,
        end=lambda d, at, n: 2 * d + ending_64(len(d), at, n, at + 2 * len(d))
        + ending(len(d), at + len(d), n),
    ),
    "an end of 64 bits elsewhere": packed(
        HONEST, *OTHERS,
        end=lambda d, at, n: d + ending_64(len(d), at, n, 0) + ending(len(d), at, n),
    ),
    "another name in the directory": changed(name=b"notes.txt"),
    "another name of the same length": changed(name=b"losers.py"),
    "another method": changed(method=0),
    "another checksum": changed(crc=1),
    "another packed size": changed(packed=len(deflated(GRADED)) - 1),
    "another size": changed(size=5),
    "another encoding of names": changed(flags=0x800),
    "a password in the directory alone": changed(flags=1),
    "a stream in the directory alone": changed(flags=8),
    "a stream in the header alone": packed(
        replace(STREAMED, directory=(("flags", 0),)), *OTHERS
    ),
    "a stream whose sizes don't follow": packed(replace(STREAMED, follows=b""), *OTHERS),
    "a stream with other sizes behind it": packed(
        replace(STREAMED, follows=STREAMED.follows[:-1] + b"\1"), *OTHERS
    ),
    "other sizes in 64 bits": packed(
        replace(HONEST, extra=extra(1, struct.pack("<2Q", 5, 5))), *OTHERS
    ),
    "sizes in 64 bits that are not there": packed(
        replace(HONEST, directory=(("size", 0xFFFFFFFF),)), *OTHERS
    ),
    "two sizes in 64 bits": packed(
        replace(HONEST, extra=2 * extra(1, struct.pack("<2Q", len(GRADED), len(deflated(GRADED))))),
        *OTHERS,
    ),
    "content behind the content": packed(replace(HONEST, tail=deflated(SHOWN)), *OTHERS),
    "content that goes on": packed(
        Part(b"layers.py", GRADED + SHOWN), *OTHERS
    ).replace(
        struct.pack("<I", zlib.crc32(GRADED + SHOWN)), struct.pack("<I", zlib.crc32(GRADED))
    ).replace(
        struct.pack("<2I", len(deflated(GRADED + SHOWN)), len(GRADED + SHOWN)),
        struct.pack("<2I", len(deflated(GRADED + SHOWN)), len(GRADED)),
    ),
    "the same file twice": packed(HONEST, Part(b"layers.py", SHOWN), *OTHERS),
    "the same header for two": packed(HONEST, replace(HONEST, directory=(("offset", 0),)), *OTHERS),
    "a file that says it is a folder": packed(replace(HONEST, attributes=0x10), *OTHERS),
    "a file with the mode of a folder": packed(
        replace(HONEST, attributes=0o040755 << 16), *OTHERS
    ),
    "a folder with content": packed(Part(b"layers.py/", GRADED), *OTHERS),
    "a file, and a folder of that name": packed(
        HONEST, Part(b"layers.py/x.py", b""), *OTHERS
    ),
    "a folder of that name, and a file": packed(
        Part(b"layers.py/x.py", b""), HONEST, *OTHERS
    ),
    "a name that ends with a NUL": packed(
        Part(b"layers.py\0.txt", GRADED), *OTHERS
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ZIP_ATTACKS)
def test_a_zip_that_can_be_read_in_two_ways_is_refused(tmp_path: Path, name: str) -> None:
    refusal = refusal_of(tmp_path, ZIP_ATTACKS[name])
    assert any(word in refusal.lower() for word in ("pack", "rename", "remove one"))
    assert refusal.isprintable()


HONEST_ZIPS: dict[str, bytes] = {
    "as it is": packed(HONEST, *OTHERS),
    "streamed": packed(STREAMED, *OTHERS),
    "streamed, without a signature": packed(
        replace(STREAMED, follows=STREAMED.follows[4:]), *OTHERS
    ),
    "of 64 bits": packed(
        HONEST, *OTHERS,
        end=lambda d, at, n: d + ending_64(len(d), at, n, at + len(d))
        + ending(0xFFFFFFFF, 0xFFFFFFFF, 0xFFFF),
    ),
    "of 64 bits, said twice": packed(
        HONEST, *OTHERS,
        end=lambda d, at, n: d + ending_64(len(d), at, n, at + len(d)) + ending(len(d), at, n),
    ),
    "with a comment": packed(
        HONEST, *OTHERS, end=lambda d, at, n: d + ending(len(d), at, n, 40 * b"0123456789")
    ),
    "with times and owners": packed(
        replace(HONEST, extra=extra(0x5455, b"\3" + bytes(8)) + extra(0x7875, b"\1\4" + bytes(9)),
                directory_extra=extra(0x5455, b"\3" + bytes(4))), *OTHERS
    ),
    "with a name in an old encoding and in Unicode": packed(
        HONEST, *OTHERS,
        Part(b"\x9abung.txt", b"", extra=unicode_path(b"\x9abung.txt", "\u00dcbung.txt")),
    ),
    "with a name of an old Russian encoding": packed(
        HONEST, *OTHERS,
        Part(b"\xa7\xa0.txt", b"", extra=unicode_path(b"\xa7\xa0.txt", "\u0437\u0430.txt")),
    ),
    "in another order than in the directory": packed(*OTHERS, HONEST),
    "with members in no order": b"",  # made below
    "as Finder packs it": packed(
        STREAMED, Part(b"__MACOSX/", b"", method=0, attributes=0o040755 << 16),
        Part(b"__MACOSX/._layers.py", b"\0\5\x16\7"), *OTHERS, Part(b".DS_Store", b"Bud1"),
    ),
    "as Windows packs it": packed(
        Part(b"work/", b"", method=0, attributes=0x10),
        replace(HONEST, name=b"work/layers.py", attributes=0x20),
        *(replace(one, name=b"work/" + one.name, attributes=0x20) for one in OTHERS),
    ),
}  # fmt: skip


def shuffled() -> bytes:
    """The directory lists members in another order than they stand in."""
    whole = packed(HONEST, *OTHERS)
    at = whole.index(b"PK\1\2")
    end = whole.rindex(b"PK\5\6")
    entries = [b"PK\1\2" + one for one in whole[at:end].split(b"PK\1\2")[1:]]
    return whole[:at] + b"".join(reversed(entries)) + whole[end:]


HONEST_ZIPS["with members in no order"] = shuffled()


def taken(tmp_path: Path, archive: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(archive)
    one = take_one(tmp_path)
    assert one.refusal is None
    assert is_whole(one)


@pytest.mark.parametrize("name", HONEST_ZIPS)
def test_an_honest_zip_is_taken(tmp_path: Path, name: str) -> None:
    taken(tmp_path, HONEST_ZIPS[name], "ada.zip")


# Tar


def tar_header(name: bytes, size: int = 0, kind: bytes = b"0", prefix: bytes = b"") -> bytes:
    head = bytearray(512)
    head[: len(name)] = name
    head[100:124] = b"0000644\0" + 2 * b"0000000\0"
    head[124:136] = b"%011o\0" % size
    head[136:148] = b"00000000000\0"
    head[156:157] = kind
    head[257:265] = b"ustar\x0000"
    head[345 : 345 + len(prefix)] = prefix
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def blocks(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def member(name: bytes, content: bytes = GRADED, **header: bytes) -> bytes:
    return tar_header(name, len(content), **header) + blocks(content)


def pax(**records: str) -> bytes:
    return pax_of(*(f"{key}={value}" for key, value in records.items()))


def pax_of(*records: str, kind: bytes = b"x") -> bytes:
    body = b""
    for record in records:
        text = b" " + record.encode() + b"\n"
        length = len(text)
        while len(str(length)) + len(text) != length:
            length = len(str(length)) + len(text)
        body += str(length).encode() + text
    return tar_header(b"PaxHeaders/x", len(body), kind) + blocks(body)


def longname(name: bytes) -> bytes:
    return tar_header(b"././@LongLink", len(name) + 1, b"L") + blocks(name + b"\0")


REST = b"".join(member(name.encode(), content) for name, content in ENTITLED.items()) + bytes(1024)
LAYERS = member(b"layers.py")
LONG = b"d" * 60 + b"/" + b"e" * 60 + b"/notes.txt"
TAR_ATTACKS: dict[str, bytes] = {
    "another name of POSIX": pax(path="layers.py") + member(b"notes.txt") + REST,
    "another name of POSIX for layers.py": pax(path="notes.txt") + LAYERS + REST,
    "another name of GNU": longname(b"layers.py") + member(b"notes.txt") + REST,
    "another name of GNU for layers.py": longname(b"notes.txt") + LAYERS + REST,
    "a long name of GNU for layers.py": longname(LONG) + LAYERS + REST,
    "a long name of POSIX for layers.py": pax(path=LONG.decode()) + LAYERS + REST,
    "a name of letters that layers.py lacks": pax(path="\u00fcbung.txt") + LAYERS + REST,
    "names of POSIX and of GNU": pax(path="layers.py") + longname(b"notes.txt") + LAYERS + REST,
    "two headers of POSIX": pax(path="notes.txt") + pax(path="layers.py") + LAYERS + REST,
    "two headers of GNU": longname(b"notes.txt") + longname(b"layers.py") + LAYERS + REST,
    "two names in a header": pax_of("path=notes.txt", "path=layers.py") + LAYERS + REST,
    "one name for all": pax_of("path=layers.py", kind=b"g") + member(b"notes.txt") + REST,
    "one size for all": pax_of("size=3", kind=b"g") + LAYERS + REST,
    "another size": pax(size="3") + LAYERS + REST,
    "another size that hides a member": pax(size="1536")
    + member(b"x.txt", b"x" * 400) + LAYERS + REST,
    "a size in other digits": pax(size="0x10") + LAYERS + REST,
    "a header that Solaris writes": pax_of("path=notes.txt", kind=b"X") + LAYERS + REST,
    "the same file twice": LAYERS + member(b"layers.py", SHOWN) + REST,
    "the same file by another path": LAYERS + member(b"./layers.py", SHOWN) + REST,
    "a folder with content": tar_header(b"x", 512, b"5")
    + member(b"layers.py", SHOWN) + LAYERS + REST,
    "a file named like a folder": member(b"layers.py/") + REST,
    "a file, and a folder of that name": LAYERS + member(b"layers.py/x.py") + REST,
    "a member behind the end": LAYERS + REST + member(b"layers.py", SHOWN),
    "bytes behind the end": LAYERS + REST + b"x = 1\n",
    "an end before the end": LAYERS + bytes(512) + REST,
    "two gzip files": gzip.compress(LAYERS + REST[:-1024]) + gzip.compress(bytes(1024)),
    "a second archive in a second gzip file": gzip.compress(LAYERS + REST) + gzip.compress(
        member(b"layers.py", SHOWN) + REST
    ),
    "bytes behind the gzip file": gzip.compress(LAYERS + REST) + b"x = 1\n",
    "a zip behind the gzip file": gzip.compress(LAYERS + REST) + packed(HONEST),
}  # fmt: skip


@pytest.mark.parametrize("name", TAR_ATTACKS)
def test_a_tar_that_can_be_read_in_two_ways_is_refused(tmp_path: Path, name: str) -> None:
    refusal = refusal_of(tmp_path, TAR_ATTACKS[name], "ada.tar.gz")
    assert any(word in refusal.lower() for word in ("pack", "remove one"))


HONEST_TARS: dict[str, bytes] = {
    "as it is": LAYERS + REST,
    "zipped": gzip.compress(LAYERS + REST),
    "with zeros behind it, as on tapes": gzip.compress(LAYERS + REST) + bytes(700),
    "with a long name of GNU": longname(LONG) + member(LONG[:100]) + LAYERS + REST,
    "with a long name of POSIX": pax(path=LONG.decode()) + member(LONG[:100]) + LAYERS + REST,
    "with a long name of git": pax(path=LONG.decode())
    + member(40 * b"a" + b".data")
    + LAYERS
    + REST,
    "with a name in two parts": member(b"notes.txt", prefix=LONG[:-10]) + LAYERS + REST,
    "with a name of other letters": pax(path="\u00fcbung.txt")
    + member(b"?bung.txt")
    + LAYERS
    + REST,
    "with times": pax(mtime="1760000000.25") + LAYERS + REST,
    "with a comment for all": pax_of("comment=" + 40 * "a", kind=b"g") + LAYERS + REST,
    "with a name said twice": pax(path="layers.py") + LAYERS + REST,
}


@pytest.mark.parametrize("name", HONEST_TARS)
def test_an_honest_tar_is_taken(tmp_path: Path, name: str) -> None:
    taken(tmp_path, HONEST_TARS[name], "ada.tar.gz")


# What programs write


def tree(folder: Path) -> Path:
    """Write the files to be packed, with names that need more than plain letters beside them."""
    deep = folder / ("ordner " + "x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    for name, content in {**FILES, "\u00dcbung 1.txt": b"", "\u4f5c\u4e1a.txt": b"x" * 9}.items():
        (folder / name).write_bytes(content)
    (deep / "sketch.txt").write_text("deep")
    return folder


WANTED = ["layers.py", "losses.py", "notes.md"]
QUIET_7Z = ["7z", "a", "-tzip", "-bso0", "-bsp0"]
PROGRAMS: dict[str, tuple[str, list[str]]] = {
    "zip": ("ada.zip", ["zip", "-qr", "{out}", "."]),
    "zip without compression": ("ada.zip", ["zip", "-0qr", "{out}", "."]),
    "zip to a pipe": ("ada.zip", ["sh", "-c", "zip -qr - . >'{out}'"]),
    "zip of 64 bits to a pipe": ("ada.zip", ["sh", "-c", "zip -qr -fz - . >'{out}'"]),
    "7z": ("ada.zip", [*QUIET_7Z, "{out}", "."]),
    "7z with names of its own": ("ada.zip", [*QUIET_7Z, "-mcu=on", "{out}", "."]),
    "bsdtar, zip": ("ada.zip", ["bsdtar", "--format=zip", "-cf", "{out}", "."]),
    "tar of GNU": ("ada.tar.gz", ["tar", "--format=gnu", "-czf", "{out}", "."]),
    "tar of POSIX": ("ada.tar.gz", ["tar", "--format=posix", "-czf", "{out}", "."]),
    "tar of old": ("ada.tar", ["tar", "--format=ustar", "-cf", "{out}", *WANTED]),
    "bsdtar": ("ada.tgz", ["bsdtar", "-czf", "{out}", "."]),
    "bsdtar of GNU": ("ada.tgz", ["bsdtar", "--format=gnutar", "-czf", "{out}", "."]),
    "git, zip": ("ada.zip", ["git", "archive", "-o", "{out}", "HEAD"]),
    "as GitHub gives it": (
        "ada.zip",
        ["git", "archive", "--prefix=w/", "-o", "{out}", "HEAD"],
    ),
    "git, tar": ("ada.tar.gz", ["git", "archive", "-o", "{out}", "HEAD"]),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("encoding", ["C.UTF-8", "C"])
def test_what_usual_programs_pack_is_taken(tmp_path: Path, name: str, encoding: str) -> None:
    file, command = PROGRAMS[name]
    needed = command[2].split()[0] if command[0] == "sh" else command[0]
    if shutil.which(needed) is None:
        pytest.skip(f"NOT TRIED: {needed} is not installed")
    folder = tree(tmp_path / "tree")
    out = tmp_path / "class" / file
    out.parent.mkdir()
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": encoding, "HOME": str(tmp_path)}
    if needed == "git":
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        for step in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "x"]):
            subprocess.run(["git", *step], cwd=folder, env=environment, check=True)
    subprocess.run(
        [word.format(out=out) for word in command], cwd=folder, env=environment, check=True
    )
    one = take_one(out.parent)
    assert one.refusal is None
    assert is_whole(one)


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_python_packs_is_taken(tmp_path: Path, format: int) -> None:
    folder = tree(tmp_path / "tree")
    (tmp_path / "class").mkdir()
    with tarfile.open(tmp_path / "class" / "ada.tar.gz", "w:gz", format=format) as archive:
        archive.add(folder, "work")
    assert is_whole(take_one(tmp_path / "class"))
    (tmp_path / "class" / "ada.tar.gz").unlink()
    shutil.make_archive(str(tmp_path / "class" / "ada"), "zip", folder)
    assert is_whole(take_one(tmp_path / "class"))


def test_what_is_added_to_an_archive_later_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "ada.zip"
    path.write_bytes(zip_bytes(ENTITLED))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("layers.py", GRADED)
    assert is_whole(take_one(tmp_path))


def test_nothing_that_is_refused_here_is_empty_by_mistake() -> None:
    """The attacks are archives that Python's own modules read."""
    readable = 0
    for archive in ZIP_ATTACKS.values():
        try:
            with zipfile.ZipFile(io.BytesIO(archive)) as opened:
                readable += any(name.endswith(".py") for name in opened.namelist())
        except (zipfile.BadZipFile, ValueError, OSError):
            continue
    assert readable > 40
