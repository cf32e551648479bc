"""Bad archives are refused with their reason, whatever is wrong, and touch no other student."""

from __future__ import annotations

import gzip
import io
import os
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.intake import admission as gate
from autograder.intake import archives as unpack
from tests.handed_in import FILES, refusal_of, take_one, tar_bytes, zip_bytes


def special(name: str, type: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = type, target
    return info


def sparse(name: str) -> tarfile.TarInfo:
    """A file that claims to be mostly holes."""
    info = tarfile.TarInfo(name)
    info.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(2**40)}
    return info


RANDOM = random.Random(0)
WHOLE_ZIP = zip_bytes({name: RANDOM.randbytes(300) for name in FILES})
WHOLE_TAR = tar_bytes({name: RANDOM.randbytes(300) for name in FILES})


def test_a_truncated_zip_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    for cut in (10, 200, len(WHOLE_ZIP) // 2, len(WHOLE_ZIP) - 1):
        assert "damaged or incomplete" in refusal_of(tmp_path, WHOLE_ZIP[:cut])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_truncated_tar_is_refused_wherever_it_is_cut(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    for cut in (100, 512, 700, 1024, 1100, 2048, 2500):
        refused = refusal_of(tmp_path, pack(WHOLE_TAR[:cut]), "ada.tar.gz")
        assert "damaged or incomplete" in refused
    if pack is gzip.compress:
        whole = pack(WHOLE_TAR)
        for cut in (12, len(whole) // 2, len(whole) - 4):
            assert "damaged" in refusal_of(tmp_path, whole[:cut], "ada.tar.gz")


@pytest.mark.parametrize(
    ("archive", "name", "says"),
    [
        (b"", "ada.zip", "0 bytes"),
        (b"hello " * 500, "ada.zip", "not a zip archive"),
        (b"hello " * 500, "ada.tar.gz", "damaged or incomplete"),
        (b"\x1f\x8bhello" * 500, "ada.tar.gz", "damaged or incomplete"),
        (b"Rar!\x1a\x07", "ada.rar", "archives of this kind are not read"),
        (b"junk" + WHOLE_ZIP, "ada.zip", "not a zip archive"),
    ],
)
def test_what_is_no_archive_is_refused(
    tmp_path: Path, archive: bytes, name: str, says: str
) -> None:
    assert says in refusal_of(tmp_path, archive, name)


def test_changed_bytes_in_an_archive_are_noticed(tmp_path: Path) -> None:
    stored = zip_bytes({"layers.py": b"a = 1\n" * 50}, zipfile.ZIP_STORED)
    at = stored.index(b"a = 1")
    assert "damaged" in refusal_of(tmp_path, stored[:at] + b"b" + stored[at + 1 :])


BAD_NAMES = {
    "../layers.py": "out of the submission",
    "a/../../layers.py": "out of the submission",
    "/layers.py": "out of the submission",
    "C:/layers.py": "out of the submission",
    "\\layers.py": "out of the submission",
    "a\\..\\..\\layers.py": "out of the submission",
    "C:\\layers.py": "out of the submission",
    "a\x1b[31m.py": "can't be read",
    "a\n.py": "can't be read",
    "a\u2028.py": "can't be read",
    "/".join(["d"] * 40): "too long or in too many folders",
    "n" * 1001: "too long or in too many folders",
}


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_bad_names_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    files = FILES | {name: b"x"}
    archive = zip_bytes(files) if kind == "zip" else gzip.compress(tar_bytes(files))
    refusal = refusal_of(tmp_path, archive, f"ada.{kind}")
    assert BAD_NAMES[name] in refusal
    assert refusal.isprintable()


def test_names_with_nul_or_code_of_no_encoding_are_refused(tmp_path: Path) -> None:
    plain = zip_bytes({"layers.py": b"", "notesXmd": b""})
    assert "can't be read" in refusal_of(tmp_path, plain.replace(b"notesXmd", b"notes\0md"))
    not_utf8 = tar_bytes({"layers.py": b"", "notesX.py": b""}, format=tarfile.USTAR_FORMAT)
    info_changed = bytearray(not_utf8)
    at = info_changed.index(b"notesX.py")
    info_changed[at + 5] = 0xFF
    header = info_changed[at : at + 512]
    header[148:156] = b" " * 8
    info_changed[at + 148 : at + 156] = b"%06o\0 " % sum(header)
    assert "can't be read" in refusal_of(tmp_path, bytes(info_changed), "ada.tar")


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("layers.py", "Layers.py", "the same on some machines"),
        ("layers.py", "./layers.py", "twice"),
    ],
)
def test_names_that_collide_are_refused(tmp_path: Path, first: str, second: str, says: str) -> None:
    files = {first: b"1", second: b"2"}
    assert says in refusal_of(tmp_path, zip_bytes(files))
    assert says in refusal_of(tmp_path, tar_bytes(files), "ada.zip")


@pytest.mark.parametrize(
    ("member", "says"),
    [
        (special("layers.py", tarfile.SYMTYPE, "/etc/passwd"), "is a link"),
        (special("a.py", tarfile.SYMTYPE, "/etc/passwd"), "is a link"),
        (special("layers.py", tarfile.LNKTYPE, "a.py"), "is a link"),
        (special("x", tarfile.CHRTYPE), "special file"),
        (special("x", tarfile.BLKTYPE), "special file"),
        (special("layers.py", tarfile.FIFOTYPE), "special file"),
        (sparse("layers.py"), "special file"),
    ],
)
def test_links_and_devices_in_a_tar_are_refused(
    tmp_path: Path, member: tarfile.TarInfo, says: str
) -> None:
    assert says in refusal_of(tmp_path, tar_bytes({"a.py": b""}, member), "ada.tar")


@pytest.mark.parametrize(("mode", "says"), [(0o120777, "is a link"), (0o010666, "special file")])
def test_links_and_pipes_in_a_zip_are_refused(tmp_path: Path, mode: int, says: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("layers.py")
        info.external_attr = mode << 16
        archive.writestr(info, "/etc/passwd")
    assert says in refusal_of(tmp_path, out.getvalue())


def test_a_pipe_named_like_an_archive_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ada.zip")
    assert "not a plain file" in (take_one(tmp_path).refusal or "")


def test_a_password_is_refused(tmp_path: Path) -> None:
    archive = bytearray(zip_bytes({"layers.py": b"x"}))
    archive[6] |= 1
    archive[archive.index(b"PK\x01\x02") + 8] |= 1
    assert "password" in refusal_of(tmp_path, bytes(archive))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressions_that_inflate_without_bound_are_refused(tmp_path: Path, method: int) -> None:
    assert "unusual compression" in refusal_of(tmp_path, zip_bytes(FILES, method))


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = 4 << 20
    monkeypatch.setattr(unpack, "MAX_ARCHIVE_BYTES", limit)
    monkeypatch.setattr(gate, "MAX_BYTES", limit)
    works = {f"{n}/{name}": bytes(1 << 20) for n in range(3) for name in ("layers.py", "losses.py")}
    assert "more than 4 MB of work" in refusal_of(tmp_path, zip_bytes(works))
    says = "more than 4 MB"
    bomb = {"layers.py": b"", "zeros.bin": bytes(limit)}
    assert says in refusal_of(tmp_path, gzip.compress(tar_bytes(bomb), 1), "ada.tgz")
    skipped = {".git/zeros": bytes(limit)}
    assert says in refusal_of(tmp_path, gzip.compress(tar_bytes(skipped), 1), "ada.tar.gz")
    assert says in refusal_of(tmp_path, gzip.compress(bytes(2 * limit), 1), "ada.tar")


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    archive = bytearray(zip_bytes({"layers.py": b"x" * 5000}))
    at = archive.index(b"PK\x01\x02") + 24
    archive[at : at + 4] = (100).to_bytes(4, "little")
    assert "damaged" in refusal_of(tmp_path, bytes(archive))


def test_an_archive_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with open(tmp_path / "ada.zip", "wb") as stream:
        stream.write(b"PK\x03\x04")
        stream.truncate(gate.MAX_ARCHIVE_BYTES + 1)
    assert "larger than 256 MB" in (take_one(tmp_path).refusal or "")


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    files = {f"f{n}.py": b"" for n in range(gate.MAX_FILES)} | {"plot.png": b""}
    for pack in (zip_bytes, tar_bytes):
        (tmp_path / "ada.zip").write_bytes(pack(files))
        assert take_one(tmp_path).refusal is None
        (tmp_path / "ada.zip").write_bytes(pack(files | {"layers.py": b""}))
        assert "more than 2000 files" in (take_one(tmp_path).refusal or "")


def test_too_many_skipped_members_are_refused(tmp_path: Path) -> None:
    files = {f".git/{n}": b"" for n in range(gate.MAX_SCANNED + 1)}
    assert "more than 20000 entries" in refusal_of(tmp_path, tar_bytes(files))


def test_a_huge_zip_directory_is_refused_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zip_bytes({f".git/{n}": b"" for n in range(gate.MAX_SCANNED + 1)})

    def parse(*arguments: object) -> None:
        raise AssertionError("the directory was parsed")

    monkeypatch.setattr(zipfile, "ZipFile", parse)
    assert "more than 20000 entries" in refusal_of(tmp_path, archive)


def test_long_headers_of_a_tar_are_refused(tmp_path: Path) -> None:
    says = "headers are too long"
    header = special("h", tarfile.XHDTYPE)
    header.size = 100 * 1024
    long_one = header.tobuf(tarfile.USTAR_FORMAT) + b"9" * header.size
    assert says in refusal_of(tmp_path, long_one, "ada.tar")
    body = b"512 key=".ljust(511, b"v") + b"\n"  # each record says its own length
    header.size = len(body)
    short = header.tobuf(tarfile.USTAR_FORMAT) + body.ljust(512, b"\0")
    file = special(".git/x", tarfile.REGTYPE).tobuf(tarfile.USTAR_FORMAT)
    end = bytes(2 * tarfile.BLOCKSIZE)
    many = (short + file) * (unpack.MAX_HEADERS_BYTES // 512 + 1)
    assert says in refusal_of(tmp_path, many + end, "ada.tar")
    chain = short * 1500 + file + end
    assert "damaged" in refusal_of(tmp_path, chain, "ada.tar"), "no endless recursion"


def test_a_link_is_not_followed_even_where_a_file_was_seen(tmp_path: Path) -> None:
    (tmp_path / "ada.zip").write_bytes(WHOLE_ZIP)
    (tmp_path / "link.zip").symlink_to(tmp_path / "ada.zip")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder", target_is_directory=True)
    with pytest.raises(OSError, match=r"symbolic links"):
        list(unpack.file_chunks(tmp_path / "link.zip"))
    with pytest.raises(OSError, match=r"link|Not a directory"):
        list(unpack.read_folder(tmp_path / "link"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([("zip", WHOLE_ZIP), ("tar", WHOLE_TAR), ("tgz", gzip.compress(WHOLE_TAR))]),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_a_damaged_archive_never_stops_the_class(
    tmp_path: Path, whole: tuple[str, bytes], edits: list[tuple[int, int]]
) -> None:
    for old in tmp_path.iterdir():
        old.unlink()
    kind, content = whole
    damaged = bytearray(content)
    for position, byte in edits:
        damaged[position % len(damaged)] = byte
    (tmp_path / f"ada.{kind}").write_bytes(damaged)
    submission = take_one(tmp_path)
    assert set(submission.files) <= set(FILES)
    assert submission.refusal is None or submission.files == {}
    for text in (*submission.notices, submission.refusal or ""):
        assert text == "" or text.isprintable()
