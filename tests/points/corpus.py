"""Submissions that try to get points without the work, and the points that they must get.

One folder is one submission: `<week folder>/<case>/`, with the student's files that it is made of
and case.toml. README.md says what stands in that.
"""

from __future__ import annotations

import runpy
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from autograder.course.points import parse_points
from autograder.grading.examiner import Examiner
from autograder.reference.gaps import stub_modules

FOLDER = Path(__file__).resolve().parent
RULES = ("R1", "R2", "R3", "R4", "R5", "R6", "R7", "flags")
NOT_HANDED_IN = {"case.toml", "make.py"}


@dataclass(frozen=True)
class Case:
    """One submission of the corpus.

    rule: the rule for suites that it tries to get around; base: what the week's other files are;
    points: of the items named, in hundredths; every other item gets what the base alone gets;
    flags: rules of flags that it must get, at least.
    """

    week: str
    name: str
    title: str
    rule: str
    base: Literal["stub", "reference"] = "stub"
    points: Mapping[str, int] = field(default_factory=dict)
    flags: tuple[str, ...] = ()

    def files(self, examiner: Examiner) -> dict[str, bytes]:
        """Return the submission: its own files, upon those of its base."""
        return {**base_files(examiner, self.base), **self._own()}

    def _own(self) -> dict[str, bytes]:
        folder = FOLDER / self.week / self.name
        if (folder / "make.py").is_file():
            made: dict[str, bytes] = runpy.run_path(str(folder / "make.py"))["files"]()
            return made
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name not in NOT_HANDED_IN and path.suffix != ".pyc"
        }


def base_files(examiner: Examiner, base: str) -> dict[str, bytes]:
    """Return what a case's own files are put upon: the week's untouched stubs, or its reference."""
    if base == "reference":
        return dict(examiner.reference)
    stubs = stub_modules(examiner.root, examiner.course, examiner.week)
    return {name: text.encode() for name, text in stubs.items()}


def load() -> dict[str, Case]:
    """Return the cases by week folder and name. Raises ValueError for one that says what it can't.

    The names are those of folders: `week1_backprop/probe_attribute`.
    """
    found = {}
    for path in sorted(FOLDER.rglob("case.toml")):
        name = path.parent.relative_to(FOLDER).as_posix()
        try:
            found[name] = _read(path)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from error
    return found


def _read(path: Path) -> Case:
    told = tomllib.loads(path.read_text("utf-8"))
    points = {item: parse_points(str(value)) for item, value in told.pop("points", {}).items()}
    flags = tuple(told.pop("flags", ()))
    week, name = path.parents[1].relative_to(FOLDER).as_posix(), path.parent.name
    case = Case(week, name, points=points, flags=flags, **told)
    if case.rule not in RULES or case.base not in ("stub", "reference"):
        raise ValueError(f"rule {case.rule!r} or base {case.base!r} is none of those known")
    return case
