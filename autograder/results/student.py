"""What there is to say about one student, in the one form that every kind of report is made from.

It knows neither the gradebook nor how anything is shown, so that students have it too.
"""

from __future__ import annotations

from dataclasses import dataclass

from autograder.course.lateness import HandedIn
from autograder.course.scoring import StudentScore
from autograder.records import Verdict

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
    """What there is to say about one student, whoever ran the tests.

    `confinement` is what held the student's code, `notices` what was said about the files.
    `handed_in` says when each week came and what it keeps.
    """

    score: StudentScore
    confinement: str
    notices: tuple[str, ...] = ()
    handed_in: tuple[HandedIn, ...] = ()

    @property
    def late(self) -> tuple[HandedIn, ...]:
        """The weeks that came too late, whatever that costs."""
        return tuple(one for one in self.handed_in if one.late)
