"""The functions of a notebook as a module: what was asked for, and what that needs.

Nothing is run. Of all code cells, in their order, those top-level statements are taken that define
a function which is asked for, or a name that one of these uses, and so on. Everything else (plots,
prints, an endless loop) stays behind.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import re
import symtable
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.course import Notebook
from autograder.notebooks.cells import Cell, NotebookError, read_cells
from autograder.text.display import one_line

USUAL = {"np": "import numpy as np", "numpy": "import numpy"}
"""What is imported where a function uses it and no cell does: a cell was deleted."""

FUTURE = "from __future__ import"
_MAGIC = re.compile(r"\s*[%!?]|\s*[\w.*, ]+=\s*[%!]|\s*%{0,2}[\w.*\[\]]+\?{1,2}\s*$")
"""A line for IPython alone: `%time`, `!ls`, `?name`, `files = !ls`, `name?`."""


@dataclass(frozen=True)
class Taken:
    """The module's source, and what the student should know about how it came about."""

    source: str
    notices: tuple[str, ...]


@dataclass(frozen=True)
class _Statement:
    """One top-level statement: its cell, its text, the names that it binds and those it uses."""

    cell: int
    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    defines: str | None


@dataclass(frozen=True)
class _Broken:
    """A code cell that is no Python: why, and the functions that seem to begin in it."""

    cell: int
    why: str
    functions: frozenset[str]


def take_functions(cells: Iterable[Cell], wanted: Mapping[str, str], file: str) -> Taken:
    """Return the module that the notebook `file` makes.

    `wanted` maps the functions that are asked for to their tasks. One that is in no cell is as the
    stub left it; one whose cell is no Python raises SyntaxError, which names the cell and the line.
    """
    statements: list[_Statement] = []
    broken: list[_Broken] = []
    for cell in cells:
        if cell.kind != "code":
            continue
        try:
            found = list(_statements(cell))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            broken.append(_broken(cell, error))
            continue
        statements += found
    future = [one for one in statements if one.text.startswith(FUTURE)]
    statements = [one for one in statements if one not in future]
    needed = _needed(statements, wanted)
    kept = [one for one in statements if one.binds & needed or "*" in one.binds]
    bound = {name for one in kept for name in one.binds}
    parts = list(dict.fromkeys(one.text for one in future))
    if "*" not in bound:
        parts += [line for name, line in USUAL.items() if name in needed - bound]
    for cell_number, texts in _by_cell(kept):
        parts.append(f"# cell {cell_number} of {file}\n" + "\n\n\n".join(texts))
    missing = [name for name in wanted if name not in bound]
    parts += [_stand_in(name, wanted[name], broken, file) for name in missing]
    notices = [*_about_broken(broken, wanted, file), *_about_copies(kept, wanted, file)]
    notices += _about_missing(missing, broken, statements, file)
    return Taken("\n\n\n".join(parts) + "\n", tuple(notices))


def handed_in(content: bytes, notebook: Notebook) -> Taken:
    """Return the module that a handed-in notebook makes; one that can't be read says why."""
    try:
        return take_functions(read_cells(content), notebook.functions, notebook.file)
    except NotebookError as error:
        message = f"{notebook.file} can't be read: {error}"
        functions = (_raises(name, "ValueError", message) for name in notebook.functions)
        return Taken("\n\n\n".join(functions) + "\n", (f"{message}.",))


