"""Assigning a submission's files to the weeks that ask for them, wherever they lie in it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.course import Week
from autograder.intake.admission import MAX_DOCUMENT_BYTES, MAX_FILE_BYTES
from autograder.intake.helpers import add_helpers, may_help
from autograder.intake.places import README, Claim, Places, Roots, is_aside, names_of, without_copy
from autograder.notebooks.cells import MAX_NOTEBOOK_BYTES
from autograder.notebooks.functions import notebook_module
from autograder.text.display import one_line

NAMES_IN_NOTICE = 3
TAKEN_FOR = "was taken for"
"""Part of the notice on a file with a near name."""


@dataclass
class WeekFiles:
    """A submission's files of one week, by their names in the assignment.

    `modules` maps names to contents, those of helper modules included, `documents` to the SHA-256
    of contents; `kept` maps documents' names to their contents where a person will open them.
    `notices` tell the student which files were left out, and why. `paths` says where the files
    that were taken lay; `spoken_of` are the paths of which a notice speaks, or none has to.
    """

    modules: dict[str, bytes] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    spoken_of: set[str] = field(default_factory=set)


Claims = Mapping[str, Mapping[int, Claim]]


class WeekFileFinder:
    """Finds the files of several weeks: bare, in a week's folder, in a whole repository.

    A file in a week's folder (see places.py) belongs to that week alone; any other file belongs to
    each week that asks for one of its name. Where several weeks of the course do, it counts for
    those that also have a file that no other week asks for, and not for one whose own files lie
    elsewhere while another's lie beside it. `others` are the course's weeks beside `weeks`. The
    contents of documents are kept if `keep_documents`.
    """

    def __init__(
        self, weeks: Sequence[Week], others: Sequence[Week] = (), keep_documents: bool = False
    ) -> None:
        self.weeks = weeks
        self._keep_documents = keep_documents
        self._all_weeks = {week.number: week for week in (*others, *weeks)}
        self._places = Places(self._all_weeks)

    def size_limit(self, path: str) -> int:
        """Return the maximum size of the file at `path` in bytes, 0 where it is never taken."""
        claims = self._places.claims(path)
        asking = [week for week in self.weeks if week.number in claims]
        limit = MAX_FILE_BYTES if may_help(path) else 0
        return max((_size_limit(week, claims[week.number].name) for week in asking), default=limit)

    def wanted(self, path: str) -> bool:
        """Whether one of the weeks may ask for the file at `path`, by this or a near name."""
        claims = self._places.claims(path)
        return any(week.number in claims for week in self.weeks)

    def known(self, path: str) -> bool:
        """Whether any week of the course asks for the file at `path`."""
        return bool(self.asked(path))

    def asked(self, path: str) -> set[str]:
        """Return the names by which weeks ask for the file at `path`."""
        return {claim.name for claim in self._places.claims(path).values() if not claim.near}

    def owner(self, path: str) -> int | None:
        """Return the number of the week in whose folder `path` lies, the innermost one's."""
        return self._places.owner(path)

    def choose(
        self, contents: Mapping[str, bytes | None], ignored: Collection[str] = ()
    ) -> dict[int, WeekFiles]:
        """Return each week's files among these (path -> content, None: too large).

        `ignored` are the paths of files that were not read; notices may name them.
        """
        claims = {path: self._places.claims(path) for path in contents}
        self._drop_strays(claims)
        roots = Roots(list(self._all_weeks.values()), claims)
        unclear = self._share_out(claims, roots)
        chosen = {}
        for week in self.weeks:
            files = self._files_of(week, claims, contents, roots)
            chosen[week.number] = files
            read = {path: data for path, data in contents.items() if data is not None}
            helpers = add_helpers(week, files.modules, files.paths, read, ignored)
            files.modules |= helpers.modules
            files.paths |= helpers.paths
            files.notices += helpers.notices
            files.spoken_of |= helpers.spoken_of
        for path, numbers in unclear.items():
            asking = " and ".join(map(str, sorted(numbers)))
            problem = f"weeks {asking} ask for a file of this name"
            notice = f"{path} was not taken: {problem}. Put it into its week's folder."
            for number in numbers & chosen.keys():
                chosen[number].notices.append(one_line(notice, 500))
        return chosen

    def _drop_strays(self, claims: dict[str, dict[int, Claim]]) -> None:
        """Remove the claims on a README.md that lies beside none of the week's modules.

        Every repository has one: by its name alone it belongs to no week.
        """
        modules = {number: set(week.modules) for number, week in self._all_weeks.items()}
        module_folders = {
            (one.root, week)
            for claim in claims.values()
            for week, one in claim.items()
            if one.name in modules[week]
        }
        for path, claim in claims.items():
            for week, one in list(claim.items()):
                beside = (one.root, week) in module_folders
                if one.name == README and not beside and self.owner(path) is None:
                    del claim[week]

    def _share_out(self, claims: dict[str, dict[int, Claim]], roots: Roots) -> dict[str, set[int]]:
        """Remove the claims of weeks to which files don't belong; return those that are unclear.

        It makes no difference which weeks are graded, unless a file may be any week's: then it is
        that of the only one.
        """
        graded = {week.number for week in self.weeks}
        unclear = {}
        for path, claim in claims.items():
            if len(claim) < 2:
                continue
            if present := roots.present & claim.keys():
                homes = {week for week in present if not roots.is_foreign(week, claim[week].root)}
                for week in claim.keys() - (homes or present):
                    del claim[week]
            elif len(claim.keys() & graded) > 1:
                unclear[path] = claim.keys() & graded
                claim.clear()
        return unclear

    def _files_of(
        self,
        week: Week,
        claims: Claims,
        contents: Mapping[str, bytes | None],
        roots: Roots,
    ) -> WeekFiles:
        """Choose one file for each name: of several, the one that is surely this week's."""
        candidates: dict[str, list[str]] = {}
        for path, claim in claims.items():
            if week.number in claim:
                candidates.setdefault(claim[week.number].name, []).append(path)

        def quality(path: str) -> tuple[bool, bool, tuple[int, ...], bool, bool]:
            claim = claims[path][week.number]
            own, every = roots.count(week.number, claim.root)
            copied = without_copy(path) != path
            strange = self.owner(path) != week.number
            return is_aside(path), strange, (-own, -every), claim.near, copied

        def rank(path: str) -> tuple[object, ...]:
            return *quality(path), path.count("/"), path

        files = WeekFiles()
        for name in names_of(week):
            ranked = sorted(candidates.get(name, ()), key=rank)
            if not ranked or name in files.modules:
                continue
            first = claims[ranked[0]][week.number]
            if roots.is_foreign(week.number, first.root) and self._has_home(week, name, candidates):
                continue
            if first.near:
                alike = [path for path in ranked if quality(path) == quality(ranked[0])]
                others = [one for names in week.asked if name in names for one in names]
                if any(files.paths.get(one) for one in others):
                    continue  # its alternative is there
                files.spoken_of.update(alike)
                if len(alike) > 1:
                    files.notices.append(one_line(_unclear(alike, name), 500))
                    continue
                files.notices.append(one_line(_taken_as(ranked[0], name), 500))
            elif len(ranked) > 1:
                notice = f"{name} is there {len(ranked)} times: took {ranked[0]}, not "
                files.notices.append(one_line(f"{notice}{some(ranked[1:])}.", 500))
            files.spoken_of.update(ranked)
            content = contents[ranked[0]]
            problem = _unusable(content, week, name)
            if content is None or problem:
                files.notices.append(one_line(f"{ranked[0]} was not taken: {problem}.", 500))
            else:
                files.paths[name] = ranked[0]
                self._take(week, name, content, files)
        return files

    def _has_home(self, week: Week, name: str, candidates: Collection[str]) -> bool:
        """Whether what a module asks for may stand in another that was handed in."""
        return any(home in candidates for home in week.homes.get(name, ()))

    def _take(self, week: Week, name: str, content: bytes, files: WeekFiles) -> None:
        if name in week.modules:
            files.modules[name] = content
            if name not in week.files:
                files.notices.append(_instead_of_notebook(week, name))
            return
        files.documents[name] = hashlib.sha256(content).hexdigest()
        if self._keep_documents:
            files.kept[name] = content
        if notebook := week.notebook(name):
            module = notebook_module(content, notebook)
            files.modules[notebook.module] = module.source.encode()
            files.paths[notebook.module] = files.paths[name]
            files.notices += module.notices


def _taken_as(path: str, name: str) -> str:
    return f"{path} {TAKEN_FOR} {name}: next time, call it exactly {name}."


def _unclear(paths: Sequence[str], name: str) -> str:
    both = " and ".join(paths)
    return f"{both} may each be meant for {name}, so none was taken: call one exactly {name}."


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
