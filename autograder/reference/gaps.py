"""Stubs made from solutions: each marked gap becomes a raise that names its task.

A gap stands between two comment lines, indented like the code they enclose:

    # BEGIN SOLUTION week1.linear
    ...
    # END SOLUTION

Everything outside the gaps reaches the students unchanged. A gap may give other code for the stub
than the raise, as comments after its own code; such a gap may be at module level too:

    # BEGIN SOLUTION week3.debugging_lab
    rate = 0.1
    # INSTEAD
    # rate = 40.0
    # END SOLUTION

In the source of a notebook a gap may enclose only comments, the text of a markdown cell. It needs
an INSTEAD too. The stub of such a source is the notebook that students fill in.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.course import COURSE_FILE, Course, Week, load
from autograder.errors import AuthorError
from autograder.notebooks.functions import notebook_module
from autograder.reference.percent_source import notebook_of, text_of
from autograder.text.files import write_text

MARKER = re.compile(r"(BEGIN|END)[\s_-]*SOLUTION", re.IGNORECASE)
"""Anything that looks like a marker; an inexact one is an error, so that none is shipped."""

MAX_LINE_CHARACTERS = 100

_BEGIN = re.compile(r"(?P<indent> *)# BEGIN SOLUTION(?: (?P<task>\S+))?\s*")
_END = re.compile(r"(?P<indent> *)# END SOLUTION\s*")
_INSTEAD = re.compile(r"(?P<indent> *)# INSTEAD\s*")
_BODIES = frozenset({"body", "orelse", "finalbody", "handlers", "cases"})


class StubError(AuthorError):
    """A marker in a solution is wrong. The message gives the file, the line and what to repair."""

    def __init__(self, name: str, line: int, what: str) -> None:
        super().__init__(f"{name}:{line}: {what}")


@dataclass(frozen=True)
class Gap:
    """One marked block. `first` and `last` are the line numbers, from 1, of the two markers.

    The solution's own lines end before line `until`. `instead` is the stub's text where the block
    gives one. `where` is the dotted name of the definition around it.
    """

    task: str
    first: int
    last: int
    indent: str
    until: int
    instead: str | None = None
    where: str = ""
    statements: tuple[ast.stmt, ...] = ()

    @property
    def stand_in(self) -> str:
        """The stub's text for the block; a long raise is wrapped as ruff does it."""
        if self.instead is not None:
            return self.instead
        message = f'"{self.task}: fill in {self.where}"'
        line = f"{self.indent}raise NotImplementedError({message})"
        if len(line) <= MAX_LINE_CHARACTERS:
            return line
        return line.replace(message, f"\n{self.indent}    {message}\n{self.indent}")


@dataclass(frozen=True)
class _Block:
    """One list of statements; `where` is the dotted name of the definition around it."""

    where: str
    in_function: bool
    opens_function: bool
    statements: list[ast.stmt]


def make_stub(source: str, name: str, known: Collection[str] | None = None) -> str:
    """Return the stub of a solution.

    `name` is the file's name for messages, `known` the task ids that exist (None: any).
    Raises StubError for a nested, unopened, unclosed, mis-indented or misplaced marker, one
    without a task id, and an id that is not in `known`.
    """
    return render(source, name, lambda gap: True, known)


def render(
    source: str, name: str, empty: Callable[[Gap], bool], known: Collection[str] | None = None
) -> str:
    """Return the source without markers; gaps chosen by `empty` become raises, others stay."""
    lines = source.split("\n")
    out: list[str] = []
    done = 0
    for gap in find_gaps(source, name, known):
        out += lines[done : gap.first - 1]
        out += [gap.stand_in] if empty(gap) else lines[gap.first : gap.until - 1]
        done = gap.last
    text = "\n".join(out + lines[done:])
    _parse(text, name)
    return text


def find_gaps(source: str, name: str, known: Collection[str] | None = None) -> list[Gap]:
    """Return the gaps of a solution in their order; raises StubError as `make_stub` does."""
    marked = list(_marked(source, name, known))
    blocks = list(_blocks(_parse(source, name)))
    return [_placed(gap, blocks, name) for gap in marked]


def _parse(source: str, name: str) -> ast.Module:
    try:
        return ast.parse(source, name)
    except SyntaxError as error:
        raise StubError(name, error.lineno or 0, f"not valid Python: {error.msg}") from error


