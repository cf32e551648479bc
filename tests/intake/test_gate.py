"""No name leads out of a submission, hides, or is taken for another; no kind of file slips in."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import Limits, Week
from autograder.gradebook.submission import Submission
from autograder.intake.admission import Admission, FileType, Member, Refused, clean_path
from autograder.intake.lookalike_names import name_keys, skeleton
from autograder.intake.reading import read_class, take_in

WEEK = Week(
    number=1,
    id="week1",
    folder="week1_layers",
    title="A week",
    modules=("layers.py", "neural_net.py"),
    documents=("notes.md",),
    limits=Limits(
        request_seconds=1,
        test_seconds=1,
        training_seconds=1,
        memory_mb=1,
        training_memory_mb=1,
        processes=1,
        output_kb=1,
        file_mb=1,
    ),
)
FILES = {"layers.py": b"a = 1\n", "neural_net.py": b"b = 2\n", "notes.md": b"# Notes\n"}
CYRILLIC = "l\u0430yers.py"
"""An a that is none."""

Contents = dict[str, bytes]


def zip_bytes(files: Contents) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tar_bytes(files: Contents) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def put(directory: Path, files: Contents, kind: str) -> None:
    if kind == "zip":
        (directory / "ada.zip").write_bytes(zip_bytes(files))
    elif kind == "tar.gz":
        (directory / "ada.tar.gz").write_bytes(gzip.compress(tar_bytes(files)))
    else:
        for name, content in files.items():
            (directory / "ada" / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / "ada" / name).write_bytes(content)


KINDS = ["folder", "zip", "tar.gz"]


def take(directory: Path, files: Contents, kind: str) -> Submission:
    put(directory, files, kind)
    (one,) = take_in(directory, [WEEK])[1]
    return one


# Names


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "says"),
    [
        (CYRILLIC, "there is cyrillic small letter a"),
        ("lay\u200bers.py", "there is zero width space"),
        ("lay\u00aders.py", "there is soft hyphen"),
        ("\uff4cayers.py", "there is fullwidth latin small letter l"),
        ("layers.py\ufe0f", "there is variation selector-16"),
        ("layers.py.", "to the eye; rename"),
        ("layers.py ", "to the eye; rename"),
        ("Layers.py", "to the eye; rename"),
    ],
)
def test_two_names_that_look_the_same_are_refused(
    tmp_path: Path, kind: str, name: str, says: str
) -> None:
    refusal = take(tmp_path, FILES | {name: b"evil"}, kind).refusal or ""
    assert "layers.py" in refusal
    assert "the same on some machines" in refusal
    assert says in refusal
    assert refusal.isprintable()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "says"),
    [
        (CYRILLIC, "must be exactly layers.py (it has cyrillic small letter a in it)."),
        ("lay\u200bers.py", "must be exactly layers.py (it has zero width space in it)."),
        ("layers.py.", "layers.py. was ignored: its name must be exactly layers.py."),
    ],
)
def test_a_name_that_only_looks_like_the_right_one_is_named(
    tmp_path: Path, kind: str, name: str, says: str
) -> None:
    one = take(tmp_path, {name: b"x", "notes.md": b""}, kind)
    assert one.files == {}
    assert one.refusal is None
    assert says in " ".join(one.notices)
    assert all(notice.isprintable() for notice in one.notices)


NEAR = ["Layers.py", "LAYERS.PY", "layers (1).py", "layers copy 2.py", "Copy of layers.py"]
NEAR += ["layers-3.py", "layers.py.txt", "la-yers.py"]


@pytest.mark.parametrize("name", NEAR)
def test_the_only_near_name_is_taken_and_told(tmp_path: Path, name: str) -> None:
    one = take(tmp_path, {name: b"x = 1", "notes.md": b""}, "folder")
    assert one.files == {"layers.py": b"x = 1"}
    assert one.refusal is None
    told = f"{name} was taken for layers.py"
    assert one.notices[0] == f"{told}: next time, call it exactly layers.py."
    (remark,) = read_class(tmp_path, [WEEK]).remarks
    assert remark == f"Files with near names: {one.student}: {told}."
    assert not any("gnored" in notice for notice in one.notices)


def test_of_two_near_names_none_is_taken(tmp_path: Path) -> None:
    one = take(tmp_path, {"layers-1.py": b"a", "layers (1).py": b"b", "notes.md": b""}, "zip")
    assert one.files == {}
    assert "layers (1).py and layers-1.py may each be meant for layers.py" in one.notices[0]
    one = take(tmp_path, {"layers-1.py": b"a", "layers.py": b"b"}, "zip")
    assert one.files == {"layers.py": b"b"}


def test_other_names_may_be_of_any_alphabet(tmp_path: Path) -> None:
    """Nobody asks for them: they collide with nothing, and are no reason to refuse."""
    names = ["\u03b1.png", "a.png", "x\u00b2.png", "x2.png", "\u0430.txt", "a.txt", "10:11.txt"]
    names += ["aux.py", "con", "nul.txt", "\U0001f469\u200d\U0001f52c.png", "\u05d0\u200e.txt"]
    names += ["Bild 1.png", "week 1 /x.txt"]
    one = take(tmp_path, FILES | dict.fromkeys(names, b""), "zip")
    assert sorted(one.files) == ["layers.py", "neural_net.py"]
    assert len(one.notices) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "char", "\u202a\u202b\u202d\u202e\u202c\u2066\u2067\u2068\u2069\x07\x7f\u0085"
)
def test_characters_that_turn_or_break_a_line_are_refused(
    tmp_path: Path, kind: str, char: str
) -> None:
    refusal = take(tmp_path, FILES | {f"a{char}yp.txt": b""}, kind).refusal or ""
    assert "has characters that can't be read; rename it" in refusal
    assert "yp.txt" in refusal
    assert refusal.isprintable()


def cleaned(name: str) -> str | None:
    try:
        return clean_path(name)
    except Refused:
        return None


@given(st.text(max_size=60))
def test_a_clean_path_leads_nowhere_else(name: str) -> None:
    path = cleaned(name)
    if path is not None:
        assert not {"", ".", "..", ".git", "__MACOSX"} & set(path.split("/"))
        assert not {"\\", "\n", "\0", "\u202e"} & set(path)
        assert clean_path(path) == path


MEMBERS = st.tuples(
    st.one_of(
        st.sampled_from(["layers.py", "Layers.py", CYRILLIC, "a/layers.py", "../x", ".git/x"]),
        st.text(max_size=12),
    ),
    st.sampled_from(FileType),
    st.booleans(),
)


@given(st.lists(MEMBERS, max_size=12))
def test_the_gate_keeps_what_is_wanted_and_nothing_else(
    members: list[tuple[str, FileType, bool]],
) -> None:
    gate = Admission(lambda path: 10 if path.endswith("layers.py") else 0)
    for name, kind, packed in members:
        try:
            gate.admit(Member(name, kind, lambda: iter([b"x" * 8, b"y"]), packed))
        except Refused:
            break
    assert all(path.endswith("layers.py") for path in gate.files)
    assert set(gate.files.values()) <= {b"x" * 8 + b"y"}
    folded = [path.casefold() for path in gate.files]
    assert len(set(folded)) == len(folded)


@given(st.text(max_size=30))
def test_what_a_name_looks_like_has_no_looks_of_its_own(name: str) -> None:
    assert skeleton(skeleton(name)) == skeleton(name)


@pytest.mark.parametrize("part", ["_", "a_", "(1)", " copy", "-1", "\u0430", "\u200b", ". ", ".a"])
def test_thousands_of_long_names_take_no_time(tmp_path: Path, part: str) -> None:
    names = [f"{number}{part * 900}"[:900] + ".py" for number in range(1500)]
    start = time.process_time()
    one = take(tmp_path, dict.fromkeys(names, b""), "zip")
    assert one.refusal is None
    assert time.process_time() - start < 5


def test_near_names_are_near() -> None:
    assert name_keys("lab_1.py") & name_keys("Lab-1.py")
    assert name_keys("lab_1.py") & name_keys("lab 1 (2).py")
    assert not name_keys("lab_1.py") & name_keys("lab_2.py")
    assert not name_keys("layers.py") & name_keys("players.py")
    for version in ("Layers-final.py", "layers_v2.py", "layers version 3 (1).py", "layers_new.py"):
        assert name_keys("layers.py") & name_keys(version)
    assert not name_keys("layers.py") & name_keys("layers_view.py")


# Kinds of files

STEERING = ["conftest.py", "pytest.ini", "tox.ini", "setup.cfg", "setup.py", "pyproject.toml"]
STEERING += ["sitecustomize.py", "usercustomize.py", "pyvenv.cfg", "week1_layers/Conftest.py"]
SAID = {
    "Not used: {}. Such files steer tests": STEERING,
    "Files that end in .pth are not taken: {}. As weights": ["evil.pth", "lib/x.pth"],
    "Trained weights are not taken: {}. A network": ["best.pt", "w.safetensors", "w.npz"],
    "Not used: {}. Compiled Python is never run": ["layers.pyc", "lib/layers.pyo"],
    "Not used: {}. Native libraries": ["neural_net.so", "l.pyd", "m.dll", "m.dylib", "m.so.1.2"],
    "Not opened: {}. An archive in a submission": ["old.zip", "a.tar.gz", "b.7z", "c.rar"],
    "Ignored 1 file that belongs to no assignment: {}.": ["plot.png"],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("says", "name"), [(says, name) for says, names in SAID.items() for name in names]
)
def test_each_kind_of_file_has_a_notice_of_its_own(
    tmp_path: Path, kind: str, says: str, name: str
) -> None:
    one = take(tmp_path, FILES | {name: b"import os; os._exit(0)\n"}, kind)
    assert one.refusal is None
    assert sorted(one.files) == ["layers.py", "neural_net.py"]
    (notice,) = one.notices
    assert notice.startswith(says.format(name))


def test_a_repository_is_told_once_of_each_kind(tmp_path: Path) -> None:
    names = [name for names in SAID.values() for name in names]
    skipped = ["__pycache__/layers.cpython-311.pyc", ".git/hooks/x.so", ".venv/lib/conftest.py"]
    one = take(tmp_path, FILES | dict.fromkeys([*names, *skipped], b""), "zip")
    assert len(one.notices) == len(SAID)
    assert "and 7 more" in next(text for text in one.notices if "steer" in text)
    assert not any("__pycache__" in notice for notice in one.notices)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_comes_before_the_modules(tmp_path: Path, kind: str) -> None:
    """A package or library of a module's name, or of NumPy's, never gets into the submission."""
    names = ["neural_net/__init__.py", "numpy/__init__.py", "numpy.py", "neural_net.so"]
    names += ["neural_net.pyc", "layers/__init__.py", "neural_net.cpython-311-x86_64-linux-gnu.so"]
    one = take(tmp_path, FILES | dict.fromkeys(names, b"evil"), kind)
    assert one.refusal is None
    assert one.files == {name: FILES[name] for name in WEEK.modules}
    text = " ".join(one.notices)
    assert "Ignored 4 files that belong to no assignment: " in text
    assert "numpy.py" in text or "numpy/__init__.py" in text
    assert "Compiled Python is never run" in text
    assert "Native libraries" in text


def test_modes_and_owners_of_members_mean_nothing(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in FILES.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid, info.uname = len(content), 0o7777, 0, "root"
            archive.addfile(info, io.BytesIO(content))
    (tmp_path / "ada.tar").write_bytes(out.getvalue())
    with zipfile.ZipFile(tmp_path / "ben.zip", "w") as archive:
        for name, content in FILES.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | 0o7777) << 16
            archive.writestr(info, content)
    for one in take_in(tmp_path, [WEEK])[1]:
        assert (one.refusal, one.notices) == (None, ())
        assert sorted(one.files) == ["layers.py", "neural_net.py"]
