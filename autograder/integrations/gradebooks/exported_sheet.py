"""A CSV file that another system exported, in which some cells are filled and all else stays.

Every byte outside the filled cells is kept as it is: the mark at the beginning, quotes, the ends of
lines, spaces, blank lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import InputError
from autograder.text.display import one_line

MAX_BYTES = 64 * 1024 * 1024
SEPARATORS = (",", ";", "\t")
BOM = "\ufeff"


class SheetError(InputError):
    """The file can't be used: which, where in it, what is wrong, and what to do."""


@dataclass(frozen=True)
class Cell:
    """A cell: its value, and from where to where it stands in the text, quotes included."""

    value: str
    start: int
    end: int


@dataclass(frozen=True)
class Row:
    """A row: the line on which it begins, counted from 1, and its cells."""

    line: int
    cells: tuple[Cell, ...]

    def __getitem__(self, column: int) -> str:
        """Return a cell's value without spaces around it; "" where the row is shorter."""
        return self.cells[column].value.strip() if column < len(self.cells) else ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing is in it."""
        return not any(cell.value.strip() for cell in self.cells)


class Sheet:
    """A table in a file; its first row names the columns."""

    def __init__(self, name: str, content: bytes):
        """Take it apart. Raises SheetError where it is not UTF-8, no CSV, or has no rows."""
        self.name = name
        self._text = _decoded(name, content)
        self._filled: dict[tuple[int, int], str] = {}
        self.separator = _separator(self._text)
        self.rows = [row for row in _rows(name, self._text, self.separator) if not row.is_blank]
        if len(self.rows) < 2:
            raise SheetError(f"{name} has no rows below a header. Export it again.")
        self.header = [self.rows[0][column] for column in range(len(self.rows[0].cells))]

    def column(self, *names: str) -> int | None:
        """Return where the first of these columns is that is there; upper or lower case is one.

        Raises SheetError where one of them is there twice.
        """
        heads = [head.casefold() for head in self.header]
        for name in names:
            count = heads.count(name.casefold())
            if count > 1:
                where = f"{self.name}, line {self.rows[0].line}"
                raise SheetError(f"{where}: there are {count} columns '{one_line(name)}'.")
            if count:
                return heads.index(name.casefold())
        return None

    def needed(self, remedy: str, *names: str) -> int:
        """Return a column that has to be there. Raises SheetError, which ends with the remedy."""
        found = self.column(*names)
        if found is None:
            wanted = " or ".join(f"'{one_line(name)}'" for name in names)
            raise SheetError(
                f"{self.name}, line {self.rows[0].line}: there is no column {wanted}. {remedy}"
            )
        return found

    def fill(self, row: Row, column: int, value: str) -> None:
        """Put a value into a cell. Raises SheetError where the row has no such cell."""
        if column >= len(row.cells):
            count = f"{len(row.cells)} cells, and the header has {len(self.header)}"
            raise SheetError(f"{self.name}, line {row.line}: the row has {count}.")
        cell = row.cells[column]
        if value == cell.value.strip():
            return
        special = (self.separator, '"', "\n", "\r")
        quoted = self._text[cell.start : cell.end].lstrip().startswith('"')
        if quoted or value != value.strip() or any(sign in value for sign in special):
            value = '"' + value.replace('"', '""') + '"'
        self._filled[cell.start, cell.end] = value

    @property
    def content(self) -> bytes:
        """The file with the filled cells."""
        parts, done = [], 0
        for (start, end), value in sorted(self._filled.items()):
            parts += [self._text[done:start], value]
            done = end
        return "".join([*parts, self._text[done:]]).encode("utf-8")


def read_sheet(path: Path) -> Sheet:
    """Read a file. Raises SheetError where it can't be used."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SheetError(f"{path} is larger than {MAX_BYTES >> 20} MB: no gradebook is.")
        content = path.read_bytes()
    except OSError as error:
        raise SheetError(f"{path} can't be read: {error.strerror}.") from error
    return Sheet(str(path), content)


def decimal_sign(values: Iterable[str]) -> str:
    """Return the sign that numbers among these have between whole and rest: a comma or a point."""
    for value in values:
        whole, comma, rest = value.strip().partition(",")
        if comma and (whole + rest).isdecimal():
            return ","
    return "."


def _decoded(name: str, content: bytes) -> str:
    remedy = "Export it again, or save it as CSV (UTF-8)."
    if not content.strip():
        raise SheetError(f"{name} is empty. Export it again.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SheetError(f"{name}, line {line}: it is not UTF-8 text. {remedy}") from error
    if "\0" in text:
        raise SheetError(f"{name} is not a CSV file (it holds NUL bytes). {remedy}")
    return text


def _separator(text: str) -> str:
    """Return what separates cells: the sign that is most often in the first line."""
    first = text.lstrip(BOM + "\r\n").splitlines()[0]
    return max(SEPARATORS, key=re.sub(r'"[^"]*"', "", first).count)


def _rows(name: str, text: str, separator: str) -> list[Row]:
    rows: list[Row] = []
    place = len(BOM) if text.startswith(BOM) else 0
    line = 1
    while place < len(text):
        begun, cells = line, []
        while True:
            cell = _cell(name, text, separator, place, line)
            line += text.count("\n", cell.start, cell.end)
            cells.append(cell)
            place = cell.end
            if text[place : place + 1] != separator:
                break
            place += 1
        rows.append(Row(begun, tuple(cells)))
        if place < len(text):  # at the end of a line
            place += 2 if text.startswith("\r\n", place) else 1
            line += 1
    return rows


def _cell(name: str, text: str, separator: str, start: int, line: int) -> Cell:
    """Return the cell that begins at `start`."""
    place = start
    while text[place : place + 1] == " ":
        place += 1
    if text[place : place + 1] != '"':
        ends = (text.find(sign, start) for sign in (separator, "\n", "\r"))
        end = min((end for end in ends if end >= 0), default=len(text))
        return Cell(text[start:end], start, end)
    close = place
    while True:
        close = text.find('"', close + 1)
        if close < 0:
            raise SheetError(f"{name}, line {line}: a quoted cell has no end. Export it again.")
        if text[close + 1 : close + 2] != '"':
            break
        close += 1
    value = text[place + 1 : close].replace('""', '"')
    end = close + 1
    while text[end : end + 1] == " ":
        end += 1
    if text[end : end + 1] not in (separator, "\n", "\r", ""):
        raise SheetError(f"{name}, line {line}: there is text behind a quoted cell.")
    return Cell(value, start, end)
