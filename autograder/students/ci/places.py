"""Locations of failures in the student's files: file and line of an annotation.

The first that is known of: the line that raised; the definition with the known mistake; the gap
named last in the failed test's source; the first gap of its item.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.students.public_run import Failure, ItemState, PublicRun
from autograder.text.syntax import syntax_tree

HANDOUTS = ("HANDOUT.md", "README.md")
"""File names of the handout; HANDOUT.md where students write README.md themselves."""

FRAME = re.compile(r"  (?P<file>[^:]+):(?P<line>\d+)(?:, in (?P<function>\w+))?:  ")


@dataclass(frozen=True)
class Place:
    """A file by its path in the repository, with forward slashes, and a line of it, from 1."""

    path: str
    line: int


class Places:
    """Finds places in the files of one week's run.

    root: the course's folder; base: the repository's folder. Paths are relative to base if root
    lies in it, else to root.
    """

    def __init__(self, run: PublicRun, root: Path, base: Path):
        self._run = run
        self._folder = root / "assignments" / run.week.folder
        self._base = base if self._folder.is_relative_to(base) else root

    @property
    def handout(self) -> Place | None:
        """The beginning of the week's handout."""
        names = (name for name in HANDOUTS if (self._folder / name).is_file())
        return next((Place(self._path(name), 1) for name in names), None)

    def of_failure(self, failure: Failure) -> Place | None:
        """Return the location of a failure; None if it is unknown."""
        fault = failure.outcome.fault
        if fault is not None:
            for frame in reversed(fault.place.splitlines()):
                found = FRAME.match(frame)
                if found and found["file"] in self._run.files.modules:
                    return self._at(found["file"], int(found["line"]), found["function"] or "")
        if failure.entry and "at" in failure.entry:
            return self._definition(*failure.entry["at"])
        gap = self._gap(failure.check.id, failure.check.item)
        return self._definition(*gap) if gap else None

    def of_open(self, one: ItemState) -> Place | None:
        """Return the location of an item's first open gap; None if it has none."""
        for module, where in self._run.shipped.gaps.get(one.item.id, ()):
            source = self._run.files.modules.get(module)
            if source is None:
                continue
            text = f"{one.item.id}: fill in {where}".encode()
            for number, line in enumerate(source.splitlines(), start=1):
                if text in line:
                    return self._at(module, number, where)
        return None

    def _gap(self, check: str, item: str) -> list[str] | None:
        """Return the gap of an item that a test names last; the item's first if it names none."""
        gaps = self._run.shipped.gaps.get(item, [])
        text = self._tests.get(check.partition("[")[0], "")
        last = {place: _last(where, text) for place, (_, where) in enumerate(gaps)}
        return gaps[max(last, key=lambda place: (last[place], -place))] if gaps else None

    @cached_property
    def _tests(self) -> dict[str, str]:
        """The source of each public test, by check id without parameters ("file::function")."""
        found = {}
        for path in sorted((self._folder / "tests").glob("test_*.py")):
            source = path.read_text("utf-8")
            for node in ast.parse(source).body:
                if isinstance(node, ast.FunctionDef):
                    found[f"{path.stem}::{node.name}"] = ast.get_source_segment(source, node) or ""
        return found

    def _definition(self, module: str, where: str) -> Place | None:
        """Return the location of a class or function, else of the innermost one around it."""
        source = self._run.files.modules.get(module)
        if source is None:
            return None
        return self._at(module, _line_of(source, where), where)

    def _at(self, module: str, line: int, function: str) -> Place:
        notebook = self._run.week.notebook(module)
        if notebook is None:
            return Place(self._path(module), line)
        return Place(self._path(notebook.file), self._line_in_notebook(notebook.file, function))

    def _line_in_notebook(self, file: str, function: str) -> int:
        """Return the line of a notebook's JSON in which a function begins; 1 if it isn't found."""
        begins = re.compile(rf'^\s*"\s*(?:async )?def {re.escape(function)}\s*\('.encode())
        lines = (self._folder / file).read_bytes().splitlines()
        return next((number for number, line in enumerate(lines, 1) if begins.match(line)), 1)

    def _path(self, name: str) -> str:
        return (self._folder / name).relative_to(self._base).as_posix()


def _last(where: str, text: str) -> int:
    """Return the offset of the last mention of a definition in a test's source, -1 for none."""
    name = where.rpartition(".")[2]
    return max(
        (found.start() for found in re.finditer(rf"\b{re.escape(name)}\b", text)), default=-1
    )


def _line_of(source: bytes, where: str) -> int:
    """Return the line of a definition by its dotted name, else of the innermost one around it."""
    tree = syntax_tree(source)
    body: Iterable[ast.stmt] = tree.body if tree else ()
    line = 1
    for name in where.split("."):
        kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        named = [node for node in body if isinstance(node, kinds) and node.name == name]
        if not named:
            break
        line, body = named[-1].lineno, named[-1].body
    return line
