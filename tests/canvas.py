"""A Canvas course that imports a gradebook file by Canvas's rules, for the tests of the export.

The rules are those of Canvas's importer, as its documentation and program tell them: what the
header has to be, how a column and a row are recognised, what is ignored, and what is a change.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal


class NotImported(Exception):
    """Canvas refuses the whole file."""


@dataclass
class Canvas:
    """`students` are id -> (sortable name, SIS id, login), `assignments` id -> (title, points)."""

    students: dict[int, tuple[str, str, str]]
    assignments: dict[int, tuple[str, str]]
    scores: dict[tuple[int, int], str] = field(default_factory=dict)
    unassigned: set[tuple[int, int]] = field(default_factory=set)

    def changes(self, content: bytes) -> dict[tuple[str, str], str]:
        """Return what an import would change: (login, title) -> new grade."""
        rows = _rows(content)
        header = rows[0]
        info = _student_columns(header)
        columns = {}
        for place, head in enumerate(header[info:], start=info):
            if _COMPUTED.search(head) and not re.search(r"\(\d+\)$", head):
                continue
            named = re.fullmatch(r"(.*)\s\((\d+)\)", head, re.DOTALL)
            if named is None or int(named[2]) not in self.assignments:
                raise NotImported(f"Canvas would ask what to do with the column {head!r}")
            columns[int(named[2])] = place
        found: dict[tuple[str, str], str] = {}
        possible: list[str] = []
        for row in rows[1:]:
            if "Points Possible" in row[0]:
                possible = row
                continue
            if all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell, re.I) for cell in row):
                continue
            student = self._student(header, row)
            for assignment, place in columns.items():
                title, points = self.assignments[assignment]
                if re.search(r"read\s+only", possible[place]):
                    continue
                if Decimal(possible[place] or 0) != Decimal(points or 0):
                    raise NotImported(f"the points possible of {title} would change")
                old = self.scores.get((student, assignment), "")
                new = "" if (student, assignment) in self.unassigned else row[place].strip()
                if not _same(old, new):
                    found[self.students[student][2], title] = new
        return found

    def _student(self, header: list[str], row: list[str]) -> int:
        id = row[header.index("ID")]
        if id.isdecimal() and int(id) in self.students:
            return int(id)
        for column, part in (("SIS User ID", 1), ("SIS Login ID", 2)):
            value = row[header.index(column)] if column in header else ""
            for number, student in self.students.items():
                if value and student[part] == value:
                    return number
        for number, student in self.students.items():
            if student[0] == row[0]:
                return number
        raise NotImported(f"Canvas would ask who {row[0]!r} is")


_COMPUTED = re.compile("(Current|Final) (Score|Points|Grade)|Override (Score|Grade|Status)")


def _rows(content: bytes) -> list[list[str]]:
    text = content.decode("utf-8-sig")
    lines = text.splitlines()[:3]
    counts = {}
    for separator in ";,":
        sizes = {len(next(csv.reader([line], delimiter=separator))) for line in lines}
        counts[separator] = sizes.pop() if len(sizes) == 1 else 0
    separator = ";" if counts[";"] > counts[","] else ","
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    return [[_number(cell) for cell in row] for row in rows if row]


def _number(cell: str) -> str:
    """The last comma or point of a pure number is the decimal sign."""
    if not re.fullmatch(r"-?[0-9.,]+%?", cell):
        return cell
    *whole, rest = re.split("[,.]", cell)
    return f"{''.join(whole)}.{rest}" if whole else rest


def _student_columns(header: list[str]) -> int:
    names = header[:2] == ["LastName", "FirstName"]
    if not (
        (len(header) > 3 and "Student" in header[0] and "ID" in header[1])
        or (len(header) > 4 and names and "ID" in header[2])
    ):
        raise NotImported("Invalid header row")
    place = 3 if names else 2
    for optional in ("SIS User ID", "SIS Login ID", "Integration ID", "Root Account"):
        place += header[place] == optional
    if "Section" not in header[place]:
        raise NotImported("Invalid header row")
    return place + 1


def _same(old: str, new: str) -> bool:
    empty = ("", "-", "N/A")
    if old == new or (old in empty and new in empty):
        return True
    if old in empty or new in empty or "EX" in (old.upper(), new.upper()):
        return False
    rounded = [Decimal(one).quantize(Decimal("0.01"), ROUND_HALF_UP) for one in (old, new)]
    return rounded[0] == rounded[1]


def comments_of_zip(content: bytes, uploads: dict[int, tuple[int, str]]) -> dict[int, bytes]:
    """Return the files of the comments that a re-upload of submissions makes, by user.

    `uploads` are those of an assignment: number -> (user, name). The first two parts of a name that
    are numbers have to be a user and an upload of that user's; all else is ignored.
    """
    found: dict[int, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            parts = info.filename.rpartition("/")[2].split("_")
            numbers = [int(part) for part in parts if part.isdecimal()][:2]
            if len(numbers) < 2 or parts[-1].startswith("link"):
                continue
            user, upload = numbers
            if uploads.get(upload, (None, ""))[0] == user:
                assert user not in found, "two comments' files for one student"
                found[user] = archive.read(info)
    return found
