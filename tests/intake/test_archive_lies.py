"""An archive says one thing: what one program reads in it, every other program reads too."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.intake import admission as gate
from tests.handed_in import FILES, refusal_of, take_one, tar_bytes, zip_bytes

RANDOM = random.Random(0)
WHOLE_TAR = tar_bytes({name: RANDOM.randbytes(300) for name in FILES})


def patched(archive: bytes, at: int, value: bytes) -> bytes:
    return archive[:at] + value + archive[at + len(value) :]


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    archive = zip_bytes({"layers.py": bytes(9000), "losses.py": bytes(9000)})
    second = archive.index(b"PK\x01\x02", archive.index(b"PK\x01\x02") + 1)
    same = patched(archive, second + 42, bytes(4))  # where the second member's header is
    says = "its files 'layers.py' and 'losses.py' overlap; pack it again"
    assert says in refusal_of(tmp_path, same)
    first = archive.index(b"PK\x01\x02")
    more = (int.from_bytes(archive[18:22], "little") + 5).to_bytes(4, "little")
    longer = patched(patched(archive, first + 20, more), 18, more)
    assert says in refusal_of(tmp_path, longer)


def test_what_stands_before_the_first_file_is_refused(tmp_path: Path) -> None:
    shown = zip_bytes({"layers.py": b"shown to a person"})
    both = shown + zip_bytes({"layers.py": b"graded"})
    assert "there is something before its first file" in refusal_of(tmp_path, both)


@pytest.mark.parametrize("field", [8, 18, 22])  # method, compressed size, size
def test_a_member_of_which_the_archive_says_two_things_is_refused(
    tmp_path: Path, field: int
) -> None:
    archive = zip_bytes({"layers.py": b"a = 1\n" * 100})
    refusal = refusal_of(tmp_path, patched(archive, field, b"\1"))
    assert "it says two different things of 'layers.py'; it is damaged, pack it again" in refusal


def test_a_member_with_two_names_is_refused(tmp_path: Path) -> None:
    archive = zip_bytes({"layers.py": b"a = 1\n"})
    at = archive.index(b"layers.py")
    assert "damaged" in refusal_of(tmp_path, patched(archive, at, b"losses.py"))


def test_archives_of_other_programs_are_read(tmp_path: Path) -> None:
    """Written as a stream, with sizes of 64 bits, a comment, folders of their own."""
    out = io.BytesIO()
    out.seekable = lambda: False  # type: ignore[method-assign]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"packed by hand"
        archive.writestr("work/", b"")
        for name, content in FILES.items():
            with archive.open(f"work/{name}", "w", force_zip64=True) as stream:
                stream.write(content)
    (tmp_path / "ada.zip").write_bytes(out.getvalue())
    one = take_one(tmp_path)
    assert (one.refusal, one.notices) == (None, ())
    assert {*one.files, *one.documents} == set(FILES)


def test_pax_headers_name_no_other_files(tmp_path: Path) -> None:
    def with_header(**headers: str) -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
            info = tarfile.TarInfo("notes.md")
            info.pax_headers = headers
            info.size = 6
            archive.addfile(info, io.BytesIO(b"a = 1\n"))
            info = tarfile.TarInfo("losses.py")
            archive.addfile(info)
        return out.getvalue()

    for name in ("../layers.py", "losses.py"):
        says = f"it has two names for a file, 'notes.md' and '{name}'; pack it again"
        assert says in refusal_of(tmp_path, with_header(path=name), "ada.tar")
    for size in ("-1", "9" * 20, "x"):
        (tmp_path / size).mkdir()
        (tmp_path / size / "ada.tar").write_bytes(with_header(size=size))
        one = take_one(tmp_path / size)
        assert one.refusal is not None or one.files == {"losses.py": b""}


def test_refusals_name_the_member(tmp_path: Path) -> None:
    files = {f"f{n}.py": b"" for n in range(gate.MAX_FILES + 1)}
    assert "up to 'f2000.py'; hand in" in refusal_of(tmp_path, zip_bytes(files))
    assert "'layers.py' is packed by an unusual compression" in refusal_of(
        tmp_path, zip_bytes(FILES, zipfile.ZIP_LZMA)
    )


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_no_file_of_a_damaged_tar_goes_missing_without_a_word(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    """tarfile takes a header that it can't read for the end of the archive."""
    header = WHOLE_TAR.index(b"losses.py")
    for at in (header, header + 124, header + 148):
        damaged = pack(patched(WHOLE_TAR, at, b"\xff\xff"))
        assert "damaged or incomplete" in refusal_of(tmp_path, damaged, "ada.tar.gz")
    behind = pack(WHOLE_TAR + tar_bytes({"layers.py": b"hidden"}))
    assert "damaged or incomplete" in refusal_of(tmp_path, behind, "ada.tar.gz")
