"""Thousands of mutated archives: each is read or refused, within the limits, and nothing else."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import tracemalloc
import zipfile
from contextlib import closing

import pytest

from autograder.intake import admission as gate
from autograder.intake import archives as unpack
from autograder.intake.admission import Admission, Refused
from autograder.intake.archives import DAMAGE, read_archive

ROUNDS = 12_000
EXTREMES = (b"\0", b"\xff", b"\0\0", b"\xff\xff", b"\xff\xff\xff\x7f", b"\xff" * 4, b"\xff" * 8)
WANTED = {"layers.py", "a/losses.py"}
FILES = {
    "layers.py": b"a = 1\n" * 40,
    "a/losses.py": bytes(range(256)),
    ".git/x": b"",
    "\u00e9.md": b"e",
    "n" * 200: b"long",
}


def zip_bytes(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.comment = b"comment"
        archive.mkdir("folder")
        for name, content in FILES.items():
            archive.writestr(name, content)
        with archive.open("streamed.py", "w", force_zip64=True) as stream:
            stream.write(b"b = 2\n")
    return out.getvalue()


def tar_bytes(format: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as archive:
        for name, content in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        info = tarfile.TarInfo("folder")
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    return out.getvalue()


def sparse_bytes(kind: str) -> bytes:
    """Return a tar archive with a sparse file, whose size is what it says."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("layers.py")
        info.pax_headers = {f"GNU.sparse.{kind}": "0,1,5,1", "GNU.sparse.realsize": "9" * 12}
        info.pax_headers |= {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "size": "4"}
        info.size = 512
        archive.addfile(info, io.BytesIO(b"1\n0\n1\n" + b"x" * 506))
    return out.getvalue()


TARS = [tar_bytes(tarfile.PAX_FORMAT), tar_bytes(tarfile.GNU_FORMAT)]
TARS += [sparse_bytes("map"), sparse_bytes("numblocks"), sparse_bytes("name")]
ZIPS = [zip_bytes(zipfile.ZIP_DEFLATED), zip_bytes(zipfile.ZIP_STORED)]


def mutate(rng: random.Random, content: bytes) -> bytes:
    """Change, cut, repeat or move a few parts of an archive."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(data)) if data else 0
        until = at + rng.choice((1, 4, 30, 512))
        match rng.randrange(7):
            case 0:
                data[at : at + 1] = rng.randbytes(1)
            case 1:
                value = rng.choice(EXTREMES)
                data[at : at + len(value)] = value
            case 2:
                del data[at:until]
            case 3:
                data[at:at] = data[at:until]
            case 4:
                other = rng.randrange(len(data)) if data else 0
                data[other:other] = data[at:until]
            case 5:
                del data[at if rng.random() < 0.2 else len(data) :]
            case 6 if data:
                data[at] ^= 1 << rng.randrange(8)
    return bytes(data)


def with_checksums(content: bytes) -> bytes:
    """Return a tar archive whose headers are believed, whatever is in them."""
    data = bytearray(content)
    for at in range(0, len(data) - 511, 512):
        if data[at + 257 : at + 262] == b"ustar":
            header = data[at : at + 512]
            header[148:156] = b" " * 8
            data[at + 148 : at + 156] = b"%06o\0 " % sum(header)
    return bytes(data)


def read(content: bytes) -> Admission | None:
    """Pass an archive through the gate; return None where it is refused or damaged."""
    found = Admission(lambda path: 1000 if path in WANTED else 0)
    try:
        with closing(read_archive("x.zip", [content])) as members:
            for member in members:
                found.admit(member)
    except (Refused, *DAMAGE):
        return None
    return found


@pytest.mark.parametrize("kind", ["zip", "tar", "tar with checksums", "tar.gz"])
def test_a_mutated_archive_is_read_or_refused(kind: str) -> None:
    rng = random.Random(kind)
    taken = 0
    for _ in range(ROUNDS // 4):
        content = mutate(rng, rng.choice(ZIPS if kind == "zip" else TARS))
        if kind == "tar with checksums":
            content = with_checksums(content)
        elif kind == "tar.gz":
            content = gzip.compress(content, 1)
            content = mutate(rng, content) if rng.random() < 0.5 else content
        found = read(content)
        if found is not None:
            taken += 1
            assert set(found.files) <= WANTED
            for path in (*found.files, *found.ignored):
                assert not path.startswith("/")
                assert ".." not in path.split("/")
                assert "\\" not in path
    assert 0 < taken < ROUNDS // 4, "some mutations don't matter, and some do"


def bombs() -> dict[str, bytes]:
    """Return archives of a few KB that unpack to more than 100 MB, each in its way."""
    zeros = bytes(100 * 1024 * 1024)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", zeros)
    wanted = out.getvalue().replace(b"zeros", b"notes")
    header = tarfile.TarInfo("layers.py")
    header.size = len(zeros)
    lying = tarfile.TarInfo("layers.py")
    lying.size = 2**62
    longname = tarfile.TarInfo("x")
    longname.type, longname.size = tarfile.GNUTYPE_LONGNAME, len(zeros)
    return {
        "zip": out.getvalue(),
        "wanted": wanted,
        "tar.gz": gzip.compress(header.tobuf() + zeros, 1),
        "tar that ends early": lying.tobuf(tarfile.GNU_FORMAT) + bytes(1024),
        "long name": gzip.compress(longname.tobuf() + zeros, 1),
        "zeros": gzip.compress(zeros, 1),
        "gzips": gzip.compress(bytes(10_000_000), 1) * 10,
        "tar in tar": gzip.compress(gzip.compress(zeros, 1), 1),
        "sparse": sparse_bytes("map"),
    }


def test_no_bomb_takes_more_memory_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    cap = 2 * 1024 * 1024
    archives = bombs()
    monkeypatch.setattr(gate, "MAX_BYTES", cap)
    monkeypatch.setattr(unpack, "MAX_ARCHIVE_BYTES", cap)
    rng = random.Random(0)
    tracemalloc.start()
    try:
        for name, content in archives.items():
            for round in range(6):
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                found = read(mutate(rng, content) if round else content)
                peak = tracemalloc.get_traced_memory()[1] - before
                assert peak < 2 * cap, (name, round, peak)
                assert found is None or round or name in ("sparse", "zip", "wanted")
                assert found is None or round or not any(found.files.values())
    finally:
        tracemalloc.stop()
