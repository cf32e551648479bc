"""Matching students to rows of another system's file, by ids and names, never by a guess."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.intake.students import student_id
from autograder.tables.sheet import SheetRow


@dataclass(frozen=True)
class Person:
    """A row, and what may be its person's id in our results: numbers and logins, then names."""

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


def key(text: str) -> str:
    """Return the key for comparing names: the id that intake gives, in lower case."""
    return unicodedata.normalize("NFC", student_id(text).casefold()) if text.strip() else ""


def match(students: Iterable[str], persons: Sequence[Person]) -> Matches:
    """Match students to persons. Ambiguous ones, on either side, are reported and left out."""
    by_id = _by_key(person.ids for person in persons)
    by_name = _by_key(person.names for person in persons)
    person_of: dict[str, int] = {}
    unclear, without_row = [], []
    for student in students:
        student_key = key(student)
        candidates = by_id.get(student_key) or by_name.get(student_key) or set()
        if len(candidates) == 1:
            (person_of[student],) = candidates
        elif candidates:
            lines = ", ".join(str(persons[index].row.line) for index in sorted(candidates))
            unclear.append(f"{student}: the rows on lines {lines} are all of that name")
        else:
            without_row.append(student)
    owners = defaultdict(list)
    for student, index in person_of.items():
        owners[index].append(student)
    for index, names in owners.items():
        if len(names) > 1:
            line = f"the row on line {persons[index].row.line}"
            unclear.append(f"{', '.join(names)}: {line} is of both")
    rows = {
        student: persons[index] for student, index in person_of.items() if len(owners[index]) == 1
    }
    without_results = [person.display_name for i, person in enumerate(persons) if i not in owners]
    return Matches(rows, tuple(unclear), tuple(without_row), tuple(without_results))


def _by_key(names_of_persons: Iterable[Iterable[str]]) -> Mapping[str, set[int]]:
    """Return the indices of the persons with each key."""
    indices: dict[str, set[int]] = defaultdict(set)
    for index, names in enumerate(names_of_persons):
        for name in names:
            if key(name):
                indices[key(name)].add(index)
    return indices
