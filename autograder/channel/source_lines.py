"""Source lines of a submission for tracebacks, from the examiner's own copy of the files.

A worker reports files and line numbers only; the text of a traceback comes from here, so that a
worker can't choose it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from autograder.text.syntax import syntax_tree

Place = tuple[str, str]
"""A line of the source, and the name of the function around it ("": none)."""

Places = Callable[[str, int], Place | None]


class Sources:
    """Source files by name; each is split into lines on first use."""

    def __init__(self, files: Mapping[str, bytes]):
        self._files = files
        self._lines: dict[str, list[str]] = {}
        self._functions: dict[str, list[tuple[int, int, str]]] = {}

    def place(self, file: str, number: int) -> Place | None:
        """Return line `number` (from 1) of `file` and its function; None where there is none."""
        if file not in self._files:
            return None
        if file not in self._lines:
            text = self._files[file].decode(errors="replace")
            self._lines[file] = text.splitlines()
        lines = self._lines[file]
        if not 1 <= number <= len(lines):
            return None
        return lines[number - 1], self._function(file, number)

    def _function(self, file: str, number: int) -> str:
        """Return the name of the innermost function around a line."""
        if file not in self._functions:
            self._functions[file] = find_functions(self._files[file])
        functions = self._functions[file]
        around = [(first, name) for first, last, name in functions if first <= number <= last]
        return max(around)[1] if around else ""


def find_functions(source: bytes) -> list[tuple[int, int, str]]:
    """Return the first line, the last line and the name of each function in a file."""
    tree = syntax_tree(source)
    return [
        (node.lineno, node.end_lineno or node.lineno, node.name)
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
