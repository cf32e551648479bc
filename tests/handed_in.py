"""A small course's files, archives of them, and classes as they are handed out, for intake."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

from autograder.course import Limits, Week
from autograder.gradebook.submission import Submission
from autograder.intake.reading import Intake, read_class, take_in

LIMITS = Limits(
    request_seconds=1,
    test_seconds=1,
    training_seconds=1,
    memory_mb=1,
    training_memory_mb=1,
    processes=1,
    output_kb=1,
    file_mb=1,
)


def make_week(number: int, folder: str, *modules: str) -> Week:
    return Week(
        number=number,
        id=f"week{number}",
        folder=folder,
        title="A week",
        modules=modules,
        documents=("notes.md",),
        limits=LIMITS,
    )


WEEK = make_week(1, "week1_layers", "layers.py", "losses.py")
OTHER = make_week(2, "week2_engine", "engine.py")
FILES = {"layers.py": b"a = 1\n", "losses.py": b"b = 2\n", "notes.md": b"# Notes\n"}

Contents = dict[str, bytes]


def zip_bytes(files: Contents, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def tar_bytes(
    files: Contents,
    *others: tarfile.TarInfo,
    format: int = tarfile.PAX_FORMAT,
    compression: str = "",
) -> bytes:
    """Return a tar archive of files and of members without content; `compression` may be "gz"."""
    out = io.BytesIO()
    mode = f"w:{compression}"
    with tarfile.open(fileobj=out, mode=mode, format=format) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in others:
            archive.addfile(info)
    return out.getvalue()


def is_whole(one: Submission) -> bool:
    return one.refusal is None and {*one.files, *one.documents} == set(FILES)


# One student.


def take_one(directory: Path) -> Submission:
    (submission,) = take_in(directory, [WEEK])[1]
    return submission


def refusal_of(directory: Path, archive: bytes, name: str = "ada.zip") -> str:
    """Return why an archive is refused; an honest neighbour must not notice."""
    (directory / name).write_bytes(archive)
    neighbour = directory / "neighbour"
    neighbour.mkdir(exist_ok=True)
    for file, content in FILES.items():
        (neighbour / file).write_bytes(content)
    bad, good = take_in(directory, [WEEK])[1]
    (directory / name).unlink()
    assert is_whole(good)
    assert good.notices == ()
    assert bad.student == "ada"
    assert bad.files == {}
    assert bad.refusal is not None
    assert name in bad.refusal
    return bad.refusal


# A class.

HOW = ["directory", "zip", "zip in a folder", "directory in a folder"]


def under(prefix: str, files: Contents = FILES) -> Contents:
    return {prefix + name: content for name, content in files.items()}


def hand_out(path: Path, files: Contents, how: str = "directory") -> Path:
    """Write a class as it is handed out; return what goes into --submissions."""
    if how == "zip":
        (path / "class.zip").write_bytes(zip_bytes(files))
        return path / "class.zip"
    if how == "zip in a folder":
        leftovers = {"__MACOSX/._export": b"", "export/.DS_Store": b"\0"}
        (path / "class.zip").write_bytes(zip_bytes({**leftovers, **under("export/", files)}))
        return path / "class.zip"
    top = path / ("class/export" if how == "directory in a folder" else "class")
    top.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        target = top / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return path / "class"


def by_student(intake: Intake, week: int = 1) -> dict[str, Submission]:
    return {one.student: one for one in intake.submissions[week]}


def read(path: Path, files: Contents, how: str = "directory") -> tuple[dict[str, Submission], str]:
    """Return the submissions by their students, and all remarks."""
    intake = read_class(hand_out(path, files, how), [WEEK], [OTHER])
    return by_student(intake), " ".join(intake.remarks)
