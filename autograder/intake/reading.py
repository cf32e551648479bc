"""What students handed in, as safe, fingerprinted submissions.

A class is a directory or one zip file. It holds one folder or one archive (.zip, .tar, .tar.gz,
.tgz) per student, named after them, or is what a learning management system hands out (see lms.py).
Whatever is wrong with one submission is that submission's refusal or notice and touches no other.
Nothing is written, and no submission is changed.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path

from autograder.course import Week
from autograder.intake.admission import Gate, Kind, Member, Refused, clean_path
from autograder.intake.archives import DAMAGE, read_archive
from autograder.intake.class_entries import Entry, IntakeError, open_collection
from autograder.intake.handed_in_csv import FILE, Notes, note_of, read_notes, without_submission
from autograder.intake.lms import recognise
from autograder.intake.notices import about_the_rest, about_what_is_missing
from autograder.intake.students import (
    ARCHIVES,
    Piece,
    Student,
    by_name,
    innermost,
    is_archive,
    tell_apart,
)
from autograder.intake.week_files import Finder, some
from autograder.records import Submission
from autograder.text.display import one_line


@dataclass(frozen=True)
class Intake:
    """A class's submissions of each week, by its number, in the order of the students' ids.

    `remarks` are for the instructor: what the class was read as, and what was left alone.
    """

    submissions: dict[int, list[Submission]]
    remarks: tuple[str, ...] = ()


def take_in(
    path: Path, weeks: Sequence[Week], others: Sequence[Week] = ()
) -> dict[int, list[Submission]]:
    """Return the submissions that `read_class` reads."""
    return read_class(path, weeks, others).submissions


def read_class(
    path: Path,
    weeks: Sequence[Week],
    others: Sequence[Week] = (),
    zone: tzinfo = UTC,
    handed_in: Path | None = None,
    keep_documents: bool = False,
) -> Intake:
    """Read all submissions in a directory or a zip file; each student has one for each of `weeks`.

    `others` are the course's other weeks: files in their folders are never taken for those of
    `weeks`. Where several entries give the same id (a folder and its archive, say, or names that
    differ only in case), it isn't clear which counts: that student gets one refusal naming them
    all. When each was handed in is what the export says (`zone` is for times without one), and
    what the file `handed_in` says, or one of that name beside the submissions (see handed_in.py).
    `keep_documents` keeps the contents of documents, in memory.
    Raises IntakeError where the class can't be read or holds no submission.
    """
    finder = Finder(weeks, others, keep_documents)
    remarks = []
    notes: Notes = {}
    every = {week.number: week for week in (*others, *weeks)}.values()
    taken: dict[int, list[Submission]] = {week.number: [] for week in weeks}
    with open_collection(path) as (entries, astray):
        entries, folder, export = innermost(
            entries, finder, lambda level: recognise(level, finder.known, zone)
        )
        if export is not None:
            remarks.append(f"{export.said}.")
        if folder:
            remarks.append(f"The submissions are in the folder {folder}.")
        students, rest = by_name(export.others if export else entries)
        students += export.students if export else []
        if not students:
            where = f" (names that lead out of it: {some(astray)})" if astray else ""
            raise IntakeError(
                f"{path} holds no submissions{where}. Put one folder or one archive "
                f"({', '.join(ARCHIVES)}) per student into it, named after the student."
            )
        content = _notes_file(handed_in, () if export else entries)
        if content is not None:
            notes = read_notes(content, str(handed_in or FILE), [*every])
            rest = [name for name in rest if name != FILE]
        for same in tell_apart(students):
            for number, submission in _take_one(same, finder).items():
                taken[number].append(_with_note(submission, number, notes))
    remarks += [f"Not a submission, so left alone: {name}" for name in rest]
    if astray:
        remarks.append(f"Left alone, because the name leads out of the zip file: {some(astray)}")
    known = {submission.student for found in taken.values() for submission in found}
    unknown = without_submission(notes, known)
    if unknown:
        remarks.append(f"{FILE} names students of whom there is nothing here: {some(unknown)}")
    for submissions in taken.values():
        submissions.sort(key=lambda submission: submission.student)
    return Intake(taken, tuple(remarks))


def read_student(
    student: Student, weeks: Sequence[Week], others: Sequence[Week] = ()
) -> dict[int, Submission]:
    """Read what one student handed in for each of `weeks`, by the week's number."""
    return _take_one([student], Finder(weeks, others))


