"""What the course hands out: starter files that nobody worked in do not count as handed in."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from autograder.course import Notebook, Week
from autograder.intake.week_files import WeekFiles, some
from autograder.notebooks.cells import NotebookError, read_cells
from autograder.notebooks.functions import notebook_module
from autograder.text.syntax import syntax_tree

GAP = b"NotImplementedError"
MAX_GROWTH_BYTES = 4096
"""A module with so many more bytes than twice its starter file's is not looked at more closely."""
MAX_TEXT_BYTES = 1024**2
"""A larger text is only compared byte for byte."""

UNTOUCHED = "Not counted as handed in"
"""How the notice on starter files begins."""

Contents = Mapping[str, bytes | None]


class Starter:
    """The files below `root` that students begin with; each is read when it is asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read = cache(lambda path: path.read_bytes() if path.is_file() else None)
        self._modules: dict[tuple[str, str], bytes] = {}

    def remove_untouched(self, week: Week, files: WeekFiles, contents: Contents) -> bool:
        """Take out of a student's week what is as it was handed out.

        A document goes by itself. The modules go together, where none of them was worked in, since
        what others build on is needed as it is. `contents` has what lay at `files.paths`. Returns
        whether nothing of the week is left for that reason.
        """
        documents = [
            name for name in files.documents if self._same_file(week, name, files, contents)
        ]
        asked = [name for name in week.modules if name in files.modules]
        begun = any(not self._same_module(week, name, files.modules[name]) for name in asked)
        modules = [] if begun else asked
        if not documents and not modules:
            return False
        for name in documents:
            del files.documents[name]
            files.kept.pop(name, None)
        if modules:
            files.modules.clear()  # helpers are nothing without what imports them
        names = [name for name in week.files if name in (*documents, *modules)]
        if names:
            files.notices.append(
                f"{UNTOUCHED} for {week.name}: {some(names)}. What is in there is what you were "
                "given."
            )
        return not (files.modules or files.documents)

    def _same_file(self, week: Week, name: str, files: WeekFiles, contents: Contents) -> bool:
        content, starter = contents.get(files.paths[name]), self._starter(week, name)
        return content is not None and starter is not None and is_alike(name, content, starter)

    def _same_module(self, week: Week, name: str, content: bytes) -> bool:
        notebook = week.notebook(name)
        starter = self._starter(week, notebook.file if notebook else name)
        if starter is None:
            return False
        return is_same_code(content, self._module(week, notebook, starter) if notebook else starter)

    def _module(self, week: Week, notebook: Notebook, starter: bytes) -> bytes:
        key = (week.folder, notebook.file)
        if key not in self._modules:
            self._modules[key] = notebook_module(starter, notebook).source.encode()
        return self._modules[key]

    def _starter(self, week: Week, name: str) -> bytes | None:
        return self._read(self._root / "assignments" / week.folder / name)


def is_alike(name: str, content: bytes, starter: bytes) -> bool:
    """Whether a document differs from the one that was handed out in nothing that is work.

    Other line ends and spaces are none, nor is a notebook that was only run and saved again.
    """
    if content == starter:
        return True
    if len(content) > MAX_TEXT_BYTES:
        return False
    if name.endswith(".ipynb"):
        return _cells(content) == _cells(starter)
    return _lines(content) == _lines(starter)


def is_same_code(content: bytes, starter: bytes) -> bool:
    """Whether two modules are the same program: layout, comments and docstrings don't matter."""
    if content == starter or _code_lines(content) == _code_lines(starter):
        return True
    # Who worked has filled a gap, nearly always: then there is nothing to parse.
    if content.count(GAP) != starter.count(GAP):
        return False
    if len(content) > 2 * len(starter) + MAX_GROWTH_BYTES:
        return False
    trees = syntax_tree(content), syntax_tree(starter)
    try:
        return None not in trees and _shape(trees[0]) == _shape(trees[1])
    except RecursionError:
        return False


def _shape(node: Any) -> Any:
    """Return a syntax tree as lists of plain values, without places and without docstrings."""
    if isinstance(node, list):
        return [_shape(one) for one in node if not _is_text(one)]
    if isinstance(node, ast.AST):
        return [type(node), *(_shape(value) for _, value in ast.iter_fields(node))]
    return (type(node), node)


def _is_text(node: Any) -> bool:
    """Whether a statement is only a text: a docstring, mostly."""
    is_constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_constant and isinstance(node.value.value, str)


def _lines(content: bytes) -> list[bytes]:
    """Return the lines that are not blank, without the spaces at their ends."""
    lines = (line.rstrip() for line in content.removeprefix(b"\xef\xbb\xbf").splitlines())
    return [line for line in lines if line]


def _code_lines(content: bytes) -> list[bytes]:
    return [line for line in _lines(content) if not line.lstrip().startswith(b"#")]


def _cells(content: bytes) -> list[tuple[str, list[bytes]]] | None:
    """Return the kinds and lines of a notebook's cells that are not empty; None for no notebook."""
    try:
        cells = read_cells(content)
    except NotebookError:
        return None
    texts = ((cell.kind, _lines(cell.source.encode("utf-8", "replace"))) for cell in cells)
    return [(kind, lines) for kind, lines in texts if lines]
