"""`autograder export files`: every student's files as they were graded, for any other tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course import Course, Week, load
from autograder.errors import OutputError
from autograder.gradebook.graded_files import kept_files, kept_folders
from autograder.gradebook.journal import EMPTY_FINGERPRINT, Gradebook, GradebookError, Receipt
from autograder.gradebook.private import PRIVATE, PRIVATE_FOLDER
from autograder.gradebook.submission import Submission
from autograder.intake.class_entries import IntakeError
from autograder.intake.reading import read_class
from autograder.text.display import one_line
from autograder.text.files import write_bytes

READ_AGAIN = "name the folder in which they are still as graded (--submissions)"


class FilesError(OutputError):
    """The files can't be exported: why, and what to do."""


@dataclass
class ExportedFiles:
    """How many files were written, of how many submissions, and what could not be, with reasons.

    `remarks` begin with the student and the week.
    """

    files: int = 0
    submissions: int = 0
    remarks: list[str] = field(default_factory=list)


Again = Mapping[tuple[str, int, str], Submission]
"""Submissions that were read again: by student, week and fingerprint."""


def export_files(
    root: Path,
    grades: Path,
    out: Path,
    week: int | None = None,
    submissions: Sequence[Path] = (),
) -> ExportedFiles:
    """Write `out`/student/week/file: of each student's week, the files whose results count.

    They come from the store beside the gradebook. Documents, which it does not keep, and what was
    graded before there was a store, come from `submissions`, by default from where the class was
    graded, as far as they are still what was graded. `out` has to be new or empty, so that nothing
    of an earlier export is taken for today's. Raises AutograderError, and OSError where a file
    can't be written.
    """
    course = load(root)
    path = grades / "gradebook.sqlite"
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FilesError(f"{out} is there and not empty", "Name a new folder (--out)")
    done = ExportedFiles()
    again = _read_again(course, submissions) if submissions else _remembered(course, path, done)
    with Gradebook.read(path) as gradebook:
        for student, one, receipt in _handed_in(course, gradebook, week):
            files, remarks = _files_of(gradebook, path, student, one, receipt, again)
            done.remarks += [f"{student}, {one.id}: {one_line(text, 500)}" for text in remarks]
            for name, content in files.items():
                _write(out, (student, one.id, *name.split("/")), content)
            done.files += len(files)
            done.submissions += bool(files)
    if not done.submissions and not done.remarks:
        raise FilesError(f"nothing was handed in of what {path} knows", "Grade a class first")
    return done


def _read_again(course: Course, folders: Sequence[Path]) -> Again:
    """Read class folders once more, documents included."""
    found: dict[tuple[str, int, str], Submission] = {}
    for folder in folders:
        intake = read_class(folder, course.weeks, zone=course.handing_in.zone, keep_documents=True)
        for week, each in intake.submissions.items():
            found |= {(one.student, week, one.fingerprint): one for one in each}
    return found


def _remembered(course: Course, path: Path, done: ExportedFiles) -> Again:
    """Read once more what is still there of the folders that were graded."""
    found: dict[tuple[str, int, str], Submission] = {}
    for folder in reversed(kept_folders(path)):
        try:
            found |= _read_again(course, [folder])
        except IntakeError as error:
            done.remarks.append(f"{folder} was graded, and can't be read now: {error.problem}")
    return found


def _handed_in(
    course: Course, gradebook: Gradebook, week: int | None
) -> Iterator[tuple[str, Week, Receipt]]:
    """Yield each student's weeks, with what was handed in last of them."""
    for student in gradebook.students():
        for number in gradebook.weeks(student):
            one = next((each for each in course.weeks if each.number == number), None)
            receipt = gradebook.submission(student, number)
            if one is not None and receipt is not None and week in (None, number):
                yield student, one, receipt


def _files_of(
    gradebook: Gradebook, path: Path, student: str, week: Week, receipt: Receipt, again: Again
) -> tuple[dict[str, bytes], list[str]]:
    """Return a submission's files as graded, by name, and what has to be said of it."""
    if receipt.refusal is not None:
        return {}, [f"nothing was taken: {receipt.refusal}"]
    remarks = []
    job = gradebook.counting_job(student, week.number)
    fingerprint = job.fingerprint if job else receipt.fingerprint
    if fingerprint != receipt.fingerprint:
        remarks.append("the files of the last finished results; newer ones are not graded yet")
        receipt = gradebook.submission(student, week.number, fingerprint) or receipt
    read = again.get((student, week.number, fingerprint))
    files: dict[str, bytes] = {}
    if fingerprint != EMPTY_FINGERPRINT:
        kept = kept_files(path, fingerprint) or (read.files if read else None)
        if kept is None:
            remarks.append(f"the files were not kept: {READ_AGAIN}")
        files |= kept or {}
    documents = read.kept if read else {}
    missing = []
    for name, digest in receipt.documents.items():
        if name in documents and read and read.documents.get(name) == digest:
            files[name] = documents[name]
        else:
            missing.append(name)
    if missing:
        remarks.append(f"documents are not kept ({', '.join(missing)}): {READ_AGAIN}")
    return files, remarks


def _write(out: Path, parts: Sequence[str], content: bytes) -> None:
    """Write a file below `out`. Raises GradebookError for a path that leads out of it."""
    if any(part in ("", ".", "..") or set(part) & set("/\\\0") for part in parts):
        raise GradebookError(f"{one_line('/'.join(parts))} is no path of a submission's file")
    folder = out
    for part in ("", *parts[:-1]):
        folder = folder / part
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    write_bytes(folder / parts[-1], content, PRIVATE)
