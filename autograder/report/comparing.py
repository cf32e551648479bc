"""Two states of a class's points that a person names: reports by number or time, or folders."""

from __future__ import annotations

import re
from datetime import date, datetime, time, tzinfo
from pathlib import Path

from autograder.course import Course
from autograder.errors import InputError
from autograder.gradebook.editions import Edition, Editions
from autograder.gradebook.journal import Gradebook
from autograder.report.changes import Side, contents_of
from autograder.report.changes_words import made_at
from autograder.report.gather import gather
from autograder.text.display import one_line

GRADEBOOK = "gradebook.sqlite"
NOW = "now"
NUMBERED = re.compile(r"(?P<folder>.+)@(?P<number>[0-9]+)")


class NoSuchReportError(InputError):
    """A name means no state of the points: which, and what there is."""


def editions_of(grades: Path) -> list[Edition]:
    """Return the editions in a folder that `grade` wrote, the first one first."""
    with Gradebook.read(grades / GRADEBOOK) as gradebook:
        return gradebook.editions.all()


def state_called(course: Course, grades: Path, name: str) -> tuple[str, Side]:
    """Return a state of the points that a name means, and words for it.

    That is a number: of a report in `grades`; a date or a time: the last report until then; "now":
    what counts now, with the points that the rubric has now; a folder that `grade` wrote: the last
    report in it; folder@number. Raises NoSuchReportError for anything else.
    """
    if name.isdecimal():
        return _numbered(course, grades, int(name))
    if name == NOW:
        return _now(course, grades)
    if (Path(name) / GRADEBOOK).is_file():
        return _last(course, Path(name))
    found = NUMBERED.fullmatch(name)
    if found and (Path(found["folder"]) / GRADEBOOK).is_file():
        return _numbered(course, Path(found["folder"]), int(found["number"]))
    return _until(course, grades, _time(name, course.handing_in.zone))


def _numbered(course: Course, grades: Path, number: int) -> tuple[str, Side]:
    with Gradebook.read(grades / GRADEBOOK) as gradebook:
        for edition in gradebook.editions.all():
            if edition.number == number:
                return _words(course, grades, edition), _side(gradebook.editions, edition)
        last = gradebook.editions.last()
    known = f"1 to {last.number}" if last else "none yet; they begin with the next run"
    problem = f"{grades} has no report {number}"
    raise NoSuchReportError(
        problem, f"It has these: {known}. For a folder of this name say ./{number}"
    )


def _now(course: Course, grades: Path) -> tuple[str, Side]:
    with Gradebook.read(grades / GRADEBOOK) as gradebook:
        editions = gradebook.editions
        side = Side(
            contents_of(course, gather(course, gradebook), editions), editions.all_parts().get
        )
    return f"now in {grades}", side


def _last(course: Course, grades: Path) -> tuple[str, Side]:
    """Return the last report in a folder; what counts now, where an earlier version wrote it."""
    with Gradebook.read(grades / GRADEBOOK) as gradebook:
        last = gradebook.editions.last()
        if last is not None:
            return _words(course, grades, last), _side(gradebook.editions, last)
    return _now(course, grades)


def _until(course: Course, grades: Path, when: datetime) -> tuple[str, Side]:
    with Gradebook.read(grades / GRADEBOOK) as gradebook:
        made = [one for one in gradebook.editions.all() if datetime.fromisoformat(one.made) <= when]
        if made:
            return _words(course, grades, made[-1]), _side(gradebook.editions, made[-1])
    problem = f"{grades} has no report of {when.isoformat(' ', 'seconds')} or before"
    raise NoSuchReportError(problem, "`autograder diff` alone names all there are")


def _time(name: str, zone: tzinfo) -> datetime:
    """Return the time that a name says; of a date, its end in the course's time zone."""
    try:
        return datetime.combine(date.fromisoformat(name), time.max, zone)
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(name)
    except ValueError:
        problem = f"{one_line(name)!r} is no report, no time and no folder with a {GRADEBOOK}"
        remedy = "Say a number of a report, 2026-10-12, now, or a folder that `grade` wrote"
        raise NoSuchReportError(problem, remedy) from None
    return when if when.tzinfo else when.replace(tzinfo=zone)


def _side(editions: Editions, edition: Edition) -> Side:
    return Side(editions.contents(edition.number), editions.all_parts().get)


def _words(course: Course, grades: Path, edition: Edition) -> str:
    made = made_at(edition, course.handing_in.zone)
    return f"in report {edition.number} of {made} in {grades}"


def edition_line(edition: Edition, zone: tzinfo) -> str:
    """Return a line that says which report it is."""
    by = f", by {one_line(edition.author)}" if edition.author else ""
    return f"{edition.number:4}  {made_at(edition, zone)}  {one_line(edition.command)}{by}"
