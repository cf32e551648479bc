"""Reports: what is said about a student's submission, gathered once for every form of report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autograder.course import Course
from autograder.gradebook import Gradebook
from autograder.records import Verdict
from autograder.scoring import StudentScore, score_student

NOTHING_RUN = "nothing was run"

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

    `confinement` is what held the student's code, `notices` what intake said about the files, and
    `refusals` why a week's submission was not taken.
    """

    score: StudentScore
    confinement: str
    notices: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


def gather(
    course: Course, gradebook: Gradebook, students: Iterable[str] | None = None
) -> list[StudentReport]:
    """Score the gradebook's students, or only those named, in the order of their ids."""
    chosen = gradebook.students() if students is None else sorted(students)
    return [_report_on(course, gradebook, student) for student in chosen]


def _report_on(course: Course, gradebook: Gradebook, student: str) -> StudentReport:
    known = {week.number for week in course.weeks}
    weeks = [week for week in gradebook.weeks(student) if week in known]
    receipts = [gradebook.submission(student, week) for week in weeks]
    refused = {entry.week: entry.refusal for entry in receipts if entry and entry.refusal}
    jobs = [gradebook.job(student, week) for week in weeks]
    score = score_student(
        course,
        student,
        [check for week in weeks for check in gradebook.planned(student, week)],
        [result for week in weeks for result in gradebook.results(student, week)],
        gradebook.marks(student),
        refused.keys(),
    )
    return StudentReport(
        score,
        " and ".join(sorted({job.confinement for job in jobs if job})) or NOTHING_RUN,
        tuple(notice for entry in receipts if entry for notice in entry.notices),
        tuple(refused.values()),
    )
