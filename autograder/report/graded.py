"""What a grading says about one student: what every report of a class is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.gradebook.flags import Flag
from autograder.records import CheckResult
from autograder.results.student import StudentReport


@dataclass(frozen=True)
class GradedReport(StudentReport):
    """All that reports say about one student of a class.

    `refusals` say why a week's submission was not taken, `refused_weeks` of which weeks. `board` is
    the leaderboard of the class's training job, and `documents`, by the ids of items marked by
    hand, are the names of the documents handed in for them; `answers` are their digests. `flags`
    are what a person should look at, each with its week's id: they are for the instructor, and no
    report that a student gets may hold them. `late_days` is the student's budget of late days over
    the term; `undecided` are the ids of weeks that Canvas marks as late, and nothing says when they
    came.
    """

    refusals: tuple[str, ...] = ()
    refused_weeks: tuple[int, ...] = ()
    board: tuple[Row, ...] = ()
    documents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    flags: tuple[tuple[str, Flag], ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    late_days: int = 0
    undecided: tuple[str, ...] = ()


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
