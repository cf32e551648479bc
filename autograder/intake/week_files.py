"""Assigning a submission's files to the weeks that ask for them, wherever they lie in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autograder.course import Week
from autograder.intake.admission import MAX_DOCUMENT_BYTES, MAX_FILE_BYTES
from autograder.notebooks.cells import MAX_NOTEBOOK_BYTES
from autograder.notebooks.functions import notebook_module
from autograder.text.display import one_line

NAMES_IN_NOTICE = 3
README = "README.md"


@dataclass
class WeekFiles:
    """A submission's files of one week, by their names in the assignment.

    `modules` maps names to contents, `documents` to the SHA-256 of contents; `kept` maps documents'
    names to their contents where a person will open them. `notices` tell the student which files
    were left out, and why.
    """

    modules: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


class WeekFileFinder:
    """Finds the files of several weeks: bare, in a week's folder, in a whole repository.

    A week's folder has the name that the course gives it, or the week's id ("Week 1" will do).
    A file in a week's folder belongs to that week alone; any other file belongs to each week that
    asks for one of its name. Where several of `weeks` do, it counts for those that also have a file
    that no other week asks for. `others` are the course's other weeks. The contents of documents
    are kept if `keep_documents`.
    """

    def __init__(
        self, weeks: Sequence[Week], others: Sequence[Week] = (), keep_documents: bool = False
    ) -> None:
        self.weeks = weeks
        self._keep_documents = keep_documents
        all_weeks = {week.number: week for week in (*others, *weeks)}
        self._folders = {
            _comparable(name.rpartition("/")[2]): week.number
            for week in all_weeks.values()
            for name in (week.folder, week.id)
        }
        # The longest first: "project/train.py" is never taken for "train.py".
        self._names = {
            number: sorted(_names(week), key=len, reverse=True)
            for number, week in all_weeks.items()
        }
        self._ends = {
            number: tuple(f"/{name}" for name in names) for number, names in self._names.items()
        }

    def size_limit(self, path: str) -> int:
        """Return the maximum size of the file at `path` in bytes, 0 where no week asks for it."""
        claims = self._claims(path)
        asking = [week for week in self.weeks if week.number in claims]
        return max((_size_limit(week, claims[week.number]) for week in asking), default=0)

    def known(self, path: str) -> bool:
        """Whether any week of the course asks for the file at `path`."""
        return bool(self._claims(path))

    def asked(self, path: str) -> set[str]:
        """Return the names by which weeks ask for the file at `path`."""
        return set(self._claims(path).values())

    def owner(self, path: str) -> int | None:
        """Return the number of the week in whose folder `path` lies, the innermost one's."""
        folders = map(_comparable, reversed(path.split("/")[:-1]))
        return next((self._folders[name] for name in folders if name in self._folders), None)

    def _claims(self, path: str) -> dict[int, str]:
        """Return the numbers of the weeks that ask for the file at `path`, with its name there."""
        rooted = f"/{_without_copy(path)}"
        asking = [number for number, ends in self._ends.items() if rooted.endswith(ends)]
        owner = self.owner(path) if asking else None
        return {
            number: next(name for name in self._names[number] if rooted.endswith(f"/{name}"))
            for number in asking
            if owner in (None, number)
        }

    def choose(self, contents: Mapping[str, bytes | None]) -> dict[int, WeekFiles]:
        """Return each week's files among these (path -> content, None: too large)."""
        numbers = {week.number for week in self.weeks}
        claims = {
            path: {week: name for week, name in self._claims(path).items() if week in numbers}
            for path in contents
        }
        self._drop_strays(claims)
        present = {week for claim in claims.values() if len(claim) == 1 for week in claim}
        chosen = {}
        for week in self.weeks:
            paths: dict[str, list[str]] = {}
            for path, claim in claims.items():
                if week.number in claim and week.number in present:
                    paths.setdefault(claim[week.number], []).append(path)
            chosen[week.number] = self._files_of(week, paths, claims, contents)
        for path, claim in claims.items():
            if claim and not present & claim.keys():
                asking = " and ".join(map(str, sorted(claim)))
                problem = f"weeks {asking} ask for a file of this name"
                notice = f"{path} was not taken: {problem}. Put it into its week's folder."
                for number in claim:
                    chosen[number].notices.append(one_line(notice, 500))
        return chosen

    def _drop_strays(self, claims: dict[str, dict[int, str]]) -> None:
        """Remove the claims on a README.md that lies beside none of the week's modules.

        Every repository has one: by its name alone it belongs to no week.
        """
        modules = {week.number: set(week.modules) for week in self.weeks}
        module_folders = {
            (path[: -len(name)], week)
            for path, claim in claims.items()
            for week, name in claim.items()
            if name in modules[week]
        }
        for path, claim in claims.items():
            for week, name in list(claim.items()):
                beside = (path[: -len(name)], week) in module_folders
                if name == README and not beside and self.owner(path) is None:
                    del claim[week]

    def _files_of(
        self,
        week: Week,
        paths: Mapping[str, list[str]],
        claims: Mapping[str, Mapping[int, str]],
        contents: Mapping[str, bytes | None],
    ) -> WeekFiles:
        """Choose one file for each name: of several, the shallowest that is surely this week's."""

        def rank(path: str) -> tuple[bool, bool, int, bool, str]:
            depth, copied = path.count("/"), _without_copy(path) != path
            return len(claims[path]) > 1, copied, depth, self.owner(path) is None, path

        files = WeekFiles()
        for name in _names(week):
            ranked = sorted(paths.get(name, ()), key=rank)
            if not ranked or name in files.modules:
                continue
            if len(ranked) > 1:
                notice = f"{name} is there {len(ranked)} times: took {ranked[0]}, not "
                files.notices.append(one_line(f"{notice}{some(ranked[1:])}.", 500))
            content = contents[ranked[0]]
            problem = _unusable(content, week, name)
            if content is None or problem:
                files.notices.append(one_line(f"{ranked[0]} was not taken: {problem}.", 500))
            elif name in week.modules:
                files.modules[name] = content
                if name not in week.files:
                    files.notices.append(_instead_of_notebook(week, name))
            else:
                files.documents[name] = hashlib.sha256(content).hexdigest()
                if self._keep_documents:
                    files.kept[name] = content
                if notebook := week.notebook(name):
                    module = notebook_module(content, notebook)
                    files.modules[notebook.module] = module.source.encode()
                    files.notices += module.notices
        return files


