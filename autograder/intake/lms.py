"""Students and their files in the exports of Canvas, Moodle, Gradescope and Blackboard.

Whose an entry is follows from the name that the system gave it, always from its beginning: what
stands behind that is the student's choice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from autograder.gradebook.ids import student_id
from autograder.gradebook.submission import LATE_IN_CANVAS
from autograder.intake.admission import FileType, Refused
from autograder.intake.archives import DAMAGE
from autograder.intake.class_entries import ClassEntry
from autograder.intake.lms_gradescope import METADATA, GradescopeRecord, read_records
from autograder.intake.students import LmsExport, StudentUpload, UploadPart, is_archive
from autograder.intake.week_files import some
from autograder.text.display import one_line

CANVAS = re.compile(
    r"(?P<who>\w+?)_(?P<late>(?:LATE|late)_)?(?P<user>[0-9]{3,})_"
    r"(?:(?P<upload>[0-9]{3,})_(?P<file>.+)|(?:text|link)\.html)"
)
"""`doejane_LATE_12345_67890_losses-1.py`; what was typed in or linked is one HTML file."""
CANVAS_ANONYMOUS = re.compile(
    r"(?P<who>)(?P<late>LATE_)?(?P<user>anon_[A-Za-z0-9]{5})_"
    r"(?:(?P<upload>[0-9]{3,})_(?P<file>.+)|(?:text|link)\.html)"
)
"""`anon_x7Kq2_67890_losses.py`."""
MOODLE = re.compile(
    r"(?P<who>.+?)(?:_(?P<number>[0-9]+))?_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?"
)
"""`Jane Doe_1234567_assignsubmission_file_`, a folder, or the same with a file's name behind it."""
BLACKBOARD = re.compile(
    r"(?P<head>.+?)_[^\W\d_]+_(?P<when>[0-9]{4}(?:-[0-9]{2}){5})(?:_(?P<file>.+)|\.txt)"
)
"""`Week 1_jdoe_attempt_2026-11-28-10-15-00_losses.py`; without a file's name it is the receipt."""
GRADESCOPE = re.compile(r"submission_[0-9]+")

_COUNTER = re.compile(r"-([0-9]{1,9})((?:\.[A-Za-z]\w*)*\.\w+)$")
_RECEIPT_NAME = re.compile(r"[^\n]*\(([^()\n]+)\)[ \r]*(?:\n|$)")
_RECEIPT_BYTES = 2_000
_ANOTHER_UPLOAD = re.compile(r"[0-9]{3,}_")

Matches = list[tuple[ClassEntry, re.Match[str]]]
Known = Callable[[str], bool]


def recognise(entries: Sequence[ClassEntry], known: Known, zone: tzinfo = UTC) -> LmsExport | None:
    """Return the students of an LMS export, or None where these entries are none.

    `known` tells whether the course asks for a file of a name; `zone` is the time zone of times
    without one (Blackboard's). At least three of four folders and archives must have such names,
    so that a class whose ids happen to look like an export's isn't misread.
    """
    metadata = next((entry for entry in entries if entry.name == METADATA), None)
    for pattern, read_students in (
        (GRADESCOPE, lambda matches: _gradescope(matches, metadata)),
        (MOODLE, _moodle),
        (BLACKBOARD, lambda matches: _blackboard(matches, zone)),
        (CANVAS_ANONYMOUS, lambda matches: _canvas(matches, known)),
        (CANVAS, lambda matches: _canvas(matches, known)),
    ):
        matches, others = _match(pattern, entries)
        other_submissions = sum(
            entry.kind is FileType.FOLDER or is_archive(entry.name) for entry in others
        )
        if matches and len(matches) >= 3 * other_submissions:
            export = read_students(matches)
            if export is not None:
                description, students = export
                rest = [entry for entry in others if entry is not metadata]
                number = "1 student" if len(students) == 1 else f"{len(students)} students"
                return LmsExport(f"{description}: {number}", students, rest)
    return None


def _match(
    pattern: re.Pattern[str], entries: Iterable[ClassEntry]
) -> tuple[Matches, list[ClassEntry]]:
    """Split entries into those whose names match, with their matches, and the others."""
    matches, others = [], []
    for entry in entries:
        match = pattern.fullmatch(entry.name)
        wanted = entry.kind is FileType.FOLDER if pattern is GRADESCOPE else _fits(entry, match)
        if match and wanted:
            matches.append((entry, match))
        else:
            others.append(entry)
    return matches, others


def _fits(entry: ClassEntry, match: re.Match[str] | None) -> bool:
    """Whether an entry is a folder if its name is that of a Moodle folder, and a file otherwise."""
    folder = match is not None and match.re is MOODLE and not match["file"]
    return folder if entry.kind is FileType.FOLDER else not folder


