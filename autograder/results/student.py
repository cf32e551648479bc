"""The report on one student: the data from which all formats are written.

It depends on neither the gradebook nor any output format, and is part of the students' tree.
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
    """The data of one student's report, in grading and in public runs.

    `confinement` is what held the student's code, `notices` what was said about the files.
    `handed_in` says when each week came and what it keeps.
    """

    score: StudentScore
    confinement: str
    notices: tuple[str, ...] = ()
    handed_in: tuple[HandedIn, ...] = ()

    @property
    def late(self) -> tuple[HandedIn, ...]:
        """The weeks handed in late, whether or not points are deducted."""
        return tuple(one for one in self.handed_in if one.late)
