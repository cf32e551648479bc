"""The dependencies of results besides the submission: named parts with a digest each.

A job's key is computed from all parts, so results are reused from the gradebook only while all
parts are unchanged. The parts are stored with the job (gradebook.journal), so that the user can be
told which of them changed.

The results of a week's suite depend on

- the code of ours that runs: all modules that examiner, sandboxes and the week's own files import,
  directly or through others, wherever in a file the import stands. Only in sandboxes are modules
  imported by a name that is made up at run time: so all of `wire` and `worker` counts. A report, an
  exporter, the push service or a command is imported by none of them.
- the week's hidden tests, its helpers for them, its own drivers and probes; its reference and its
  catalogue of misconceptions;
- the week's settings: all that course.toml says of it but its title, its due date, its documents
  and its training job, and of grading.toml the salt and how to train on the data set. Points and
  titles of the rubric are no part: scores are computed from results each time.
- the data set, the versions of what computes, and the confinement.

Flags are results too. Whether a rule raises one can be seen only by running the submission, so a
changed rule runs it again.

Comments and docstrings don't count. A Python file is taken as its syntax tree without line numbers
and without statements that are nothing but text, a TOML file as what it says; neither can be seen
by what runs, since nothing of ours reads its own source or line numbers. A file that names
`__doc__` or a function that reads sources is taken as it is written, and so is the reference, whose
comments say where its gaps are. A test's docstring is its title, which the gradebook takes over
without running anything.

A changed hidden test runs its whole week again, not its item alone: a test is run faster, not at
all, or in another sandbox because of what the submission did in tests of other items, and quality,
rules and flags depend on the results of all.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from autograder.course import Course, Week
from autograder.gradebook.looked_up import data_file, training_setting
from autograder.gradebook.submission import Submission
from autograder.grading.flags.watched import watched_in, watched_names
from autograder.grading.source_digest import DIGEST_LENGTH, read, remember, sha256
from autograder.reference import legal_variants
from autograder.reference.misconceptions import own_packages
from autograder.suite.week_worker import OWN
from data.datasets import file_of

Parts = dict[str, str]
"""Name of a part, "kind: name" -> its digest, or the value itself where it is short."""

HOME = Path(__file__).resolve().parents[2]
"""The folder that contains the packages of OURS."""

OURS = ("autograder", "data")
"""The packages whose modules are followed."""

EXAMINES = (
    "autograder.grading.examiner",
    "autograder.sandbox.choose",
    "autograder.sandbox.starter",
)
SAYS_NOTHING = ("autograder.grading.fingerprint", "autograder.grading.source_digest")
"""Modules that are imported but affect no result: this one, and what reads files for it."""

IN_SANDBOXES = ("autograder/wire", "autograder/worker")
"""Subpackages of which sandboxes hold all modules."""

COMPUTES = ("numpy", "msgpack", "pytest", "ruff")
"""Distributions whose versions are parts in every week, besides the week's own packages."""

CODE, TESTS, TOOLS = "code", "hidden tests", "helpers of the hidden tests"
WORKER, REFERENCE, CATALOGUE = "the week's drivers and probes", "reference", "misconceptions"
SETTINGS, SALT, DATA = "settings", "salt", "data set"
VERSIONS, CONFINEMENT = "versions", "confinement"

NOT_OF_THE_SUITE = frozenset(("title", "due", "documents", "job", "data"))
"""Settings of a week in course.toml that no result of its suite depends on. The data set in use is
a separate part."""

TABLES = (".csv", ".json", ".toml", ".txt")
LONGEST_VALUE = 60


def digest(parts: Mapping[str, str]) -> str:
    """Return one digest, SHA-256 in hexadecimal, of all parts."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def job_key(submission: Submission, week: int, depends: str) -> str:
    """Return the key of a suite's job: it changes with whatever could change the job's results.

    `depends` is the digest of all parts that the week's results depend on.
    """
    one = submission
    return suite_key(one.student, week, one.fingerprint, depends, one.refusal)


def suite_key(student: str, week: int, fingerprint: str, depends: str, refusal: str | None) -> str:
    """Return the key of a suite's job, by the student and the digests of files and dependencies."""
    return _hash(student, str(week), fingerprint, depends, refusal or "")