def _notes_file(given: Path | None, entries: Sequence[Entry]) -> bytes | None:
    """Return the content of handed_in.csv: the given one, or that among the class's entries."""
    try:
        if given is not None:
            return given.read_bytes()
        for entry in entries:
            if entry.name == FILE and entry.kind is Kind.FILE:
                return b"".join(entry.chunks())
    except (*DAMAGE, Refused) as error:
        raise IntakeError(f"{given or FILE} could not be read: {one_line(str(error))}.") from error
    return None


def _with_note(submission: Submission, week: int, notes: Notes) -> Submission:
    """Return a submission with what handed_in.csv says of it, which wins over an export."""
    note = note_of(notes, submission.student, week)
    if note is None:
        return submission
    return replace(
        submission,
        received=note.received or submission.received,
        commit=note.commit or submission.commit,
    )


def _take_one(same: Sequence[Student], finder: Finder) -> dict[int, Submission]:
    """Return what one student handed in for each week, by the week's number."""
    student = same[0]
    if len(same) == 1:
        gate = Gate(finder.room)
        refusal = next(filter(None, (_pass(gate, piece) for piece in student.pieces)), None)
        if refusal is None:
            return _sort(student, gate, finder)
    else:
        first = [piece for one in same for piece in one.pieces[:1]]
        named = ", ".join(one_line(piece.source or piece.entry.name) for piece in first)
        problem = f"{len(same)} entries belong to {student.id}: {named}"
        refusal = f"{problem}. Keep one of them and grade again."
    return {
        week.number: Submission(
            student.id, notices=student.notices, refusal=refusal, received=student.received
        )
        for week in finder.weeks
    }


def _pass(gate: Gate, piece: Piece) -> str | None:
    """Pass all that a piece holds through the gate; return why it is refused, if it is."""
    name = one_line(piece.entry.name)
    try:
        with closing(_members(piece)) as members:
            for member in members:
                gate.pass_through(member)
    except Refused as refused:
        return f"{name} was not taken: {refused}."
    except DAMAGE as error:
        detail = one_line(str(error) or type(error).__name__, 120)
        if isinstance(error, OSError) and error.strerror:
            problem = f"{name} could not be read ({one_line(error.strerror)})"
        else:
            problem = f"{name} is damaged or incomplete ({detail})"
        return f"{problem}. Pack your files and hand them in again."
    return None


def _members(piece: Piece) -> Generator[Member, None, None]:
    """Yield a piece's members, by their paths in the submission."""
    entry = piece.entry
    if entry.kind in (Kind.LINK, Kind.SPECIAL) and piece.at is not None:
        yield Member(piece.at, entry.kind, entry.chunks)
        return
    if entry.kind is Kind.LINK:
        raise Refused("it is a link; put the folder or the archive itself here")
    if entry.kind is Kind.SPECIAL:
        raise Refused("it is not a plain file; put a folder or an archive here")
    if entry.kind is Kind.FOLDER:
        source = entry.members()
    elif entry.name.lower().endswith(ARCHIVES):
        source = read_archive(entry.name, entry.chunks())
    elif piece.at is None and is_archive(entry.name):
        raise Refused(f"archives of this kind are not read; use {', '.join(ARCHIVES)}")
    else:
        yield Member(piece.at or entry.name, Kind.FILE, entry.chunks)
        return
    for member in source:
        if piece.at is None:
            yield member
        elif (path := clean_path(member.name)) is not None:
            yield replace(member, name=f"{piece.at}/{path}")


def _sort(student: Student, gate: Gate, finder: Finder) -> dict[int, Submission]:
    """Give each week its files of all that came through the gate."""
    found = finder.choose(gate.files)
    ignored = [name for name in gate.ignored if not finder.known(name)]
    taken = {}
    for week in finder.weeks:
        mine = found[week.number]
        near = [name for name in ignored if finder.owner(name) in (None, week.number)]
        notices = [*student.notices, *mine.notices, *about_what_is_missing(week, mine, near)]
        notices += about_the_rest(ignored, gate.unfollowed)
        taken[week.number] = Submission(
            student.id,
            mine.modules,
            tuple(notices),
            documents=mine.documents,
            received=student.received,
            kept=mine.kept,
        )
    return taken
