"""A class's submissions, read from a directory or a zip file.

It holds one folder or one archive (.zip, .tar, .tar.gz, .tgz) per student, named after them, or is
the export of a learning management system (see lms.py). Whatever is wrong with one submission is
that submission's refusal or notice and affects no other. Nothing is written or changed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from pathlib import Path

from autograder.course import Week
from autograder.gradebook.submission import Submission
from autograder.intake.admission import Admission, FileType, Member, Refused, clean_path
from autograder.intake.archives import DAMAGE, read_archive
from autograder.intake.class_entries import ClassEntry, IntakeError, open_class
from autograder.intake.handed_in_csv import (
    FILE,
    HandInNotes,
    note_for,
    read_notes,
    without_submission,
)
from autograder.intake.lms import recognise
from autograder.intake.notices import leftover_notices, missing_file_notices
from autograder.intake.starter import UNTOUCHED, Starter
from autograder.intake.students import (
    ARCHIVES,
    StudentUpload,
    UploadPart,
    find_class_level,
    group_by_id,
    is_archive,
    students_by_name,
)
from autograder.intake.week_files import TAKEN_FOR, WeekFileFinder, some
from autograder.text.display import one_line


@dataclass(frozen=True)
class Intake:
    """A class's submissions by week number, sorted by student id.

    `remarks` are for the instructor: the format that was recognised, and entries left alone.
    `untouched` are the students of a week, by its number, who have only what was handed out.
    """

    submissions: dict[int, list[Submission]]
    remarks: tuple[str, ...] = ()
    untouched: Mapping[int, Sequence[str]] = field(default_factory=dict)


def take_in(
    path: Path, weeks: Sequence[Week], others: Sequence[Week] = (), root: Path | None = None
) -> dict[int, list[Submission]]:
    """Return the submissions that `read_class` reads."""
    return read_class(path, weeks, others, root=root).submissions


def read_class(
    path: Path,
    weeks: Sequence[Week],
    others: Sequence[Week] = (),
    zone: tzinfo = UTC,
    handed_in: Path | None = None,
    keep_documents: bool = False,
    root: Path | None = None,
) -> Intake:
    """Read all submissions in a directory or a zip file; each student has one for each of `weeks`.

    `others` are the course's other weeks: files in their folders are never taken for those of
    `weeks`. Where several entries give the same id (a folder and its archive, say, or names that
    differ only in case), it isn't clear which counts: that student gets one refusal naming them
    all. Hand-in times come from the export (`zone` is for times without one) and from the file
    `handed_in`, or one of that name beside the submissions (see handed_in_csv.py).
    `keep_documents` keeps the contents of documents in memory. What is as the course below `root`
    hands it out does not count as handed in (see starter.py; None: it does).
    Raises IntakeError where the class can't be read or holds no submission.
    """
    finder = WeekFileFinder(weeks, others, keep_documents)
    starter = Starter(root) if root else None
    remarks = []
    notes: HandInNotes = {}
    all_weeks = {week.number: week for week in (*others, *weeks)}.values()
    submissions: dict[int, list[Submission]] = {week.number: [] for week in weeks}
    contents: dict[bytes, bytes] = {}
    with open_class(path) as (entries, unsafe_names):
        entries, folder, export = find_class_level(
            entries, finder, lambda level: recognise(level, finder.known, zone)
        )
        if export is not None:
            remarks.append(f"{export.description}.")
        if folder:
            remarks.append(f"The submissions are in the folder {folder}.")
        students, rest = students_by_name(export.others if export else entries)
        students += export.students if export else []
        if not students:
            where = f" (names that lead out of it: {some(unsafe_names)})" if unsafe_names else ""
            raise IntakeError(
                f"{path} holds no submissions{where}. Put one folder or one archive "
                f"({', '.join(ARCHIVES)}) per student into it, named after the student."
            )
        content = _notes_file(handed_in, () if export else entries)
        if content is not None:
            notes = read_notes(content, str(handed_in or FILE), [*all_weeks])
            rest = [name for name in rest if name != FILE]
        for uploads in group_by_id(students):
            for number, submission in _read_uploads(uploads, finder, starter).items():
                shared = _with_contents_of(submission, contents)
                submissions[number].append(_with_note(shared, number, notes))
    remarks += [f"Not a submission, so left alone: {name}" for name in rest]
    if unsafe_names:
        names = some(unsafe_names)
        remarks.append(f"Left alone, because the name leads out of the zip file: {names}")
    known = {submission.student for each in submissions.values() for submission in each}
    unknown = without_submission(notes, known)
    if unknown:
        remarks.append(f"{FILE} names students of whom there is nothing here: {some(unknown)}")
    near = [
        f"{one.student}: {notice.partition(': ')[0]}"
        for each in submissions.values()
        for one in each
        for notice in one.notices
        if TAKEN_FOR in notice
    ]
    if near:
        remarks.append(f"Files with near names: {some(near)}.")
    untouched = {week.number: _untouched(submissions[week.number]) for week in weeks}
    for week in weeks:
        if who := untouched[week.number]:
            said = "as it was handed out, so it counts as not handed in"
            remarks.append(f"{week.name}: {said}: {some(who)}.")
    for each in submissions.values():
        each.sort(key=lambda submission: submission.student)
    return Intake(
        submissions, tuple(remarks), {week: who for week, who in untouched.items() if who}
    )


def _untouched(submissions: Iterable[Submission]) -> list[str]:
    """Return the students who handed in only what they were given, sorted."""
    return sorted(one.student for one in submissions if _is_untouched(one))


def _is_untouched(one: Submission) -> bool:
    return one.is_empty and any(notice.startswith(UNTOUCHED) for notice in one.notices)


def read_student(
    upload: StudentUpload, weeks: Sequence[Week], root: Path, others: Sequence[Week] = ()
) -> dict[int, Submission]:
    """Return one student's submission for each of `weeks`, by week number; `root` as above."""
    return _read_uploads([upload], WeekFileFinder(weeks, others), Starter(root))