def training_key(student: str, part: str, fingerprint: str, depends: Mapping[str, str]) -> str:
    """Return the key of a training job: a digest of part, student, files and dependencies."""
    return _hash(part, student, fingerprint, digest(depends))


def _hash(*fields: str) -> str:
    return hashlib.sha256("\0".join(fields).encode()).hexdigest()


def parts_of_week(
    root: Path,
    course: Course,
    week: Week,
    confinement: str,
    dataset: str | None,
    home: Path = HOME,
) -> Parts:
    """Return the parts that the results of a week's suite depend on.

    root: the course's repository; confinement: its name, as it is recorded with results; dataset:
    the data set of the training threshold, None where there is none; home: where the code lies.
    """
    assignment = root / "assignments" / week.folder
    files = files_below(TESTS, assignment / "hidden")
    files |= files_below(TOOLS, assignment / "suite_tools", root / "assignments")
    files |= _imported_from_beside(files.values(), root / "assignments")
    files |= worker_files(root, week)
    parts = code(home, EXAMINES, IN_SANDBOXES, files.values())
    parts |= contents(files)
    parts |= _reference(root / "solutions" / week.folder, week)
    parts |= week_settings(week, NOT_OF_THE_SUITE)
    extra = {item.id for part in course.components if part.extra for item in part.items}
    mine = sorted(extra & {item.id for item in course.items(week.number)})
    parts[f"{SETTINGS}: extra credit"] = value(mine)
    automatic = sorted(item.id for item in course.items(week.number) if item.kind == "auto")
    parts[f"{SETTINGS}: items"] = value(automatic)
    watched = watched_in(watched_names(course), week)
    parts[f"{SETTINGS}: watched"] = value([entry.model_dump() for entry in watched])
    parts[SALT] = sha256(course.salt.encode())
    if dataset:
        training = training_setting(course, week, dataset).model_dump()
        parts |= {f"{SETTINGS}: training.{dataset}.{key}": value(v) for key, v in training.items()}
        parts[f"{DATA}: {dataset}"] = _file_digest(
            assignment / dataset if dataset == data_file(week) else file_of(dataset)
        )
    parts |= versions((*COMPUTES, *week.packages))
    parts[CONFINEMENT] = confinement
    remember()
    return parts


def parts_of_public_suite(
    root: Path, course: Course, week: Week, modules: Collection[str], home: Path = HOME
) -> Parts:
    """Return the parts that a week's public suite gives its catalogue's mistakes by.

    modules: those of ours that run it.
    """
    assignment = root / "assignments" / week.folder
    files = files_below("public tests", assignment / "tests")
    files |= files_below(TOOLS, assignment / "suite_tools", root / "assignments")
    files |= _imported_from_beside(files.values(), root / "assignments")
    files |= worker_files(root, week)
    parts = code(home, modules, (), files.values())
    parts |= contents(files)
    parts |= _reference(root / "solutions" / week.folder, week)
    parts |= week_settings(week, NOT_OF_THE_SUITE)
    parts[f"{SETTINGS}: items"] = value([item.id for item in course.items(week.number)])
    parts |= versions((*COMPUTES, *week.packages))
    remember()
    return parts


# The pieces of parts, also used for the training job's key.


def code(
    home: Path, modules: Iterable[str], rooms: Iterable[str], others: Iterable[Path] = ()
) -> Parts:
    """Return a part for each of our modules that these modules, rooms and other files import.

    Beside a module may lie tables that it reads: they are parts too.
    """
    todo = list(modules)
    for room in rooms:
        for file in sorted((home / room).rglob("*.py")):
            todo.append(".".join(file.relative_to(home).with_suffix("").parts))
    for file in others:
        todo += read(file).imports
    found: dict[str, Path] = {}
    while todo:
        *packages, name = _packages(todo.pop())
        for module in (*packages, name):
            if module in found or module in SAYS_NOTHING:
                continue
            path = _module_path(home, module)
            if path is not None:
                found[module] = path
                todo += _absolute(module, path)
    paths = set(found.values())
    for folder in {path.parent for path in paths}:
        paths |= {path for path in folder.iterdir() if path.suffix in TABLES}
    return {
        f"{CODE}: {path.relative_to(home).as_posix()}": read(path).digest for path in sorted(paths)
    }


