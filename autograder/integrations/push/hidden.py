"""One push graded with the hidden tests: recorded, reported, and committed for the student."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from autograder.course import Course
from autograder.course.scoring import EARLIER
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.submission import Submission
from autograder.grading.run import grade_class
from autograder.grading.setting import Setting
from autograder.integrations.git import GitError, Repository
from autograder.integrations.push.ledger import Ledger, Push
from autograder.integrations.push.refs import FEEDBACK_BRANCH, HEADS
from autograder.records import Verdict
from autograder.report.class_files import write_class, write_student
from autograder.report.class_page_file import write_class_page
from autograder.report.gather import gather
from autograder.report.publishing import keep_as_found, publish
from autograder.report.student_page import Background
from autograder.results.student import StudentReport

SHOWN = ("feedback.md", "results.json", "training.svg")
GRADEBOOK = "gradebook.sqlite"


def grade(
    course: Course, setting: Setting, weeks: Mapping[int, Submission], out: Path, pool: Executor
) -> StudentReport:
    """Grade one student's weeks in an open pool, write the student's reports, and return them.

    What the gradebook has results of is not run again. Raises GradebookError, CantExamineError, and
    CancelledError where the pool is given up.
    """
    [student] = {one.student for one in weeks.values()}
    taken = {number: [one] for number, one in weeks.items()}
    with Gradebook.open(out / GRADEBOOK) as gradebook:
        keep_as_found(course, gradebook)
        grade_class(course, setting, taken, gradebook, 1, lambda _: None, pool)
        [report] = gather(course, gradebook, [student])
        write_student(report, out, Background.of(course, gradebook))
        publish(course, gradebook, [report], "push")
    return report


def in_time(ledger: Ledger, push: Push, weeks: Mapping[int, Submission]) -> dict[int, Submission]:
    """Return what a push holds, each week with the time at which these files first came."""
    found = {}
    for number, one in weeks.items():
        received, commit = ledger.first(push, number)
        found[number] = replace(one, received=received, commit=commit)
    return found


def is_graded(gradebook: Gradebook, one: Submission, week: int) -> bool:
    """Whether the student's last grading of a week used the same modules and is complete."""
    job = gradebook.job(one.student, week)
    return bool(job and job.fingerprint == one.fingerprint and job.state == "finished")


def our_faults(report: StudentReport, course: Course, weeks: Mapping[int, Submission]) -> int:
    """Return how many checks of these weeks ended by a fault of the grader.

    Where it failed, the report is still on the last grading that came to its end: EARLIER.
    """
    ours = {item.id for item in course.items() if item.week in weeks}
    items = [item for item in report.score.items if item.id in ours]
    return sum(
        item.reason == EARLIER or check.result is None or check.result.verdict is Verdict.INFRA
        for item in items
        for check in item.checks
    )


def write_whole_class(course: Course, out: Path) -> None:
    """Write the class's tables, and everybody's reports, as `autograder grade` does."""
    with Gradebook.open(out / GRADEBOOK) as gradebook:
        reports = gather(course, gradebook)
        if reports:
            write_class(course, reports, out, gradebook)
            published = publish(course, gradebook, reports, "push")
            write_class_page(course, gradebook, reports, out, published, "push")


def commit_feedback(push: Push, out: Path) -> str:
    """Commit the student's reports to the branch of grades; return why that failed, or ""."""
    folder = out / "students" / push.student
    files = {name: (folder / name).read_bytes() for name in SHOWN if (folder / name).is_file()}
    if push.branch == HEADS + FEEDBACK_BRANCH:
        return f"the branch {FEEDBACK_BRANCH} is the student's own"
    try:
        Repository(push.repository).write(HEADS + FEEDBACK_BRANCH, files, f"Graded {push.commit}\n")
    except GitError as error:
        return str(error)
    return ""