def _marked(source: str, name: str, known: Collection[str] | None) -> Iterator[Gap]:
    """Yield the gap of each pair of marker lines."""
    lines = source.split("\n")
    opened: tuple[int, str, str] | None = None
    until: int | None = None
    for number, line in enumerate(lines, start=1):
        if _INSTEAD.fullmatch(line):
            if not opened or until:
                raise StubError(name, number, "INSTEAD belongs once into a block, after its code")
            until = number
        if not MARKER.search(line):
            continue
        if begin := _BEGIN.fullmatch(line):
            if opened:
                raise StubError(name, number, f"the block of line {opened[0]} is still open here")
            opened = number, _task(begin["task"], name, number, known), begin["indent"]
        elif end := _END.fullmatch(line):
            if not opened:
                raise StubError(name, number, "END SOLUTION without a BEGIN SOLUTION before it")
            first, task, indent = opened
            if end["indent"] != indent:
                raise StubError(
                    name, number, f"indented differently from its BEGIN in line {first}"
                )
            instead = _instead(lines[until : number - 1], indent, name, until) if until else None
            yield Gap(task, first, number, indent, until or number, instead)
            opened = until = None
        else:
            raise StubError(
                name,
                number,
                f"not a marker: {line.strip()!r}. Write '# BEGIN SOLUTION <task id>' or "
                "'# END SOLUTION' on a line of its own, indented with spaces",
            )
    if opened:
        raise StubError(name, opened[0], "BEGIN SOLUTION without an END SOLUTION after it")


def _instead(lines: list[str], indent: str, name: str, number: int) -> str:
    """Return the stub's text from the comments below the INSTEAD in line `number`."""
    text = []
    for line in lines:
        if not line.startswith(f"{indent}#") or line[len(indent) + 1 : len(indent) + 2].strip():
            raise StubError(name, number, "after INSTEAD each line is code behind '# '")
        text.append((indent + line[len(indent) + 2 :]).rstrip())
    if not text:
        raise StubError(name, number, "INSTEAD needs the stub's code below it, behind '# '")
    return "\n".join(text)


def _task(task: str | None, name: str, line: int, known: Collection[str] | None) -> str:
    if not task:
        raise StubError(name, line, "BEGIN SOLUTION needs a task id, such as week1.linear")
    if not re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", task):
        raise StubError(name, line, f"{task!r} is not a task id; one looks like week1.linear")
    if known is not None and task not in known:
        raise StubError(name, line, f"unknown task id {task!r}; known: {', '.join(sorted(known))}")
    return task


def _blocks(node: ast.AST, where: str = "", in_function: bool = False) -> Iterator[_Block]:
    """Yield every list of statements of a syntax tree with the definition that it stands in."""
    is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        where, in_function = f"{where}.{node.name}".lstrip("."), is_function
    for field, value in ast.iter_fields(node):
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield _Block(where, in_function, is_function and field == "body", value)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _blocks(child, where, in_function)


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(node.lineno for node in decorators)])


