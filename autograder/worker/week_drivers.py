"""The loader of a week's drivers and probes: packages in the folders that the course names.

Each folder is a package whose `__init__.py` has two dicts, DRIVERS and PROBES, which map the names
used in the week's suites (`student.drive`, `student.prepare`, `student.probe`) to functions and
objects. The loader is used in a sandbox, where the packages can't be imported again after loading,
and in the examiner's process, which loads several weeks. So a package gets a private name, and has
to import its own files by relative imports (`from .probes import Swing`) at module level.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from .drivers import DRIVERS, PROBES

TABLES = ("DRIVERS", "PROBES")

OURS = [os.path.join(os.path.dirname(os.path.dirname(__file__)), "")]
"""The folders of the grader's own code in this process: this package's and the weeks'."""


class WeekWorkerError(Exception):
    """A week's folder of drivers and probes is invalid: the file, the place in it, the remedy."""

    def __init__(self, file: str, key: str, problem: str, remedy: str) -> None:
        self.file, self.key, self.problem, self.remedy = file, key, problem, remedy
        super().__init__(f"{file}: {key}: {problem}. {remedy}.")

    def __reduce__(self) -> Any:
        return type(self), (self.file, self.key, self.problem, self.remedy)


@dataclass(frozen=True)
class WeekFolders:
    """The files of one week's drivers and probes, which a sandbox holds read-only.

    `names` are the folders to load, in this order, relative to assignments/; `files` maps the path
    of each Python file in them, relative to assignments/, to its content.
    """

    names: tuple[str, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class WeekDrivers:
    """The drivers and probes of a suite by name: the engine's and the week's own.

    `allowed` are functions that the week's students may use, of those that are disabled otherwise.
    """

    drivers: Mapping[str, Any] = field(default_factory=lambda: DRIVERS)
    probes: Mapping[str, Any] = field(default_factory=lambda: PROBES)
    allowed: tuple[str, ...] = ()

    def driver(self, name: str) -> Any:
        """Return a driver. Raises KeyError with the known names."""
        return _named(self.drivers, name, "driver")

    def probe(self, name: str) -> Any:
        """Return a probe; classes and factories are not called. Raises KeyError."""
        return _named(self.probes, name, "probe")


def _named(table: Mapping[str, Any], name: str, kind: str) -> Any:
    try:
        return table[name]
    except KeyError:
        raise KeyError(f"there is no {kind} {name!r}; there are: {', '.join(table)}") from None


def load(base: str, folders: Iterable[str]) -> WeekDrivers:
    """Load the packages in `folders`, relative to `base`; return their merged tables.

    Raises WeekWorkerError for a folder that isn't a package, a missing or invalid table, and a name
    defined twice, also by the engine. Messages name files by their paths below assignments/.
    """
    joined: list[dict[str, Any]] = [dict(DRIVERS), dict(PROBES)]
    owners = [dict.fromkeys(table, "the engine's own (autograder/worker)") for table in joined]
    allowed: list[str] = []
    for folder in folders:
        file = f"assignments/{folder}/__init__.py"
        package = _import(base, folder, file)
        allowed += getattr(package, "ALLOWED", ())
        for table, owner, key in zip(joined, owners, TABLES, strict=True):
            own = getattr(package, key, None)
            if type(own) is not dict or not all(type(name) is str for name in own):
                problem = "is missing" if own is None else "is not a dict with texts as keys"
                remedy = f"Write {key} = {{...}}, or {key} = {{}} where the week has none"
                raise WeekWorkerError(file, key, problem, remedy)
            for name, value in own.items():
                if name in owner:
                    problem = f"the name {name!r} is taken: it is {owner[name]}"
                    raise WeekWorkerError(file, key, problem, "Give one of the two another name")
                table[name], owner[name] = value, f"one of {file} already"
    drivers, probes = joined
    return WeekDrivers(drivers, probes, tuple(allowed))


def _import(base: str, folder: str, file: str) -> ModuleType:
    """Import a folder's package under a name that is unique in this process."""
    place = os.path.join(base, folder)
    start = os.path.join(place, "__init__.py")
    if not os.path.isfile(start):
        problem = "there is no such file" if os.path.isdir(place) else "there is no such folder"
        remedy = "Make it, with DRIVERS and PROBES in it, or correct the week's `worker`"
        raise WeekWorkerError(file, "the file", problem, remedy)
    name = f"{__package__}.week_{hashlib.sha256(os.path.abspath(place).encode()).hexdigest()[:16]}"
    _remove(name)
    spec = importlib.util.spec_from_file_location(name, start, submodule_search_locations=[place])
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[name] = package
    try:
        spec.loader.exec_module(package)
    except BaseException:
        _remove(name)
        raise
    if os.path.join(place, "") not in OURS:
        OURS.append(os.path.join(place, ""))
    return package


def _remove(name: str) -> None:
    """Remove a package from sys.modules, since its files may have changed since its import."""
    for known in list(sys.modules):
        if known == name or known.startswith(f"{name}."):
            del sys.modules[known]