def files_below(kind: str, folder: Path, within: Path | None = None) -> dict[str, Path]:
    """Return all files below a folder by the names of their parts, relative to `within`."""
    return {
        f"{kind}: {path.relative_to(within or folder).as_posix()}": path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def worker_files(root: Path, week: Week) -> dict[str, Path]:
    """Return the files of a week's drivers and probes: of its folders `worker`, or its own."""
    assignments = root / "assignments"
    folders = (f"{week.folder}/{OWN}",) if week.worker is None else week.worker
    found: dict[str, Path] = {}
    for folder in folders:
        found |= files_below(WORKER, assignments / folder, assignments)
    return found


def contents(files: Mapping[str, Path]) -> Parts:
    """Return the digests of files, by the names of their parts."""
    return {name: read(path).digest for name, path in files.items()}


def week_settings(week: Week, without: Collection[str]) -> Parts:
    """Return a part for each setting of a week in course.toml, and for each limit."""
    settings: dict[str, Any] = {}
    for name, setting in week.model_dump(exclude=set(without)).items():
        table = setting if isinstance(setting, dict) else None
        settings |= {f"{name}.{key}": v for key, v in table.items()} if table else {name: setting}
    return {f"{SETTINGS}: {name}": value(setting) for name, setting in settings.items()}


def versions(distributions: Iterable[str]) -> Parts:
    """Return the versions of Python and of what is installed of these distributions."""
    parts = {f"{VERSIONS}: Python": sys.version}
    for name in distributions:
        try:
            parts[f"{VERSIONS}: {name}"] = metadata.version(name)
        except metadata.PackageNotFoundError:
            parts[f"{VERSIONS}: {name}"] = "not installed"
    return parts


def value(setting: Any) -> str:
    """Return a setting as text, or a digest of it where that is long."""
    text = repr(setting)
    return text if len(text) <= LONGEST_VALUE else sha256(text.encode())


def _imported_from_beside(files: Iterable[Path], assignments: Path) -> dict[str, Path]:
    """Return what a suite's files import by relative names, directly or through others."""
    found: dict[str, Path] = {}
    todo, seen = list(files), set(files)
    while todo:
        file = todo.pop()
        for name in read(file).imports:
            dots = len(name) - len(name.lstrip("."))
            if dots == 0:
                continue
            place = file.parents[dots - 1].joinpath(*filter(None, name[dots:].split(".")))
            for path in (place / "__init__.py", place.with_suffix(".py")):
                if path.is_file() and path not in seen:
                    seen.add(path)
                    todo.append(path)
                    found[f"{TOOLS}: {path.relative_to(assignments).as_posix()}"] = path
    return found


def _reference(folder: Path, week: Week) -> Parts:
    """Return the parts of a week's solution: its modules as they are written, and its catalogue."""
    parts: Parts = {}
    for name in (*week.sources, *(notebook.module for notebook in week.notebooks)):
        if (folder / name).is_file():
            parts[f"{REFERENCE}: {name}"] = sha256((folder / name).read_bytes())
    for name, data in own_packages(folder, week).items():
        parts[f"{REFERENCE}: {name}"] = sha256(data)
    for path in sorted(folder.glob("misconceptions*.toml")):
        parts[f"{CATALOGUE}: {path.name}"] = read(path).digest
    if (variants := folder / legal_variants.FILE).is_file():
        parts[f"{REFERENCE}: {variants.name}"] = sha256(variants.read_bytes())
    return parts


def _absolute(module: str, path: Path) -> Iterator[str]:
    """Yield what a module imports, by absolute names."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for name in read(path).imports:
        dots = len(name) - len(name.lstrip("."))
        if dots == 0:
            yield name
            continue
        parents = package.split(".")
        base = parents[: len(parents) - dots + 1]
        yield ".".join([*base, *filter(None, [name[dots:]])])


def _packages(module: str) -> list[str]:
    """Return the packages that are imported with a module, and the module itself."""
    names = module.split(".")
    return [".".join(names[: n + 1]) for n in range(len(names))]


def _module_path(home: Path, module: str) -> Path | None:
    """Return the file of a module of ours; None for others, and for what is no module."""
    if module.partition(".")[0] not in OURS:
        return None
    place = home.joinpath(*module.split("."))
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def _file_digest(path: Path) -> str:
    if not path.is_file():
        return "not there"
    status = path.stat()
    return _digest_of_state(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)
def _digest_of_state(path: Path, changed_ns: int, size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:DIGEST_LENGTH]
