"""roster.csv: who is in the class, and by which names, numbers and groups they are known.

Columns, in any order, of which only the first is needed: id, name, email, section, group, lms ids,
aliases. Several values in a cell are separated by ";" or "|". `group` is for all weeks,
`group week1` (or 1, or project) for one. Columns of other names are left alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from autograder.course import Week
from autograder.errors import InputError
from autograder.gradebook.ids import key, letters, student_id
from autograder.tables.sheet import Sheet, SheetError
from autograder.text.display import one_line

FILE = "roster.csv"
COLUMNS = {
    "id": ("id", "student", "student id", "username", "login"),
    "name": ("name", "full name", "student name"),
    "first": ("first name", "given name"),
    "last": ("last name", "surname", "family name"),
    "email": ("email", "e-mail", "mail", "email address", "e-mail address"),
    "section": ("section",),
    "group": ("group", "team"),
    "canvas": ("canvas", "canvas id", "canvas ids"),
    "moodle": ("moodle", "moodle id", "moodle ids"),
    "lms": ("lms", "lms id", "lms ids", "id number", "sis id", "sis user id", "sis login id"),
    "aliases": ("alias", "aliases"),
    "repository": ("repository",),
}
"""The columns by what they hold, each with the headers that mean it."""

NUMBERED = {"canvas": "Canvas {}", "moodle": "Participant {}"}
"""How a number of a system is said, so that no other system's number is taken for it."""
NEAREST_SHOWN = 3


class RosterError(InputError):
    """The roster can't be used; the message names the file and every bad line."""


@dataclass(frozen=True)
class Person:
    """Somebody in the class. `groups` are by the week's number, None for all weeks.

    `ids` are what names nobody else: the id, the address, numbers of systems, aliases.
    """

    id: str
    name: str = ""
    email: str = ""
    section: str = ""
    groups: Mapping[int | None, str] = field(default_factory=dict)
    lms_ids: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """All that names this person alone."""
        return tuple(filter(None, (self.id, self.email, *self.lms_ids, *self.aliases)))

    @property
    def names(self) -> tuple[str, ...]:
        """What may name a namesake too: the name both ways round, the beginning of the address."""
        last, comma, first = self.name.partition(",")
        turned = f"{first.strip()} {last.strip()}" if comma else self._last_first
        return tuple(filter(None, (self.name, turned, self.email.partition("@")[0])))

    @property
    def _last_first(self) -> str:
        first, _, last = self.name.rpartition(" ")
        return f"{last} {first}".strip()

    def group(self, week: int) -> str:
        """Return the group in which this person hands in a week; "" for none."""
        return self.groups.get(week) or self.groups.get(None, "")

    @property
    def shown(self) -> str:
        """The id, with the name where there is one."""
        return one_line(f"{self.id} ({self.name})" if self.name else self.id)


class Roster:
    """The people of a class, by id.

    `unused` are the headers of columns that mean nothing here, `content` is the file's.
    """

    def __init__(
        self, people: Iterable[Person], unused: Sequence[str] = (), content: bytes = b""
    ) -> None:
        self.content = content
        self.people = {person.id: person for person in people}
        self.unused = tuple(unused)
        self._by_id: dict[str, set[str]] = defaultdict(set)
        self._by_name: dict[str, set[str]] = defaultdict(set)
        for person in self.people.values():
            for text in person.ids:
                self._by_id[key(text)].add(person.id)
            for text in person.names:
                self._by_name[key(text)].add(person.id)
                self._by_name[letters(text)].add(person.id)

    def __bool__(self) -> bool:
        return bool(self.people)

    def who(self, ids: Iterable[str], names: Iterable[str] = ()) -> list[Person]:
        """Return who is meant: by what names one person alone, else by the first name that fits.

        Several where it can't be said which, none where nobody fits.
        """
        found = {one for text in ids if text.strip() for one in self._by_id.get(key(text), ())}
        for text in names:
            if found:
                break
            keys = [one for one in (key(text), letters(text)) if one]
            found = set(self._by_id.get(key(text), ())) if keys else set()
            found = found or {one for each in keys for one in self._by_name.get(each, ())}
        return [self.people[one] for one in sorted(found)]

    def near(self, name: str) -> list[Person]:
        """Return people with an id or a name that nearly is this one, or is a part of it."""
        known: dict[str, str] = {}
        for person in self.people.values():
            for text in (*person.ids, *person.names):
                known.setdefault(letters(text), person.id)
        parts = [known[part] for part in map(letters, re.split(r"[\W_]+", name)) if part in known]
        close = get_close_matches(letters(name), known, NEAREST_SHOWN, 0.75)
        near = dict.fromkeys((*parts, *(known[text] for text in close)))
        return [self.people[one] for one in near][:NEAREST_SHOWN]

    @property
    def group_names(self) -> list[str]:
        """The groups of any week."""
        return sorted({group for one in self.people.values() for group in one.groups.values()})

    def ever_in(self, group: str) -> list[Person]:
        """Return who is in a group in any week."""
        wanted = key(group)
        return [one for one in self.people.values() if wanted in map(key, one.groups.values())]

    def members(self, group: str, week: int) -> list[Person]:
        """Return who hands in a week in a group."""
        wanted = key(group)
        return [one for one in self.people.values() if wanted and key(one.group(week)) == wanted]

    def groups(self, week: int) -> dict[str, list[Person]]:
        """Return the groups of a week with their members."""
        found: dict[str, list[Person]] = defaultdict(list)
        for person in self.people.values():
            if name := person.group(week):
                found[key(name)].append(person)
        return dict(found)

    def sections(self) -> list[str]:
        """Return the names of the sections."""
        return sorted({person.section for person in self.people.values() if person.section})

    def in_section(self, section: str) -> set[str]:
        """Return the ids of a section's students. Raises RosterError for one that is none."""
        named = {key(name): name for name in self.sections()}
        if key(section) not in named:
            there = ", ".join(map(one_line, named.values())) or "none"
            raise RosterError(
                f"no section of the roster is called {one_line(section)!r}", f"There are: {there}"
            )
        return {one.id for one in self.people.values() if key(one.section) == key(section)}


