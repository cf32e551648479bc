"""Reading marks that a person gave: manual.csv, or by_hand.csv filled in.

One wrong line refuses the whole file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.course import Course
from autograder.course.points import format_points, parse_points
from autograder.errors import InputError
from autograder.gradebook.called import Called
from autograder.records import ManualMark
from autograder.tables.formulas import unguarded
from autograder.tables.sheet import SheetError, read_content
from autograder.tables.table import Table, TableLine, checked_lines, near
from autograder.tables.values import plain_number
from autograder.text.display import one_line

HEADER = ["student", "item", "points", "comment"]
OF_BY_HAND = ("documents", "max")
"""Columns that by_hand.csv has and manual.csv does not."""
ANSWER = "answer"


class ManualError(InputError):
    """Lines of a file with marks are wrong. `problems` names each with its line number."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.problems = problems
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{path}: nothing was imported; correct this and import again:\n{lines}")


@dataclass(frozen=True)
class ManualMarks:
    """The marks of the file, and the (student, item) pairs whose marks are withdrawn.

    `answers` says, by student and item, which answer was marked, where the file does: a digest, ""
    for none.
    """

    marks: tuple[ManualMark, ...]
    unmarked: tuple[tuple[str, str], ...] = ()
    answers: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def renamed(self, ids: Mapping[str, str]) -> ManualMarks:
        """Return them with other ids for students: new ones by the old ones."""

        def key(student: str, item: str) -> tuple[str, str]:
            return ids.get(student, student), item

        return ManualMarks(
            tuple(replace(one, student=key(one.student, "")[0]) for one in self.marks),
            tuple(key(*one) for one in self.unmarked),
            {key(*one): answer for one, answer in self.answers.items()},
        )


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


def read_manual(path: Path, course: Course, students: Called) -> ManualMarks:
    """Read the marks for some of `students`, by whatever they are called.

    The header is student,item,points,comment, in any order, and the comment may be missing. Blank
    points mean "not marked": in manual.csv that withdraws a mark, and in by_hand.csv, of which
    several people may have copies, it leaves all as it is. Raises ManualError with every bad line:
    an unknown student or item, an item that isn't marked by hand, points that are no number or more
    than the item has, a pair of student and item that came before.
    """
    try:
        more = [*OF_BY_HAND, ANSWER]
        table = Table(str(path), read_content(path), HEADER[:3], HEADER[3:], more)
    except SheetError as error:
        raise ManualError(path, [str(error).removeprefix(str(path)).lstrip(", :")]) from error
    reader = _Reader(course, students, table.columns)
    problems = checked_lines(table, reader.add)
    if problems:
        raise ManualError(path, problems)
    return ManualMarks(tuple(reader.marks), tuple(reader.unmarked), reader.answers)


class _Reader:
    def __init__(self, course: Course, students: Called, columns: Collection[str]) -> None:
        self._items = {item.id: item for item in course.items()}
        self._students = students
        self._is_by_hand = all(name in columns for name in OF_BY_HAND)
        self._says_answers = ANSWER in columns
        self._lines: dict[tuple[str, str], int] = {}
        self.marks: list[ManualMark] = []
        self.unmarked: list[tuple[str, str]] = []
        self.answers: dict[tuple[str, str], str] = {}

    def add(self, line: TableLine) -> list[str]:
        """Add one line's mark, or return what is wrong with the line."""
        said, id, points = unguarded(line["student"]), line["item"], line["points"]
        problems = []
        student = self._students.who(said) or said
        if self._students.who(said) is None:
            problems.append(self._students.problem(said))
        item = self._items.get(id)
        if item is None:
            known = [item.id for item in self._items.values() if item.kind == "manual"]
            problems.append(f"no item '{one_line(id)}' in the rubric{near(id, known)}")
        elif item.kind != "manual":
            problems.append(f"{id} is graded automatically, not by hand; see `autograder override`")
        first = self._lines.setdefault((student, id), line.number)
        if first != line.number:
            problems.append(f"{one_line(student)} and {one_line(id)} were on line {first} already")
        hundredths = 0
        if points:
            try:
                hundredths = parse_points(plain_number(points))
            except ValueError as error:
                hint = "; `autograder override` takes points away" if points.startswith("-") else ""
                problems.append(one_line(str(error)) + hint)
        if item is not None and hundredths > item.points:
            max_points = format_points(item.points)
            problems.append(f"{id} has {max_points} points, not {format_points(hundredths)}")
        if not problems and points:
            self.marks.append(ManualMark(student, id, hundredths, unguarded(line["comment"])))
            if self._says_answers:
                self.answers[student, id] = line[ANSWER]
        elif not (problems or self._is_by_hand):
            self.unmarked.append((student, id))
        return problems
