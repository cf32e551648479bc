"""Where the files of a week lie in a submission: which of several of one name is the week's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from autograder.course import Week
from autograder.intake.lookalike_names import name_keys

README = "README.md"
MAX_NEAR_CHARACTERS = 100

_ASIDE = re.compile(
    r"(?:^|[\W_])(?:old|older|backups?|bak|archived?|prev|previous|deprecated|unused|trash|drafts?"
    r"|te?mp|scratch|orig|original|starter|stubs?|cop(?:y|ies))(?:[\W_]|\d|$)|\(\d+\)$",
    re.I,
)
"""A folder of versions that no longer count: "old", "hw1_backup", "copy of hw1", "hw1 (1)"."""

_COPY = re.compile(
    r"(?:[ _-]*\(\d{1,3}\)|[ _-]+copy[ _-]?\d{0,3}|[ _-]\d{1,3})++(?=\.ipynb$)", re.I
)
"""What browsers, file managers and Jupyter append to the name of a notebook's copy."""


@dataclass(frozen=True)
class Claim:
    """That a week may ask for a file: the name that it has there, and the folder that leads to it.

    `root` ends with "/" or is empty. `near`: it is called something that only resembles the name.
    """

    name: str
    root: str
    near: bool = False


def names_of(week: Week) -> tuple[str, ...]:
    """Return the names of a week's files; a notebook may be handed in as its module instead."""
    modules = (notebook.module for notebook in week.notebooks)
    return (*week.files, *modules)


def comparable(folder: str) -> str:
    """Return a folder's name for comparing: "Week 1" and "week_1" are the same."""
    return re.sub(r"[\W_]+", "", folder).casefold()


def without_copy(path: str) -> str:
    """Return a notebook's path without the mark of a copy: "a (1).ipynb" gives a.ipynb."""
    if not path.lower().endswith(".ipynb"):
        return path
    folder, slash, name = path.rpartition("/")
    plain = _COPY.sub("", name)
    return f"{folder}{slash}{plain[:1].lower()}{plain[1:-6]}.ipynb"


def is_aside(path: str) -> bool:
    """Whether a file lies in a folder of old versions or copies."""
    return any(_ASIDE.search(part) for part in path.split("/")[:-1])


class Places:
    """The claims of all weeks of a course on the files of submissions.

    A week's folder has the name that the course gives it, or the week's id ("Week 1" will do).
    A file in a week's folder belongs to that week alone. Only the week whose folder lies inside
    that one in the course too (the project in week 3) may have files in folders below it.
    """

    def __init__(self, weeks: Mapping[int, Week]) -> None:
        self._weeks = weeks
        self._folders = {
            comparable(name.rpartition("/")[2]): week.number
            for week in weeks.values()
            for name in (week.folder, week.id)
        }
        # The longest first: "project/train.py" is never taken for "train.py".
        self._names = {
            number: sorted(names_of(week), key=len, reverse=True) for number, week in weeks.items()
        }
        self._ends = {
            number: tuple(f"/{name}" for name in names) for number, names in self._names.items()
        }
        self._near: dict[str, list[tuple[int, str]]] = {}
        for number, names in self._names.items():
            for name in names:
                for key in name_keys(PurePosixPath(name).name):
                    self._near.setdefault(key, []).append((number, name))

    def owner(self, path: str) -> int | None:
        """Return the number of the week in whose folder `path` lies, the innermost one's."""
        return self._owner(path)[0]

    def _owner(self, path: str) -> tuple[int | None, str]:
        """Return the number of the week in whose folder `path` lies, and that folder's path."""
        folders = path.split("/")[:-1]
        for end in range(len(folders), 0, -1):
            number = self._folders.get(comparable(folders[end - 1]))
            if number is not None:
                return number, "/".join(folders[:end]) + "/"
        return None, ""

    def claims(self, path: str) -> dict[int, Claim]:
        """Return the weeks that may ask for the file at `path`, by their numbers."""
        exact = self._exact(path)
        found = exact or dict(self._resembling(path))
        if not found:
            return {}
        number, folder = self._owner(path)
        if number is None:
            return found
        return {week: one for week, one in found.items() if self._may(week, one, number, folder)}

    def _may(self, week: int, claim: Claim, owner: int, folder: str) -> bool:
        """Whether a week may have a file that lies in the folder of the week `owner`."""
        inside = self._weeks[week].folder.startswith(f"{self._weeks[owner].folder}/")
        apart = claim.root.startswith(folder) and claim.root != folder
        return week == owner or (inside and (apart or claim.name not in self._names[owner]))

    def _exact(self, path: str) -> dict[int, Claim]:
        rooted = f"/{without_copy(path)}"
        found = {}
        for number, ends in self._ends.items():
            if rooted.endswith(ends):
                name = next(name for name in self._names[number] if rooted.endswith(f"/{name}"))
                found[number] = Claim(name, rooted[1 : -len(name)])
        return found

    def _resembling(self, path: str) -> Iterator[tuple[int, Claim]]:
        """Yield the weeks that have a file of nearly this name, each with the longest such name."""
        *folders, last = path.split("/")
        if len(last) > MAX_NEAR_CHARACTERS or not last.isascii() or last.rstrip(". ") != last:
            return
        meant = {one for key in name_keys(last) for one in self._near.get(key, ())}
        for number, name in sorted(meant, key=lambda one: len(one[1])):
            above = name.split("/")[:-1]
            rest = len(folders) - len(above)
            if rest >= 0 and list(map(comparable, folders[rest:])) == list(map(comparable, above)):
                yield number, Claim(name, "".join(f"{part}/" for part in folders[:rest]), near=True)


class Roots:
    """In which folders how many of a week's files lie, and whose folder each one is.

    A name tells of a week where no other asks for it; a README.md tells of none.
    """

    def __init__(self, weeks: Sequence[Week], claims: Mapping[str, Mapping[int, Claim]]) -> None:
        names = [name for week in weeks for name in names_of(week)]
        self._own: dict[tuple[int, str], set[str]] = {}
        self._all: dict[tuple[int, str], set[str]] = {}
        for found in claims.values():
            for number, claim in found.items():
                place = number, claim.root
                self._all.setdefault(place, set()).add(claim.name)
                if names.count(claim.name) == 1 and claim.name != README:
                    self._own.setdefault(place, set()).add(claim.name)
        self.present = {number for number, _ in self._own}

    def count(self, week: int, root: str) -> tuple[int, int]:
        """Return how many files that no other week asks for lie in a folder, and how many do."""
        place = week, root
        return len(self._own.get(place, ())), len(self._all.get(place, ()))

    def is_foreign(self, week: int, root: str) -> bool:
        """Whether a folder is another week's, and `week` has a folder of its own elsewhere."""
        here = self.count(week, root)[0]
        others = (len(own) for (n, at), own in self._own.items() if at == root and n != week)
        elsewhere = (
            len(own)
            for (n, at), own in self._own.items()
            if n == week and at != root and not is_aside(at)
        )
        return max(others, default=0) > here < max(elsewhere, default=0)
