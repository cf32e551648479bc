"""Reports of a class are made public: what changed is found, written and kept as an edition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from autograder.course import Course
from autograder.gradebook.editions import Edition
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.private import PRIVATE
from autograder.report.changes import Change, Side, changes_between, contents_of
from autograder.report.changes_words import changes_csv, lines, made_at
from autograder.report.gather import gather
from autograder.report.graded import GradedReport
from autograder.text.files import write_text

CHANGES_FILE = "changes.csv"
AS_FOUND = "as found"
"""The command of an edition that only keeps what an earlier version of this program had counted."""


@dataclass(frozen=True)
class Published:
    """What was made public: the changes against `before`, the edition until then (None: none)."""

    before: Edition | None
    sides: tuple[Side, Side]
    changes: list[Change]

    def lines(self, file: Path, zone: tzinfo) -> list[str]:
        """Say what changed; `file` holds every change. `zone` is the course's."""
        if self.before is None:
            return []
        since = f"in report {self.before.number} of {made_at(self.before, zone)}"
        return list(lines(self.changes, *self.sides, since, str(file)))


def publish(
    course: Course,
    gradebook: Gradebook,
    reports: Sequence[GradedReport],
    command: str,
    out: Path | None = None,
) -> Published:
    """Keep what counts in these reports as a new edition, after all other files are written.

    With `out` they are on the whole class, and OUT/changes.csv gets what differs from the edition
    before. That is compared once more by the next run where this one is stopped in between. Without
    it, whoever they are not on stays as in that edition.
    """
    editions = gradebook.editions
    last = editions.last()
    now = contents_of(course, reports, editions)
    then = editions.contents(last.number) if last else {}
    if out is None:
        students = {student for student, _ in now}
        then = {key: one for key, one in then.items() if key[0] in students}
    before = Side(then, editions.parts)
    after = Side(now, editions.parts)
    changes = changes_between(before, after)
    if out is not None:
        write_text(out / CHANGES_FILE, changes_csv(changes, before, after), PRIVATE)
    rubric = {item.id: item.points for item in course.items()}
    editions.keep(command, rubric, now, whole=out is not None)
    return Published(last, (before, after), changes)


def keep_as_found(course: Course, gradebook: Gradebook) -> None:
    """Keep what counts as a run begins, where an earlier version of this left no edition."""
    if gradebook.editions.last() is None:
        reports = gather(course, gradebook)
        if reports:
            publish(course, gradebook, reports, AS_FOUND)
