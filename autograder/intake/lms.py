"""What learning management systems hand out: which of an export's entries are whose.

The names are those that Canvas, Moodle, Gradescope and Blackboard give to what students uploaded.
An entry's owner is always read from the front of its name: what comes after it is the student's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from autograder.intake.admission import Kind, Refused
from autograder.intake.archives import DAMAGE
from autograder.intake.class_entries import Entry
from autograder.intake.lms_gradescope import METADATA, Record, read_records
from autograder.intake.students import Export, Piece, Student, is_archive, student_id
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

Matches = list[tuple[Entry, re.Match[str]]]
Known = Callable[[str], bool]


def recognise(entries: Sequence[Entry], known: Known, zone: tzinfo = UTC) -> Export | None:
    """Return an export's students where these are the entries of one, otherwise None.

    `known` says whether the course asks for a file of a name, `zone` which time zone times without
    one are in (Blackboard's). Three of four folders and archives
    have to have such names, so a class whose ids happen to look like one isn't misread.
    """
    metadata = next((entry for entry in entries if entry.name == METADATA), None)
    for pattern, sort in (
        (GRADESCOPE, lambda found: _gradescope(found, metadata)),
        (MOODLE, _moodle),
        (BLACKBOARD, lambda found: _blackboard(found, zone)),
        (CANVAS_ANONYMOUS, lambda found: _canvas(found, known)),
        (CANVAS, lambda found: _canvas(found, known)),
    ):
        found, others = _match(pattern, entries)
        count = sum(entry.kind is Kind.FOLDER or is_archive(entry.name) for entry in others)
        if found and len(found) >= 3 * count:
            sorted_out = sort(found)
            if sorted_out is not None:
                said, students = sorted_out
                rest = [entry for entry in others if entry is not metadata]
                number = "1 student" if len(students) == 1 else f"{len(students)} students"
                return Export(f"{said}: {number}", students, rest)
    return None


def _match(pattern: re.Pattern[str], entries: Iterable[Entry]) -> tuple[Matches, list[Entry]]:
    found, others = [], []
    for entry in entries:
        match = pattern.fullmatch(entry.name)
        wanted = entry.kind is Kind.FOLDER if pattern is GRADESCOPE else _fits(entry, match)
        if match and wanted:
            found.append((entry, match))
        else:
            others.append(entry)
    return found, others


def _fits(entry: Entry, match: re.Match[str] | None) -> bool:
    """Whether an entry is a folder where Moodle's names say so, and a file anywhere else."""
    folder = match is not None and match.re is MOODLE and not match["file"]
    return folder if entry.kind is Kind.FOLDER else not folder


def _alone(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Return a student's pieces; one archive is all of the submission, whatever its name is."""
    if len(pieces) == 1 and is_archive(pieces[0].entry.name):
        return (Piece(pieces[0].entry),)
    return tuple(pieces)


# Canvas


def _canvas(found: Matches, known: Known) -> tuple[str, list[Student]] | None:
    uploads = [match["upload"] for _, match in found if match["upload"]]
    mine: dict[tuple[str, str], Matches] = {}
    for entry, match in found:
        mine.setdefault((match["who"], match["user"]), []).append((entry, match))
    # Each upload and each person has a number of its own, where they aren't dates, say. (Of all but
    # a few: no strange name shall change how the rest of the class is read.)
    if 4 * len(set(uploads)) < 3 * len(uploads) or 4 * len({u for _, u in mine}) < 3 * len(mine):
        return None
    students = []
    for (who, user), matches in sorted(mine.items()):
        notices = []
        if any(match["late"] for _, match in matches):
            notices.append("Canvas marks this as handed in late.")
        if not all(match["file"] for _, match in matches):
            notices.append(_typed_in("Canvas"))
        pieces, replaced = _latest_uploads(matches, known)
        if replaced:
            notices.append(f"Handed in again later, so not taken: {some(replaced)}.")
        # Always with the number: who has a namesake this week may have none the next.
        id = student_id(f"{who}_{user}" if who else user)
        doubtful = [piece for piece in pieces if len(matches) > 1 and _may_be_anothers(piece)]
        if doubtful:
            pieces = [piece for piece in pieces if piece not in doubtful]
            named = some([piece.entry.name for piece in doubtful])
            notices.append(f"Not opened, as it may be someone else's: {named}. {_RENAME}")
        students.append(Student(id, _alone(pieces), tuple(notices)))
    return "Read as a Canvas export", students


_RENAME = "The name of an archive should not begin with a number and '_'."


def _may_be_anothers(piece: Piece) -> bool:
    """Whether an archive may be of someone whose name ends in another student's name and number.

    `doejane_12345_67890_11111_work.zip` is upload 67890 of Jane, or 11111 of a "doejane_12345".
    """
    return is_archive(piece.entry.name) and bool(_ANOTHER_UPLOAD.match(piece.at or ""))


def _latest_uploads(matches: Matches, known: Known) -> tuple[list[Piece], list[str]]:
    """Return a student's files by the names they had, and those replaced by a later upload.

    Canvas counts the uploads of one name: losses.py, losses-1.py, losses-2.py. The count is taken
    off where the course asks for the name without it.
    """
    latest: dict[str, tuple[int, int, Entry, str]] = {}
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
        this = (count, int(match["upload"]), entry, file)
        former = latest.get(name)
        latest[name] = this if former is None else max(this, former, key=lambda one: one[:2])
        if former is not None:
            replaced.append(min(this, former, key=lambda one: one[:2])[3])
    return [Piece(entry, name) for name, (*_, entry, _) in sorted(latest.items())], replaced


def _typed_in(system: str) -> str:
    return f"A text typed into {system}, or a link, is not read: hand in files."


# Moodle


def _moodle(found: Matches) -> tuple[str, list[Student]]:
    mine: dict[tuple[str, str], Matches] = {}
    for entry, match in found:
        mine.setdefault((match["who"], match["number"] or ""), []).append((entry, match))
    students = []
    for (who, number), matches in sorted(mine.items()):
        pieces, notices = [], []
        for entry, match in matches:
            if match["kind"] != "file":
                notices.append(_typed_in("Moodle"))
            elif entry.kind is Kind.FOLDER:
                pieces += _inside(entry)
            else:
                pieces.append(Piece(entry, match["file"]))
        students.append(Student(student_id(who), _alone(pieces), tuple(notices), number))
    return "Read as a Moodle export", students


def _inside(folder: Entry) -> list[Piece]:
    try:
        return [Piece(entry, entry.name, folder.name) for entry in folder.inside()]
    except OSError:
        return [Piece(folder)]  # reading it says what is wrong, as this student's refusal


# Gradescope


def _gradescope(found: Matches, metadata: Entry | None) -> tuple[str, list[Student]]:
    records = read_records(metadata.chunks()) if metadata is not None else {}
    students = []
    for entry, _ in found:
        record = records.get(entry.name) or Record([entry.name])
        ids = record.submitters
        mates = [id for id in ids if len(ids) > 1]
        notices = (f"Handed in by a group: {some(mates)}.",) if mates else ()
        students += [
            Student(student_id(id), (Piece(entry),), notices, received=record.received)
            for id in ids
        ]
    said = "Read as a Gradescope export"
    unnamed = sum(entry.name not in records for entry, _ in found)
    if unnamed:
        said += f" ({unnamed} without a name in {METADATA})"
    return said, students


# Blackboard


def _blackboard(found: Matches, zone: tzinfo) -> tuple[str, list[Student]]:
    attempts: dict[str, dict[str, Matches]] = {}
    for entry, match in found:
        attempts.setdefault(match["head"], {}).setdefault(match["when"], []).append((entry, match))
    owners: dict[str, list[str]] = {}
    for head, username in _usernames(attempts).items():
        owners.setdefault(username, []).append(head)
    students = []
    for username, heads in sorted(owners.items()):
        pieces, notices, times = [], [], []
        for head in heads:
            *earlier, last = sorted(attempts[head])
            times.append(_time(last, zone))
            if earlier:
                others = ", ".join(earlier)
                notices.append(f"The attempt of {last} counts, the one of {others} does not.")
            column = head.removesuffix(f"_{username}") + "/" if len(heads) > 1 else ""
            files = [(entry, match["file"]) for entry, match in attempts[head][last]]
            pieces += [Piece(entry, column + file) for entry, file in files if file]
        # Several columns are several assignments: which time is whose can't be said.
        received = times[0] if len(times) == 1 else None
        id = student_id(username)
        students.append(Student(id, _alone(pieces), tuple(notices), received=received))
    return "Read as a Blackboard export", students


def _time(when: str, zone: tzinfo) -> datetime | None:
    """Return the time that Blackboard's names give, `2026-11-28-10-15-00`; None for no time."""
    try:
        return datetime.strptime(when, "%Y-%m-%d-%H-%M-%S").replace(tzinfo=zone)
    except ValueError:
        return None


def _usernames(attempts: dict[str, dict[str, Matches]]) -> dict[str, str]:
    """Return whose each "Assignment Name_username" is, in which both may hold underscores.

    The receipt says it. Without one it is what is behind the last underscore, and where two end in
    the same they stay apart by all of it.
    """
    sure, guessed = {}, {}
    for head, times in attempts.items():
        receipts = [
            entry for found in times.values() for entry, match in found if not match["file"]
        ]
        said = next(filter(None, map(_name_on_receipt, receipts)), None)
        if said and head.endswith(f"_{said}"):
            sure[head] = said
        else:
            guessed[head] = head.rpartition("_")[2]
    ends = [*sure.values(), *guessed.values()]
    guessed = {head: head if ends.count(end) > 1 else end for head, end in guessed.items()}
    return sure | guessed


def _name_on_receipt(receipt: Entry) -> str | None:
    """Return the username in a receipt's first line, `Name: Jane Doe (jdoe)`."""
    try:
        start = next(receipt.chunks(), b"")[:_RECEIPT_BYTES]
    except (*DAMAGE, Refused):
        return None  # the receipt only helps: without it the entry's name decides
    match = _RECEIPT_NAME.match(start.decode("utf-8", "replace").lstrip("\ufeff"))
    return one_line(match[1].strip()) if match else None
