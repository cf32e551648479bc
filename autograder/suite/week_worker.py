"""A week's own drivers and probes, and the homes of its names, for the hosts that run its suites.

The folders stand in course.toml (`worker` of a [[week]]); without that key it is the week's own
`worker/`, where it has one. A suite belongs to the week in whose folder it lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from autograder.course import COURSE_FILE, CourseError, Week, load
from autograder.worker import week_drivers
from autograder.worker.week_drivers import WeekDrivers, WeekFolders, WeekWorkerError

OWN = "worker"
"""The folder of a week's own drivers and probes, in the week's folder."""


@dataclass(frozen=True, eq=False)
class WeekWorker:
    """A week's folders of drivers and probes: `names`, as they lie below `base`, assignments/.

    `homes` are the modules in which students may define a module's names instead, as they are
    imported: {"gradient_check": ("test_gradients",)}.
    """

    base: Path
    names: tuple[str, ...] = ()
    homes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def folders(self) -> WeekFolders:
        """The folders' files, for a sandbox."""
        paths = [path for name in self.names for path in sorted((self.base / name).rglob("*.py"))]
        files = {path.relative_to(self.base).as_posix(): path.read_bytes() for path in paths}
        return WeekFolders(self.names, files)

    @cached_property
    def drivers(self) -> WeekDrivers:
        """The drivers and probes themselves, for trusted code in this process.

        Raises CourseError for a folder that can't be used.
        """
        try:
            return week_drivers.load(str(self.base), self.names)
        except WeekWorkerError as error:
            raise CourseError(error.file, error.key, error.problem, error.remedy) from error


NO_WORKER = WeekWorker(Path())
"""For a suite that belongs to no week: it has the engine's drivers and probes only."""


PRIVATE = frozenset({"hidden", "tests", "suite_tools"})
"""Folders of a week that no sandbox may hold."""


def _folders(top: Path) -> Iterator[Path]:
    return (path for path in top.rglob("*") if path.is_dir())


def worker_of(root: Path, week: Week) -> WeekWorker:
    """Return a week's drivers and probes. Raises CourseError for a folder that can't be used."""
    base = root / "assignments"
    homes = {_imported(name): tuple(map(_imported, others)) for name, others in week.homes.items()}
    if week.worker is None:
        own = f"{week.folder}/{OWN}"
        return WeekWorker(base, (own,) if (base / own).is_dir() else (), homes)
    for name in week.worker:
        key = f"{week.id}.worker"
        if not (base / name).is_dir():
            problem = f"there is no folder assignments/{name}"
            raise CourseError(COURSE_FILE, key, problem, "Make it or correct it")
        private = sorted(path for path in _folders(base / name) if path.name in PRIVATE)
        if private or PRIVATE & set(Path(name).parts):
            where = private[0].relative_to(base) if private else name
            problem = f"assignments/{where} would be mounted where student code runs"
            remedy = "Name a folder with drivers and probes alone"
            raise CourseError(COURSE_FILE, key, problem, remedy)
    return WeekWorker(base, week.worker, homes)


def _imported(file: str) -> str:
    """Return the name by which a module's file is imported."""
    return file.removesuffix(".py").replace("/", ".")


def worker_beside(suite: Path) -> WeekWorker:
    """Return the drivers and probes of the week in whose folder a suite lies; none elsewhere."""
    folder = suite.resolve().parent
    for root in folder.parents:
        if (root / COURSE_FILE).is_file():
            weeks = {root / "assignments" / week.folder: week for week in load(root).weeks}
            return worker_of(root, weeks[folder]) if folder in weeks else NO_WORKER
    return NO_WORKER