def _whole_submission(parts: Sequence[UploadPart]) -> tuple[UploadPart, ...]:
    """Return a student's parts; a single archive is the whole submission, whatever its name."""
    if len(parts) == 1 and is_archive(parts[0].entry.name):
        return (UploadPart(parts[0].entry),)
    return tuple(parts)


# Canvas


def _canvas(export: Matches, known: Known) -> tuple[str, list[StudentUpload]] | None:
    uploads = [match["upload"] for _, match in export if match["upload"]]
    by_user: dict[tuple[str, str], Matches] = {}
    for entry, match in export:
        by_user.setdefault((match["who"], match["user"]), []).append((entry, match))
    # In a Canvas export the numbers of uploads and users differ; elsewhere they may be dates, say.
    # (Three of four suffice: one strange name must not change how the class is read.)
    users = {user for _, user in by_user}
    if 4 * len(set(uploads)) < 3 * len(uploads) or 4 * len(users) < 3 * len(by_user):
        return None
    students = []
    for (who, user), matches in sorted(by_user.items()):
        notices = []
        if any(match["late"] for _, match in matches):
            notices.append(LATE_IN_CANVAS)
        if not all(match["file"] for _, match in matches):
            notices.append(_typed_in("Canvas"))
        parts, replaced = _latest_uploads(matches, known)
        if replaced:
            notices.append(f"Handed in again later, so not taken: {some(replaced)}.")
        # Always with the number: a student may have a namesake this week and none the next.
        id = student_id(f"{who}_{user}" if who else user)
        doubtful = [part for part in parts if len(matches) > 1 and _may_be_anothers(part)]
        if doubtful:
            parts = [part for part in parts if part not in doubtful]
            named = some([part.entry.name for part in doubtful])
            notices.append(f"Not opened, as it may be someone else's: {named}. {_RENAME}")
        names, ids = ((who,), (f"Canvas {user}", user)) if who else ((), (user,))
        whole, entries = _whole_submission(parts), _names(matches)
        students.append(
            StudentUpload(id, whole, tuple(notices), entries=entries, names=names, lms_ids=ids)
        )
    return "Read as a Canvas export", students


def _names(matches: Matches) -> tuple[str, ...]:
    return tuple(entry.name for entry, _ in matches)


_RENAME = "The name of an archive should not begin with a number and '_'."


def _may_be_anothers(part: UploadPart) -> bool:
    """Whether an archive may belong to someone whose name begins with this student's and a number.

    `doejane_12345_67890_11111_work.zip` is upload 67890 of Jane, or 11111 of a "doejane_12345".
    """
    return is_archive(part.entry.name) and bool(_ANOTHER_UPLOAD.match(part.path or ""))


def _latest_uploads(matches: Matches, known: Known) -> tuple[list[UploadPart], list[str]]:
    """Return a student's files under their own names, and those replaced by a later upload.

    Canvas numbers the uploads of one name: losses.py, losses-1.py, losses-2.py. The number is
    removed where the course asks for the name without it.
    """
    latest: dict[str, tuple[int, int, ClassEntry, str]] = {}
    replaced = []
    for entry, match in matches:
        file, count = match["file"], 0
        if not file:
            continue
        counter = _COUNTER.search(file)
        name = file[: counter.start()] + counter[2] if counter else file
        if counter and known(name) and not known(file):
            count = int(counter[1])
        else:
            name = file
        upload = (count, int(match["upload"]), entry, file)
        former = latest.get(name)
        if former is None:
            latest[name] = upload
            continue
        older, newer = sorted((former, upload), key=lambda upload: upload[:2])
        latest[name] = newer
        replaced.append(older[3])
    return [UploadPart(entry, name) for name, (*_, entry, _) in sorted(latest.items())], replaced


def _typed_in(system: str) -> str:
    return f"A text typed into {system}, or a link, is not read: hand in files."


# Moodle


def _moodle(export: Matches) -> tuple[str, list[StudentUpload]]:
    by_student: dict[tuple[str, str], Matches] = {}
    for entry, match in export:
        by_student.setdefault((match["who"], match["number"] or ""), []).append((entry, match))
    students = []
    group = _group_of_all([who for who, _ in by_student])
    for (who, number), matches in sorted(by_student.items()):
        parts: list[UploadPart] = []
        notices = []
        for entry, match in matches:
            if match["kind"] != "file":
                notices.append(_typed_in("Moodle"))
            elif entry.kind is FileType.FOLDER:
                parts += _inside(entry)
            else:
                parts.append(UploadPart(entry, match["file"]))
        name = who.removeprefix(group)
        ids = (f"Participant {number}",) if number else ()
        whole, entries = _whole_submission(parts), _names(matches)
        names = (name, *_without_group(name))
        students.append(
            StudentUpload(
                student_id(name), whole, tuple(notices), number, None, entries, names, ids
            )
        )
    description = "Read as a Moodle export"
    if group:
        description += f" of the group '{one_line(group.removesuffix('-'))}'"
    return description, students


