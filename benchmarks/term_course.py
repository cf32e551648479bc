"""A small course of three weeks and a project, its students and their work, and what that is worth.

The points are computed here from what was planted in the work, in plain arithmetic that knows
nothing of the grader: whole hundredths, the days late by this file's own table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

PROJECT = 10
WEEKS = (1, 2, 3, PROJECT)
FUNCTIONS = (1, 2, 3)
NOTES = "notes"
BONUS = (PROJECT, 3)
"""The function that is extra credit."""
FUNCTION_POINTS, MARK_POINTS = 200, 100
"""Of each function and of each week's notes, in hundredths, until the rubric is changed."""
KEPT_PERCENT = (100, 90, 80)
"""The share that is kept, by days late that have begun; the last one from then on."""
LATE_DAYS = 2
"""So many days late cost a student nothing over the term."""
DUE = {week: datetime(2026, 10, 5, 20, tzinfo=UTC) + timedelta(weeks=week) for week in WEEKS}
GIVEN = ("Ada", "Bo", "Jane", "Jane", "Zoë", "Max", "Ito", "Uma", "Teo", "Kim")
FAMILY = ("Adams", "Berg", "Doe", "Doe", "O'Neil", "Roe", "Sato", "Silva", "Moreau", "Kaur")
SECTIONS = ("A", "B", "C")

Right = frozenset[int]
ALL: Right = frozenset(FUNCTIONS)


def id_of(week: int) -> str:
    """Return a week's id."""
    return "project" if week == PROJECT else f"week{week}"


def module_of(week: int) -> str:
    """Return the file that is asked for in a week."""
    return "models/net.py" if week == PROJECT else f"part{week}.py"


def notes_of(week: int) -> str:
    """Return the document that is asked for in a week."""
    return f"notes_{id_of(week)}.md"


@dataclass(frozen=True)
class Student:
    """A student as roster.csv has them. The third and the fourth have one name, and others too.

    Canvas knows them by `number`. Moodle gives everybody another number for each assignment.
    """

    number: int
    family: str
    given: str

    @property
    def id(self) -> str:
        """The id in the roster."""
        return f"stud{self.number}"

    @property
    def alias(self) -> str:
        """What else names them, in the roster's column of aliases."""
        return f"{self.given[0]}{self.family[0]}-{self.number}".lower()

    @property
    def name(self) -> str:
        """The name as Canvas sorts it."""
        return f"{self.family}, {self.given}"

    @property
    def letters(self) -> str:
        """The name as it stands in the names of Canvas's files."""
        return "".join(filter(str.isalnum, self.name)).lower()

    @property
    def login(self) -> str:
        """The login, which is an address too."""
        return f"s{self.number}@school.edu"

    @property
    def section(self) -> str:
        """The section in which they are taught."""
        return SECTIONS[self.number % len(SECTIONS)]

    @property
    def team(self) -> str:
        """The group in which they do the project: two each, a few alone."""
        return "" if self.number % 10 > 7 else f"Team {self.number // 2}"

    def participant(self, week: int) -> int:
        """Return Moodle's number of them in a week's assignment."""
        return 7000 + 100 * week + (7 * self.number) % 97


