"""The files of a new week as texts: solution, second solution, catalogue, handout and suites."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.course.points import format_points

QUALITY = "quality"
"""Name of the item for code quality, measured by ruff and docstrings: it has no function."""

OTHER_STYLE = "in_two_steps"
"""The name of the second right solution."""


@dataclass(frozen=True)
class NewItem:
    """An item of a new week: the part of its id behind the dot, and its points in hundredths.

    The function that students write for it has the same name.
    """

    name: str
    points: int


@dataclass(frozen=True)
class NewWeek:
    """The names of a new week, its items, and the id of the phase in which they count."""

    number: int
    topic: str
    title: str
    items: tuple[NewItem, ...]
    phase: str

    @property
    def id(self) -> str:
        """The week's id, with which the ids of its items begin."""
        return f"week{self.number}"

    @property
    def folder(self) -> str:
        """The name of its folders in assignments/ and solutions/."""
        return f"{self.id}_{self.topic}"

    @property
    def module(self) -> str:
        """The name of its one module."""
        return f"{self.topic}.py"

    @property
    def tasks(self) -> tuple[NewItem, ...]:
        """The items that have a function."""
        return tuple(item for item in self.items if item.name != QUALITY)

    @property
    def points(self) -> int:
        """All its points, in hundredths."""
        return sum(item.points for item in self.items)


def _factor(place: int) -> str:
    """Return the factor in the example task at this place among the tasks: each has its own."""
    return f"{place + 2}.0"


def _formula(place: int) -> str:
    """Return what the example task at this place computes, as a text for people."""
    return f"{place + 2} x + 1"


def _joined(parts: Sequence[str]) -> str:
    """Join the definitions of a module with two empty lines between them."""
    return "\n\n".join(part.strip("\n") + "\n" for part in parts)


IMPORTS = """\
from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
"""


def solution(week: NewWeek) -> str:
    """Return the reference module, with a marked gap in each function."""
    head = f'"""{week.title}: functions of arrays, entry by entry."""\n\n{IMPORTS}'
    functions = [
        f'''
def {item.name}(x: FloatArray) -> FloatArray:
    """Return {_formula(place)}, entry by entry.

    Args:
        x: any shape, float, not changed.

    Returns:
        A new array of the shape and dtype of x.
    """
    # BEGIN SOLUTION {week.id}.{item.name}
    return {_factor(place)} * x + 1.0
    # END SOLUTION
'''
        for place, item in enumerate(week.tasks)
    ]
    return _joined([head, *functions])


def other_solution(week: NewWeek) -> str:
    """Return the module as another student might have written it, right as well."""
    head = f'"""{week.title}, written in another way: it must get everything too."""\n\n{IMPORTS}'
    functions = [
        f'''
def {item.name}(x: FloatArray) -> FloatArray:
    """Return {_formula(place)}, in two steps in an array of its own."""
    result = np.multiply(x, {_factor(place)})
    result += 1.0
    return result
'''
        for place, item in enumerate(week.tasks)
    ]
    return _joined([head, *functions])


def catalogue(week: NewWeek) -> str:
    """Return the catalogue of misconceptions, with one entry: for the first task."""
    first = week.tasks[0]
    return f'''\
# What students get wrong in {week.id}, each as a small edit of the solution. Fields:
#   module, where     the file and the class, method or function that is edited
#   replace, by       text that stands there exactly once, and what takes its place
#   fails             the items whose tests must notice; no other item's may
#   says              what a student reads who made this mistake
# docs/authors.md has the others.

[[misconception]]
id = "{first.name.replace("_", "-")}-adds-first"
module = "{week.topic}"
where = "{first.name}"
replace = "{_factor(0)} * x + 1.0"
by = "{_factor(0)} * (x + 1.0)"
fails = ["{week.id}.{first.name}"]
says = """\\
You add 1 before you multiply, so it is multiplied too. Which of the two operations comes first \\
in the formula?"""
'''


def hidden_suite(week: NewWeek) -> str:
    """Return the hidden suite: the values, and that the argument is left alone, for each task."""
    head = f'''\
"""Hidden tests of {week.module}."""

import pytest

from autograder.suite import expect
'''
    tests = []
    for place, item in enumerate(week.tasks):
        tests.append(f'''
@pytest.mark.item("{week.id}.{item.name}")
@pytest.mark.weight(2)
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 1, 3)])
def test_{item.name}(student, rng, shape):
    """{item.name} is {_formula(place)} for every entry."""
    x = rng.normal(size=shape)
    answer = student.{week.topic}.{item.name}(x)
    expect.close("{item.name}(x)", answer, {_factor(place)} * x + 1.0)
''')
        tests.append(f'''
@pytest.mark.item("{week.id}.{item.name}")
def test_{item.name}_leaves_its_argument_alone(student, rng):
    """{item.name} is right and does not change the array that it was given."""
    x = rng.normal(size=(3, 2))
    kept = student.keep(x)
    answer = student.{week.topic}.{item.name}(kept)
    expect.close("{item.name}(x)", answer, {_factor(place)} * x + 1.0)
    expect.unchanged("x", x, student.fetch(kept))
''')
    return _joined([head, *tests])


