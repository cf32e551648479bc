"""The catalogue of misconceptions: wrong answers that students give, as edits of a solution."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
)
from pydantic_core import ErrorDetails

from autograder.course import COURSE_FILE, Course, CourseError, Week
from autograder.errors import AuthorError
from autograder.reference import legal_variants
from autograder.reference.legal_variants import LegalVariant
from autograder.reference.legal_variants import forms as combinations
from autograder.reference.percent_source import solution_module

Text = Annotated[str, StringConstraints(min_length=1)]
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class MisconceptionError(AuthorError):
    """An entry of a catalogue is wrong. The message names the file, the entry and the repair."""


class Variant(BaseModel):
    """Another way to write an entry's mistake; what it leaves out is as in the entry."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    by: str
    module: Text | None = None
    where: Text | None = None
    replace: Text | None = None
    fails: Annotated[list[Text], Field(min_length=1)] | None = None
    misleads: list[Text] | None = None


class Misconception(BaseModel):
    """A named wrong answer: in `module`, inside the definition `where`, `replace` becomes `by`.

    `where` is a function, a class or `Class.method`. `replace` is exact text (spaces and line ends
    included) that stands exactly once there. `fails` are the items whose tests must notice it,
    `misleads` other items that may lose points by it. `says` is the advice for a student who made
    this mistake. `kills` is true where students' own tests are expected to catch it.

    `variant` are other ways to write the same mistake, which give other wrong values and are told
    by the same `says`. Students' own tests are held against the entry itself alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    module: Text
    where: Text
    replace: Text
    by: str
    fails: Annotated[list[Text], Field(min_length=1)]
    says: Text
    kills: bool = True
    misleads: list[Text] = []
    variant: list[Variant] = []

    _legal: list[LegalVariant] = PrivateAttr(default_factory=list)

    @property
    def key(self) -> str:
        """What tells this from all other forms of the catalogue's entries."""
        return self.id

    def written(self) -> list[Misconception]:
        """Return the ways in which the mistake is written: the entry's own, then its variants."""
        own = self.model_dump(exclude={"variant"})
        return [
            self,
            *(
                Form(**{**own, **variant.model_dump(exclude_none=True)}, number=number)
                for number, variant in enumerate(self.variant, start=2)
            ),
        ]

    def forms(self) -> list[Misconception]:
        """Return what is written, then the same in each other right form of the class it is in."""
        mine = [legal for legal in self._legal if legal.redefines(self.module, self.where)]
        written = self.written()
        return [
            *written,
            *(
                Form(**{"number": 1, **dict(form), "variant": [], "legal": legal})
                for legal in combinations(mine)[1:]
                for form in written
            ),
        ]

    def apply(self, source: str, *, verify: bool = True) -> str:
        """Return the module's source with the mistake in it.

        Raises MisconceptionError where the edit does not fit: no such definition, `replace` not
        exactly once in it, or (checked only to `verify`) a result that isn't valid Python.
        """
        tree = self._parse(source, "the source is not valid Python")
        first, last = self._lines_of(tree)
        lines = source.split("\n")
        segment = "\n".join([*lines[first - 1 : last], ""])
        count = segment.count(self.replace)
        if count != 1:
            raise self._error(
                f"`replace` stands {count} times in {self.where}, not once; "
                "make it longer or correct it, it is compared letter by letter"
            )
        start = len("\n".join([*lines[: first - 1], ""]))
        at = start + segment.index(self.replace)
        edited = source[:at] + self.by + source[at + len(self.replace) :]
        if verify:
            self._parse(edited, "with the edit the module is not valid Python")
        return edited

    def _parse(self, source: str, what: str) -> ast.Module:
        try:
            return _tree(source)
        except SyntaxError as error:
            raise self._error(f"{what}: line {error.lineno}: {error.msg}") from error

    def _lines_of(self, tree: ast.Module) -> tuple[int, int]:
        """Return the first and last line of `where`, decorators included."""
        scope: ast.Module | _Definition = tree
        for name in self.where.split("."):
            definitions = [
                child
                for child in ast.iter_child_nodes(scope)
                if isinstance(child, _Definition) and child.name == name
            ]
            if len(definitions) != 1:
                times = f"{len(definitions)} times, not once"
                raise self._error(f"`where`: {self.module}.py defines {self.where} {times}")
            scope = definitions[0]
        assert isinstance(scope, _Definition)  # `where` has at least one name
        first = min([scope.lineno, *(node.lineno for node in scope.decorator_list)])
        return first, scope.end_lineno or scope.lineno

    def _error(self, what: str) -> MisconceptionError:
        return MisconceptionError(f"misconception {self.key!r}: {what}")


