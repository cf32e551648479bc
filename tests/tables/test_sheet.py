"""A CSV file of another system: some cells are filled, and all else stays to the byte."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.tables.sheet import (
    Sheet,
    SheetError,
    decimal_sign,
    read_sheet,
)

CELLS = st.text(st.sampled_from('ab,;"\t \n\u00fc\u200b='), max_size=6)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=2, max_size=5)
)
STYLES = st.tuples(
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)


def as_csv(table: list[list[str]], style: tuple[str, str, int, bool]) -> bytes:
    separator, end, quoting, bom = style
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=end, quoting=quoting).writerows(table)
    return ("\ufeff" * bom + out.getvalue()).encode()


def read(content: bytes, separator: str) -> list[list[str]]:
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return list(csv.reader(text, delimiter=separator, strict=True))


@settings(deadline=None, max_examples=300)
@given(TABLES, STYLES, st.data())
def test_a_filled_cell_reads_back_and_nothing_else_changes(table, style, data) -> None:
    table = [["head"] * len(table[0]), *table]
    content = as_csv(table, style)
    if sum(any(cell.strip() for cell in row) for row in table) < 2:
        return
    sheet = Sheet("s.csv", content)
    assert sheet.separator == style[0]
    assert sheet.content == content
    rows = [n for n, row in enumerate(table) if any(cell.strip() for cell in row)]
    picked = data.draw(st.integers(1, len(rows) - 1))
    column = data.draw(st.integers(0, len(table[0]) - 1))
    value = data.draw(CELLS)
    sheet.fill(sheet.rows[picked], column, value)
    if value == table[rows[picked]][column].strip():
        assert sheet.content == content
        return
    table[rows[picked]][column] = value
    assert read(sheet.content, style[0]) == table


def test_bytes_that_no_writer_would_write_stay() -> None:
    content = b'\xef\xbb\xbf"A" , B,C\r\n\r\n x ,"y""z" ,  \n"multi\nline",,last'
    sheet = Sheet("s.csv", content)
    assert sheet.header == ["A", "B", "C"]
    assert [row.line for row in sheet.rows] == [1, 3, 4]
    assert sheet.rows[1][1] == 'y"z'
    assert sheet.content == content
    sheet.fill(sheet.rows[2], 1, "7.5")
    assert sheet.content == content.replace(b",,last", b",7.5,last")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n ", "is empty"),
        (b"a,b\n", "no rows below a header"),
        (b"a,b\n\n,\n", "no rows below a header"),
        (b"PK\x03\x04rest of a workbook", "is an Excel or OpenDocument workbook"),
        (b"\xff\xfea\0b", "NUL bytes"),
        (b"a,b\n1,\0\n", "NUL bytes"),
        (b'a,b\n1,"2\n', "line 2: a quoted cell has no end"),
        (b'a,b\n1,"2"x\n', "line 2: there is text behind"),
    ],
)
def test_what_is_no_table_is_one_sentence(content: bytes, said: str) -> None:
    with pytest.raises(SheetError, match=said) as caught:
        Sheet("grades.csv", content)
    assert str(caught.value).startswith("grades.csv")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path) -> None:
    with pytest.raises(SheetError, match="can't be read: No such file"):
        read_sheet(tmp_path / "none.csv")


def test_columns_are_found_whatever_their_case_and_refused_twice() -> None:
    sheet = Sheet("s.csv", b"Name,Grade,grade\n1,2,3\n")
    assert sheet.column("none", "NAME") == 0
    assert sheet.column("none") is None
    with pytest.raises(SheetError, match="2 columns 'Grade'"):
        sheet.column("Grade")
    with pytest.raises(SheetError, match=r"no column 'ID' or 'Id'\. Do it"):
        sheet.required_column("Do it.", "ID", "Id")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "cp1252", "latin-1"])
def test_every_encoding_of_a_spreadsheet_is_read_and_kept(encoding: str) -> None:
    content = "Name;Grade\r\nM\u00fcller;\r\n".encode(encoding)
    sheet = Sheet("s.csv", content)
    assert [sheet.rows[1][0], sheet.content] == ["M\u00fcller", content]
    sheet.fill(sheet.rows[1], 1, "1,5")
    assert sheet.content.decode(encoding) == "Name;Grade\r\nM\u00fcller;1,5\r\n"


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"])
def test_a_line_says_what_separates_cells_and_stays(line: str) -> None:
    content = f"{line}\r\na,b;c\r\n1,5;2\r\n".encode()
    sheet = Sheet("s.csv", content)
    assert (sheet.header, [row.line for row in sheet.rows]) == (["a,b", "c"], [2, 3])
    assert (sheet.rows[1][0], sheet.content) == ("1,5", content)


def test_a_row_that_is_too_short_is_named() -> None:
    sheet = Sheet("s.csv", b"a,b,c\n1,2\n")
    with pytest.raises(SheetError, match="line 2: the row has 2 cells, and the header has 3"):
        sheet.fill(sheet.rows[1], 2, "1")


def test_the_decimal_sign() -> None:
    assert decimal_sign(["10", "", "12,50"]) == ","
    assert decimal_sign(["10", "12.50", "a, b", "N/A", ","]) == "."
