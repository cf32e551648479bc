"""A pushed commit as submissions: read from git's objects, through the same gate as all others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from autograder.course import Course, Week
from autograder.intake.admission import Kind
from autograder.intake.class_entries import Entry
from autograder.intake.reading import read_student
from autograder.intake.students import Piece, Student
from autograder.intake.week_files import Finder, some
from autograder.integrations.git import Repository
from autograder.integrations.push.ledger import Fingerprints
from autograder.records import Submission
from autograder.text.files import source_digest


@dataclass(frozen=True)
class Taken:
    """What a commit holds of each week, by its number: of those of which there is anything.

    `refusal` is why nothing of it was taken.
    """

    weeks: Mapping[int, Submission]
    refusal: str | None = None

    @property
    def fingerprints(self) -> Fingerprints:
        """What tells these files from others."""
        return {number: fingerprint(one) for number, one in self.weeks.items()}


def take(
    root: Path, course: Course, path: Path, student: str, commit: str, received: datetime
) -> Taken:
    """Read a commit of a bare repository; stubs that nobody has touched are nothing handed in.

    Raises GitError where git can't read it.
    """
    finder = Finder(course.weeks)
    tree = Repository(path).tree(commit, finder.room)
    entry = Entry(f"commit {commit[:7]}", Kind.FOLDER, lambda: iter(()), tree.members, list)
    whole = Student(student, (Piece(entry),), received=received)
    taken = read_student(whole, course.weeks)
    refusal = next((one.refusal for one in taken.values() if one.refusal), None)
    if refusal:
        return Taken({}, refusal)
    weeks = {}
    for week in course.weeks:
        one = replace(taken[week.number], commit=commit)
        lost = [name for name in tree.pointers if finder.owner(name) in (None, week.number)]
        if lost:
            notice = f"Only pointers of Git LFS: {some(lost)}. Commit the files themselves."
            one = replace(one, notices=(*one.notices, notice))
        if has_begun(root, week, one):
            weeks[week.number] = one
    lost = [name for name in tree.pointers if finder.known(name)]
    if lost and not weeks:
        return Taken({}, f"Only pointers of Git LFS: {some(lost)}. Commit the files themselves.")
    return Taken(weeks)


def fingerprint(one: Submission) -> tuple[str, str]:
    """Return what tells a submission's modules, and its documents, from others."""
    documents = repr(sorted(one.documents.items()))
    return one.fingerprint, hashlib.sha256(documents.encode()).hexdigest()


def has_begun(root: Path, week: Week, one: Submission) -> bool:
    """Whether there is anything of a week that isn't as the course hands it out."""
    folder = root / "assignments" / week.folder
    for name in week.sources:
        content = one.files.get(name)
        if content is not None and source_digest(content) != _digest(folder / name):
            return True
    for name, digest in one.documents.items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            return True
    return False


def _digest(path: Path) -> str | None:
    return source_digest(path.read_bytes()) if path.is_file() else None