class Form(Misconception):
    """One way to make an entry's mistake, as a misconception of its own with the same id and text.

    `number` is that of the variant, from 2; `legal` says in which other right form it is made.
    """

    number: int
    legal: tuple[LegalVariant, ...] = ()

    @property
    def key(self) -> str:
        """The entry's id, the variant's number where it is one, and the right form's name."""
        number = f".{self.number}" if self.number > 1 else ""
        return "+".join([f"{self.id}{number}", *(legal.id for legal in self.legal)])

    def apply(self, source: str, *, verify: bool = True) -> str:
        """Return the module's source with the mistake in it, in this right form."""
        files = {f"{self.module}.py": super().apply(source, verify=verify)}
        for legal in self.legal:
            files = legal.apply(files)
        return files[f"{self.module}.py"]


def all_forms(catalogue: Iterable[Misconception]) -> list[Misconception]:
    """Return all forms of the entries: what failures are explained by."""
    return [form for entry in catalogue for form in entry.forms()]


def load(
    folder: Path, items: Collection[str] | None = None, *, verify: bool = True
) -> list[Misconception]:
    """Read and check the catalogue of a solution's folder: all its `misconceptions*.toml`.

    Every edit must have its place. To `verify`, it is also looked at what it makes of the module
    (seconds). `items` are the item ids that exist (None: any). Raises MisconceptionError with
    every fault.
    """
    catalogue: list[Misconception] = []
    faults: list[str] = []
    for path in sorted(folder.glob("misconceptions*.toml")):
        entries, wrong = _read(path)
        wrong += _faults(entries, folder, items, verify)
        seen = {entry.id for entry in catalogue}
        wrong += [
            f"misconception {entry.id!r}: this id is used twice"
            for entry in entries
            if entry.id in seen
        ]
        faults += [f"{path}: {fault}" for fault in wrong]
        catalogue += entries
    if faults:
        raise MisconceptionError("\n".join(faults))
    legal = legal_variants.load(folder) if catalogue else []
    for entry in catalogue:
        entry._legal.extend(legal)
    return catalogue


def _read(path: Path) -> tuple[list[Misconception], list[str]]:
    """Return the well-formed entries of one file, and the faults of the others."""
    try:
        entries = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MisconceptionError(f"{path}: not valid TOML: {error}") from error
    if set(entries) - {"misconception"} or not isinstance(entries.get("misconception", []), list):
        raise MisconceptionError(f"{path}: only [[misconception]] tables belong here")
    catalogue: list[Misconception] = []
    faults: list[str] = []
    for number, entry in enumerate(entries.get("misconception", []), start=1):
        try:
            catalogue.append(Misconception.model_validate(entry))
        except ValidationError as error:
            name = entry.get("id", f"number {number}") if isinstance(entry, dict) else number
            faults += [f"misconception {name!r}: {_plain(fault)}" for fault in error.errors()]
    return catalogue, faults


def _faults(
    catalogue: list[Misconception],
    solution_dir: Path,
    items: Collection[str] | None,
    verify: bool,
) -> list[str]:
    """Check entries against each other, the rubric's items and the solutions."""
    faults = []
    seen: set[str] = set()
    for entry in catalogue:
        if entry.id in seen:
            faults.append(f"misconception {entry.id!r}: this id is used twice")
        seen.add(entry.id)
        for form in entry.written():
            faults += _faults_of_form(form, solution_dir, items, verify)
    return faults


