"""The place in a student's own code that a failed check is about, as lines to be shown."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from autograder.channel.source_lines import find_functions
from autograder.course import Course
from autograder.gradebook.graded_files import kept_files
from autograder.gradebook.journal import Gradebook, GradebookError
from autograder.records import CheckResult
from autograder.reference.places import Place, item_places, mistake_place
from autograder.report.graded import GradedReport
from autograder.text.syntax import syntax_tree

ROOT = Path(__file__).resolve().parents[2]
AROUND = 3
"""Lines shown above and below a line that raised, within its function."""
MOST_LINES = 36
MOST_EXCERPTS = 2

TRACED = re.compile(r"^ {2}([\w./ -]+\.py):(\d+)(?:, in [^:\n]*)?: ", re.MULTILINE)
"""A line of a traceback as our messages have it: see `channel.faults`."""


@dataclass(frozen=True)
class Excerpt:
    """Lines of one of a student's files, from line `first` on; `marked` are those that raised.

    `name` is the definition that they are, "" where they are no whole one. `cut` says that it goes
    on.
    """

    file: str
    first: int
    lines: tuple[str, ...]
    marked: frozenset[int] = frozenset()
    name: str = ""
    cut: bool = False


class OwnCode:
    """The files of submissions as they were graded, and what in them items are about."""

    def __init__(self, course: Course, gradebook: Gradebook, root: Path = ROOT) -> None:
        self._course, self._gradebook, self._root = course, gradebook, root

    def of(self, report: GradedReport) -> OwnFiles:
        """Return what one student handed in."""
        return OwnFiles(self._course, self._gradebook, self._root, report.jobs)


class OwnFiles:
    """One student's files by item: those whose results count."""

    def __init__(
        self, course: Course, gradebook: Gradebook, root: Path, jobs: Mapping[str, str]
    ) -> None:
        self._course, self._gradebook, self._root, self._jobs = course, gradebook, root, jobs
        self._by_job: dict[str, dict[str, bytes]] = {}

    def excerpts(self, item: str, result: CheckResult) -> list[Excerpt]:
        """Return the places of a failure: where it was raised; else the definitions it is about.

        These are the one that a misconception is about, or those that the item's stub asks for.
        Nothing of it depends on hidden inputs beyond what the message says.
        """
        files = self._files(item)
        if not files:
            return []
        raised = _raised(result.message, files)
        if raised:
            return raised
        week = self._course.week(self._course.item(item).week)
        place = mistake_place(self._root, week, result.misconception)
        places = [place] if place else item_places(self._root, week, item)
        found = (_definition(files, one) for one in places)
        return list(islice((one for one in found if one is not None), MOST_EXCERPTS))

    def _files(self, item: str) -> dict[str, bytes]:
        job = self._jobs.get(item)
        if job is None:
            return {}
        if job not in self._by_job:
            basis = self._gradebook.editions.basis(job)
            self._by_job[job] = (basis and self._kept(basis.files)) or {}
        return self._by_job[job]

    def _kept(self, fingerprint: str) -> dict[str, bytes] | None:
        """Return the files of a submission; none where the store of files is damaged.

        The pages do without, and `export files` says what is wrong with it.
        """
        try:
            return kept_files(self._gradebook.path, fingerprint)
        except GradebookError:
            return None


def lines_of(content: bytes) -> list[str]:
    """Return a file's lines as Python counts them."""
    text = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def _raised(message: str, files: Mapping[str, bytes]) -> list[Excerpt]:
    """Return the innermost line of a traceback that is the student's, with what is around it."""
    traced = [(file, int(line)) for file, line in TRACED.findall(message) if file in files]
    if not traced:
        return []
    file, number = traced[-1]
    lines = lines_of(files[file])
    if not 1 <= number <= len(lines):
        return []
    first, last = _around(files[file], number, len(lines))
    marked = frozenset(line for name, line in traced if name == file and first <= line <= last)
    return [Excerpt(file, first, tuple(lines[first - 1 : last]), marked)]


def _around(content: bytes, number: int, length: int) -> tuple[int, int]:
    """Return the first and the last line to be shown of what surrounds a line."""
    first, last = max(1, number - AROUND), min(length, number + AROUND)
    functions = [one for one in find_functions(content) if one[0] <= number <= one[1]]
    if not functions:
        return first, last
    begin, end, _ = max(functions)
    return max(first, begin), min(last, end)


def _definition(files: Mapping[str, bytes], place: Place) -> Excerpt | None:
    """Return a function or a class of a student's; None where there is none of that name."""
    file, name = place
    tree = syntax_tree(files[file]) if file in files else None
    node: ast.AST | None = tree
    for part in name.split("."):
        body = getattr(node, "body", ()) if node is not None else ()
        node = next((one for one in body if getattr(one, "name", None) == part), None)
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return None
    last = node.end_lineno or node.lineno
    shown = min(last, node.lineno + MOST_LINES - 1)
    lines = lines_of(files[file])[node.lineno - 1 : shown]
    return Excerpt(file, node.lineno, tuple(lines), name=name, cut=shown < last)