def students(count: int) -> list[Student]:
    """Return so many students; names come again after a hundred at the latest."""
    found = []
    for place in range(count):
        given = GIVEN[(place + place // len(FAMILY)) % len(GIVEN)]
        found.append(Student(1001 + place, FAMILY[place % len(FAMILY)], given))
    return found


def roster(everybody: Collection[Student]) -> list[list[str]]:
    """Return the rows of roster.csv. Moodle's numbers are said of namesakes alone."""
    names = Counter((one.family, one.given) for one in everybody)
    header = [
        "id",
        "name",
        "email",
        "section",
        "group project",
        "canvas id",
        "moodle id",
        "aliases",
    ]
    rows = [header]
    for one in everybody:
        is_namesake = names[one.family, one.given] > 1
        numbers = (str(one.participant(week)) for week in WEEKS if is_namesake)
        whole = f"{one.given} {one.family}"
        more = [one.section, one.team, str(one.number), ";".join(numbers), one.alias]
        rows.append([one.id, whole, one.login, *more])
    return rows


@dataclass(frozen=True)
class Work:
    """Work of one week: which functions add, the others subtract or are not there.

    `by` and `version` make it differ from everybody else's and from an earlier one; `hours_late`
    may be negative.
    """

    by: str
    adds: Right
    subtracts: Right = frozenset()
    hours_late: float = -5
    version: int = 1
    notes: bool = True

    def received(self, week: int) -> datetime:
        """Return when it was handed in."""
        return DUE[week] + timedelta(hours=self.hours_late)

    def files(self, week: int) -> dict[str, bytes]:
        """Return the files, by the names that the week asks for."""
        said = f"# Notes\n\nWhat {self.by} derived, version {self.version}.\n"
        files = {module_of(week): self.source(week)}
        return files | ({notes_of(week): said.encode()} if self.notes else {})

    def source(self, week: int) -> bytes:
        """Return the module."""
        parts = [f'"""{id_of(week)} of {self.by}, version {self.version}."""\n']
        for function in FUNCTIONS:
            sign = "+" if function in self.adds else "-"
            body = f"return {function + 1}.0 * x {sign} {function}.0"
            if function not in self.adds | self.subtracts:
                body = f'raise NotImplementedError("{id_of(week)}.f{function}")'
            parts.append(f"\n\ndef f{function}(x):\n    {body}\n")
        return "".join(parts).encode()


def days_late(hours: float) -> int:
    """Return the days late that have begun."""
    return max(0, -int(-hours // 24))


def kept(points: int, days: int) -> int:
    """Return what is kept of points in hundredths. They are such that nothing is rounded."""
    whole, rest = divmod(points * KEPT_PERCENT[min(days, len(KEPT_PERCENT) - 1)], 100)
    assert rest == 0, points
    return whole


@dataclass
class Facts:
    """What the course asks for, as it stands at a time of the term.

    `subtract` are the (week, function) whose test is wrong: it takes the one who subtracts.
    `points` are those that differ from FUNCTION_POINTS. `extended` are the days by which a
    student's own due date of a week is later.
    """

    subtract: set[tuple[int, int]] = field(default_factory=lambda: {(2, 3)})
    points: dict[tuple[int, int], int] = field(default_factory=dict)
    extended: dict[tuple[Student, int], int] = field(default_factory=dict)

    def points_of(self, week: int, function: int) -> int:
        """Return a function's points in hundredths."""
        return self.points.get((week, function), FUNCTION_POINTS)

    @property
    def most(self) -> int:
        """All points of the course in hundredths, without extra credit."""
        every = ((week, one) for week in WEEKS for one in FUNCTIONS if (week, one) != BONUS)
        return sum(self.points_of(*one) for one in every) + MARK_POINTS * len(WEEKS)

    def write(self, root: Path) -> None:
        """Write the course as it stands."""
        rule = "\n[handing_in]\nlate = [[0, 1.0], [1, 0.9], [2, 0.8]]\nwhole_days = true\n"
        rule += f"late_days = {LATE_DAYS}\n"
        rubric = f'[[phase]]\nid = "term"\ntitle = "Term"\ntotal = {self.most / 100:g}\n'
        rubric += f"extra_credit = {self.points_of(*BONUS) / 100:g}\n"
        rubric += "".join(map(self._component, WEEKS)) + self._bonus()
        own = "".join(
            f'\n[[extension]]\nstudent = "{one.alias}"\nweek = "{id_of(week)}"\n'
            f"due = {(DUE[week] + timedelta(days=days)).isoformat()}\n"
            for (one, week), days in self.extended.items()
        )
        weeks = "".join(map(_week, WEEKS))
        files = {
            "assignments/course.toml": f'[course]\ntitle = "A term"\n{rule}{weeks}',
            "assignments/grading.toml": f'salt = "a term"\n{own}',
            "assignments/rubric.toml": rubric,
        }
        for week in WEEKS:
            id = id_of(week)
            tests = "".join(self._test(week, function) for function in FUNCTIONS)
            files[f"assignments/{id}/hidden/test_{id}.py"] = HEAD + tests
            solution = "".join(self._solution(week, function) for function in FUNCTIONS)
            files[f"solutions/{id}/{module_of(week)}"] = f'"""The solution of {id}."""\n{solution}'
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def _sign(self, week: int, function: int) -> str:
        return "-" if (week, function) in self.subtract else "+"

    def _component(self, week: int) -> str:
        functions = [one for one in FUNCTIONS if (week, one) != BONUS]
        points = sum(self.points_of(week, one) for one in functions) + MARK_POINTS
        lines = [_item(week, f"f{one}", self.points_of(week, one)) for one in functions]
        lines.append(_item(week, NOTES, MARK_POINTS, "manual"))
        return _component(f"part_{id_of(week)}", points, lines)

    def _bonus(self) -> str:
        week, function = BONUS
        points = self.points_of(*BONUS)
        return _component("bonus", points, [_item(week, f"f{function}", points)], "extra = true\n")

    def _test(self, week: int, function: int) -> str:
        formula = f"{function + 1} * x {self._sign(week, function)} {function}"
        module = module_of(week).removesuffix(".py").replace("/", ".")
        call = f'student.module("{module}").f{function}(x)'
        return (
            f'\n\n@pytest.mark.item("{id_of(week)}.f{function}")\n'
            f"def test_f{function}(student, rng):\n"
            '    """Every entry is as the formula says."""\n'
            "    x = rng.normal(size=(3, 4))\n"
            f'    expect.close("f{function}(x)", {call}, {formula})\n'
        )

    def _solution(self, week: int, function: int) -> str:
        formula = f"{function + 1}.0 * x {self._sign(week, function)} {function}.0"
        gap = f"{id_of(week)}.f{function}"
        return (
            f'\n\ndef f{function}(x):\n    """Return what the formula says."""\n'
            f"    # BEGIN SOLUTION {gap}\n    return {formula}\n    # END SOLUTION\n"
        )


HEAD = '"""Hidden tests."""\n\nimport pytest\n\nfrom autograder.suite import expect\n'


def _item(week: int, name: str, points: int, kind: str = "auto") -> str:
    return (
        f'    {{ id = "{id_of(week)}.{name}", title = "{name} of {id_of(week)}", '
        f'points = {points / 100:g}, week = {week}, kind = "{kind}" }},\n'
    )


def _component(id: str, points: int, items: Iterable[str], more: str = "") -> str:
    head = f'\n[[phase.component]]\nid = "{id}"\ntitle = "{id}"\n{more}'
    return f"{head}points = {points / 100:g}\nitems = [\n{''.join(items)}]\n"


def _week(week: int) -> str:
    id = id_of(week)
    return (
        f'\n[[week]]\nnumber = {week}\nid = "{id}"\nfolder = "{id}"\n'
        f'title = "The {id}"\nmodules = ["{module_of(week)}"]\ndocuments = ["{notes_of(week)}"]\n'
        f"due = {DUE[week].isoformat()}\n"
    )