def _notes_file(given: Path | None, entries: Sequence[ClassEntry]) -> bytes | None:
    """Return the content of handed_in.csv: the given one, or that among the class's entries."""
    try:
        if given is not None:
            return given.read_bytes()
        for entry in entries:
            if entry.name == FILE and entry.kind is FileType.FILE:
                return b"".join(entry.chunks())
    except (*DAMAGE, Refused) as error:
        raise IntakeError(f"{given or FILE} could not be read: {one_line(str(error))}.") from error
    return None


def _with_contents_of(submission: Submission, contents: dict[bytes, bytes]) -> Submission:
    """Return a submission whose files share memory with equal ones that were read before.

    A class is in memory at once, and many files of it are as they were given out.
    """
    files = {name: contents.setdefault(one, one) for name, one in submission.files.items()}
    return replace(submission, files=files)


def _with_note(submission: Submission, week: int, notes: HandInNotes) -> Submission:
    """Return a submission with its time and commit from handed_in.csv, if they stand there."""
    note = note_for(notes, submission.student, week)
    if note is None or _is_untouched(submission):
        return submission
    said = f"This {note.remark}." if note.remark and not submission.is_empty else ""
    return replace(
        submission,
        notices=(*submission.notices, *filter(None, [said])),
        received=note.received or submission.received,
        commit=note.commit or submission.commit,
    )


def _read_uploads(
    uploads: Sequence[StudentUpload], finder: WeekFileFinder, starter: Starter | None
) -> dict[int, Submission]:
    """Return one student's submission for each week, by week number.

    Several uploads are refused: nobody can tell which one counts.
    """
    upload = uploads[0]
    if len(uploads) == 1:
        admission = Admission(finder.size_limit, finder.wanted)
        refusal = next(filter(None, (_admit(admission, part) for part in upload.parts)), None)
        if refusal is None:
            return _by_week(upload, admission, finder, starter)
    else:
        parts = [part for upload in uploads for part in upload.parts[:1]]
        named = ", ".join(one_line(part.container or part.entry.name) for part in parts)
        problem = f"{len(uploads)} entries belong to {upload.id}: {named}"
        refusal = f"{problem}. Keep one of them and grade again."
    return {
        week.number: Submission(
            upload.id, notices=upload.notices, refusal=refusal, received=upload.received
        )
        for week in finder.weeks
    }


def _admit(admission: Admission, part: UploadPart) -> str | None:
    """Admit all members of a part; return why it is refused, if it is."""
    name = one_line(part.entry.name)
    try:
        with closing(_members(part)) as members:
            for member in members:
                admission.admit(member)
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


def _members(part: UploadPart) -> Generator[Member, None, None]:
    """Yield the members of a part, by their paths in the submission."""
    entry = part.entry
    if entry.kind in (FileType.LINK, FileType.SPECIAL) and part.path is not None:
        yield Member(part.path, entry.kind, entry.chunks)
        return
    if entry.kind is FileType.LINK:
        raise Refused("it is a link; put the folder or the archive itself here")
    if entry.kind is FileType.SPECIAL:
        raise Refused("it is not a plain file; put a folder or an archive here")
    if entry.kind is FileType.FOLDER:
        members = entry.members()
    elif entry.name.lower().endswith(ARCHIVES):
        members = read_archive(entry.name, entry.chunks())
    elif part.path is None and is_archive(entry.name):
        raise Refused(f"archives of this kind are not read; use {', '.join(ARCHIVES)}")
    else:
        yield Member(part.path or entry.name, FileType.FILE, entry.chunks)
        return
    for member in members:
        if part.path is None:
            yield member
        elif (path := clean_path(member.name)) is not None:
            yield replace(member, name=f"{part.path}/{path}")


def _by_week(
    upload: StudentUpload, admission: Admission, finder: WeekFileFinder, starter: Starter | None
) -> dict[int, Submission]:
    """Make a submission for each week of the files that were admitted."""
    files_by_week = finder.choose(admission.files, admission.ignored)
    spoken_of = {path for files in files_by_week.values() for path in files.spoken_of}
    unread = [*admission.ignored, *admission.files]
    ignored = [name for name in unread if not finder.known(name) and name not in spoken_of]
    submissions = {}
    for week in finder.weeks:
        files = files_by_week[week.number]
        candidates = [name for name in ignored if finder.owner(name) in (None, week.number)]
        notices = [*upload.notices, *files.notices]
        notices += missing_file_notices(week, files, candidates)
        notices += leftover_notices(ignored, admission.unfollowed)
        is_untouched = False
        if starter is not None:
            said = len(files.notices)
            is_untouched = starter.remove_untouched(week, files, admission.files)
            notices += files.notices[said:]
        submissions[week.number] = Submission(
            upload.id,
            files.modules,
            tuple(notices),
            documents=files.documents,
            received=None if is_untouched else upload.received,
            kept=files.kept,
        )
    return submissions
