"""Modules extracted from notebooks: the functions that a week asks for and their dependencies.

Nothing is run. From the code cells, in their order, those top-level statements are extracted that
define a function asked for, or a name that one of these uses, and so on. Everything else (plots,
prints, an endless loop) is left out.
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

USUAL_IMPORTS = {"np": "import numpy as np", "numpy": "import numpy"}
"""Imports that are added where a function needs the name and the cell with the import is gone."""

FUTURE_IMPORT = "from __future__ import"
_MAGIC = re.compile(r"\s*+(?:[%!?]|[\w.*, ]++=\s*+[%!]|%{0,2}[\w.*\[\]]++\?{1,2}\s*+$)")
"""A line for IPython alone: `%time`, `!ls`, `?name`, `files = !ls`, `name?`."""


@dataclass(frozen=True)
class NotebookModule:
    """The source of a module made from a notebook, and notices for the student about it."""

    source: str
    notices: tuple[str, ...]


@dataclass(frozen=True)
class _Statement:
    """One top-level statement: its cell's number, its text, the names that it binds and uses."""

    cell: int
    text: str
    binds: frozenset[str]
    uses: frozenset[str]
    defines: str | None


@dataclass(frozen=True)
class _BrokenCell:
    """A code cell that isn't valid Python, the reason, and the functions that begin in it."""

    number: int
    reason: str
    functions: frozenset[str]


def extract_functions(
    cells: Iterable[Cell], wanted: Mapping[str, str], file: str
) -> NotebookModule:
    """Return the module with the functions of the notebook `file`.

    `wanted` maps the functions asked for to their tasks. In the module, a function that no cell
    defines raises NotImplementedError like the stub; one whose cell isn't valid Python raises
    SyntaxError, which names the cell and the line.
    """
    statements: list[_Statement] = []
    broken: list[_BrokenCell] = []
    for cell in cells:
        if cell.kind != "code":
            continue
        try:
            cell_statements = list(_statements(cell))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            broken.append(_broken_cell(cell, error))
            continue
        statements += cell_statements
    future = [s for s in statements if s.text.startswith(FUTURE_IMPORT)]
    statements = [s for s in statements if s not in future]
    needed = _needed(statements, wanted)
    kept = [s for s in statements if s.binds & needed or "*" in s.binds]
    bound = {name for statement in kept for name in statement.binds}
    parts = list(dict.fromkeys(statement.text for statement in future))
    if "*" not in bound:
        parts += [line for name, line in USUAL_IMPORTS.items() if name in needed - bound]
    for cell_number, texts in _by_cell(kept):
        parts.append(f"# cell {cell_number} of {file}\n" + "\n\n\n".join(texts))
    missing = [name for name in wanted if name not in bound]
    parts += [_stand_in(name, wanted[name], broken, file) for name in missing]
    notices = [*_broken_notices(broken, wanted, file), *_duplicate_notices(kept, wanted, file)]
    notices += _missing_notices(missing, broken, statements, file)
    return NotebookModule("\n\n\n".join(parts) + "\n", tuple(notices))


def notebook_module(content: bytes, notebook: Notebook) -> NotebookModule:
    """Return the module of a handed-in notebook.

    Where the notebook can't be read, its functions raise ValueError with the reason.
    """
    try:
        return extract_functions(read_cells(content), notebook.functions, notebook.file)
    except NotebookError as error:
        message = f"{notebook.file} can't be read: {error}"
        functions = (_raises(name, "ValueError", message) for name in notebook.functions)
        return NotebookModule("\n\n\n".join(functions) + "\n", (f"{message}.",))