def _faults_of_form(
    form: Misconception, solution_dir: Path, items: Collection[str] | None, verify: bool
) -> list[str]:
    """Check one form of an entry against the rubric's items and the solutions."""
    faults = []
    name = f"misconception {form.key!r}"
    affected = [*form.fails, *form.misleads]
    unknown = [item for item in affected if items is not None and item not in items]
    if unknown:
        faults.append(f"{name}: unknown items: {', '.join(unknown)}")
    path = solution_dir / f"{form.module}.py"
    is_module_name = all(part.isidentifier() for part in form.module.split("/"))
    if not is_module_name or not path.is_file():
        return [*faults, f"{name}: `module`: there is no {path}"]
    source = path.read_text("utf-8")
    try:
        edited = form.apply(source, verify=verify)
        if verify and _meaning(edited) == _meaning(source):
            faults.append(f"{name}: the edit changes nothing but spaces or comments")
    except MisconceptionError as error:
        faults.append(str(error))
    return faults


@lru_cache(maxsize=16)
def _tree(source: str) -> ast.Module:
    return ast.parse(source)


@lru_cache(maxsize=16)
def _meaning(source: str) -> str:
    return ast.dump(_tree(source))


def _plain(fault: ErrorDetails) -> str:
    """Return a validation error in one line: the field and its fault."""
    field = ".".join(map(str, fault["loc"])) or "entry"
    return f"`{field}`: {fault['msg'][0].lower()}{fault['msg'][1:]}"


def apply(mistake: Misconception, reference: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the reference's files with one misconception applied."""
    name = f"{mistake.module}.py"
    return {**reference, name: mistake.apply(reference[name].decode(), verify=False).encode()}


def apply_both(
    one: Misconception, other: Misconception, reference: Mapping[str, bytes]
) -> dict[str, bytes] | None:
    """Return the reference's files with two misconceptions, None if their edits exclude each other.

    What one of them replaces may stand in what the other has written: both orders are tried.
    """
    for first, second in ((one, other), (other, one)):
        try:
            files = apply(second, apply(first, reference))
            ast.parse(files[f"{second.module}.py"])
        except (MisconceptionError, SyntaxError):
            continue
        return files
    return None


def solution_files(root: Path, week: Week) -> dict[str, bytes]:
    """Read the reference of an assignment: its modules and its own packages, by file name.

    A module that students write in a notebook is extracted from the solution's notebook.
    Raises CourseError where one is missing.
    """
    folder = root / "solutions" / week.folder
    for name in week.modules:
        if not (folder / name).is_file():
            problem = f"there is no solutions/{week.folder}/{name}"
            remedy = "Write this reference solution, or correct the name"
            raise CourseError(COURSE_FILE, f"{week.id}.modules", problem, remedy)
    files = {name: (folder / name).read_bytes() for name in week.sources}
    for notebook in week.notebooks:
        source = (folder / notebook.module).read_text("utf-8")
        files[notebook.module] = solution_module(source, notebook).encode()
    return {**{name: files[name] for name in week.modules}, **own_packages(folder, week)}


def own_packages(folder: Path, week: Week) -> dict[str, bytes]:
    """Return the files of the packages in a solution's folder that the course doesn't ask for.

    A week that leaves the layout to students has a solution with a layout of its own: a folder with
    an `__init__.py`. What students are given is not among them.
    """
    named = {*week.modules, *week.given}
    found = {
        path.relative_to(folder).as_posix(): path
        for start in sorted(folder.glob("*/__init__.py"))
        for path in sorted(start.parent.rglob("*.py"))
    }
    return {name: path.read_bytes() for name, path in found.items() if name not in named}


def catalogue_of(
    root: Path, course: Course, week: Week, *, verify: bool = False
) -> list[Misconception]:
    """Read the assignment's catalogue of misconceptions; `verify` tries every edit (a second)."""
    folder = root / "solutions" / week.folder
    items = {item.id for item in course.items(week.number)}
    return load(folder, items, verify=verify)
