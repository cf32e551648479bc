"""A course of one week with as many small functions as one likes, and a class that handed it in.

It measures what grading costs beside the tests' own work, which is next to nothing here.
"""

from __future__ import annotations

from pathlib import Path

Files = dict[str, bytes]
MODULE = "toy.py"

COURSE = """
[course]
title = "A toy"

[[week]]
number = 1
id = "toy"
folder = "toy"
title = "Small functions"
modules = ["toy.py"]
"""
FUNCTION = '''

def f{number:02}(x: np.ndarray) -> np.ndarray:
    """Return {factor} * x + {number}; float64 in, float64 out, the same shape."""
    # BEGIN SOLUTION toy.f{number:02}
    return {factor}.0 * x + {number}.0
    # END SOLUTION
'''
HIDDEN = '''

@pytest.mark.item("toy.f{number:02}")
def test_f{number:02}(student, rng):
    """Every entry is as the formula says."""
    x = rng.normal(size=(3, 4))
    expect.close("f{number:02}(x)", student.toy.f{number:02}(x), {factor} * x + {number})
'''
PLAIN = """

def test_f{number:02}():
    x = np.random.default_rng({number}).normal(size=(3, 4))
    np.testing.assert_allclose(toy.f{number:02}(x), {factor} * x + {number})
"""
MISTAKE = """
[[misconception]]
id = "toy-f{number:02}-subtracts"
module = "toy"
where = "f{number:02}"
replace = "x + {number}.0"
by = "x - {number}.0"
fails = ["toy.f{number:02}"]
says = "You subtract the constant."
"""
ITEM = '    {{ id = "toy.{name}", title = "{name}", points = 1, week = 1, kind = "auto" }},\n'


def _each(template: str, functions: int) -> str:
    # Numbered from 1: the mistake of a function that adds 0 would be none.
    numbers = range(1, functions + 1)
    return "".join(template.format(number=number, factor=number + 1) for number in numbers)


def write_course(root: Path, functions: int) -> None:
    """Write the course's files: one item, one hidden test and one mistake for each function."""
    names = [f"f{number:02}" for number in range(1, functions + 1)]
    items = "".join(ITEM.format(name=name) for name in [*names, "quality"])
    rubric = f'[[phase]]\nid = "all"\ntitle = "All"\ntotal = {functions + 1}\n\n'
    rubric += "[[phase.component]]\n"
    rubric += f'id = "toy"\ntitle = "Toy"\npoints = {functions + 1}\nitems = [\n{items}]\n'
    hidden = '"""Hidden tests."""\n\nimport pytest\n\nfrom autograder.suite import expect\n'
    files = {
        "assignments/course.toml": COURSE,
        "assignments/grading.toml": 'salt = "toy"\n',
        "assignments/rubric.toml": rubric,
        "assignments/toy/hidden/test_toy.py": hidden + _each(HIDDEN, functions),
        "solutions/toy/toy.py": solution(functions),
        "solutions/toy/misconceptions.toml": _each(MISTAKE, functions),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def solution(functions: int) -> str:
    """Return the module with all functions, its gaps marked."""
    return '"""Small functions."""\n\nimport numpy as np\n' + _each(FUNCTION, functions)


def plain_tests(functions: int) -> str:
    """Return the same checks as a test file for plain pytest beside the module."""
    return "import numpy as np\nimport toy\n" + _each(PLAIN, functions)


def make_class(students: int, functions: int) -> list[Files]:
    """Return so many submissions, all different: right ones by turns with ones of one mistake."""
    lines = [line for line in solution(functions).split("\n") if "SOLUTION" not in line]
    right = "\n".join(lines)
    made = []
    for student in range(students):
        source = right + f"\n# Student {student}.\n"
        if student % 2:
            number = 1 + student % functions
            source = source.replace(f"x + {number}.0\n", f"x - {number}.0\n")
        made.append({MODULE: source.encode()})
    return made
