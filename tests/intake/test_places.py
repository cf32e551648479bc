"""Of several files of one name a week gets its own, whichever weeks are graded."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import Week, load
from autograder.intake.week_files import WeekFileFinder, WeekFiles

COURSE = load(Path(__file__).resolve().parents[2])
WEEKS = {week.id: week for week in COURSE.weeks}


def choose(paths: list[str], only: str | None) -> dict[int, WeekFiles]:
    """Return the files of all weeks, or of one with the others known; contents are the paths."""
    weeks = [week for week in COURSE.weeks if only in (None, week.id)]
    others = [week for week in COURSE.weeks if week not in weeks]
    finder = WeekFileFinder(weeks, others)
    read = {path: path.encode() for path in paths if finder.size_limit(path)}
    return finder.choose(read, [path for path in paths if path not in read])


def below(folder: str, week: Week, *without: str) -> list[str]:
    return [f"{folder}{name}" for name in week.sources if name not in without]


OLD = "hw1/old/losses.py"
CASES: dict[str, tuple[list[str], str, str]] = {
    # The files, the week, and the folder from which all its modules have to come.
    "the project below week 3": (
        below("hw3/", WEEKS["week3"]) + below("hw3/final_project/", WEEKS["project"]),
        "project",
        "hw3/final_project/",
    ),
    "week 3 above the project": (
        below("hw3/", WEEKS["week3"]) + below("hw3/final_project/", WEEKS["project"]),
        "week3",
        "hw3/",
    ),
    "week 3 below the project": (
        below("p/hw3/", WEEKS["week3"]) + below("p/", WEEKS["project"]),
        "week3",
        "p/hw3/",
    ),
    "the project in week 3's own folder": (
        below("Week 3/", WEEKS["week3"]) + below("Week 3/resnet/", WEEKS["project"]),
        "project",
        "Week 3/resnet/",
    ),
    "in the week's own folder, and a few higher up": (
        ["losses.py", "neural_net.py", *below("Week 1/", WEEKS["week1"])],
        "week1",
        "Week 1/",
    ),
    "a name of week 1 beside week 2's files": (
        below("hw1/", WEEKS["week1"]) + below("a/", WEEKS["week2"]) + ["a/losses.py"],
        "week1",
        "hw1/",
    ),
    "a name of week 1 beside week 2's, where week 1 has it in another file": (
        below("hw1/", WEEKS["week1"], "losses.py") + below("a/", WEEKS["week2"]) + ["a/losses.py"],
        "week1",
        "hw1/",
    ),
    "an old copy that is deeper": (
        below("hw1/", WEEKS["week1"]) + below("hw1/old/", WEEKS["week1"]),
        "week1",
        "hw1/",
    ),
    "a copy that is not deeper, and whole": (
        ["hw1/sub/neural_net.py", "hw1/sub/losses.py", *below("hw1_backup/", WEEKS["week1"])],
        "week1",
        "hw1/sub/",
    ),
    "two folders of one depth": (
        below("b/", WEEKS["week1"]) + below("a/", WEEKS["week1"]),
        "week1",
        "a/",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_weeks_files_come_from_its_own_folder(case: str) -> None:
    paths, week, folder = CASES[case]
    number = WEEKS[week].number
    found = choose(paths, None)[number].modules
    assert found == choose(paths, week)[number].modules
    here = [name for name in WEEKS[week].sources if f"{folder}{name}" in paths]
    assert {name: found.get(name) for name in here} == {
        name: f"{folder}{name}".encode() for name in here
    }
    assert "losses.py" not in found or "losses.py" in here


def test_week_3_is_not_the_project() -> None:
    paths = below("hw3/", WEEKS["week3"])
    for only in (None, "project"):
        assert choose(paths, only)[WEEKS["project"].number] == WeekFiles()
