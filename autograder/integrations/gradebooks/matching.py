"""Matching students to rows of another system's file, by ids and names, never by a guess."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Course
from autograder.gradebook.ids import key
from autograder.gradebook.people import known_people
from autograder.tables.sheet import SheetRow

NO_ROW = SheetRow(0, ())


@dataclass(frozen=True)
class Person:
    """A row, and what may be its person's id in our results: numbers and logins, then names.

    Whom another system named otherwise than in a file has NO_ROW.
    """

    row: SheetRow
    display_name: str
    ids: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matches:
    """Rows by our students' ids, and everybody who could not be matched.

    `unclear` explains each ambiguity; `without_row` are our students who have no row,
    `without_results` the names of persons in the file who have no results here.
    """

    rows: Mapping[str, Person]
    unclear: tuple[str, ...]
    without_row: tuple[str, ...]
    without_results: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """What else names a student: what names nobody else, and names that a namesake may have."""

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


def known_by(folder: Path, course: Course) -> dict[str, Known]:
    """Return what the roster and earlier exports say of students, by the folder of a gradebook."""
    people = known_people(folder, course.weeks)
    numbers: dict[str, list[str]] = defaultdict(list)
    for one in people.names.identities:
        numbers[one.student].append(one.lms_id)
    known = {student: Known(tuple(each)) for student, each in numbers.items()}
    for person in people.roster.people.values() if people.roster else ():
        ids = (*person.ids, *numbers.get(person.id, ()))
        known[person.id] = Known(ids, person.names)
    return known


def match(
    students: Iterable[str], persons: Sequence[Person], known: Mapping[str, Known] | None = None
) -> Matches:
    """Match students to persons. Ambiguous ones, on either side, are reported and left out.

    `known` is what else names them, by their ids.
    """
    by_id = _by_key(person.ids for person in persons)
    by_name = _by_key(person.names for person in persons)
    person_of: dict[str, int] = {}
    unclear, without_row = [], []
    for student in students:
        more = (known or {}).get(student, Known())
        sure, others = map(key, (student, *more.ids)), map(key, (student, *more.names))
        candidates = {index for text in sure for index in by_id.get(text, ())}
        candidates = candidates or {index for text in others for index in by_name.get(text, ())}
        if len(candidates) == 1:
            (person_of[student],) = candidates
        elif candidates:
            alike = [persons[index] for index in sorted(candidates)]
            unclear.append(f"{student}: {_places(alike)} are all of that name")
        else:
            without_row.append(student)
    owners = defaultdict(list)
    for student, index in person_of.items():
        owners[index].append(student)
    for index, names in owners.items():
        if len(names) > 1:
            person = persons[index]
            place = f"the row on line {person.row.line}" if person.row.cells else person.ids[0]
            unclear.append(f"{', '.join(names)}: {place} is of both")
    rows = {
        student: persons[index] for student, index in person_of.items() if len(owners[index]) == 1
    }
    without_results = [person.display_name for i, person in enumerate(persons) if i not in owners]
    return Matches(rows, tuple(unclear), tuple(without_row), tuple(without_results))


def _places(persons: Sequence[Person]) -> str:
    if all(person.row.cells for person in persons):
        return f"the rows on lines {', '.join(str(person.row.line) for person in persons)}"
    return ", ".join(person.ids[0] for person in persons)


def _by_key(names_of_persons: Iterable[Iterable[str]]) -> Mapping[str, set[int]]:
    """Return the indices of the persons with each key."""
    indices: dict[str, set[int]] = defaultdict(set)
    for index, names in enumerate(names_of_persons):
        for name in names:
            if key(name):
                indices[key(name)].add(index)
    return indices
