"""What students handed in, as safe, fingerprinted submissions.

A directory of submissions holds one folder or one archive (.zip, .tar, .tar.gz, .tgz) per student;
its name is the student's id. Whatever is wrong with one of them is that submission's refusal or
notice and touches no other. Nothing is written, and no submission is changed.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.course import Week
from autograder.display import one_line
from autograder.unpack import (
    DAMAGE,
    LEFTOVERS,
    MAX_FILE_BYTES,
    Gate,
    Refused,
    read_archive,
    read_folder,
)

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
OTHER_ARCHIVES = (".rar", ".7z", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst", ".gz", ".xz")
MAX_ID_BYTES = 120
NAMES_IN_NOTICE = 3


class IntakeError(Exception):
    """The directory of submissions itself can't be used: which, why, and what to do."""


@dataclass(frozen=True)
class Submission:
    """One student's files of one week.

    `files` maps names of the assignment's list, and no others, to contents. `notices` tell the
    student what was ignored, left out or missing. Where `refusal` is not None nothing was taken.
    `fingerprint` is the same for the same files, wherever they were found.
    """

    student: str
    files: dict[str, bytes] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    refusal: str | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the files' names and contents, or of the refusal."""
        if self.refusal is not None:
            return hashlib.sha256(
                b"refused: " + self.refusal.encode("utf-8", "backslashreplace")
            ).hexdigest()
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            for part in (name.encode(), content):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()


def take_in(directory: Path, week: Week, others: Sequence[Week] = ()) -> list[Submission]:
    """Read all submissions of a week, in the order of student ids.

    Files in the folders of `others`, the course's other weeks, are never taken for this week's.
    Where several entries give the same id (a folder and its archive, say, or names that differ only
    in case), it isn't clear which counts: that student gets one refusal naming them all. Raises
    IntakeError where the directory can't be read or holds no submission.
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
    taken = [_take_one(paths, week, others) for paths in by_id.values()]
    return sorted(taken, key=lambda submission: submission.student)


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


def _take_one(paths: list[Path], week: Week, others: Sequence[Week]) -> Submission:
    student = student_id(_stem(paths[0]))
    name = one_line(paths[0].name)
    if len(paths) > 1:
        names = ", ".join(one_line(path.name) for path in paths)
        problem = f"{len(paths)} entries belong to {student}: {names}"
        return Submission(student, refusal=f"{problem}. Keep one of them and grade again.")
    try:
        return _open(paths[0], student, week, others)
    except Refused as refused:
        return Submission(student, refusal=f"{name} was not taken: {refused}.")
    except DAMAGE as error:
        detail = one_line(str(error) or type(error).__name__, 120)
        if isinstance(error, OSError) and error.strerror:
            problem = f"{name} could not be read ({one_line(error.strerror)})"
        else:
            problem = f"{name} is damaged or incomplete ({detail})"
        return Submission(student, refusal=f"{problem}. Pack your files and hand them in again.")


def _open(path: Path, student: str, week: Week, others: Sequence[Week]) -> Submission:
    if path.is_symlink():
        raise Refused("it is a link; put the folder or the archive itself here")
    finder = _Finder(week, others)
    if path.is_dir():
        gate = Gate(finder.wants, archive=False)
        members = read_folder(path)
    elif path.name.lower().endswith(ARCHIVES):
        gate = Gate(finder.wants, archive=True)
        members = read_archive(path)
    else:
        raise Refused(f"archives of this kind are not read; use {', '.join(ARCHIVES)}")
    with closing(members):
        for member in members:
            gate.pass_through(member)
    files, notices = finder.choose(gate.files)
    notices += _about_the_rest(gate, week, files)
    return Submission(student, files, tuple(notices))


class _Finder:
    """Finds a week's files wherever they lie: bare, in the week's folder, in a whole repository."""

    def __init__(self, week: Week, others: Iterable[Week]) -> None:
        self._week = week
        self._elsewhere = {other.folder for other in others} - {week.folder}
        # The longest first: "project/train.py" is never taken for "train.py".
        self._names = sorted(week.files, key=len, reverse=True)

    def wants(self, path: str) -> bool:
        return self._name_of(path) is not None

    def _name_of(self, path: str) -> str | None:
        if self._elsewhere.intersection(path.split("/")[:-1]):
            return None
        return next((name for name in self._names if f"/{path}".endswith(f"/{name}")), None)

    def _rank(self, path: str) -> tuple[int, bool, str]:
        """The shallowest first; of two equally deep ones, the one in the week's own folder."""
        folders = path.split("/")[:-1]
        return len(folders), self._week.folder not in folders, path

    def choose(self, found: dict[str, bytes | None]) -> tuple[dict[str, bytes], list[str]]:
        """Return the files by their names in the assignment, and what the student should know."""
        files, notices = {}, []
        for name in self._week.files:
            paths = sorted((path for path in found if self._name_of(path) == name), key=self._rank)
            if not paths:
                continue
            if len(paths) > 1:
                rest = _some(paths[1:])
                notices.append(f"{name} is there {len(paths)} times: took {paths[0]}, not {rest}.")
            content = found[paths[0]]
            problem = _unusable(content)
            if content is not None and problem is None:
                files[name] = content
            else:
                notices.append(f"{one_line(paths[0])} was not taken: {problem}.")
        return files, [one_line(notice, 500) for notice in notices]


def _unusable(content: bytes | None) -> str | None:
    if content is None:
        return f"it is larger than {MAX_FILE_BYTES // 1024 // 1024} MB"
    if b"\0" in content:
        return "it is not a text file (it holds NUL bytes); save it as UTF-8"
    return None


def _about_the_rest(gate: Gate, week: Week, files: dict[str, bytes]) -> list[str]:
    """Say what is missing, what was ignored and which links were not followed."""
    notices = []
    missing = [name for name in week.files if name not in files]
    if len(missing) == len(week.files):
        notices.append(f"None of the week's files was found: {', '.join(missing)}.")
    elif missing:
        notices.append(f"Missing: {', '.join(missing)}.")
    by_folded = {PurePosixPath(name).name.casefold(): name for name in missing}
    for path in gate.ignored:
        name = by_folded.pop(PurePosixPath(path).name.casefold(), None)
        if name is not None:
            notices.append(f"{one_line(path)} was ignored: its name must be exactly {name}.")
    if gate.ignored:
        count = len(gate.ignored)
        what = "1 file that does" if count == 1 else f"{count} files that do"
        notices.append(f"Ignored {what} not belong to the assignment: {_some(gate.ignored)}.")
    if gate.unfollowed:
        notices.append(f"Links and special files are not followed: {_some(gate.unfollowed)}.")
    return notices


def _some(paths: Sequence[str]) -> str:
    """Name a few paths and count the others."""
    shown = [one_line(path, 80) for path in paths[:NAMES_IN_NOTICE]]
    rest = len(paths) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
