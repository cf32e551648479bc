"""Whose each upload is: by the roster, else by names and numbers; never by a guess.

What can't be told apart is refused, with the names between which it can't be told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograder.gradebook.ids import key, student_id
from autograder.gradebook.people import Identity, KnownNames, Loss
from autograder.gradebook.roster import FILE, Person, Roster
from autograder.gradebook.submission import Submission
from autograder.intake.students import StudentUpload
from autograder.intake.week_files import some
from autograder.text.display import one_line

ID, UNKNOWN = "id", "not in the roster"
BY_ROSTER = f"Say it in {FILE}: a line for each, with the number in the column 'lms ids'"
SURER = f"A {FILE} with their addresses or numbers makes it sure"
ENOUGH = 2
"""More people than that with another number than before show that it is another assignment."""


@dataclass
class Whose:
    """Uploads with the ids that they get, and what the instructor should know of that.

    `groups` are the ids of those uploads that are a group's, by the group's name in the roster.
    """

    uploads: list[StudentUpload] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)


def by_roster(uploads: Iterable[StudentUpload], roster: Roster, groups: Collection[str]) -> Whose:
    """Give each upload the id that its student has in the roster.

    `groups` are the names of the groups of any week. Who is in no line keeps the id of their name.
    """
    found = Whose()
    named = {key(group): group for group in groups}
    for upload in uploads:
        people = roster.who((upload.id, *upload.lms_ids), upload.names)
        group = next((named[key(n)] for n in (upload.id, *upload.names) if key(n) in named), "")
        if len(people) == 1:
            (person,) = people
            found.uploads.append(replace(upload, id=person.id, number=""))
            if key(upload.id) != key(person.id):
                text = f"{_shown(upload)} is {person.shown} in the roster."
                found.losses.append(Loss(person.id, ID, text))
        elif people:
            found.uploads.append(_unclear(upload, people))
        elif group:
            found.uploads.append(replace(upload, number=""))
            found.groups[upload.id] = group
        else:
            near = roster.near(upload.names[0] if upload.names else upload.id)
            hint = f"; the nearest: {', '.join(one.shown for one in near)}" if near else ""
            text = f"{_shown(upload)} is nobody in the roster{hint}."
            found.uploads.append(upload)
            found.losses.append(Loss(upload.id, UNKNOWN, text))
    return found


def _unclear(upload: StudentUpload, people: Sequence[Person]) -> StudentUpload:
    """Refuse what may be several people's, under an id that is nobody's."""
    id = student_id(f"{upload.id}_{upload.number}") if upload.number else upload.id
    if id in {one.id for one in people}:
        id = student_id(f"{id}_unclear")
    names = " or ".join(one.shown for one in people)
    text = f"{_shown(upload)} may be {names}, so nothing was taken. {BY_ROSTER}."
    may_be = tuple(one.id for one in people)
    return replace(upload, id=id, number="", refusal=text, may_be=may_be)


def _shown(upload: StudentUpload) -> str:
    """Return how the system calls an upload's student."""
    part = next(iter(upload.parts), None)
    name = upload.names[0] if upload.names else upload.id
    number = next(iter(upload.lms_ids), "")
    said = f"{name} ({number})" if number and number != name else name
    entry = part.container or part.entry.name if part else ""
    return one_line(said if upload.lms_ids or not entry else entry, 120)


def by_number(
    uploads: Sequence[StudentUpload], known: KnownNames, weeks: Mapping[str, Collection[int]]
) -> Whose:
    """Tell namesakes apart by the numbers of earlier exports, where there is no roster.

    `weeks` are those of which each upload holds files, by the upload's id. The same number is the
    same person. Moodle's numbers are others for each assignment: where many people's are, or where
    that is known and this is of a new week, another number is the same person, if nobody else is
    of that name. Else it may be a namesake, and is refused.
    """
    names = Counter(key(one.names[0]) for one in uploads if one.names)
    kept = any(_is_same(one, known) for one in uploads)
    many = sum(_is_changed(one, known) for one in uploads) > ENOUGH and not kept
    found = Whose()
    by_name = []
    for upload in uploads:
        earlier = _earlier(upload, known)
        same = {one.student for one in earlier if one.lms_id in upload.lms_ids}
        students = sorted({one.student for one in earlier})
        here = set(weeks.get(upload.id, ()))
        is_new = not here or not here <= {one.week for one in earlier}
        if len(same) == 1:
            found.uploads.append(replace(upload, id=same.pop(), number=""))
        elif not earlier:
            found.uploads.append(upload)
            found.losses += _maybe_split(upload, known)
        elif (
            len(students) == 1
            and names[key(upload.names[0])] == 1
            and (many or (known.numbers_change and is_new and not kept))
        ):
            found.uploads.append(replace(upload, id=students[0], number=""))
            by_name.append(students[0])
        else:
            found.uploads.append(_may_be_namesake(upload, earlier))
    if by_name:
        text = f"Known by name alone, since their numbers are new: {some(by_name)}. {SURER}."
        found.losses.append(Loss("", ID, text))
    return found


def _maybe_split(upload: StudentUpload, known: KnownNames) -> Iterator[Loss]:
    """Say where somebody may have come before without the group that stands before the name now."""
    for name in upload.names[1:]:
        if before := known.of_name(name):
            text = (
                f"{_shown(upload)} may be {one_line(before[0].student)}, who came before; they are "
            )
            yield Loss(upload.id, ID, f"{text}kept apart. {SURER}.")


def _earlier(upload: StudentUpload, known: KnownNames) -> list[Identity]:
    return known.of_name(upload.names[0]) if upload.number and upload.names else []


def _is_same(upload: StudentUpload, known: KnownNames) -> bool:
    return any(one.lms_id in upload.lms_ids for one in _earlier(upload, known))


def _is_changed(upload: StudentUpload, known: KnownNames) -> bool:
    return bool(_earlier(upload, known)) and not _is_same(upload, known)


def _may_be_namesake(upload: StudentUpload, earlier: Sequence[Identity]) -> StudentUpload:
    students = " or ".join(map(one_line, sorted({one.student for one in earlier})))
    numbers = ", ".join(sorted({one_line(one.lms_id) for one in earlier}))
    text = f"{_shown(upload)} may be {students}, who came as {numbers}, or somebody else of that "
    text += f"name, so nothing was taken. {BY_ROSTER}."
    id = student_id(f"{upload.id}_{upload.number}")
    return replace(upload, id=id, number="", refusal=text)


def identities(
    uploads: Iterable[StudentUpload], weeks: Mapping[str, Collection[int]]
) -> Iterator[Identity]:
    """Yield by which names and numbers students came, for the weeks of which they had files."""
    for upload in uploads:
        if upload.refusal or not upload.lms_ids or not upload.names:
            continue
        for week in weeks.get(upload.id, ()):
            yield Identity(upload.id, week, upload.names[0], upload.lms_ids[0])


def absent(
    roster: Roster, present: Collection[str], weeks: Iterable[int]
) -> dict[int, list[Submission]]:
    """Return empty submissions of those in the roster of whom there is nothing."""
    missing = [id for id in roster.people if id not in present]
    return {week: [Submission(id) for id in missing] for week in weeks}