def roster_of(weeks: Sequence[Week], path: Path) -> Roster:
    """Return the roster in a file. Raises RosterError where it can't be used."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RosterError(f"{path} can't be read: {error.strerror}.") from error
    return read_roster(content, str(path), weeks)


def read_roster(content: bytes, name: str, weeks: Sequence[Week]) -> Roster:
    """Return the roster in a file's content. Raises RosterError, which names every bad line."""
    rows = _rows(content, name)
    if not rows:
        raise RosterError(f"{name} is empty; it needs a header with the column id.")
    (line, header), *rest = rows
    reader = _Reader(header, weeks)
    if "id" not in reader.columns.values():
        said = ", ".join(map(one_line, header))
        raise RosterError(f"{name}, line {line}: there is no column id. Its columns: {said}.")
    for line, cells in rest:
        if any(cells):
            reader.add(line, cells)
    if reader.problems:
        listed = "\n".join(f"  {problem}" for problem in reader.problems[:20])
        raise RosterError(f"{name}: nothing was graded; correct this first:\n{listed}")
    if not reader.people:
        raise RosterError(f"{name} names nobody.")
    return Roster(reader.people, reader.unused, content)


def _rows(content: bytes, name: str) -> list[tuple[int, list[str]]]:
    """Return the rows of a CSV file, each with its line, and its cells without spaces around."""
    try:
        sheet = Sheet(name, content, "It needs a header with the column id, and a line for each.")
    except SheetError as error:
        raise RosterError(str(error)) from error
    return [(row.line, [cell.value.strip() for cell in row.cells]) for row in sheet.rows]


class _Reader:
    """Reads the lines of a roster; `problems` are what is wrong with them."""

    def __init__(self, header: Sequence[str], weeks: Sequence[Week]) -> None:
        self.people: list[Person] = []
        self.problems: list[str] = []
        self.unused: list[str] = []
        self.columns: dict[int, str] = {}
        self._group_columns: dict[int, int | None] = {}
        self._owners: dict[str, tuple[int, str]] = {}
        names = {name: known.number for known in weeks for name in (known.id, str(known.number))}
        meant = {head: what for what, heads in COLUMNS.items() for head in heads}
        for index, head in enumerate(header):
            said = re.sub(r"[\s_]+", " ", head.casefold()).strip()
            first, _, week = said.partition(" ")
            if said in meant:
                self.columns[index] = meant[said]
            elif first in COLUMNS["group"] and week in names:
                self._group_columns[index] = names[week]
            elif head:
                self.unused.append(one_line(head))
            if self.columns.get(index) == "group":
                self._group_columns[index] = None

    def add(self, line: int, cells: Sequence[str]) -> None:
        """Add a line's person, or say what is wrong with it."""
        found: dict[str, list[str]] = defaultdict(list)
        groups: dict[int | None, str] = {}
        for index, cell in enumerate(cells):
            if cell and index in self._group_columns:
                groups[self._group_columns[index]] = cell
            elif cell and index in self.columns:
                found[self.columns[index]].append(cell)
        id = "".join(found["id"][:1])
        name = " ".join(found["name"][:1] or [*found["first"][:1], *found["last"][:1]])
        person = Person(
            id,
            name,
            "".join(found["email"][:1]),
            "".join(found["section"][:1]),
            groups,
            tuple(_lms_ids(found)),
            tuple(one for cell in found["aliases"] for one in _several(cell)),
        )
        problems = list(self._problems(line, person))
        self.problems += [f"line {line}: {problem}" for problem in problems]
        if not problems:
            self.people.append(person)

    def _problems(self, line: int, person: Person) -> Iterator[str]:
        if not person.id:
            yield "the id is missing"
        elif student_id(person.id) != person.id:
            yield f"'{one_line(person.id)}' can't be an id; letters, digits and ._@+- can"
        for text in dict.fromkeys(map(key, person.ids)):
            first, said = self._owners.setdefault(text, (line, person.id))
            if first != line:
                yield f"'{one_line(text)}' is that of {one_line(said)} on line {first} too"


def _lms_ids(found: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the numbers and logins of systems that stand in a line."""
    for cell in found.get("lms", ()):
        yield from _several(cell)
    for system, said in NUMBERED.items():
        for cell in found.get(system, ()):
            for one in _several(cell):
                number = re.fullmatch(r"(?:participant\s*)?(\d+)", one, re.IGNORECASE)
                yield said.format(number[1]) if number else one


def _several(cell: str) -> list[str]:
    return [one.strip() for one in re.split(r"[;|]", cell) if one.strip()]
