"""What the gradebook knows of people besides their results: names, numbers, and losses at intake.

Both tables are made when something is first put into them: a gradebook without them is whole.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from autograder.course import Week
from autograder.gradebook.called import Called
from autograder.gradebook.ids import key
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.roster import FILE, Roster, roster_of
from autograder.text.display import one_line

GRADEBOOK = "gradebook.sqlite"
TABLES = (
    """CREATE TABLE IF NOT EXISTS identities (
        student TEXT NOT NULL, week INTEGER NOT NULL, name TEXT NOT NULL, lms_id TEXT NOT NULL,
        seen TEXT NOT NULL, PRIMARY KEY (student, week, name, lms_id)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS losses (
        id INTEGER PRIMARY KEY, source TEXT NOT NULL, student TEXT NOT NULL, week TEXT NOT NULL,
        kind TEXT NOT NULL, text TEXT NOT NULL, seen TEXT NOT NULL)""",
)


@dataclass(frozen=True)
class Identity:
    """By which name and number a system handed out what a student gave in for a week."""

    student: str
    week: int
    name: str
    lms_id: str


@dataclass(frozen=True)
class Loss:
    """What was lost, merged, split or left alone at intake, for the instructor.

    `student` is "" where it is nobody's, `week` the id of the week, "" where it is of no single
    one. `source` is where it was read, `seen` when that was last, in UTC.
    """

    student: str
    kind: str
    text: str
    week: str = ""
    source: str = ""
    seen: str = ""


@dataclass(frozen=True)
class KnownNames:
    """The names and numbers by which students came before."""

    identities: tuple[Identity, ...] = ()
    _by_name: dict[str, list[Identity]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for one in self.identities:
            self._by_name[key(one.name)].append(one)

    def of_name(self, name: str) -> list[Identity]:
        """Return all that came by a name."""
        return self._by_name.get(key(name), [])

    @property
    def numbers_change(self) -> bool:
        """Whether the system gives the same people other numbers each week: three had two."""
        numbers: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for one in self.identities:
            numbers[one.student][one.week].add(one.lms_id)
        return sum(len({*map(frozenset, weeks.values())}) > 1 for weeks in numbers.values()) > 2


@dataclass(frozen=True)
class KnownPeople:
    """What a gradebook's folder knows of people: its roster, and by which names they came."""

    roster: Roster | None = None
    names: KnownNames = field(default_factory=KnownNames)


def known_people(folder: Path, weeks: Sequence[Week]) -> KnownPeople:
    """Return what a gradebook's folder knows of people; nothing in it is changed.

    Raises RosterError or GradebookError.
    """
    path = folder / GRADEBOOK
    roster = roster_of(weeks, folder / FILE) if (folder / FILE).is_file() else None
    if not path.is_file():
        return KnownPeople(roster)
    with Gradebook.copy_of(path) as gradebook:
        return KnownPeople(roster, known_names(gradebook))


def roster_beside(gradebook: Gradebook, weeks: Sequence[Week]) -> Roster | None:
    """Return the roster that lies beside a gradebook, if any. Raises RosterError."""
    path = gradebook.path.with_name(FILE)
    return roster_of(weeks, path) if path.is_file() else None


def known_names(gradebook: Gradebook) -> KnownNames:
    """Return the names and numbers by which students came before."""
    rows = _rows(gradebook, "identities", "SELECT student, week, name, lms_id FROM identities")
    return KnownNames(tuple(Identity(**dict(row)) for row in rows))


def names_before(gradebook: Gradebook) -> list[tuple[str, str]]:
    """Return pairs of a name or an id by which a student came, and the student's id now."""
    found = []
    for one in known_names(gradebook).identities:
        number = re.sub(r"\D", "", one.lms_id)
        found += [(one.name, one.student), (f"{one.name}_{number}", one.student)]
    return found


def called_in(gradebook: Gradebook, weeks: Sequence[Week]) -> Called:
    """Return the students of a gradebook by all that they are called. Raises RosterError."""
    roster = roster_beside(gradebook, weeks)
    return Called(gradebook.students(), roster, names_before(gradebook))


def lms_ids(gradebook: Gradebook) -> dict[str, tuple[str, ...]]:
    """Return the numbers by which systems know each student."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in known_names(gradebook).identities:
        if one.lms_id:
            found[one.student].append(one.lms_id)
    return {student: tuple(dict.fromkeys(numbers)) for student, numbers in found.items()}


def losses(gradebook: Gradebook) -> list[Loss]:
    """Return what was lost at intake, everybody's last reading of all folders."""
    query = """SELECT student, week, kind, text, source, seen FROM losses
        ORDER BY student, week, id"""
    return [Loss(**dict(row)) for row in _rows(gradebook, "losses", query)]


def adopt_ids(gradebook: Gradebook, roster: Roster) -> tuple[dict[str, str], list[Loss]]:
    """Give students of the gradebook the ids that a roster, which came later, has for them.

    Returns the new ids by the old ones, and what the instructor should know. Nobody's results are
    put together with those of an id that has results of its own.
    """
    students = gradebook.students()
    known = known_names(gradebook).identities
    found: dict[str, list[str]] = defaultdict(list)
    losses = []
    for student in students:
        if student in roster.people:
            continue
        own = [one for one in known if one.student == student]
        ids, names = [one.lms_id for one in own], [one.name for one in own]
        people = roster.who([student, *ids], [student, *names])
        if len(people) == 1:
            found[people[0].id].append(student)
        elif people:
            names_of_all = " or ".join(one.shown for one in people)
            text = f"{one_line(student)}, who has results, may be {names_of_all}."
            losses.append(Loss(student, "id", text))
    new = {}
    for id, old in found.items():
        shown = ", ".join(map(one_line, old))
        if id in students or len(old) > 1:
            text = f"{shown} is {roster.people[id].shown} in the roster, and each id has results "
            losses.append(Loss(id, "id", f"{text}of its own; they were not put together."))
            continue
        new[old[0]] = id
        text = f"The results of {shown} are now those of {roster.people[id].shown}."
        losses.append(Loss(id, "id", text))
    with gradebook._writing():
        for table in _tables_of_students(gradebook) if new else ():
            gradebook._db.executemany(
                f'UPDATE "{table}" SET student = ? WHERE student = ?',
                [(id, old) for old, id in new.items()],
            )
    return new, losses


def rename_keys(gradebook: Gradebook, keys: Mapping[str, str]) -> None:
    """Give jobs other keys: new ones by the old ones."""
    with gradebook._writing():
        gradebook._db.executemany(
            "UPDATE OR IGNORE jobs SET key = ? WHERE key = ?",
            [(new, old) for old, new in keys.items()],
        )


def _tables_of_students(gradebook: Gradebook) -> list[str]:
    query = """SELECT name FROM sqlite_master WHERE type = 'table' AND EXISTS
        (SELECT 1 FROM pragma_table_info(sqlite_master.name) AS columns
            WHERE columns.name = 'student')"""
    return [row["name"] for row in gradebook._db.execute(query).fetchall()]


def keep_people(
    gradebook: Gradebook,
    source: str,
    identities: Iterable[Identity],
    found: Iterable[Loss],
) -> None:
    """Keep what a reading of the submissions at `source` said of people.

    What an earlier reading of the same place said is replaced.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    known = [(one.student, one.week, one.name, one.lms_id, now) for one in identities]
    new = [(source, one.student, one.week, one.kind, one.text, now) for one in found]
    with gradebook._writing():
        for table in TABLES:
            gradebook._db.execute(table)
        gradebook._db.executemany("INSERT OR REPLACE INTO identities VALUES (?, ?, ?, ?, ?)", known)
        gradebook._db.execute("DELETE FROM losses WHERE source = ?", (source,))
        gradebook._db.executemany(
            "INSERT INTO losses VALUES (NULL, ?, ?, ?, ?, ?, ?)",
            new,
        )


def _rows(gradebook: Gradebook, table: str, query: str) -> list[sqlite3.Row]:
    there = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
    if gradebook._value(there, table) is None:
        return []
    return gradebook._db.execute(query).fetchall()
