"""A class's submissions, read from a directory or a zip file.

It holds one folder or one archive (.zip, .tar, .tar.gz, .tgz) per student, named after them, or is
the export of a learning management system (see lms.py). Whatever is wrong with one submission is
that submission's refusal or notice and affects no other. Nothing is written or changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from pathlib import Path

from autograder.course import Week
from autograder.gradebook.ids import key
from autograder.gradebook.people import Identity, KnownNames, KnownPeople, Loss
from autograder.gradebook.roster import FILE as ROSTER
from autograder.gradebook.roster import Roster, read_roster
from autograder.gradebook.submission import Submission
from autograder.intake.admission import Admission, FileType, Member, Refused, clean_path
from autograder.intake.archives import DAMAGE, read_archive
from autograder.intake.class_entries import ClassEntry, IntakeError, open_class
from autograder.intake.group_work import share
from autograder.intake.handed_in_csv import (
    FILE,
    HandInNotes,
    note_for,
    read_notes,
    without_submission,
)
from autograder.intake.helpers import may_help
from autograder.intake.lms import recognise
from autograder.intake.losses import AS_HANDED_OUT, upload_losses, week_losses
from autograder.intake.notices import leftover_notices, missing_file_notices, odd_notices
from autograder.intake.sections import split_sections
from autograder.intake.starter import UNTOUCHED, Starter
from autograder.intake.students import (
    ARCHIVES,
    StudentUpload,
    UploadPart,
    find_class_level,
    group_by_id,
    is_archive,
    packed_as,
    students_by_name,
)
from autograder.intake.week_files import TAKEN_FOR, WeekFileFinder, some
from autograder.intake.whose import BY_ROSTER, by_number, by_roster, identities
from autograder.text.display import one_line


@dataclass(frozen=True)
class Intake:
    """A class's submissions by week number, sorted by student id.

    `remarks` are for the instructor: the format that was recognised, and entries left alone;
    `losses` what was lost, merged or split of whom. `absent` are the ids of those in the roster of
    whom there is nothing; `identities` say by which names and numbers students came; `roster` is
    the one that was used. `untouched` are the students of a week, by its number, who have only what
    was handed out.
    """

    submissions: dict[int, list[Submission]]
    remarks: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()
    absent: frozenset[str] = frozenset()
    identities: tuple[Identity, ...] = ()
    roster: Roster | None = None
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
    roster: Roster | None = None,
    known: KnownPeople | None = None,
    root: Path | None = None,
) -> Intake:
    """Read all submissions in a directory or a zip file; each student has one for each of `weeks`.

    `others` are the course's other weeks: files in their folders are never taken for those of
    `weeks`. Where several entries give the same id (a folder and its archive, say, or names that
    differ only in case), it isn't clear which counts: that student gets one refusal naming them
    all. Hand-in times come from the export (`zone` is for times without one) and from the file
    `handed_in`, or one of that name beside the submissions (see handed_in_csv.py); the roster is
    the given one, or roster.csv beside the submissions, or that among the `known` people, whose
    names and numbers tell namesakes apart. `keep_documents` keeps the contents of documents. What
    is as the course below `root` hands it out does not count as handed in (see starter.py; None: it
    does). Raises IntakeError where the class can't be read or holds no submission, RosterError for
    a roster beside the submissions that can't be used.
    """
    finder = WeekFileFinder(weeks, others, keep_documents)
    known = known or KnownPeople()
    starter = Starter(root) if root else None
    remarks = []
    notes: HandInNotes = {}
    all_weeks = [*{week.number: week for week in (*others, *weeks)}.values()]
    with open_class(path) as (entries, unsafe_names):
        top = entries
        entries, folder, export = find_class_level(
            entries, finder, lambda level: recognise(level, finder.known, zone)
        )
        if export is not None:
            remarks.append(f"{export.description}.")
        if folder:
            remarks.append(f"The submissions are in the folder {folder}.")
        beside = () if export else entries
        content = _file_beside(None, ROSTER, (*beside, *top)) if roster is None else None
        if content is not None:
            roster = read_roster(content, ROSTER, all_weeks)
        roster = roster or known.roster
        reading = _Reading(finder, roster, known.names, starter)
        level = export.others if export else reading.without_sections(entries)
        students, rest = students_by_name(level)
        students += export.students if export else []
        if not students:
            where = f" (names that lead out of it: {some(unsafe_names)})" if unsafe_names else ""
            raise IntakeError(
                f"{path} holds no submissions{where}. Put one folder or one archive "
                f"({', '.join(ARCHIVES)}) per student into it, named after the student."
            )
        content = _file_beside(handed_in, FILE, beside)
        if content is not None:
            notes, said = read_notes(content, str(handed_in or FILE), all_weeks, zone)
            remarks += said
            notes = _notes_by_roster(notes, roster) if roster else notes
        rest = [name for name in rest if name not in (FILE, ROSTER)]
        packed = [
            (one_line(entry.name), kind)
            for entry in level
            if one_line(entry.name) in rest and (kind := packed_as(entry))
        ]
        submissions = reading.submissions(students, notes)
    remarks += [f"Not a submission, so left alone: {name}" for name in rest]
    reading.losses += [Loss("", "left alone", f"{name} is no submission.") for name in rest]
    reading.losses += [
        Loss("", "archive", f"{name} is an archive by its content: call it {name}.{kind}.")
        for name, kind in packed
    ]
    if unsafe_names:
        names = some(unsafe_names)
        text = f"Left alone, because the name leads out of the zip file: {names}"
        remarks.append(text)
        reading.losses.append(Loss("", "left alone", f"{text}."))
    present = {submission.student for week in submissions.values() for submission in week}
    unknown = without_submission(notes, present)
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
    if roster is not None and roster.unused:
        remarks.append(f"Columns of the roster that mean nothing here: {some(roster.unused)}.")
    missing = reading.add_absent(submissions)
    untouched = {week.number: _untouched(submissions[week.number]) for week in weeks}
    for week in weeks:
        if who := untouched[week.number]:
            what = "as it was handed out, so it counts as not handed in"
            remarks.append(f"{week.name}: {what}: {some(who)}.")
            text = f"{week.name}: {what}."
            reading.losses += [Loss(one, AS_HANDED_OUT, text, week.id) for one in who]
    for each in submissions.values():
        each.sort(key=lambda submission: submission.student)
    refused = [
        Loss(one.student, "refused", one.refusal)
        for each in submissions.values()
        for one in each
        if one.refusal
    ]
    losses = tuple(dict.fromkeys([*refused, *reading.losses]))
    met = tuple(reading.identities)
    nothing_new = {week: who for week, who in untouched.items() if who}
    return Intake(submissions, tuple(remarks), losses, missing, met, roster, nothing_new)


def _untouched(submissions: Iterable[Submission]) -> list[str]:
    """Return the students who handed in only what they were given, sorted."""
    return sorted(one.student for one in submissions if _is_untouched(one))


def _is_untouched(one: Submission) -> bool:
    return one.is_empty and any(notice.startswith(UNTOUCHED) for notice in one.notices)


class _Reading:
    """Reads the uploads of a class; collects what the instructor should know of them."""

    def __init__(
        self,
        finder: WeekFileFinder,
        roster: Roster | None,
        known: KnownNames,
        starter: Starter | None,
    ) -> None:
        self.losses: list[Loss] = []
        self.identities: list[Identity] = []
        self._finder = finder
        self._roster = roster
        self._known = known
        self._starter = starter
        self._doubtful: set[str] = set()
        self._contents: dict[bytes, bytes] = {}

    def without_sections(self, entries: Sequence[ClassEntry]) -> list[ClassEntry]:
        """Return the class's entries, with what lies in folders of sections."""
        roster = self._roster

        def is_known(name: str) -> bool:
            return roster is not None and bool(roster.who([name], [name]) or self._is_group(name))

        found, losses = split_sections(entries, self._finder, roster, is_known)
        self.losses += losses
        return found

    def _is_group(self, name: str) -> bool:
        groups = map(key, self._groups())
        return key(name) in groups

    def _groups(self) -> list[str]:
        return [] if self._roster is None else self._roster.group_names

    def submissions(
        self, uploads: Sequence[StudentUpload], notes: HandInNotes
    ) -> dict[int, list[Submission]]:
        """Return everybody's submissions by week number, groups' given to their members."""
        if self._roster is None:
            return self._without_roster(uploads, notes)
        whose = by_roster(uploads, self._roster, self._groups())
        self.losses += whose.losses
        self._doubtful = {id for one in whose.uploads for id in one.may_be}
        by_week, single = self._read(whose.uploads, notes)
        self._note_identities(single, by_week)
        for week in self._finder.weeks:
            shared = share(by_week[week.number], self._roster, week, whose.groups)
            by_week[week.number], losses = shared
            self.losses += losses
        return by_week

    def _without_roster(
        self, uploads: Sequence[StudentUpload], notes: HandInNotes
    ) -> dict[int, list[Submission]]:
        by_week, single = self._read(uploads, notes)
        before = {one.id: position for position, one in enumerate(single)}
        whose = by_number(single, self._known, _weeks_of(by_week))
        self.losses += whose.losses
        renamed = [one.id for one in whose.uploads]
        twice = {id for id in renamed if renamed.count(id) > 1}
        for submissions in by_week.values():
            for at, one in enumerate(submissions):
                if one.student not in before:
                    continue
                now = whose.uploads[before[one.student]]
                refusal = now.refusal or one.refusal
                if now.id in twice:
                    refusal = f"several submissions are of {now.id}. {BY_ROSTER}."
                if now.refusal or now.id in twice:
                    submissions[at] = Submission(now.id, refusal=refusal, received=one.received)
                else:
                    submissions[at] = replace(one, student=now.id)
        self._note_identities([one for one in whose.uploads if one.id not in twice], by_week)
        return by_week

    def _note_identities(
        self, uploads: Sequence[StudentUpload], by_week: Mapping[int, Sequence[Submission]]
    ) -> None:
        self.identities += identities(uploads, _weeks_of(by_week))

    def _read(
        self, uploads: Sequence[StudentUpload], notes: HandInNotes
    ) -> tuple[dict[int, list[Submission]], list[StudentUpload]]:
        """Return submissions by week, and those uploads whose student has no other."""
        by_week: dict[int, list[Submission]] = {week.number: [] for week in self._finder.weeks}
        single = []
        for group in group_by_id(uploads):
            read, losses = _read_uploads(group, self._finder, self._starter)
            self.losses += losses
            if len(group) == 1:
                single += group
            for number, submission in read.items():
                shared = _with_contents_of(submission, self._contents)
                by_week[number].append(_with_note(shared, number, notes))
        return by_week, single

    def add_absent(self, submissions: dict[int, list[Submission]]) -> frozenset[str]:
        """Add empty submissions of those in the roster of whom there is nothing; return their ids.

        Nobody is absent to whom an upload may belong of which it isn't clear whose it is.
        """
        if self._roster is None:
            return frozenset()
        present = {one.student for week in submissions.values() for one in week}
        missing = [id for id in self._roster.people if id not in present | self._doubtful]
        for week in submissions.values():
            there = {one.student for one in week} | self._doubtful
            week += [Submission(id) for id in self._roster.people if id not in there]
        return frozenset(missing)


