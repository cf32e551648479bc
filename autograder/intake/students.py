"""Whose is what: the students of a class, and the files, folders and archives of each."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from autograder.intake.admission import MAX_SCANNED, Kind, Refused
from autograder.intake.archives import DAMAGE
from autograder.intake.class_entries import Entry
from autograder.intake.week_files import Finder
from autograder.text.display import one_line

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
OTHER_ARCHIVES = (".rar", ".7z", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst", ".gz", ".xz")
MAX_ID_BYTES = 120
MAX_NESTING = 4


@dataclass(frozen=True)
class Piece:
    """One thing that a student handed in.

    `at` is its path in the submission. Where it is None the piece is all of the submission: what
    is in the folder or the archive lies at the top. `source` is what it came in, where that is not
    the entry itself.
    """

    entry: Entry
    at: str | None = None
    source: str = ""


@dataclass(frozen=True)
class Student:
    """One student's pieces. `number` tells two of the same name apart; `notices` are theirs.

    `received` is when they were handed in, where the export says it.
    """

    id: str
    pieces: tuple[Piece, ...]
    notices: tuple[str, ...] = ()
    number: str = ""
    received: datetime | None = None


@dataclass(frozen=True)
class Export:
    """An export: what it was read as, its students, and the entries that aren't part of it."""

    said: str
    students: list[Student]
    others: list[Entry]


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


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive, one that is read or one that is not."""
    return name.lower().endswith(ARCHIVES + OTHER_ARCHIVES)


def _stem(entry: Entry) -> str:
    if entry.kind is not Kind.FOLDER:
        for ending in sorted(ARCHIVES + OTHER_ARCHIVES, key=len, reverse=True):
            if entry.name.lower().endswith(ending):
                return entry.name[: -len(ending)]
    return entry.name


def by_name(entries: Iterable[Entry]) -> tuple[list[Student], list[str]]:
    """Return the students that entries are named after, and the names of entries of nobody.

    A folder or an archive is a student's; so is a link, which is refused later.
    """
    students, rest = [], []
    for entry in entries:
        if entry.kind in (Kind.FOLDER, Kind.LINK) or is_archive(entry.name):
            students.append(Student(student_id(_stem(entry)), (Piece(entry),)))
        else:
            rest.append(one_line(entry.name))
    return students, rest


def tell_apart(students: Iterable[Student]) -> list[list[Student]]:
    """Return students by their ids, which differ in more than case; one list for each id.

    Those of the same name get their numbers into it. A list of several is of entries of which
    nobody can say which one counts.
    """
    groups = _by_id(students).values()
    numbered = [
        replace(one, id=student_id(f"{one.id}_{one.number}"), number="")
        if len(group) > 1 and all(other.number for other in group)
        else one
        for group in groups
        for one in group
    ]
    return list(_by_id(numbered).values())


def _by_id(students: Iterable[Student]) -> dict[str, list[Student]]:
    found: dict[str, list[Student]] = {}
    for one in students:
        found.setdefault(unicodedata.normalize("NFC", one.id.casefold()), []).append(one)
    return found


def innermost(
    entries: list[Entry], finder: Finder, look: Callable[[Sequence[Entry]], Export | None]
) -> tuple[list[Entry], str, Export | None]:
    """Return the entries of the class, the path of the folder that they are all in, or "".

    Also returns what `look` makes of them, the students of an export. A zip file often has one
    folder around all that is in it. It is taken for that only where it holds an export, two
    archives or three submissions, and is no submission itself: one student may have two versions.
    """
    level, export = entries, look(entries)
    path: list[str] = []
    while export is None and len(path) < MAX_NESTING:
        folders = [entry for entry in level if entry.kind is Kind.FOLDER]
        if len(folders) != 1 or any(is_archive(entry.name) for entry in level):
            break
        path.append(folders[0].name)
        try:
            level = folders[0].inside()
        except OSError:
            break  # reading it as a submission says what is wrong
        export = look(level)
        if export is not None or _holds_submissions(level, finder):
            return level, one_line("/".join(path)), export
    return entries, "", export


def _holds_submissions(entries: Sequence[Entry], finder: Finder) -> bool:
    """Whether these entries are several students' rather than the parts of one submission."""
    archives = folders = 0
    for entry in entries:
        if entry.kind is Kind.FOLDER:
            if finder.owner(f"{entry.name}/") is not None:
                return False
            paths = _paths(entry)
            if any("/" in name for path in paths for name in finder.asked(f"{entry.name}/{path}")):
                return False
            folders += any(map(finder.known, paths))
        elif finder.known(entry.name):
            return False
        else:
            archives += is_archive(entry.name)
    return archives > 1 or archives + folders > 2


def _paths(folder: Entry) -> list[str]:
    """Return the paths below a folder; none where they can't be read, which is said later."""
    try:
        return [member.name for member in islice(folder.members(), MAX_SCANNED)]
    except (*DAMAGE, Refused):
        return []
