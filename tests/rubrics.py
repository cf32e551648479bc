"""Rubrics made for tests: the course's own with other components, and with a week of phase 2."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from autograder.course import COURSE_FILE, GRADING_FILE, RUBRIC_FILE, Component, Course, Item


def with_components(course: Course, change: Callable[[Component], Component]) -> Course:
    """Return a course each of whose components was changed."""
    phases = (
        phase.model_copy(update={"components": tuple(map(change, phase.components))})
        for phase in course.phases
    )
    return course.model_copy(update={"phases": tuple(phases)})


def with_items(course: Course, change: Callable[[Item], Item | None]) -> Course:
    """Return a course each of whose items was changed, or taken out (None)."""
    return with_components(
        course,
        lambda part: part.model_copy(
            update={"items": tuple(item for one in part.items if (item := change(one)))}
        ),
    )


WEEK_4 = """
[[week]]
number = 4
id = "week4"
folder = "week4_cnn"
title = "Convolution"
modules = ["conv.py"]
documents = ["answers.md"]
data = "digits"
"""
CONVOLUTION = """title = "Convolution"
points = 27
kind = "auto"
items = [
    { id = "week4.conv2d", title = "conv2d", points = 20, week = 4 },
    { id = "week4.written", title = "Derived in steps", points = 7, week = 4, kind = "manual" },
]
"""
MORE_OF_PHASE_2 = """points = 10
to_come = 7.5
extra = true
kind = "auto"
items = [{ id = "week4.group_norm", title = "Group norm", points = 2.5, week = 4 }]
"""


def add_week_4(root: Path) -> None:
    """Add a week to the files of a copy of the course, with items in the second phase.

    It is there instead of the course's own weeks of that phase.
    """
    leave_out_later_weeks(root)
    with (root / COURSE_FILE).open("a", encoding="utf-8") as file:
        file.write(WEEK_4)
    rubric = root / RUBRIC_FILE
    text = rubric.read_text("utf-8")
    for old, new in (
        ('title = "Convolution"\npoints = 27\nkind = "auto"\n', CONVOLUTION),
        ('points = 10\nextra = true\nkind = "auto"\n', MORE_OF_PHASE_2),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    rubric.write_text(text, "utf-8")


def leave_out_later_weeks(root: Path) -> None:
    """Take the weeks of the later phases out of a copy: their tables, items and settings."""
    for name, pattern in (
        (
            COURSE_FILE,
            r"\[\[week\]\]\n(?:(?!\[\[week\]\]).)*?folder = \"week[4-8]_.*?(?=\[\[week\]\]|\Z)",
        ),
        (
            RUBRIC_FILE,
            r"(?<=\n)(?:to_come = [^\n]*\n)?"
            r"items = \[\n    \{ id = \"(?:week[4-7]|cifar|framework)\..*?\n\]\n",
        ),
        (GRADING_FILE, r"\[training\.\"(?:week[4-7]|cifar|framework)\..*?\n\n"),
    ):
        text, count = re.subn(pattern, "", (root / name).read_text("utf-8"), flags=re.DOTALL)
        assert count
        (root / name).write_text(text, "utf-8")
