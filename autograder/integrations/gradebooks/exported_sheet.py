"""CSV files that another system exported: cells are filled in, and all other bytes are kept.

Python's csv module would write everything anew; here the byte order mark, quotes, line ends, spaces
and blank lines stay as they are.
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
class SheetCell:
    """A cell: its value, and its start and end in the text, quotes included."""

    value: str
    start: int
    end: int


@dataclass(frozen=True)
class SheetRow:
    """A row: the line on which it begins, counted from 1, and its cells."""

    line: int
    cells: tuple[SheetCell, ...]

    def __getitem__(self, column: int) -> str:
        """Return a cell's value without spaces around it; "" where the row is shorter."""
        return self.cells[column].value.strip() if column < len(self.cells) else ""

    @property
    def is_blank(self) -> bool:
        """Whether all its cells are blank."""
        return not any(cell.value.strip() for cell in self.cells)


class Sheet:
    """A table in a file; its first row names the columns."""

    def __init__(self, name: str, content: bytes):
        """Parse the content. Raises SheetError where it is not UTF-8, no CSV, or has no rows."""
        self.name = name
        self._text = _decoded(name, content)
        self._filled: dict[tuple[int, int], str] = {}
        self.separator = _separator(self._text)
        self.rows = [row for row in _rows(name, self._text, self.separator) if not row.is_blank]
        if len(self.rows) < 2:
            raise SheetError(f"{name} has no rows below a header. Export it again.")
        self.header = [self.rows[0][column] for column in range(len(self.rows[0].cells))]

    def column(self, *names: str) -> int | None:
        """Return the index of the first of these columns that exists, ignoring case.

        Raises SheetError where one of them exists twice.
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

    def required_column(self, remedy: str, *names: str) -> int:
        """Return the index of a required column. Raises SheetError, which ends with the remedy."""
        column = self.column(*names)
        if column is None:
            wanted = " or ".join(f"'{one_line(name)}'" for name in names)
            raise SheetError(
                f"{self.name}, line {self.rows[0].line}: there is no column {wanted}. {remedy}"
            )
        return column

    def fill(self, row: SheetRow, column: int, value: str) -> None:
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
    """Return the decimal sign that the numbers among these values use: "," or "."."""
    for value in values:
        whole, comma, fraction = value.strip().partition(",")
        if comma and (whole + fraction).isdecimal():
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
    """Return the separator of cells: the most frequent candidate in the first line."""
    first_line = text.lstrip(BOM + "\r\n").splitlines()[0]
    return max(SEPARATORS, key=re.sub(r'"[^"]*"', "", first_line).count)


def _rows(name: str, text: str, separator: str) -> list[SheetRow]:
    rows: list[SheetRow] = []
    position = len(BOM) if text.startswith(BOM) else 0
    line = 1
    while position < len(text):
        first_line, cells = line, []
        while True:
            cell = _cell(name, text, separator, position, line)
            line += text.count("\n", cell.start, cell.end)
            cells.append(cell)
            position = cell.end
            if text[position : position + 1] != separator:
                break
            position += 1
        rows.append(SheetRow(first_line, tuple(cells)))
        if position < len(text):  # at the end of a line
            position += 2 if text.startswith("\r\n", position) else 1
            line += 1
    return rows


def _cell(name: str, text: str, separator: str, start: int, line: int) -> SheetCell:
    """Return the cell that begins at `start`."""
    position = start
    while text[position : position + 1] == " ":
        position += 1
    if text[position : position + 1] != '"':
        ends = (text.find(sign, start) for sign in (separator, "\n", "\r"))
        end = min((end for end in ends if end >= 0), default=len(text))
        return SheetCell(text[start:end], start, end)
    close = position
    while True:
        close = text.find('"', close + 1)
        if close < 0:
            raise SheetError(f"{name}, line {line}: a quoted cell has no end. Export it again.")
        if text[close + 1 : close + 2] != '"':
            break
        close += 1
    value = text[position + 1 : close].replace('""', '"')
    end = close + 1
    while text[end : end + 1] == " ":
        end += 1
    if text[end : end + 1] not in (separator, "\n", "\r", ""):
        raise SheetError(f"{name}, line {line}: there is text behind a quoted cell.")
    return SheetCell(value, start, end)
