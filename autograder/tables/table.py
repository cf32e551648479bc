"""A table that a person gives us: its lines, cells by the names of their columns.

Columns may stand in any order, and others beside them; a column without a name is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from autograder.tables.sheet import NAMES, Sheet, SheetError, SheetRow
from autograder.text.display import one_line

MAX_PROBLEMS = 20


@dataclass(frozen=True)
class TableLine:
    """One line below the header: its number in the file, and its cells without spaces around them.

    A column that the table doesn't have is "" in each line. `text` is the line as it stands.
    """

    number: int
    cells: Mapping[str, str]
    text: str

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    @property
    def quoted(self) -> str:
        """The line, and what was understood of it."""
        read = ", ".join(f"{name} '{one_line(cell, 60)}'" for name, cell in self.cells.items())
        return f'the line is "{one_line(self.text, 120)}", read as {read}'


class Table:
    """The lines of a CSV file by a header of ours.

    `misfits` are lines with more cells than the header; they are not among the lines. Where
    `quote` is false, no problem quotes a line: it may hold a secret.
    """

    def __init__(
        self,
        name: str,
        content: bytes,
        required: Sequence[str],
        optional: Sequence[str] = (),
        others: Sequence[str] = (),
        quote: bool = True,
    ) -> None:
        """Read the content. Raises SheetError where it is no table or lacks a required column.

        `others` are columns that are read and not asked for.
        """
        wanted = ",".join([*required, *optional])
        sheet = Sheet(name, content, f"It needs a header such as {wanted}, and lines below it.")
        self._sheet = sheet
        self.quote = quote
        self.columns = {
            column: index
            for column in (*required, *optional, *others)
            if (index := sheet.column(column)) is not None
        }
        missing = [column for column in required if column not in self.columns]
        if missing:
            raise SheetError(self._without(missing, wanted))
        self.misfits: list[TableLine] = []

    def _without(self, missing: Sequence[str], wanted: str) -> str:
        header = self._sheet.rows[0]
        read = ", ".join(f"'{one_line(name, 40)}'" for name in self._sheet.header[:12] if name)
        between = NAMES.get(self._sheet.separator, repr(self._sheet.separator))
        problem = (
            f"{self._sheet.name}, line {header.line}: the header must be {wanted}, in any order, "
            f"and has no {' and no '.join(missing)}"
        )
        if not self.quote:
            return f"{problem}."
        text = one_line(header.text, 120)
        return f'{problem}. It is "{text}", read as {read} with {between} between them.'

    def __iter__(self) -> Iterator[TableLine]:
        """Yield the lines with anything in a column of ours; fill `misfits`."""
        self.misfits.clear()
        for row in self._sheet.rows[1:]:
            line = self._line(row)
            if any(cell.value.strip() for cell in row.cells[len(self._sheet.header) :]):
                self.misfits.append(line)
            elif any(line.cells.values()):
                yield line

    def _line(self, row: SheetRow) -> TableLine:
        cells = {column: row[index] for column, index in self.columns.items()}
        return TableLine(row.line, cells, row.text)


def checked_lines(table: Table, add: Callable[[TableLine], Sequence[str]]) -> list[str]:
    """Give each line to `add`, which takes it or returns what is wrong; return all problems.

    Each begins with the number of its line; the last of a line ends with that line and what was
    understood.
    """
    problems: list[tuple[int, str]] = []
    for line in table:
        found = list(add(line))
        if found and table.quote:
            found[-1] += f" ({line.quoted})"
        problems += ((line.number, problem) for problem in found)
    for line in table.misfits:
        problem = "it has more cells than the header; a decimal comma, or one in a comment, needs"
        problems.append((line.number, f"{problem} quotes" + f" ({line.quoted})" * table.quote))
    return [f"line {number}: {problem}" for number, problem in sorted(problems, key=_line_number)]


def _line_number(problem: tuple[int, str]) -> int:
    return problem[0]


def near(name: str, known: Sequence[str]) -> str:
    """Return "; did you mean ...?" with known names that are near this one, or ""."""
    by_key: dict[str, str] = {}
    for one in known:
        by_key.setdefault(_key(one), one)
    wanted = _key(name)
    keys = get_close_matches(wanted, by_key, n=3, cutoff=0.7)
    digits = _digits(wanted)
    if digits:
        keys += [key for key in by_key if _digits(key) == digits and key not in keys]
    names = [f"'{one_line(by_key[key])}'" for key in keys[:3]]
    return f"; did you mean {' or '.join(names)}?" if names else ""


def _key(name: str) -> str:
    return name.casefold()


def _digits(name: str) -> str:
    """Return the digits of a name without leading zeros, which spreadsheets take away."""
    return "".join(filter(str.isdecimal, name)).lstrip("0")