def _statements(cell: Cell) -> Iterator[_Statement]:
    """Yield the top-level statements of a cell. Raises SyntaxError where it is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape, say, is the student's business
        lines, tree = _parsed(cell.source)
        firsts = [*map(_first_line, tree.body), len(lines) + 1]
        for node, first, after in zip(tree.body, firsts, firsts[1:], strict=False):
            text = _text(node, lines[first - 1 : after - 1])
            for statement, statement_text in _split_import(node, text):
                name = getattr(statement, "name", None)
                yield _Statement(cell.number, statement_text, *_names(statement), name)


def _parsed(source: str) -> tuple[list[str], ast.Module]:
    """Return a cell's lines and their tree; magics are removed where it isn't valid Python.

    Only there: in a docstring or a continued line of a formula the same text means something else.
    """
    lines = textwrap.dedent(source).split("\n")
    try:
        return lines, ast.parse("\n".join(lines))
    except SyntaxError:
        lines = ["" if _MAGIC.match(line) else line for line in lines]
        return lines, ast.parse("\n".join(lines))


def _split_import(node: ast.stmt, text: str) -> Iterator[tuple[ast.stmt, str]]:
    """Yield a statement, or one import for each name: a plot's library isn't needed, say."""
    if not isinstance(node, ast.Import) or len(node.names) == 1:
        yield node, text
        return
    for name in node.names:
        single = ast.copy_location(ast.Import([name]), node)
        yield single, ast.unparse(single)


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _text(node: ast.stmt, lines: Sequence[str]) -> str:
    """Return a statement as it was written, with the comments behind it.

    A statement that shares its lines with another one is unparsed instead.
    """
    text = "\n".join(lines).rstrip()
    try:
        statements = ast.parse(text).body
    except SyntaxError:
        statements = []
    return text if len(statements) == 1 else ast.unparse(node)


def _names(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that a statement binds at the top level, and the global names it uses.

    "*" stands for all names of `from numpy import *`; star imports of other modules are left out.
    """
    if isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names):
        return frozenset("*" if node.module == "numpy" else ()), frozenset()
    if isinstance(node, ast.Delete):
        return frozenset(), frozenset()  # it would remove names that functions may need
    table = symtable.symtable(ast.unparse(node), "cell", "exec")
    binds = {symbol.get_name() for symbol in table.get_symbols() if _binds(symbol)}
    uses = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    todo = list(table.get_children())
    while todo:
        inner = todo.pop()
        todo += inner.get_children()
        used = [symbol for symbol in inner.get_symbols() if symbol.is_global()]
        uses |= {symbol.get_name() for symbol in used}
        binds |= {s.get_name() for s in used if s.is_declared_global() and s.is_assigned()}
    return frozenset(binds), frozenset(uses)


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def _needed(statements: Sequence[_Statement], wanted: Iterable[str]) -> set[str]:
    """Return the names that the functions asked for need, including their own."""
    needed: set[str] = set()
    todo = list(wanted)
    while todo:
        name = todo.pop()
        if name in needed:
            continue
        needed.add(name)
        todo += (use for s in statements if name in s.binds for use in s.uses)
    return {name for name in needed if not hasattr(builtins, name)} | set(wanted)


def _by_cell(statements: Iterable[_Statement]) -> Iterator[tuple[int, list[str]]]:
    texts: dict[int, list[str]] = {}
    for statement in statements:
        texts.setdefault(statement.cell, []).append(statement.text)
    yield from texts.items()


def _broken_cell(cell: Cell, error: BaseException) -> _BrokenCell:
    reason = "it is nested too deeply or holds what no Python file may"
    if isinstance(error, SyntaxError):
        place = f"line {error.lineno}: " if error.lineno else ""
        reason = f"{place}{one_line(error.msg, 100)}"
    functions = re.findall(r"(?m)^[ \t]*(?:async )?def (\w+)", cell.source)
    return _BrokenCell(cell.number, reason, frozenset(functions))


def _stand_in(name: str, task: str, broken: Sequence[_BrokenCell], file: str) -> str:
    """Return the source of a function that stands in for one that no cell defines."""
    for cell in reversed(broken):
        if name in cell.functions:
            message = f"cell {cell.number} of {file} is not valid Python, {cell.reason}"
            return _raises(name, "SyntaxError", message)
    return _raises(name, "NotImplementedError", f"{task}: fill in {name}")


def _raises(name: str, kind: str, message: str) -> str:
    return f"def {name}(*arguments, **named):\n    raise {kind}({message!r})"


def _broken_notices(
    broken: Iterable[_BrokenCell], wanted: Mapping[str, str], file: str
) -> Iterator[str]:
    for cell in broken:
        lost = sorted(cell.functions & wanted.keys())
        if lost:
            yield (
                f"{file}: cell {cell.number} is not valid Python ({cell.reason}), so {_and(lost)} "
                "could not be taken from it. A function has to stand whole in one cell."
            )


def _duplicate_notices(
    kept: Iterable[_Statement], wanted: Mapping[str, str], file: str
) -> Iterator[str]:
    cells: dict[str, list[int]] = {}
    for statement in kept:
        if statement.defines is not None and statement.defines in wanted:
            cells.setdefault(statement.defines, []).append(statement.cell)
    for name, numbers in cells.items():
        if len(numbers) > 1:
            where = _and([str(number) for number in numbers])
            yield f"{file}: {name} is defined in cells {where}; the last one counts."


def _missing_notices(
    missing: Iterable[str],
    broken: Iterable[_BrokenCell],
    statements: Iterable[_Statement],
    file: str,
) -> Iterator[str]:
    begun = {name for cell in broken for name in cell.functions}
    defined = [statement.defines for statement in statements if statement.defines]
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