def _weeks_of(by_week: Mapping[int, Sequence[Submission]]) -> dict[str, set[int]]:
    """Return the weeks of which each student has files."""
    weeks: dict[str, set[int]] = defaultdict(set)
    for number, submissions in by_week.items():
        for one in submissions:
            if one.files or one.documents:
                weeks[one.student].add(number)
    return weeks


def entries_by_student(
    path: Path, weeks: Sequence[Week], zone: tzinfo = UTC, known: KnownPeople | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the names that a learning management system gave to each student's entries.

    Whose they are is found as `read_class` does; a group's are each member's. No file is read.
    Raises IntakeError where the class can't be read or is no such export.
    """
    known = known or KnownPeople()
    finder = WeekFileFinder(weeks)
    with open_class(path) as (entries, _):
        _, _, export = find_class_level(
            entries, finder, lambda level: recognise(level, finder.known, zone)
        )
    if export is None:
        problem = f"{path} is not what a learning management system handed out"
        raise IntakeError(problem, "Give the zip file as it was downloaded, or its folder")
    if known.roster is None:
        whose = by_number(export.students, known.names, {})
    else:
        whose = by_roster(export.students, known.roster, known.roster.group_names)
    found: dict[str, list[str]] = defaultdict(list)
    for each in group_by_id(whose.uploads):
        group = whose.groups.get(each[0].id)
        members = known.roster.ever_in(group) if known.roster and group else []
        for student in [one.id for one in members] or [each[0].id]:
            found[student] += [name for one in each for name in one.entries]
    return {student: tuple(names) for student, names in found.items()}


def read_student(
    upload: StudentUpload, weeks: Sequence[Week], root: Path, others: Sequence[Week] = ()
) -> dict[int, Submission]:
    """Return one student's submission for each of `weeks`, by week number; `root` as above."""
    return _read_uploads([upload], WeekFileFinder(weeks, others), Starter(root))[0]


def _file_beside(given: Path | None, name: str, entries: Sequence[ClassEntry]) -> bytes | None:
    """Return the content of a file about the class: the given one, or that among its entries."""
    try:
        if given is not None:
            return given.read_bytes()
        for entry in entries:
            if entry.name == name and entry.kind is FileType.FILE:
                return b"".join(entry.chunks())
    except (*DAMAGE, Refused) as error:
        raise IntakeError(f"{given or name} could not be read: {one_line(str(error))}.") from error
    return None


def _notes_by_roster(notes: HandInNotes, roster: Roster) -> HandInNotes:
    """Return the notes by the ids that the roster has for their students."""
    found: HandInNotes = {}
    for (student, week), note in notes.items():
        people = roster.who([student], [student])
        found[people[0].id if len(people) == 1 else student, week] = note
    return found


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
) -> tuple[dict[int, Submission], list[Loss]]:
    """Return one student's submission for each week, by week number, and what was lost.

    Several uploads are refused: nobody can tell which one counts.
    """
    upload = uploads[0]
    if len(uploads) == 1 and upload.refusal:
        refusal: str | None = upload.refusal
    elif len(uploads) == 1:
        admission = Admission(finder.size_limit, finder.wanted, finder.known)
        refusal = next(filter(None, (_admit(admission, part) for part in upload.parts)), None)
        if refusal is None:
            return _by_week(upload, admission, finder, starter)
    else:
        parts = [part for upload in uploads for part in upload.parts[:1]]
        named = ", ".join(one_line(part.container or part.entry.name) for part in parts)
        problem = f"{len(uploads)} entries belong to {upload.id}: {named}"
        refusal = f"{problem}. Keep one of them and grade again."
    refused = Submission(
        upload.id, notices=upload.notices, refusal=refusal, received=upload.received
    )
    return {week.number: refused for week in finder.weeks}, []


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
    plain = entry.kind in (FileType.FILE, FileType.FOLDER)
    if not plain and part.path is not None:
        yield Member(part.path, entry.kind, entry.chunks)
        return
    if entry.kind is FileType.LINK:
        raise Refused("it is a link; put the folder or the archive itself here")
    if not plain:
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


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _by_week(
    upload: StudentUpload, admission: Admission, finder: WeekFileFinder, starter: Starter | None
) -> tuple[dict[int, Submission], list[Loss]]:
    """Make a submission for each week of the files that were admitted, and say what was lost."""
    files_by_week = finder.choose(admission.files, admission.ignored)
    spoken_of = {path for files in files_by_week.values() for path in files.spoken_of}
    unread = [*admission.ignored, *admission.files]
    ignored = [name for name in unread if not finder.known(name) and name not in spoken_of]
    # A module beside those of a week that is not graded now is that week's.
    elsewhere = {_folder(name) for name in unread if finder.known(name) and not finder.wanted(name)}
    packages = {f"{_folder(name)}/__init__.py" for name in unread if finder.known(name)}
    left = [
        name
        for name in ignored
        if name not in packages and not (may_help(name) and _folder(name) in elsewhere)
    ]
    submissions = {}
    losses = [*upload_losses(upload.id, upload.notices, ignored, admission, finder.wanted)]
    for week in finder.weeks:
        files = files_by_week[week.number]
        losses += week_losses(upload.id, week, files)
        candidates = [name for name in ignored if finder.owner(name) in (None, week.number)]
        notices = [*upload.notices, *files.notices]
        notices += missing_file_notices(week, files, candidates)
        notices += leftover_notices(left, admission.unfollowed)
        notices += odd_notices(admission.odd)
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
    return submissions, losses
