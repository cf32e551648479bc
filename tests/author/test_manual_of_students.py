"""The manual that students get says what the course's tables and the command line say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder.course import load
from autograder.students.command_line import parser

ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT)
MANUAL = (ROOT / "assignments" / "MANUAL.md").read_text("utf-8")
README = (ROOT / "autograder/author/release_files/README.md").read_text("utf-8")
CHECK = (ROOT / "autograder/author/release_files/check.py").read_text("utf-8")
COLUMNS = {1: 1, 2: 1, 4: 1, 5: 1, 6: 1, 3: 2, 10: 3, 14: 4, 15: 5}
"""Number of a week -> its column in the table of limits."""


def row(name: str) -> list[str]:
    """Return the cells of the table's row that begins with `name`."""
    [found] = re.findall(rf"^\| {name} \|.*\|$", MANUAL, re.MULTILINE)
    return [cell.strip() for cell in found.split("|")[1:-1]]


@pytest.mark.parametrize("number", COLUMNS)
def test_the_limits_are_those_of_the_course(number: int) -> None:
    limits, column = COURSE.week(number).limits, COLUMNS[number]
    assert row("one call into your code")[column] == f"{limits.request_seconds:g} s"
    assert row("one test")[column] == f"{limits.test_seconds:g} s"
    assert f"{limits.training_seconds:g} s" in row("a training run")[column]
    memory = row("memory")[column]
    plain, training = limits.memory_mb // 1024, limits.training_memory_mb // 1024
    assert memory == f"{plain} GB, training {training} GB"


def test_the_points_are_those_of_the_rubric() -> None:
    parts = {part.id: part.points // 100 for part in COURSE.components}
    first = parts["derivations"] + parts["core"] + parts["gradient_checking"]
    third = parts["optimizers"] + parts["batch_norm"]
    said = re.findall(r"^\| \[\w+\]\([^)]+\) \| (.+) \| `", MANUAL, re.MULTILINE)
    extra = f"{third}, and {parts['extra_credit']} of extra credit"
    second = []
    for part, week in (("convolution", 4), ("recurrence", 5)):
        halves = [sum(item.points for item in COURSE.items(n)) / 100 for n in (week, week + 10)]
        assert sum(halves) == parts[part]
        second += [f"{points:g}" for points in halves]
    second.append(f"{sum(item.points for item in COURSE.items(6)) / 100:g}")
    assert said == [str(first), str(parts["autograd"]), extra, str(parts["project"]), *second]


@pytest.mark.parametrize("text", [MANUAL, README], ids=["manual", "readme"])
def test_every_command_and_option_is_there(text: str) -> None:
    commands = re.findall(r"python check\.py ([^`\n]+)", text)
    assert commands
    for command in commands:
        words = command.split()
        options = [word for word in words if word.startswith("--")]
        known = parser().parse_args(["check"]).__dict__
        assert all(option.removeprefix("--") in known for option in options), command
        if words[0].isalpha() and words[0] != "project":
            assert re.search(rf"^  python check\.py {words[0]}\b", CHECK, re.MULTILINE) or (
                words[0] == "help"
            ), command


def test_every_link_leads_somewhere_in_the_manual() -> None:
    headings = re.findall(r"^#+ (.*)$", MANUAL, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}
    links = re.findall(r"\]\(([^)]+)\)", MANUAL)
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        assert (path and (ROOT / "assignments" / path).is_file()) or anchor in anchors, link
