"""What there is to say about one student, in the one form that every kind of report is made from.

It knows neither the gradebook nor how anything is shown, so that students have it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.course.lateness import HandedIn
from autograder.course.scoring import StudentScore
from autograder.records import CheckResult, Flag, Verdict

VERDICT_WORDS = {
    Verdict.PASS: "passed",
    Verdict.WRONG: "wrong answer",
    Verdict.RAISED: "your code raised an error",
    Verdict.NOT_ATTEMPTED: "not attempted yet",
    Verdict.TIMEOUT: "took too long",
    Verdict.MEMORY: "needed too much memory",
    Verdict.CRASH: "your code ended the process it ran in",
    Verdict.OUTPUT: "printed too much",
    Verdict.VIOLATION: "did something that is not allowed",
    Verdict.BLOCKED: "needs another item to work first",
    Verdict.INFRA: "could not be graded; this is our fault and costs no points",
    None: "not graded yet",
}


@dataclass(frozen=True)
class StudentReport:
    """All that reports say about one student.

    `confinement` is what held the student's code, `notices` what intake said about the files,
    `refusals` why a week's submission was not taken, `board` the leaderboard of the class's
    training job, and `documents`, by the ids of items marked by hand, the names of the documents
    handed in for them. `handed_in` says when each week came and what it keeps. `flags` are what a
    person should look at, each with its week's id: they are for the instructor, and no report that
    a student gets may hold them.
    """

    score: StudentScore
    confinement: str
    notices: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    board: tuple[Row, ...] = ()
    documents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    flags: tuple[tuple[str, Flag], ...] = ()
    handed_in: tuple[HandedIn, ...] = ()

    @property
    def late(self) -> tuple[HandedIn, ...]:
        """The weeks that came too late, whatever that costs."""
        return tuple(one for one in self.handed_in if one.late)


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