def _comparable(folder: str) -> str:
    """Return a folder's name for comparing: "Week 1" and "week_1" are the same."""
    return re.sub(r"[\W_]+", "", folder).casefold()


def _names(week: Week) -> tuple[str, ...]:
    """Return the names of a week's files; a notebook may be handed in as its module instead."""
    modules = (notebook.module for notebook in week.notebooks)
    return (*week.files, *modules)


_COPY = re.compile(
    r"(?:[ _-]*\(\d{1,3}\)|[ _-]+copy[ _-]?\d{0,3}|[ _-]\d{1,3})++(?=\.ipynb$)", re.I
)
"""What browsers, file managers and Jupyter append to the name of a notebook's copy."""


def _without_copy(path: str) -> str:
    """Return a notebook's path without the mark of a copy: "a (1).ipynb" gives a.ipynb."""
    if not path.lower().endswith(".ipynb"):
        return path
    folder, slash, name = path.rpartition("/")
    plain = _COPY.sub("", name)
    return f"{folder}{slash}{plain[:1].lower()}{plain[1:-6]}.ipynb"


def _instead_of_notebook(week: Week, name: str) -> str:
    notebook = week.notebook(name)
    assert notebook is not None
    return (
        f"{name} was taken for the functions, since {notebook.file} is missing; what you derive in "
        "words and formulas has to be handed in as well."
    )


def _size_limit(week: Week, name: str) -> int:
    if name in week.modules:
        return MAX_FILE_BYTES
    return MAX_NOTEBOOK_BYTES if week.notebook(name) else MAX_DOCUMENT_BYTES


def _unusable(content: bytes | None, week: Week, name: str) -> str | None:
    if content is None:
        return f"it is larger than {_size_limit(week, name) // 1024 // 1024} MB"
    if name in week.modules and b"\0" in content:
        return "it is not a text file (it holds NUL bytes); save it as UTF-8"
    return None


def some(paths: Sequence[str]) -> str:
    """Name a few paths and count the others."""
    shown = [one_line(path, 80) for path in paths[:NAMES_IN_NOTICE]]
    rest = len(paths) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
