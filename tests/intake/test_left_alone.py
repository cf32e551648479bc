"""One odd file is left alone with a notice and refuses nothing else; what is dangerous refuses."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from autograder.gradebook.submission import Submission
from autograder.intake import admission
from tests.handed_in import FILES, is_whole, refusal_of, take_one, tar_bytes, zip_bytes

ZEROS = bytes(admission.MAX_BYTES + 5_000_000)


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def holes(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(2**40)}
    return info


def with_mode(name: str, mode: int) -> bytes:
    """Return a zip archive of FILES and of one member of another kind."""
    out = io.BytesIO(zip_bytes(FILES))
    with zipfile.ZipFile(out, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, "/usr/bin/python3")
    return out.getvalue()


ENVIRONMENT = {f"dl-env/lib/python3.11/site-packages/p{n}/core.py": b"" for n in range(2_500)}
BIG = {**FILES, "data/train.bin": ZEROS}
HALVES = {"ab\u00e9.csv": b"1", "abe\u0301.csv": b"2"}

ODD: dict[str, tuple[bytes, str]] = {
    "a link in an environment": (
        with_mode("dl-env/bin/python", 0o120777), "Links and special files are not followed: dl-env"
    ),
    "a socket": (with_mode("run/server.sock", 0o140777), "not followed: run/server.sock"),
    "an environment": (
        zip_bytes({**FILES, **ENVIRONMENT}),
        "Left alone: dl-env/lib/python3.11/site-packages: installed packages",
    ),
    "an environment of Windows": (
        zip_bytes({**FILES, "my env/Lib/site-packages/x.py": b"", "my env/pyvenv.cfg": b""}),
        "my env/Lib/site-packages: installed",
    ),
    "a link in a tar": (
        tar_bytes(FILES, member("lib64", tarfile.SYMTYPE, "lib")), "not followed: lib64"
    ),
    "a hard link": (
        tar_bytes(FILES, member("losses_copy.py", tarfile.LNKTYPE, "losses.py")),
        "not followed: losses_copy.py",
    ),
    "a pipe": (tar_bytes(FILES, member("queue", tarfile.FIFOTYPE)), "not followed: queue"),
    "a file with holes": (tar_bytes(FILES, holes("image.raw")), "not followed: image.raw"),
    "big data": (zip_bytes(BIG), "Not looked at: data/train.bin: data as large as that"),
    "big data in a tar": (gzip.compress(tar_bytes(BIG), 1), "looked at: data/train.bin: data"),
    "big data before the work": (
        zip_bytes({"a.bin": ZEROS, **FILES, "b.bin": ZEROS}), "Not looked at: a.bin, b.bin: data"
    ),
    "many pictures": (
        zip_bytes({**FILES, **{f"data/{n}.png": b"" for n in range(3_000)}}),
        "Ignored 3000 files that belong to no assignment",
    ),
    "a name in two spellings": (
        zip_bytes({**FILES, "Plot.png": b"1", "plot.png": b"2"}),
        "Plot.png and plot.png: the two are one name on some machines",
    ),
    "a document in two spellings": (
        zip_bytes({"NOTES.md": b"other", **FILES}), "NOTES.md and notes.md: the two"
    ),
    "a name in two encodings": (zip_bytes({**FILES, **HALVES}), "the two are one name"),
    "a helper in two spellings": (zip_bytes({**FILES, "Util.py": b"", "util.py": b""}), "one name"),
    "a file that is a folder too": (
        zip_bytes({**FILES, "data": b"x", "data/a.csv": b"y"}), "it is a file and a folder at once"
    ),
    "the same data twice": (
        tar_bytes({**FILES, "a.csv": b"", "./a.csv": b""}), "a.csv: it is there twice"
    ),
    "names with backslashes": (
        zip_bytes({f"week1_layers\\{name}": content for name, content in FILES.items()}),
        "was read as / between folders: week1_layers",
    ),
    "one name with a backslash": (
        zip_bytes({**FILES, "plots\\loss.png": b""}), "between folders: plots\\loss.png. Pack"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_left_alone(tmp_path: Path, name: str) -> None:
    content, says = ODD[name]
    (tmp_path / "ada.zip").write_bytes(content)
    one: Submission = take_one(tmp_path)
    assert is_whole(one), (one.refusal, one.notices)
    assert one.files["layers.py"] == FILES["layers.py"]
    assert says in " ".join(one.notices)
    assert all(notice.isprintable() for notice in one.notices)


DANGEROUS: dict[str, tuple[bytes, str]] = {
    "a link in place of work": (
        tar_bytes({"a.py": b""}, member("layers.py", tarfile.SYMTYPE, "/etc/passwd")), "is a link"
    ),
    "a file in a link": (
        tar_bytes({}, member("sub", tarfile.SYMTYPE, "/tmp"))[:512]
        + tar_bytes({"sub/x.csv": b""}),
        "lies in or has the name of a link",
    ),
    "a link in place of a file": (
        tar_bytes({**FILES, "x.csv": b""}, member("x.csv", tarfile.SYMTYPE, "y")), "is a link"
    ),
    "a device": (tar_bytes(FILES, member("null", tarfile.CHRTYPE)), "is a device"),
    "a way out with backslashes": (
        zip_bytes({**FILES, "..\\..\\x.csv": b""}), "out of the submission"
    ),
    "work twice, once with a backslash": (
        zip_bytes({"a/layers.py": b"1", "a\\layers.py": b"2"}), "twice"
    ),
    "work in two spellings": (zip_bytes({**FILES, "Layers.py": b"2"}), "the same on some machines"),
    "work that is a folder too": (
        zip_bytes({**FILES, "layers.py/x.csv": b""}), "is a file and a folder in it"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DANGEROUS)
def test_what_is_dangerous_is_refused(tmp_path: Path, name: str) -> None:
    content, says = DANGEROUS[name]
    assert says in refusal_of(tmp_path, content)
