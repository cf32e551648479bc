"""A small course of three weeks, its students and their work, and the points that these should get.

The points are computed here from what was planted in the work, in plain arithmetic that knows
nothing of the grader: whole hundredths, the days late by this file's own table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

WEEKS = (1, 2, 3)
FUNCTIONS = (1, 2, 3)
FUNCTION_POINTS, MARK_POINTS = 200, 100
"""Of each function and of each week's notes, in hundredths, until the rubric is changed."""
KEPT_PERCENT = {0: 100, 1: 90, 2: 80}
"""The share that is kept, by days late that have begun."""
DUE = {week: datetime(2026, 10, 5 + 7 * week, 20, tzinfo=UTC) for week in WEEKS}
GIVEN = ("Ada", "Bo", "Jane", "Jane", "Zoë", "Max", "Ito", "Uma", "Teo", "Kim")
FAMILY = ("Adams", "Berg", "Doe", "Doe", "O'Neil", "Roe", "Sato", "Silva", "Moreau", "Kaur")

Right = frozenset[int]
ALL: Right = frozenset(FUNCTIONS)


@dataclass(frozen=True)
class Student:
    """A student as Canvas knows them. The third and the fourth have one name."""

    number: int
    name: str

    @property
    def id(self) -> str:
        """The id that the grader takes from the names of Canvas's files."""
        return f"{self.letters}_{self.number}"

    @property
    def letters(self) -> str:
        """The name as it stands in the names of Canvas's files."""
        return "".join(filter(str.isalnum, self.name)).lower()

    @property
    def login(self) -> str:
        """The login, which is an address too."""
        return f"s{self.number}@school.edu"


def students(count: int) -> list[Student]:
    """Return so many students; names come again after a hundred at the latest."""
    found = []
    for place in range(count):
        family = FAMILY[place % len(FAMILY)]
        given = GIVEN[(place + place // len(FAMILY)) % len(GIVEN)] if place > 9 else GIVEN[place]
        found.append(Student(1001 + place, f"{family}, {given}"))
    return found


@dataclass(frozen=True)
class Work:
    """One student's work of one week: which functions add, the others subtract or are not there.

    `version` makes a submission differ from an earlier one; `hours_late` may be negative.
    """

    adds: Right
    subtracts: Right = frozenset()
    hours_late: float = -5
    version: int = 1

    def received(self, week: int) -> datetime:
        """Return when it was handed in."""
        return DUE[week] + timedelta(hours=self.hours_late)

    @property
    def days_late(self) -> int:
        """The days late that have begun."""
        return max(0, -int(-self.hours_late // 24)) if self.hours_late > 0 else 0

    def source(self, student: Student, week: int) -> bytes:
        """Return the module."""
        parts = [f'"""Week {week} of {student.number}, version {self.version}."""\n']
        for function in FUNCTIONS:
            sign = "+" if function in self.adds else "-"
            body = f"return {function + 1}.0 * x {sign} {function}.0"
            if function not in self.adds | self.subtracts:
                body = f'raise NotImplementedError("week{week}.f{function}")'
            parts.append(f"\n\ndef f{function}(x):\n    {body}\n")
        return "".join(parts).encode()


@dataclass
class Facts:
    """What the course asks for, as it stands at a time of the term.

    `subtract` are the (week, function) whose test is wrong: it takes the one who subtracts.
    `points` are those that differ from FUNCTION_POINTS.
    """

    subtract: set[tuple[int, int]] = field(default_factory=lambda: {(2, 3)})
    points: dict[tuple[int, int], int] = field(default_factory=dict)

    def points_of(self, week: int, function: int) -> int:
        """Return a function's points in hundredths."""
        return self.points.get((week, function), FUNCTION_POINTS)

    @property
    def most(self) -> int:
        """All points of the course in hundredths."""
        functions = sum(self.points_of(week, one) for week in WEEKS for one in FUNCTIONS)
        return functions + MARK_POINTS * len(WEEKS)

    def due_to(self, week: int, work: Work, mark: int) -> int:
        """Return the points that count for a week's work and its mark, in hundredths."""
        right = 0
        for function in FUNCTIONS:
            wanted = work.subtracts if (week, function) in self.subtract else work.adds
            right += self.points_of(week, function) if function in wanted else 0
        return (right + mark) * KEPT_PERCENT[work.days_late] // 100

    def write(self, root: Path) -> None:
        """Write the course as it stands."""
        weeks = "".join(map(_week, WEEKS))
        rule = "\n[handing_in]\nlate = [[0, 1.0], [1, 0.9], [2, 0.8]]\nwhole_days = true\n"
        rubric = f"total = {self.most / 100:g}\nextra_credit = 0\n"
        rubric += "".join(map(self._component, WEEKS))
        files = {
            "assignments/course.toml": f'[course]\ntitle = "A term"\n{rule}{weeks}',
            "assignments/grading.toml": 'salt = "a term"\n',
            "assignments/rubric.toml": rubric,
        }
        for week in WEEKS:
            tests = "".join(self._test(week, function) for function in FUNCTIONS)
            files[f"assignments/week{week}/hidden/test_week{week}.py"] = HEAD + tests
            solution = "".join(self._solution(week, function) for function in FUNCTIONS)
            files[f"solutions/week{week}/part{week}.py"] = f'"""Week {week}."""\n{solution}'
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def _sign(self, week: int, function: int) -> str:
        return "-" if (week, function) in self.subtract else "+"

    def _component(self, week: int) -> str:
        points = sum(self.points_of(week, one) for one in FUNCTIONS) + MARK_POINTS
        lines = [
            f'    {{ id = "week{week}.f{one}", title = "Function {one}", '
            f'points = {self.points_of(week, one) / 100:g}, week = {week}, kind = "auto" }},\n'
            for one in FUNCTIONS
        ]
        lines.append(
            f'    {{ id = "week{week}.notes", title = "Notes", points = {MARK_POINTS / 100:g}, '
            f'week = {week}, kind = "manual" }},\n'
        )
        head = f'\n[[component]]\nid = "part{week}"\ntitle = "Part {week}"\n'
        return f"{head}points = {points / 100:g}\nitems = [\n{''.join(lines)}]\n"

    def _test(self, week: int, function: int) -> str:
        formula = f"{function + 1} * x {self._sign(week, function)} {function}"
        call = f"student.part{week}.f{function}(x)"
        return (
            f'\n\n@pytest.mark.item("week{week}.f{function}")\n'
            f"def test_f{function}(student, rng):\n"
            '    """Every entry is as the formula says."""\n'
            "    x = rng.normal(size=(3, 4))\n"
            f'    expect.close("f{function}(x)", {call}, {formula})\n'
        )

    def _solution(self, week: int, function: int) -> str:
        formula = f"{function + 1}.0 * x {self._sign(week, function)} {function}.0"
        gap = f"week{week}.f{function}"
        return (
            f'\n\ndef f{function}(x):\n    """Return what the formula says."""\n'
            f"    # BEGIN SOLUTION {gap}\n    return {formula}\n    # END SOLUTION\n"
        )


HEAD = '"""Hidden tests."""\n\nimport pytest\n\nfrom autograder.suite import expect\n'


def _week(week: int) -> str:
    return (
        f'\n[[week]]\nnumber = {week}\nid = "week{week}"\nfolder = "week{week}"\n'
        f'title = "Part {week}"\nmodules = ["part{week}.py"]\ndocuments = ["notes{week}.md"]\n'
        f"due = {DUE[week].isoformat()}\n"
    )