def _statements(cell: Cell) -> Iterator[_Statement]:
    """Yield the top-level statements of a cell. Raises SyntaxError where it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape, say, is the student's business
        lines, tree = _parsed(cell.source)
        firsts = [*map(_first_line, tree.body), len(lines) + 1]
        for node, first, after in zip(tree.body, firsts, firsts[1:], strict=False):
            text = _text(node, lines[first - 1 : after - 1])
            for part, alone in _one_by_one(node, text):
                name = getattr(part, "name", None)
                yield _Statement(cell.number, alone, *_names(part), name)


def _parsed(source: str) -> tuple[list[str], ast.Module]:
    """Return a cell's lines and their tree, without magics where it is no Python with them.

    Only there: in a docstring or a broken line of a formula they look the same.
    """
    lines = textwrap.dedent(source).split("\n")
    try:
        return lines, ast.parse("\n".join(lines))
    except SyntaxError:
        lines = ["" if _MAGIC.match(line) else line for line in lines]
        return lines, ast.parse("\n".join(lines))


def _one_by_one(node: ast.stmt, text: str) -> Iterator[tuple[ast.stmt, str]]:
    """Yield a statement, or each name of an import of several: a plot's library isn't needed."""
    if not isinstance(node, ast.Import) or len(node.names) == 1:
        yield node, text
        return
    for name in node.names:
        part = ast.copy_location(ast.Import([name]), node)
        yield part, ast.unparse(part)


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])


def _text(node: ast.stmt, lines: Sequence[str]) -> str:
    """Return a statement as it was written, with the comments behind it.

    Where it shares its lines with another one it is as Python writes it.
    """
    text = "\n".join(lines).rstrip()
    try:
        alone = ast.parse(text).body
    except SyntaxError:
        alone = []
    return text if len(alone) == 1 else ast.unparse(node)


def _names(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that a statement binds at the top level, and those that it uses there.

    "*" stands for all that `from numpy import *` binds; what other modules would is left out.
    """
    if isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names):
        return frozenset("*" if node.module == "numpy" else ()), frozenset()
    if isinstance(node, ast.Delete):
        return frozenset(), frozenset()  # it tidies up, and nothing is to be tidied here
    table = symtable.symtable(ast.unparse(node), "cell", "exec")
    binds = {one.get_name() for one in table.get_symbols() if _binds(one)}
    uses = {one.get_name() for one in table.get_symbols() if one.is_referenced()}
    todo = list(table.get_children())
    while todo:
        inner = todo.pop()
        todo += inner.get_children()
        used = [one for one in inner.get_symbols() if one.is_global()]
        uses |= {one.get_name() for one in used}
        binds |= {one.get_name() for one in used if one.is_declared_global() and one.is_assigned()}
    return frozenset(binds), frozenset(uses)


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def _needed(statements: Sequence[_Statement], wanted: Iterable[str]) -> set[str]:
    """Return the names that the functions asked for need, themselves among them."""
    needed: set[str] = set()
    todo = list(wanted)
    while todo:
        name = todo.pop()
        if name in needed:
            continue
        needed.add(name)
        todo += (use for one in statements if name in one.binds for use in one.uses)
    return {name for name in needed if not hasattr(builtins, name)} | set(wanted)


def _by_cell(statements: Iterable[_Statement]) -> Iterator[tuple[int, list[str]]]:
    texts: dict[int, list[str]] = {}
    for one in statements:
        texts.setdefault(one.cell, []).append(one.text)
    yield from texts.items()


def _broken(cell: Cell, error: BaseException) -> _Broken:
    why = "it is nested too deeply or holds what no Python file may"
    if isinstance(error, SyntaxError):
        place = f"line {error.lineno}: " if error.lineno else ""
        why = f"{place}{one_line(error.msg, 100)}"
    begun = re.findall(r"(?m)^[ \t]*(?:async )?def (\w+)", cell.source)
    return _Broken(cell.number, why, frozenset(begun))


def _stand_in(name: str, task: str, broken: Sequence[_Broken], file: str) -> str:
    """Return what stands for a function that no cell defines."""
    for cell in reversed(broken):
        if name in cell.functions:
            message = f"cell {cell.cell} of {file} is not valid Python, {cell.why}"
            return _raises(name, "SyntaxError", message)
    return _raises(name, "NotImplementedError", f"{task}: fill in {name}")


def _raises(name: str, kind: str, message: str) -> str:
    return f"def {name}(*arguments, **named):\n    raise {kind}({message!r})"


def _about_broken(broken: Iterable[_Broken], wanted: Mapping[str, str], file: str) -> Iterator[str]:
    for cell in broken:
        lost = sorted(cell.functions & wanted.keys())
        if lost:
            yield (
                f"{file}: cell {cell.cell} is not valid Python ({cell.why}), so {_and(lost)} could "
                "not be taken from it. A function has to stand whole in one cell."
            )


def _about_copies(
    kept: Iterable[_Statement], wanted: Mapping[str, str], file: str
) -> Iterator[str]:
    cells: dict[str, list[int]] = {}
    for one in kept:
        if one.defines in wanted:
            cells.setdefault(one.defines, []).append(one.cell)
    for name, numbers in cells.items():
        if len(numbers) > 1:
            where = _and([str(number) for number in numbers])
            yield f"{file}: {name} is defined in cells {where}; the last one counts."


def _about_missing(
    missing: Iterable[str],
    broken: Iterable[_Broken],
    statements: Iterable[_Statement],
    file: str,
) -> Iterator[str]:
    begun = {name for cell in broken for name in cell.functions}
    defined = [one.defines for one in statements if one.defines]
    lost = [name for name in missing if name not in begun]
    for name in lost:
        close = difflib.get_close_matches(name, defined, 1, 0.8)
        close = close or [other for other in defined if other.lower() == name.lower()]
        if close:
            other = one_line(close[0], 60)
            yield f"{file} has no function {name}; is {other} meant? Names have to be exact."
    if lost:
        yield f"{file} does not define {_and(lost)}: the cell was deleted, renamed or is no code."


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
