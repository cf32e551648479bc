"""Whose row in another system's file is whose result here: by what names them, never by a guess."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autograder.intake.students import student_id
from autograder.integrations.gradebooks.exported_sheet import Row


@dataclass(frozen=True)
class Person:
    """A row and what may name its person in our results: sure keys (numbers, logins), and names."""

    row: Row
    shown: str
    sure: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matched:
    """Rows by our students' ids, and who could not be matched.

    `unclear` says for each why it is not clear who it is; `unknown` are our students of whom there
    is no row, `without` the persons without results here.
    """

    rows: Mapping[str, Person]
    unclear: tuple[str, ...]
    unknown: tuple[str, ...]
    without: tuple[str, ...]


def key(text: str) -> str:
    """Return what names are compared by: the id that intake makes of it, in lower case."""
    return unicodedata.normalize("NFC", student_id(text).casefold()) if text.strip() else ""


def match(students: Iterable[str], persons: Sequence[Person]) -> Matched:
    """Match students with persons. What names several of either is left alone, and told."""
    sure, names = _by_key(persons, "sure"), _by_key(persons, "names")
    found: dict[str, int] = {}
    unclear, unknown = [], []
    for student in students:
        wanted = key(student)
        places = sure.get(wanted) or names.get(wanted) or set()
        if len(places) == 1:
            (found[student],) = places
        elif places:
            lines = ", ".join(str(persons[place].row.line) for place in sorted(places))
            unclear.append(f"{student}: the rows on lines {lines} are all of that name")
        else:
            unknown.append(student)
    owners = defaultdict(list)
    for student, place in found.items():
        owners[place].append(student)
    for place, several in owners.items():
        if len(several) > 1:
            line = f"the row on line {persons[place].row.line}"
            unclear.append(f"{', '.join(several)}: {line} is of both")
    rows = {student: persons[place] for student, place in found.items() if len(owners[place]) == 1}
    taken = set(found.values())
    without = [person.shown for place, person in enumerate(persons) if place not in taken]
    return Matched(rows, tuple(unclear), tuple(unknown), tuple(without))


def _by_key(persons: Sequence[Person], field: str) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for place, person in enumerate(persons):
        for name in getattr(person, field):
            if key(name):
                found[key(name)].add(place)
    return found