def public_suite(week: NewWeek) -> str:
    """Return the public suite: one example for each task, with numbers that students may know."""
    head = f'''\
"""Public tests of {week.module}."""

import numpy as np
import pytest

from autograder.suite import expect

X = np.array([[0.5, -1.0, 2.0], [0.0, 3.0, -0.25]])
'''
    tests = [
        f'''
@pytest.mark.item("{week.id}.{item.name}")
def test_{item.name}_of_an_example(student):
    """{item.name} is {_formula(place)} for every entry of an array of shape (2, 3)."""
    answer = student.{week.topic}.{item.name}(X)
    expect.close("{item.name}(x)", answer, {_factor(place)} * X + 1.0)
'''
        for place, item in enumerate(week.tasks)
    ]
    return _joined([head, *tests])


def handout(week: NewWeek) -> str:
    """Return the skeleton of the handout, with the sections that a handout must have."""
    rows = [
        f"| `{week.id}.{item.name}` | {_title(item)} | {format_points(item.points)} | "
        f"{'ruff, docstrings' if item.name == QUALITY else 'tests'} |"
        for item in week.items
    ]
    parts = [_section(week, item, place) for place, item in enumerate(week.tasks)]
    table = "\n".join(rows)
    return f"""\
# Week {week.number}: {week.title}

Say in two or three sentences what students will have built at the end.
{"".join(parts)}
## Self-test

1. Ask what somebody can answer without the code who has understood this week.
2. Ask for a number, a shape or a reason, not for a word.
3. Ask what would happen if something were left out.

## Exploration

Say where the answers go, and that they are read together with what.

1. Ask for something to try, with a table or a picture as its answer.

## Reading

- Name what to read before the tasks, and how long that takes.
- Name what goes deeper.

## Handing in

`{week.module}`. [MANUAL.md](../MANUAL.md) says how handing in and grading work.

| id | task | points | graded by |
|---|---|---|---|
{table}
"""


def _section(week: NewWeek, item: NewItem, place: int) -> str:
    """Return the section of one task; the first one says how to check it."""
    check = f"""
```
python check.py {week.number} --task {week.id}.{item.name}
```

says what is still missing or wrong.
"""
    return f"""
## `{week.id}.{item.name}`: say in three words what it is

*5 minutes.* `{item.name}(x)` returns ${_formula(place)}$ for every entry of an array, in a new
array of the shape and dtype of x. Say what the task is for, give the formula, and name the
conventions that the tests ask for.
{check if place == 0 else ""}
**Checkpoint.** You should now be able to say why the task was worth the time.
"""


def hints(week: NewWeek) -> str:
    """Return the ladders of hints, three rungs for each task."""
    tables = [
        f"""
["{week.id}.{item.name}"]
hints = [
    "The shapes: what goes in, and what comes out?",
    "One entry by hand, with numbers: for x = 2 it is {(place + 2) * 2 + 1}.",
    "A worked example of the same kind elsewhere, such as 0.5 * x - 3.0, and never the answer.",
]
"""
        for place, item in enumerate(week.tasks)
    ]
    return f"# The ladders of hints of {week.id}, one table for each task.\n" + "".join(tables)


def _title(item: NewItem) -> str:
    return "Code quality and documentation" if item.name == QUALITY else f"`{item.name}`"


def course_table(week: NewWeek) -> str:
    """Return the week's table for course.toml."""
    return f"""
[[week]]
number = {week.number}
id = "{week.id}"
folder = "{week.folder}"
title = {_quoted(week.title)}
modules = ["{week.module}"]
"""


def rubric_component(week: NewWeek) -> str:
    """Return a component of the rubric, with the week's items."""
    lines = []
    for item in week.items:
        title = _title(item).strip("`")
        lines.append(
            f'    {{ id = "{week.id}.{item.name}", title = {_quoted(title)}, '
            f"points = {format_points(item.points)}, week = {week.number} }},\n"
        )
    return f"""
[[phase.component]]
id = "{week.folder}"
title = {_quoted(week.title)}
points = {format_points(week.points)}
kind = "auto"
items = [
{"".join(lines)}]
"""


def _quoted(text: str) -> str:
    """Return a text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False)