def _last_line(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _placed(gap: Gap, blocks: list[_Block], name: str) -> Gap:
    """Return a gap with the statements that it encloses.

    They must be whole and side by side, inside a function unless the gap has an INSTEAD.
    """

    def inside(statement: ast.stmt) -> bool:
        return gap.first < _first_line(statement) and _last_line(statement) < gap.last

    home: _Block | None = None
    statements: list[ast.stmt] = []
    for block in blocks:
        for statement in block.statements:
            begins, ends = _first_line(statement), _last_line(statement)
            simple = _BODIES.isdisjoint(statement._fields)
            if gap.first < begins < gap.last < ends or (simple and begins < gap.first < ends):
                raise StubError(name, gap.first, "the block cuts a statement in two")
        # Blocks come outermost first, so the first with a statement inside is the gap's home;
        # a later one must lie within the statements found, or the gap spans an else or except.
        held = [statement for statement in block.statements if inside(statement)]
        if held and home is None:
            home, statements = block, held
        elif held and not any(
            _first_line(outer) <= _first_line(held[0]) <= _last_line(outer) for outer in statements
        ):
            raise StubError(name, gap.first, "the block spans two branches of a statement")
    if home is None and gap.instead is not None:
        return gap  # text of a notebook
    if home is None:
        raise StubError(name, gap.first, "the block encloses no statement")
    if not home.in_function and gap.instead is None:
        raise StubError(name, gap.first, "a block must stand inside a function or method")
    if statements[0].col_offset != len(gap.indent):
        raise StubError(name, gap.first, "the markers are not indented like the code they enclose")
    if home.opens_function and statements[0] is home.statements[0] and _is_text(statements[0]):
        raise StubError(name, gap.first, "the docstring is inside the block; students need it")
    return replace(gap, where=home.where, statements=tuple(statements))


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def find_leaks(stub: str, source: str, name: str) -> list[str]:
    """Return what a stub still has of its solution's gaps; an empty list proves: nothing.

    Works on the two syntax trees: apart from each gap's stand-in, each definition of the stub must
    have exactly the statements that the solution has outside its gaps.
    """
    leaks = [
        f"{name}:{number}: solution marker"
        for number, line in enumerate(stub.split("\n"), start=1)
        if MARKER.search(line)
    ]
    allowed = _statements(ast.parse(source, name))
    for gap in find_gaps(source, name):
        for top in gap.statements:
            allowed.subtract(_statements(ast.Module([top], []), gap.where))
        allowed += _statements(ast.parse(textwrap.dedent(gap.stand_in)), gap.where)
    present = _statements(ast.parse(stub, name))
    for (where, statement), count in sorted((present - allowed).items()):
        leaks.append(f"{name}: {where or 'module'} has {count} x {statement[:120]} from a gap")
    for (where, statement), count in sorted((allowed - present).items()):
        leaks.append(f"{name}: {where or 'module'} lacks {count} x {statement[:120]}")
    return leaks


def _statements(tree: ast.AST, where: str = "") -> Counter[tuple[str, str]]:
    """Count the statements of each definition; of a compound statement, its head alone."""
    return Counter(
        (block.where, _head(statement))
        for block in _blocks(tree, where)
        for statement in block.statements
    )


def _head(statement: ast.stmt) -> str:
    fields = {
        field: [] if field in _BODIES else value for field, value in ast.iter_fields(statement)
    }
    return ast.dump(type(statement)(**fields))


def stubs_of(root: Path, only: Week | None = None) -> dict[Path, str]:
    """Return every week's stubs, or those of one week: the text by the path under assignments/.

    A notebook's is the text of its file. Raises StubError for a wrong marker, and
    CourseError where the rubric can't be read.
    """
    course = load(root)
    points = {item.id: item.points for item in course.items()}
    stubs = {}
    for week in (only,) if only else course.weeks:
        folder = root / "solutions" / week.folder
        modules = {folder / name for name in week.modules if (folder / name).is_file()}
        for solution in sorted({*folder.glob("*.py"), *modules}):
            name = solution.relative_to(folder).as_posix()
            file, text = stub_of(root, week, name, points)
            stubs[root / "assignments" / week.folder / file] = text
    return stubs


def stub_of(root: Path, week: Week, name: str, points: Mapping[str, int]) -> tuple[str, str]:
    """Return the name and the text of the file that students get for a module of a week.

    `points` has what every item of the rubric is worth. Raises StubError for a wrong marker.
    """
    origin = f"solutions/{week.folder}/{name}"
    text = make_stub((root / origin).read_text("utf-8"), origin, points.keys())
    notebook = week.notebook(name)
    if notebook is None:
        return name, text
    return notebook.file, text_of(notebook_of(text, origin, points))


def stub_modules(root: Path, course: Course, week: Week) -> dict[str, str]:
    """Return the modules that untouched stubs make, by their names."""
    points = {item.id: item.points for item in course.items()}
    files = {}
    for name in week.modules:
        text = stub_of(root, week, name, points)[1]
        notebook = week.notebook(name)
        files[name] = notebook_module(text.encode(), notebook).source if notebook else text
    return files


def check_stubs(root: Path, only: Week | None = None) -> list[str]:
    """Return the problems of committed stubs, of all weeks or one, that differ from solutions."""
    stubs = stubs_of(root, only)
    problems = [
        f"{path.relative_to(root)} {'differs from' if path.exists() else 'is missing for'} "
        "its solution; run: make stubs"
        for path, text in stubs.items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    folders = {path.parent for path in stubs}
    weeks = load(root).weeks
    given = {root / "assignments" / week.folder / name for week in weeks for name in week.given}
    strays = {path for folder in folders for path in folder.glob("*.py")} - set(stubs) - given
    problems += [
        f"{path.relative_to(root)} has no solution, and is not `given` by {COURSE_FILE}"
        for path in sorted(strays)
    ]
    return problems


def write_stubs(root: Path) -> list[Path]:
    """Write the stubs that changed into assignments/ and return their paths.

    Every stub is made before the first is written, so a wrong marker changes nothing.
    """
    changed = []
    for path, text in stubs_of(root).items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, text)
            changed.append(path)
    return changed