def _group_of_all(names: Sequence[str]) -> str:
    """Return the group, with "-" behind it, that Moodle put before all names; "" for none.

    It does so where one group's submissions are downloaded. A double first name is no group: there
    has to be a blank or a digit in it.
    """
    first, last = min(names, default=""), max(names, default="")
    same = next((at for at, char in enumerate(first) if last[at : at + 1] != char), len(first))
    group = first[: first.rfind("-", 0, same) + 1]
    return group if len(set(names)) > 1 and re.search(r"[\s\d]", group) else ""


def _without_group(name: str) -> list[str]:
    """Return what a name may be without a group before it, as where groups hand in together."""
    at = [found.end() for found in re.finditer("-", name)]
    return [name[end:].strip() for end in at if name[end:].strip()]


def _inside(folder: ClassEntry) -> list[UploadPart]:
    try:
        return [UploadPart(entry, entry.name, folder.name) for entry in folder.inside()]
    except OSError:
        return [UploadPart(folder)]  # reading it says what is wrong, as this student's refusal


# Gradescope


def _gradescope(export: Matches, metadata: ClassEntry | None) -> tuple[str, list[StudentUpload]]:
    records = read_records(metadata.chunks()) if metadata is not None else {}
    students = []
    for entry, _ in export:
        record = records.get(entry.name) or GradescopeRecord([entry.name])
        ids = record.submitters
        notices = (f"Handed in by a group: {some(ids)}.",) if len(ids) > 1 else ()
        students += [
            StudentUpload(
                student_id(id),
                (UploadPart(entry),),
                notices,
                received=record.received,
                names=record.others.get(id, ()),
                lms_ids=(id,),
            )
            for id in ids
        ]
    description = "Read as a Gradescope export"
    unnamed = sum(entry.name not in records for entry, _ in export)
    if unnamed:
        description += f" ({unnamed} without a name in {METADATA})"
    return description, students


# Blackboard


def _blackboard(export: Matches, zone: tzinfo) -> tuple[str, list[StudentUpload]]:
    attempts: dict[str, dict[str, Matches]] = {}
    for entry, match in export:
        attempts.setdefault(match["head"], {}).setdefault(match["when"], []).append((entry, match))
    owners: dict[str, list[str]] = {}
    for head, username in _usernames(attempts).items():
        owners.setdefault(username, []).append(head)
    students = []
    for username, heads in sorted(owners.items()):
        parts, notices, times = [], [], []
        for head in heads:
            *earlier, last = sorted(attempts[head])
            times.append(_time(last, zone))
            if earlier:
                others = ", ".join(earlier)
                notices.append(f"The attempt of {last} counts, the one of {others} does not.")
            column = head.removesuffix(f"_{username}") + "/" if len(heads) > 1 else ""
            files = [(entry, match["file"]) for entry, match in attempts[head][last]]
            parts += [UploadPart(entry, column + file) for entry, file in files if file]
        # Several columns are several assignments, and which time belongs to which is unknown.
        received = times[0] if len(times) == 1 else None
        id = student_id(username)
        students.append(
            StudentUpload(id, _whole_submission(parts), tuple(notices), received=received)
        )
    return "Read as a Blackboard export", students


def _time(when: str, zone: tzinfo) -> datetime | None:
    """Return the time in a name of Blackboard's, `2026-11-28-10-15-00`; None if it is none."""
    try:
        return datetime.strptime(when, "%Y-%m-%d-%H-%M-%S").replace(tzinfo=zone)
    except ValueError:
        return None


def _usernames(attempts: dict[str, dict[str, Matches]]) -> dict[str, str]:
    """Return the username of each "Assignment Name_username"; both may contain underscores.

    The receipt has it. Without one it is the text behind the last underscore; where several end
    alike, the whole text is used, so that they stay apart.
    """
    from_receipts, guessed = {}, {}
    for head, times in attempts.items():
        receipts = [
            entry for matches in times.values() for entry, match in matches if not match["file"]
        ]
        username = next(filter(None, map(_name_on_receipt, receipts)), None)
        if username and head.endswith(f"_{username}"):
            from_receipts[head] = username
        else:
            guessed[head] = head.rpartition("_")[2]
    ends = [*from_receipts.values(), *guessed.values()]
    guessed = {head: head if ends.count(end) > 1 else end for head, end in guessed.items()}
    return from_receipts | guessed


def _name_on_receipt(receipt: ClassEntry) -> str | None:
    """Return the username in a receipt's first line, `Name: Jane Doe (jdoe)`."""
    try:
        start = next(receipt.chunks(), b"")[:_RECEIPT_BYTES]
    except (*DAMAGE, Refused):
        return None  # the receipt only helps: without it the entry's name decides
    match = _RECEIPT_NAME.match(start.decode("utf-8", "replace").lstrip("\ufeff"))
    return one_line(match[1].strip()) if match else None
