"""Grading only some of a class: chosen students, failures of ours, what came since a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, tzinfo
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from autograder import course as courses
from autograder.errors import InputError
from autograder.gradebook.called import Called
from autograder.gradebook.ids import student_id
from autograder.gradebook.journal import Gradebook, Receipt
from autograder.gradebook.roster import Roster
from autograder.gradebook.submission import Submission
from autograder.grading.preview import listed
from autograder.text.display import one_line

NEAREST_SHOWN = 3


class ChoiceError(InputError):
    """What was to be graded can't be chosen so: a student or a time is not known."""


class Only(StrEnum):
    """The kinds of submissions that can be chosen by their last results."""

    INFRA = "infra"


@dataclass(frozen=True)
class Choice:
    """What is to be graded of a class: what all conditions hold for that are given.

    students: their ids; only: what their last results have; since: the time since which they were
    handed in or changed; section: that of the roster whose `members` hand in.
    """

    students: tuple[str, ...] = ()
    only: Only | None = None
    since: datetime | None = None
    section: str | None = None
    members: frozenset[str] = frozenset()

    @property
    def is_everything(self) -> bool:
        """Whether no condition is given."""
        return not self.students and all(
            one is None for one in (self.only, self.since, self.section)
        )

    def __str__(self) -> str:
        said = []
        if self.students:
            said.append(f"of {listed(self.students)}")
        if self.section is not None:
            said.append(f"of section {one_line(self.section)}")
        if self.only:
            said.append("with a failure of ours in the last results")
        if self.since:
            said.append(f"handed in or changed since {self.since.isoformat(' ', 'minutes')}")
        return ", ".join(said)


EVERYTHING = Choice()


def choice_of(
    root: Path,
    students: Iterable[str] = (),
    only: str | None = None,
    since: str | None = None,
    section: str | None = None,
) -> Choice:
    """Return the choice that options make. Raises ChoiceError for what none of them can mean."""
    if only is not None and only not in list(Only):
        problem = f"--only {one_line(only)!r} is no kind of submissions"
        raise ChoiceError(problem, f"Say one of these: {', '.join(Only)}")
    when = None if since is None else time_of(since, courses.load(root).handing_in.zone)
    return Choice(tuple(students), None if only is None else Only(only), when, section)


def time_of(text: str, zone: tzinfo) -> datetime:
    """Return the time that a text says: ISO 8601 with its zone, or the beginning of a day.

    `zone` is the course's, in which days begin. Raises ChoiceError for anything else.
    """
    try:
        return datetime.combine(date.fromisoformat(text), time(), zone)
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        problem = f"--since {one_line(text)!r} is no time"
        raise ChoiceError(problem, "Say 2026-10-12T21:40:00+02:00, or a date") from None
    if when.tzinfo is None:
        problem = f"--since {one_line(text)!r} does not say its time zone"
        raise ChoiceError(problem, f"Say {text}+02:00, say, or {text}Z")
    return when


def among(choice: Choice, there: Collection[str], roster: Roster | None) -> Choice:
    """Return a choice with the ids of its students, and the members of its section.

    Raises ChoiceError or RosterError where there is no such student or section.
    """
    members: frozenset[str] = frozenset()
    if choice.section is not None:
        members = frozenset((roster or Roster(())).in_section(choice.section))
    return replace(choice, students=known_students(choice.students, there, roster), members=members)


def known_students(
    names: Sequence[str], there: Collection[str], roster: Roster | None = None
) -> tuple[str, ...]:
    """Return the ids of students, each once. Raises ChoiceError that names the nearest ones."""
    called = Called(there, roster)
    ids = {name: called.who(name) or student_id(name) for name in names}
    unknown = [name for name, id in ids.items() if id not in there]
    if not unknown:
        return tuple(dict.fromkeys(ids.values()))
    near = {id.casefold(): id for id in there}
    said = []
    for name in unknown:
        close = get_close_matches(student_id(name).casefold(), near, NEAREST_SHOWN, 0.6)
        hint = f"the nearest: {listed([near[one] for one in close])}" if close else "nobody is near"
        said.append(f"no submission is of {one_line(name)!r} ({hint})")
    raise ChoiceError("; ".join(said), "An id is the name of the student's folder or archive")


def chosen(
    by_week: Mapping[int, Sequence[Submission]], choice: Choice, gradebook: Gradebook
) -> dict[int, list[Submission]]:
    """Return the submissions that are chosen, by the week's number; weeks without any are left out.

    Where nothing says when a submission came, it counts as changed unless the gradebook had the
    same files before that time. So nothing is left out that may be new.
    """
    failed = {(one.student, one.week) for one in gradebook.standings() if one.failures}
    before = gradebook.submissions_before(choice.since) if choice.since else {}

    def is_chosen(one: Submission, week: int) -> bool:
        key = (one.student, week)
        return (
            (not choice.students or one.student in choice.students)
            and (choice.section is None or one.student in choice.members)
            and (choice.only is None or key in failed)
            and (choice.since is None or _is_since(one, choice.since, before.get(key)))
        )

    picked = {
        week: [one for one in submissions if is_chosen(one, week)]
        for week, submissions in by_week.items()
    }
    return {week: submissions for week, submissions in picked.items() if submissions}


def _is_since(one: Submission, since: datetime, before: Receipt | None) -> bool:
    if one.received is not None:
        return one.received >= since
    if before is None:
        return True
    return (before.fingerprint, before.documents) != (one.fingerprint, one.documents)
