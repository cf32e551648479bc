"""A pushed commit as submissions, read from git's objects and admitted like all others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from autograder.course import Course
from autograder.gradebook.submission import Submission
from autograder.intake.admission import FileType
from autograder.intake.class_entries import ClassEntry
from autograder.intake.reading import read_student
from autograder.intake.students import StudentUpload, UploadPart
from autograder.intake.week_files import WeekFileFinder, some
from autograder.integrations.git import Repository
from autograder.integrations.push.ledger import Fingerprints


@dataclass(frozen=True)
class CommitSubmissions:
    """A commit's submissions by week number; weeks of which it holds nothing are left out.

    `refusal` says why the whole commit was refused.
    """

    weeks: Mapping[int, Submission]
    refusal: str | None = None

    @property
    def fingerprints(self) -> Fingerprints:
        """The fingerprint of each week's files."""
        return {number: fingerprint(submission) for number, submission in self.weeks.items()}


def read_commit(
    root: Path, course: Course, path: Path, student: str, commit: str, received: datetime
) -> CommitSubmissions:
    """Read a commit of a bare repository; untouched stubs don't count as handed in.

    Raises GitError where git can't read it.
    """
    finder = WeekFileFinder(course.weeks)
    tree = Repository(path).tree(commit, finder.size_limit)
    name = f"commit {commit[:7]}"
    entry = ClassEntry(name, FileType.FOLDER, lambda: iter(()), tree.members, list)
    upload = StudentUpload(student, (UploadPart(entry),), received=received)
    submissions = read_student(upload, course.weeks, root)
    refusal = next((s.refusal for s in submissions.values() if s.refusal), None)
    if refusal:
        return CommitSubmissions({}, refusal)
    weeks = {}
    for week in course.weeks:
        submission = replace(submissions[week.number], commit=commit)
        pointers = [name for name in tree.pointers if finder.owner(name) in (None, week.number)]
        if pointers:
            notice = f"Only pointers of Git LFS: {some(pointers)}. Commit the files themselves."
            submission = replace(submission, notices=(*submission.notices, notice))
        if not submission.is_empty:
            weeks[week.number] = submission
    pointers = [name for name in tree.pointers if finder.known(name)]
    if pointers and not weeks:
        refusal = f"Only pointers of Git LFS: {some(pointers)}. Commit the files themselves."
        return CommitSubmissions({}, refusal)
    return CommitSubmissions(weeks)


def fingerprint(submission: Submission) -> tuple[str, str]:
    """Return the fingerprints of a submission's modules and of its documents."""
    documents = repr(sorted(submission.documents.items()))
    return submission.fingerprint, hashlib.sha256(documents.encode()).hexdigest()
