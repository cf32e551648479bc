"""What students handed in, as safe, fingerprinted submissions.

A directory of submissions holds one folder or one archive (.zip, .tar, .tar.gz, .tgz) per student;
its name is the student's id. Whatever is wrong with one of them is that submission's refusal or
notice and touches no other. Nothing is written, and no submission is changed.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.course import Week
from autograder.display import one_line
from autograder.finder import Finder, Found, some
from autograder.unpack import DAMAGE, LEFTOVERS, Gate, Refused, read_archive, read_folder

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
OTHER_ARCHIVES = (".rar", ".7z", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst", ".gz", ".xz")
WEIGHTS = (".safetensors", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".npz", ".npy", ".pkl", ".bin")
"""Endings of files that hold weights, or may."""
MAX_ID_BYTES = 120


class IntakeError(Exception):
    """The directory of submissions itself can't be used: which, why, and what to do."""


@dataclass(frozen=True)
class Submission:
    """One student's files of one week.

    `files` maps the names of the assignment's modules, and no others, to contents. `documents`
    maps the names of those handed in to the SHA-256 of their contents: a person opens them, no
    program does. `notices` tell the student what was ignored, left out or missing. Where `refusal`
    is not None nothing was taken. `fingerprint` is the same for the same modules, wherever they
    were found.
    """

    student: str
    files: dict[str, bytes] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    refusal: str | None = None
    documents: dict[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all of the week was handed in."""
        return not (self.files or self.documents or self.refusal)

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the modules' names and contents, or of the refusal."""
        if self.refusal is not None:
            return hashlib.sha256(
                b"refused: " + self.refusal.encode("utf-8", "backslashreplace")
            ).hexdigest()
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            for part in (name.encode(), content):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()


def take_in(
    directory: Path, weeks: Sequence[Week], others: Sequence[Week] = ()
) -> dict[int, list[Submission]]:
    """Read all submissions; return for each of `weeks`, by its number, one from every student.

    They are in the order of the students' ids. `others` are the course's other weeks: files in
    their folders are never taken for those of `weeks`. Where several entries give the same id (a
    folder and its archive, say, or names that differ only in case), it isn't clear which counts:
    that student gets one refusal naming them all. Raises IntakeError where the directory can't be
    read or holds no submission.
    """
    entries, _ = _sort_entries(directory)
    if not entries:
        raise IntakeError(
            f"{directory} holds no submissions. Put one folder or one archive "
            f"({', '.join(ARCHIVES)}) per student into it, named after the student."
        )
    by_id: dict[str, list[Path]] = {}
    for path in entries:
        by_id.setdefault(student_id(_stem(path)).casefold(), []).append(path)
    finder = Finder(weeks, others)
    taken: dict[int, list[Submission]] = {week.number: [] for week in weeks}
    for paths in by_id.values():
        for number, submission in _take_one(paths, finder).items():
            taken[number].append(submission)
    for submissions in taken.values():
        submissions.sort(key=lambda submission: submission.student)
    return taken


def overlooked(directory: Path) -> list[str]:
    """Return the names in a directory of submissions that are no student's, fit to print."""
    return [one_line(path.name) for path in _sort_entries(directory)[1]]


def student_id(name: str) -> str:
    """Return the id that a folder's or archive's name (without its ending) gives.

    Letters and digits of any script and `._@+-` stay, every run of others becomes "_"; signs at
    both ends go, so an id is neither a hidden file, an option nor a formula. Where nothing is
    left, or the id would be too long for a file name, a short hash of the name makes it unique.
    """
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    text = re.sub(r"[^\w.@+-]+", "_", text).strip("._@+-")
    if text and len(text.encode()) <= MAX_ID_BYTES:
        return text
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    start = text.encode()[: MAX_ID_BYTES - 9].decode("utf-8", "ignore")
    return f"{start or 'student'}-{digest}"


def _sort_entries(directory: Path) -> tuple[list[Path], list[Path]]:
    """Return the students' entries and the others, each in the order of names."""
    try:
        found = sorted(directory.iterdir())
    except OSError as error:
        problem = f"the submissions can't be read: {directory}: {error.strerror}"
        raise IntakeError(f"{problem}. Give the directory with the students' folders.") from error
    students, rest = [], []
    for path in found:
        if path.name.startswith(".") or path.name in LEFTOVERS:
            continue
        is_archive = path.name.lower().endswith(ARCHIVES + OTHER_ARCHIVES)
        (students if path.is_dir() or is_archive else rest).append(path)
    return students, rest


def _stem(path: Path) -> str:
    if not path.is_dir():
        for ending in sorted(ARCHIVES + OTHER_ARCHIVES, key=len, reverse=True):
            if path.name.lower().endswith(ending):
                return path.name[: -len(ending)]
    return path.name


def _take_one(paths: list[Path], finder: Finder) -> dict[int, Submission]:
    """Return what one student handed in for each week, by the week's number."""
    student = student_id(_stem(paths[0]))
    name = one_line(paths[0].name)
    try:
        if len(paths) == 1:
            return _open(paths[0], student, finder)
        names = ", ".join(one_line(path.name) for path in paths)
        problem = f"{len(paths)} entries belong to {student}: {names}"
        refusal = f"{problem}. Keep one of them and grade again."
    except Refused as refused:
        refusal = f"{name} was not taken: {refused}."
    except DAMAGE as error:
        detail = one_line(str(error) or type(error).__name__, 120)
        if isinstance(error, OSError) and error.strerror:
            problem = f"{name} could not be read ({one_line(error.strerror)})"
        else:
            problem = f"{name} is damaged or incomplete ({detail})"
        refusal = f"{problem}. Pack your files and hand them in again."
    return {week.number: Submission(student, refusal=refusal) for week in finder.weeks}


def _open(path: Path, student: str, finder: Finder) -> dict[int, Submission]:
    if path.is_symlink():
        raise Refused("it is a link; put the folder or the archive itself here")
    if path.is_dir():
        gate = Gate(finder.room, archive=False)
        members = read_folder(path)
    elif path.name.lower().endswith(ARCHIVES):
        gate = Gate(finder.room, archive=True)
        members = read_archive(path)
    else:
        raise Refused(f"archives of this kind are not read; use {', '.join(ARCHIVES)}")
    with closing(members):
        for member in members:
            gate.pass_through(member)
    found = finder.choose(gate.files)
    ignored = [name for name in gate.ignored if not finder.known(name)]
    taken = {}
    for week in finder.weeks:
        mine = found[week.number]
        near = [name for name in ignored if finder.owner(name) in (None, week.number)]
        notices = [*mine.notices, *_about_what_is_missing(week, mine, near)]
        notices += _about_the_rest(ignored, gate.unfollowed)
        taken[week.number] = Submission(
            student, mine.modules, tuple(notices), documents=mine.documents
        )
    return taken


def _about_what_is_missing(week: Week, found: Found, ignored: Sequence[str]) -> list[str]:
    """Say which of a week's files are missing, and which of them are there by another name."""
    taken = {*found.modules, *found.documents}
    missing = [names for names in week.asked if taken.isdisjoint(names)]
    listed = ", ".join(" or ".join(names) for names in missing)
    notices = []
    if len(missing) == len(week.asked):
        notices.append(f"None of the files of {week.name} was found: {listed}.")
    elif missing:
        notices.append(f"Missing for {week.name}: {listed}.")
    by_folded = {PurePosixPath(name).name.casefold(): name for names in missing for name in names}
    for path in ignored:
        name = by_folded.pop(PurePosixPath(path).name.casefold(), None)
        if name is not None:
            notices.append(f"{one_line(path)} was ignored: its name must be exactly {name}.")
    return notices


def _about_the_rest(ignored: Sequence[str], unfollowed: Sequence[str]) -> list[str]:
    """Say what was ignored and which links were not followed."""
    notices = []
    weights = [path for path in ignored if path.lower().endswith(WEIGHTS)]
    if weights:
        problem = f"Trained weights are not taken: {some(weights)}"
        notices.append(f"{problem}. A network is trained where it is graded.")
    ignored = [path for path in ignored if path not in weights]
    if ignored:
        count = len(ignored)
        what = "1 file that belongs" if count == 1 else f"{count} files that belong"
        notices.append(f"Ignored {what} to no assignment: {some(ignored)}.")
    if unfollowed:
        notices.append(f"Links and special files are not followed: {some(unfollowed)}.")
    return notices
