"""How a student's points came about, for the student: when they changed, and why, without names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from autograder.course import Course
from autograder.gradebook.editions import Contents, Edition
from autograder.gradebook.journal import Gradebook
from autograder.report.changes import Side, changes_between, contents_of
from autograder.report.graded import GradedReport

NOW = "now"
ITEMS_NAMED = 4


@dataclass(frozen=True)
class Attempt:
    """A change of what counts: when, the points in hundredths from then on, why, and which items.

    Nothing of it names a test or a person.
    """

    when: str
    points: int
    why: tuple[str, ...]
    items: tuple[str, ...]
    more: int = 0


class Attempts:
    """The attempts of a class's students, as the gradebook's editions have them."""

    def __init__(self, course: Course, gradebook: Gradebook) -> None:
        self._course, self._gradebook = course, gradebook
        self._editions: Mapping[int, Edition] = {
            one.number: one for one in gradebook.editions.all()
        }
        self._titles = {item.id: item.title for item in course.items()}

    def of(self, report: GradedReport) -> list[Attempt]:
        """Return what changed a student's points, the first time first, up to this report."""
        student, editions = report.score.student, self._gradebook.editions
        contents: Contents = {}
        states: list[tuple[str, Contents]] = [("", contents)]
        for number, items in editions.steps(student):
            contents = {**contents, **{(student, id): one for id, one in items.items() if one}}
            for id in (id for id, one in items.items() if one is None):
                contents.pop((student, id), None)
            made = datetime.fromisoformat(self._editions[number].made)
            zone = self._course.handing_in.zone
            states.append((f"{made.astimezone(zone):%Y-%m-%d %H:%M}", contents))
        states.append((NOW, contents_of(self._course, [report], editions)))
        steps = (
            self._step(student, before, now, when) for (_, before), (when, now) in pairwise(states)
        )
        return [one for one in steps if one is not None]

    def _step(self, student: str, before: Contents, now: Contents, when: str) -> Attempt | None:
        sides = [Side(each, self._gradebook.editions.parts) for each in (before, now)]
        changes = changes_between(*sides)
        if not changes:
            return None
        why = dict.fromkeys(str(cause.why) for change in changes for cause in change.causes)
        names = [self._titles.get(change.item, change.item) for change in changes]
        shown = () if not before else tuple(names[:ITEMS_NAMED])
        more = len(names) - len(shown) if before else 0
        return Attempt(when, sides[1].totals.get(student, 0), tuple(why), shown, more)
