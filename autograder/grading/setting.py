"""The setting of a grading run: data sets and packages, and whether a week can run here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import data
from autograder import course as courses
from autograder.course import CourseError, Week
from autograder.errors import CantRunError, GraderError
from autograder.gradebook.looked_up import data_file
from autograder.sandbox.landlock import ONLY_NUMPY, Landlocked
from autograder.sandbox.runtime import installed


@dataclass(frozen=True)
class Setting:
    """The setting of a grading run.

    `datasets` names the data of a week's accuracy threshold, by the week's number; `packages` are
    the distributions that the weeks' sandboxes hold besides numpy.
    """

    root: Path
    datasets: Mapping[int, str | None]
    unconfined: bool = False
    packages: tuple[str, ...] = ()


class RefusedError(CantRunError):
    """Grading is refused: student code can't be confined, or the week can't run here."""


class OurFaultError(GraderError):
    """Some checks could not be graded because the grader failed."""


SHIPPED_SALT = "change-this-text-every-term"
"""The salt in the published grading.toml, which is not secret."""


KNOWN_INPUTS = (
    f"The hidden tests draw their inputs from the shipped salt: answers can be prepared for them. "
    f"Put a text of your own into `salt` in {courses.GRADING_FILE}."
)


def why_not_here(week: Week, rung: str) -> str:
    """Return why a week can't be graded on this rung, with the remedy; "" if it can."""
    missing = [name for name in week.packages if not installed(name)]
    if missing:
        remedy = f"`make grade WEEK={week.id} ...` installs what it takes"
        return f"{week.name} needs {', '.join(missing)}, which is not installed: {remedy}"
    if week.packages and rung == Landlocked.rung:
        remedy = "`autograder doctor` says what gives this machine a better rung than C"
        return f"{week.name} can't run here: {ONLY_NUMPY}; {remedy}"
    return ""


def demand_dataset(name: str, key: str) -> None:
    """Raise CourseError if there is no data set of this name; `key` is the place in the course."""
    if name not in data.NAMES:
        remedy = f"Choose one of these: {', '.join(data.NAMES)}"
        raise CourseError(courses.COURSE_FILE, key, f"there is no data set {name!r}", remedy)


def datasets_here(weeks: Sequence[Week]) -> dict[int, str | None]:
    """Return the data set of each week's threshold: its own if cached, otherwise the digits.

    Raises CourseError for an unknown data set.
    """
    return {week.number: dataset_here(week) for week in weeks}


def dataset_here(week: Week) -> str | None:
    """Return the data set of a week's threshold: its own if cached, otherwise the digits.

    Raises CourseError for an unknown data set.
    """
    if week.data is None or data_file(week) is not None:
        return week.data
    demand_dataset(week.data, f"{week.id}.data")
    return week.data if data.cached(week.data) else "digits"


def embedded_for(week: Week) -> str | None:
    """Return the data set for a week's threshold that is there on every machine.

    Its own where that is embedded or a file of its suite, otherwise the digits; None where the week
    has no threshold.
    """
    if week.data is None or data_file(week) is not None or week.data in data.EMBEDDED:
        return week.data
    return "digits"
