"""Reading manual.csv, the marks that a person gave; one wrong line refuses the whole file."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from autograder.course import Course
from autograder.course.points import format_points, parse_points
from autograder.errors import InputError
from autograder.records import ManualMark
from autograder.text.display import one_line

HEADER = ["student", "item", "points", "comment"]


class ManualError(InputError):
    """Lines of manual.csv are wrong. `problems` names each with its line number."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{path}: nothing was imported; correct this and import again:\n{lines}")


@dataclass(frozen=True)
class ManualMarks:
    """The marks of the file, and the (student, item) pairs whose points are blank."""

    marks: tuple[ManualMark, ...]
    unmarked: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class KeptMark:
    """A mark as the gradebook keeps it: its number, the time (ISO 8601, UTC) and the author.

    `points` is None where the mark was withdrawn. Time and author of marks that earlier versions
    kept are not known: None and "".
    """

    number: int
    student: str
    item: str
    points: int | None
    comment: str
    given: str | None
    author: str

    @property
    def mark(self) -> ManualMark | None:
        """The mark itself; None where it was withdrawn."""
        if self.points is None:
            return None
        return ManualMark(self.student, self.item, self.points, self.comment)


def demand_readable(path: Path) -> None:
    """Raise ManualError where the file can't be read at all; what is in it is looked at later."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise ManualError(path, [f"it can't be read: {error.strerror}"]) from error


def read_manual(path: Path, course: Course, students: Collection[str]) -> ManualMarks:
    """Read the marks for some of `students`.

    The file is UTF-8 with the header student,item,points,comment; the comment may be left out of a
    line, and blank points mean "not marked yet". Raises ManualError with every bad line: an unknown
    student or item, an item that isn't marked by hand, points that are no number or more than the
    item has, a pair of student and item that came before.
    """
    reader = _Reader(course, students)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader.read(stream)
    except OSError as error:
        raise ManualError(path, [f"it can't be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ManualError(path, ["it is not UTF-8 text; save it as CSV (UTF-8)"]) from error
    if reader.problems:
        raise ManualError(path, reader.problems)
    return ManualMarks(tuple(reader.marks), tuple(reader.unmarked))


class _Reader:
    def __init__(self, course: Course, students: Collection[str]) -> None:
        self._items = {item.id: item for item in course.items()}
        self._students = students
        self._lines: dict[tuple[str, str], int] = {}
        self.marks: list[ManualMark] = []
        self.unmarked: list[tuple[str, str]] = []
        self.problems: list[str] = []

    def read(self, stream: TextIO) -> None:
        rows = csv.reader(stream, strict=True)
        line = 1
        try:
            for row in rows:
                cells = [cell.strip() for cell in row]
                if line == 1:
                    if [cell.lower() for cell in cells] != HEADER:
                        self.problems.append(f"line 1: the header must be {','.join(HEADER)}")
                        return
                elif any(cells):
                    self.problems += [
                        f"line {line}: {text}" for text in self._add_line(cells, line)
                    ]
                line = rows.line_num + 1
        except csv.Error as error:
            self.problems.append(f"line {line}: {error}")
        if line == 1 and not self.problems:
            self.problems.append(f"line 1: the file is empty; the header is {','.join(HEADER)}")

    def _add_line(self, cells: list[str], line: int) -> list[str]:
        """Add one line's mark, or return what is wrong with the line."""
        if len(cells) not in (3, 4):
            return [f"columns: {len(cells)}, not 4; a comment with a comma needs quotes"]
        student, id, points = cells[:3]
        problems = []
        if student not in self._students:
            problems.append(f"no student '{one_line(student)}' in the gradebook")
        item = self._items.get(id)
        if item is None:
            problems.append(f"no item '{one_line(id)}' in the rubric")
        elif item.kind != "manual":
            problems.append(f"{id} is graded automatically, not by hand; see `autograder override`")
        first = self._lines.setdefault((student, id), line)
        if first != line:
            problems.append(f"{one_line(student)} and {one_line(id)} were on line {first} already")
        hundredths = 0
        if points:
            try:
                hundredths = parse_points(points)
            except ValueError as error:
                problems.append(one_line(str(error)))
        if item is not None and hundredths > item.points:
            max_points = format_points(item.points)
            problems.append(f"{id} has {max_points} points, not {format_points(hundredths)}")
        if not problems and points:
            self.marks.append(
                ManualMark(student, id, hundredths, cells[3] if len(cells) == 4 else "")
            )
        elif not problems:
            self.unmarked.append((student, id))
        return problems
