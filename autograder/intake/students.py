"""The students of a class, and the files, folders and archives that each handed in."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from autograder.gradebook.ids import student_id
from autograder.intake.admission import MAX_SCANNED, FileType, Refused
from autograder.intake.archives import DAMAGE
from autograder.intake.class_entries import ClassEntry
from autograder.intake.week_files import WeekFileFinder
from autograder.text.display import one_line

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
OTHER_ARCHIVES = (
    *(".rar", ".7z", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst", ".gz", ".xz", ".bz2"),
    *(".zst", ".zipx", ".tar.lz", ".lzma", ".lzh", ".lha", ".arj", ".cab", ".ace", ".sit", ".sitx"),
)
_BEGINNINGS = {
    b"PK\3\4": "zip", b"Rar!": "rar", b"7z\xbc\xaf": "7z", b"\x1f\x8b": "gz", b"BZh": "bz2",
    b"\xfd7zXZ": "xz", b"(\xb5/\xfd": "zst",
}  # fmt: skip
_PACKED_DOCUMENTS = (".docx", ".xlsx", ".pptx", ".odt", ".ods", ".odp", ".jar", ".epub", ".npz")
MAX_NESTED_FOLDERS = 4


@dataclass(frozen=True)
class UploadPart:
    """One file, folder or archive that a student handed in.

    `path` is its path in the submission. Where it is None, the part is the whole submission: the
    content of the folder or archive lies at the top. `container` is the name of the class's entry
    that it was in, where that is another one.
    """

    entry: ClassEntry
    path: str | None = None
    container: str = ""


@dataclass(frozen=True)
class StudentUpload:
    """All parts that one student handed in, not read yet, and the notices for the student.

    `number` distinguishes students of the same name; `received` is the export's hand-in time.
    `entries` are the names that the system gave to what is theirs, taken or not.
    `names` and `lms_ids` are by what a system calls its student: names first that are surest.
    `refusal` says why it can't be told whose this is, `may_be` whose ids it may be.
    """

    id: str
    parts: tuple[UploadPart, ...]
    notices: tuple[str, ...] = ()
    number: str = ""
    received: datetime | None = None
    entries: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    lms_ids: tuple[str, ...] = ()
    refusal: str = ""
    may_be: tuple[str, ...] = ()


@dataclass(frozen=True)
class LmsExport:
    """An LMS export: its description, its students, and the entries that aren't part of it."""

    description: str
    students: list[StudentUpload]
    others: list[ClassEntry]


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive, of a supported format or not."""
    return name.lower().endswith(ARCHIVES + OTHER_ARCHIVES)


def stem(entry: ClassEntry) -> str:
    """Return an entry's name without an archive's ending."""
    if entry.kind is not FileType.FOLDER:
        for ending in sorted(ARCHIVES + OTHER_ARCHIVES, key=len, reverse=True):
            if entry.name.lower().endswith(ending):
                return entry.name[: -len(ending)]
    return entry.name


def students_by_name(entries: Iterable[ClassEntry]) -> tuple[list[StudentUpload], list[str]]:
    """Return the students that entries are named after, and the names of all other entries.

    A folder or an archive is a student's; so is a link, which is refused later.
    """
    students, others = [], []
    for entry in entries:
        if entry.kind in (FileType.FOLDER, FileType.LINK) or is_archive(entry.name):
            name = stem(entry)
            students.append(StudentUpload(student_id(name), (UploadPart(entry),), names=(name,)))
        else:
            others.append(one_line(entry.name))
    return students, others


def group_by_id(students: Iterable[StudentUpload]) -> list[list[StudentUpload]]:
    """Group students by id, ignoring case.

    Students of the same name get their numbers into their ids. Where a group still has several
    members, nobody can tell which of them counts.
    """
    groups = _by_id(students).values()
    numbered = [
        replace(student, id=student_id(f"{student.id}_{student.number}"), number="")
        if len(group) > 1 and all(other.number for other in group)
        else student
        for group in groups
        for student in group
    ]
    return list(_by_id(numbered).values())


def _by_id(students: Iterable[StudentUpload]) -> dict[str, list[StudentUpload]]:
    groups: dict[str, list[StudentUpload]] = {}
    for student in students:
        key = unicodedata.normalize("NFC", student.id.casefold())
        groups.setdefault(key, []).append(student)
    return groups


def find_class_level(
    entries: list[ClassEntry],
    finder: WeekFileFinder,
    recognise: Callable[[Sequence[ClassEntry]], LmsExport | None],
) -> tuple[list[ClassEntry], str, LmsExport | None]:
    """Return the class's entries, the path of the folder around them ("": none), and the export.

    `recognise` returns the LMS export that entries are, if they are one. A zip file often has one
    folder around all its content. A folder counts as that only where it holds an export, two
    archives or three submissions, and is no submission itself: one student may have two versions.
    """
    level, export = entries, recognise(entries)
    path: list[str] = []
    while export is None and len(path) < MAX_NESTED_FOLDERS:
        folders = [entry for entry in level if entry.kind is FileType.FOLDER]
        if len(folders) != 1 or any(is_archive(entry.name) for entry in level):
            break
        path.append(folders[0].name)
        try:
            level = folders[0].inside()
        except OSError:
            break  # reading it as a submission says what is wrong
        export = recognise(level)
        if export is not None or _holds_submissions(level, finder):
            return level, one_line("/".join(path)), export
    return entries, "", export


def _holds_submissions(entries: Sequence[ClassEntry], finder: WeekFileFinder) -> bool:
    """Whether these entries are several students' submissions, not the parts of one."""
    archives = folders = 0
    for entry in entries:
        if entry.kind is FileType.FOLDER:
            if finder.owner(f"{entry.name}/") is not None:
                return False
            paths = paths_below(entry)
            if any("/" in name for path in paths for name in finder.asked(f"{entry.name}/{path}")):
                return False
            folders += any(map(finder.known, paths))
        elif finder.known(entry.name):
            return False
        else:
            archives += is_archive(entry.name)
    return archives > 1 or archives + folders > 2


def packed_as(entry: ClassEntry) -> str:
    """Return the kind of archive that a file holds which isn't called one; "" for none."""
    if entry.kind is not FileType.FILE or entry.name.lower().endswith(_PACKED_DOCUMENTS):
        return ""
    try:
        first = next(entry.chunks(), b"")[:300]
    except (*DAMAGE, Refused):
        return ""  # it is left alone in any case
    begins = (kind for start, kind in _BEGINNINGS.items() if first.startswith(start))
    return next(begins, "tar" if first[257:262] == b"ustar" else "")


def paths_below(folder: ClassEntry) -> list[str]:
    """Return the paths below a folder; none where they can't be read, which is reported later."""
    try:
        return [member.name for member in islice(folder.members(), MAX_SCANNED)]
    except (*DAMAGE, Refused):
        return []
