"""What the class's page says beside the students' reports: names, times, losses, changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from autograder.course import Course
from autograder.gradebook.journal import PARTS, Gradebook
from autograder.gradebook.people import Loss, losses, roster_beside
from autograder.report.publishing import Published
from autograder.text.display import one_line


@dataclass(frozen=True)
class Person:
    """A student on the page: id and name, fit to be shown, and where the student's page is."""

    id: str
    name: str
    href: str


@dataclass(frozen=True)
class ClassFacts:
    """`seconds` is what each job took by its key; `published` what the last reports changed.

    `names` are the roster's, by id. `made` is when the page is written, in the course's time zone.
    """

    made: datetime
    names: Mapping[str, str] = field(default_factory=dict)
    losses: Sequence[Loss] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    published: Published | None = None
    command: str = "grade"

    def person(self, student: str) -> Person:
        """Return a student as the page shows them."""
        name = one_line(self.names.get(student, ""))
        return Person(one_line(student), name, f"students/{quote(student, safe='')}/feedback.html")

    def people(self, students: Iterable[str]) -> list[Person]:
        """Return several of them."""
        return [self.person(one) for one in students]

    @property
    def made_words(self) -> str:
        """When and by what the page was written."""
        return f"Written on {self.made:%Y-%m-%d at %H:%M:%S %Z} by {self.command}."

    def said(self, students: int) -> str:
        """Return what stands below the title."""
        return f"{students} students, as of {self.made:%Y-%m-%d %H:%M %Z}"


def class_facts(
    course: Course, gradebook: Gradebook, published: Published | None, command: str
) -> ClassFacts:
    """Return what a gradebook, and the roster beside it, know of a class."""
    roster = roster_beside(gradebook, course.weeks)
    numbers = gradebook.open_weeks()
    jobs = (job for week in numbers for part in PARTS for job in gradebook.jobs(week, part))
    return ClassFacts(
        made=datetime.now(UTC).astimezone(course.handing_in.zone),
        names={one.id: one.name for one in roster.people.values()} if roster else {},
        losses=losses(gradebook),
        seconds={job.key: job.seconds for job in jobs},
        published=published,
        command=command,
    )
