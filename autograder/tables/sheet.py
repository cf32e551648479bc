"""A table in a CSV file: its cells with their places, which can be filled in.

It is read as spreadsheets and other systems write it: comma, semicolon or tab, a line `sep=;`
before the header, any of their encodings. Python's csv module would write everything anew; here all
bytes but those of filled cells stay: the byte order mark, quotes, line ends, spaces, blank lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import InputError
from autograder.tables.encodings import BOM, decode
from autograder.text.display import one_line

MAX_BYTES = 64 * 1024 * 1024
EXPORT_AGAIN = "Export it again."
SEPARATORS = (",", ";", "\t")
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}
_SEP = re.compile(r'[\r\n]*"?sep=([^\r\n"])"?[ ;,\t]*(\r\n|\r|\n|$)', re.IGNORECASE)
"""The line by which Excel says what separates cells."""


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
    """A row: the line on which it begins, counted from 1, its cells, and its text in the file."""

    line: int
    cells: tuple[SheetCell, ...]
    text: str = ""

    def __getitem__(self, column: int) -> str:
        """Return a cell's value without spaces around it; "" where the row is shorter."""
        return self.cells[column].value.strip() if column < len(self.cells) else ""

    @property
    def is_blank(self) -> bool:
        """Whether all its cells are blank."""
        return not any(cell.value.strip() for cell in self.cells)


class Sheet:
    """A table in a file; its first row names the columns."""

    def __init__(self, name: str, content: bytes, remedy: str = EXPORT_AGAIN):
        """Parse the content. Raises SheetError, which ends with the remedy, where it is no CSV.

        That is so too where there are no rows below the header, if it was exported.
        """
        self.name = name
        self._text, self._encoding = _decoded(name, content, remedy)
        self._filled: dict[tuple[int, int], str] = {}
        start, self.separator = _separator(self._text)
        every = _rows(name, self._text, self.separator, start)
        self.rows = [row for row in every if not row.is_blank]
        if not self.rows or (remedy == EXPORT_AGAIN and len(self.rows) < 2):
            raise SheetError(f"{name} has no rows below a header. {remedy}")
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
        return "".join([*parts, self._text[done:]]).encode(self._encoding)


def read_sheet(path: Path) -> Sheet:
    """Read a file that another system exported. Raises SheetError where it can't be used."""
    return Sheet(str(path), read_content(path))


def read_content(path: Path) -> bytes:
    """Return the content of a CSV file. Raises SheetError where it can't be read, or is huge."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SheetError(f"{path} is larger than {MAX_BYTES >> 20} MB: no such table is.")
        return path.read_bytes()
    except OSError as error:
        raise SheetError(f"{path} can't be read: {error.strerror}.") from error


def decimal_sign(values: Iterable[str]) -> str:
    """Return the decimal sign that the numbers among these values use: "," or "."."""
    for value in values:
        whole, comma, fraction = value.strip().partition(",")
        if comma and (whole + fraction).isdecimal():
            return ","
    return "."


def _decoded(name: str, content: bytes, remedy: str) -> tuple[str, str]:
    """Return the text and its encoding. Raises SheetError."""
    if not content.strip():
        raise SheetError(f"{name} is empty. {remedy}")
    try:
        text, encoding = decode(content)
    except ValueError as error:
        raise SheetError(f"{name} is {error}. {remedy} Save it as CSV.") from error
    if not text.strip(BOM).strip():
        raise SheetError(f"{name} is empty. {remedy}")
    return text, encoding


def _separator(text: str) -> tuple[int, str]:
    """Return where the table begins, and what separates its cells.

    A line `sep=;` says it; else it is the most frequent candidate in the first line.
    """
    start = len(text) - len(text.lstrip(BOM))  # one, or two where it was saved twice
    said = _SEP.match(text, start)
    if said:
        return said.start(2), said[1]
    first_line = text[start:].lstrip().splitlines()[0]
    return start, max(SEPARATORS, key=re.sub(r'"[^"]*"', "", first_line).count)


def _rows(name: str, text: str, separator: str, position: int) -> list[SheetRow]:
    rows: list[SheetRow] = []
    line = 1 + text.count("\n", 0, position)
    while position < len(text):
        start, first_line, cells = position, line, []
        while True:
            cell = _cell(name, text, separator, position, line)
            line += text.count("\n", cell.start, cell.end)
            cells.append(cell)
            position = cell.end
            if text[position : position + 1] != separator:
                break
            position += 1
        rows.append(SheetRow(first_line, tuple(cells), text[start:position]))
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
            raise SheetError(f"{name}, line {line}: a quoted cell has no end.")
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
