"""What a grading says about one student: what every report of a class is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.course.scoring import EARLIER, PENDING_GPU, ItemScore
from autograder.gradebook.flags import Flag
from autograder.gradebook.manual_marks import KeptMark
from autograder.gradebook.overrides import Override
from autograder.records import CheckResult
from autograder.results.student import StudentReport

NOT_TAKEN = "these points are of an earlier submission, since the last one was not taken"
"""Why an item waits whose week was handed in again with something that can't be graded."""

TRAINED_BEFORE = f"{PENDING_GPU}; until then the points of the last training count"
"""Why a training's points wait where other files were handed in since."""

COUNTS_STILL = (EARLIER, NOT_TAKEN, TRAINED_BEFORE)
"""Reasons for which points may change, and count until then: those of the last finished grading."""


@dataclass(frozen=True)
class GradedReport(StudentReport):
    """All that reports say about one student of a class.

    `refusals` say why a week's submission was not taken, `refused_weeks` of which weeks no earlier
    one counts either. `board` is the leaderboard of the class's training job, and `documents`, by
    the ids of items marked by hand, are the names of the documents handed in for them; `answers`
    are their digests. `flags` are what a person should look at, each with its week's id: they are
    for the instructor, and no report that a student gets may hold them. `late_days` is the
    student's budget of late days over the term; `undecided` are the ids of weeks that Canvas marks
    as late, and nothing says when they came. `jobs` are the keys of the jobs that items' points
    come from, and `marks` the marks by hand, each by item id. `overrides` are a person's decisions
    that are in force, in words that name them, their author and the reason, by the id of an item, a
    week or a phase, or "total". `changes` are what a person changed, and `adjustments` what that
    adds to the points of a week or a phase, by its id, or to the total. `section` is the student's
    in the roster.
    """

    refusals: tuple[str, ...] = ()
    refused_weeks: tuple[int, ...] = ()
    board: tuple[Row, ...] = ()
    documents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    flags: tuple[tuple[str, Flag], ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    late_days: int = 0
    undecided: tuple[str, ...] = ()
    jobs: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, KeptMark] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    adjustments: Mapping[str, int] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    section: str = ""

    def changes_of(self, item: str) -> tuple[Change, ...]:
        """Return what a person changed of an item, or of its checks."""
        return tuple(change for change in self.changes if change.item == item)


@dataclass(frozen=True)
class Change:
    """What a person changed, and what that made of it.

    `target` is what was named, `title` what the student reads; `item` is the item that it is told
    with, None for a week, a phase and the total. `before` and `after` are in words. `was` is the
    item as it is without this, None where it is no item. `is_stale`: it was given for an earlier
    submission.
    """

    target: str
    title: str
    item: str | None
    before: str
    after: str
    events: tuple[Override, ...]
    was: ItemScore | None = None
    is_stale: bool = False

    @property
    def words(self) -> str:
        """What it was and is now: "1.5 -> 4"."""
        return f"{self.before} -> {self.after}" if self.before else self.after

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, each reason once."""
        return tuple(dict.fromkeys(event.reason for event in self.events))


@dataclass(frozen=True)
class Row:
    """One student's training: accuracy in 0..1 of the test images (None: there is no network).

    `seconds` is what training took by the grader's clock; `result` is the record of the job, None
    where it has none yet.
    """

    student: str
    accuracy: float | None
    seconds: float
    result: CheckResult | None

    @property
    def doubts(self) -> list[str]:
        """What a person should look at."""
        return list(self.result.detail.get("doubts", [])) if self.result else []
