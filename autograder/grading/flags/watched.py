"""The names that raise a flag where a submission uses them: `[[watched]]` in grading.toml."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field, ValidationError

from autograder.course import GRADING_FILE, Course, CourseError, Week
from autograder.course.loading import explained
from autograder.course.model import Model, Text


class Watched(Model):
    """What raises a flag, for a person to look at, where a submission uses it; and why.

    `names` are full names of modules, functions and classes; `weeks` the ids of the weeks for which
    it holds, all of them where it is left out.
    """

    names: Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]
    why: Text
    weeks: Annotated[tuple[Text, ...], Field(strict=False)] = ()


class _OtherTables(Model):
    watched: Annotated[tuple[Watched, ...], Field(strict=False)] = ()
    cluster: dict[str, Any] = Field(default_factory=dict)
    """Checked by what uses it: grading.cluster.setting."""
    late_days: list[Any] = Field(default_factory=list)
    """Checked by what uses it: report.late_days."""


def watched_names(course: Course) -> tuple[Watched, ...]:
    """Return all that is watched. Raises CourseError for a wrong entry or an unknown table."""
    try:
        entries = _OtherTables.model_validate(course.more).watched
    except ValidationError as error:
        raise explained(GRADING_FILE, error) from error
    for number, entry in enumerate(entries, start=1):
        for name in sorted(set(entry.weeks) - course.known_weeks):
            problem = f"there is no week {name!r}"
            raise CourseError(GRADING_FILE, f"watched#{number}.weeks", problem, "Correct the id")
    return entries


def watched_in(entries: Iterable[Watched], week: Week) -> tuple[Watched, ...]:
    """Return what raises a flag in a week."""
    return tuple(entry for entry in entries if not entry.weeks or week.id in entry.weeks)
