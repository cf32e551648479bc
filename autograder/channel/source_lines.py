"""The examiner's own copy of a submission's source: what stands at a place, and in which function.

A worker says in which file and line an exception passed. What is shown of that place comes from
here, so that nothing in a traceback is text of the worker's choosing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from autograder.text.syntax import syntax_tree

Place = tuple[str, str]
"""A line of the source, and the name of the function around it, "" where there is none."""

Places = Callable[[str, int], Place | None]


class Sources:
    """Files by name. Each is read when first asked for."""

    def __init__(self, files: Mapping[str, bytes]):
        self._files = files
        self._lines: dict[str, list[str]] = {}
        self._functions: dict[str, list[tuple[int, int, str]]] = {}

    def place(self, file: str, number: int) -> Place | None:
        """Return what stands in line `number` (from 1) of `file`; None where there is no such."""
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
            self._functions[file] = functions(self._files[file])
        around = [found for found in self._functions[file] if found[0] <= number <= found[1]]
        return max(around)[2] if around else ""


def functions(source: bytes) -> list[tuple[int, int, str]]:
    """Return the first line, the last line and the name of each function in a file."""
    tree = syntax_tree(source)
    return [
        (node.lineno, node.end_lineno or node.lineno, node.name)
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
