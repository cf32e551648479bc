"""`autograder class report`: results reported to each student, once, on their own commit.

A commit status says that it is graded; in a private repository it has the points too, and the
branch `feedback` gets the feedback. Only results of what was fetched are reported.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.course import Course
from autograder.course.points import format_points
from autograder.errors import RemoteError
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.submission import Submission
from autograder.intake.reading import take_in
from autograder.integrations.git import GitError
from autograder.integrations.github.api import Api, ApiError
from autograder.integrations.github.fetch import REPOSITORIES
from autograder.integrations.github.remote_git import Access, fetch, make_bare, push
from autograder.integrations.github.roster_file import StudentRepository
from autograder.integrations.github.state import RepositoryState, read_states, write_states
from autograder.report.changed_words import whole_results
from autograder.report.feedback import feedback
from autograder.report.gather import GradedReport, gather
from autograder.report.points_words import pending_points, points_in_words
from autograder.results.junit import junit_xml

CONTEXT = "autograder"
BRANCH = "refs/heads/feedback"
MAX_DESCRIPTION_CHARACTERS = 140
GRADED_ELSEWHERE = "Graded. This repository is public, so the result is not shown here."


class ReportError(RemoteError):
    """Nothing could be reported; the message says why and what to do."""


@dataclass(frozen=True)
class ReportOutcome:
    """The outcome for one student: whether a report was sent, and what failed or was left out."""

    student: str
    sent: bool = False
    remark: str = ""
    failed: bool = False


@dataclass(frozen=True)
class _Report:
    """A report to a student: the status of a commit, and the files of the branch `feedback`."""

    state: str
    description: str
    files: Mapping[str, bytes]

    def digest(self, commit: str) -> str:
        """Return a digest that identifies this report on a commit."""
        parts = (commit.encode(), self.state.encode(), self.description.encode())
        files = (part for name in sorted(self.files) for part in (name.encode(), self.files[name]))
        return hashlib.sha256(b"\0".join((*parts, *files))).hexdigest()


def report_class(
    root: Path,
    course: Course,
    submissions: Path,
    out: Path,
    api: Api,
    access: Access,
    push_feedback: bool,
) -> Iterator[ReportOutcome]:
    """Report to every student whose results are new; yield the outcomes.

    What was reported is remembered student by student. Raises ReportError where nothing was
    fetched or graded yet.
    """
    states = read_states(submissions)
    book = out / "gradebook.sqlite"
    if not states:
        raise ReportError(f"{submissions} holds nothing that `autograder class fetch` fetched.")
    if not book.is_file():
        raise ReportError(f"there is no gradebook in {out}; run `autograder grade` first.")
    by_week = take_in(submissions, course.weeks, root=root)
    with Gradebook.read(book) as gradebook:
        known = set(gradebook.students()) & states.keys()
        ready = {student for student in known if _is_graded(gradebook, student, by_week)}
        reports = {report.score.student: report for report in gather(course, gradebook, ready)}
    for student, state in sorted(states.items()):
        if not state.commit:
            continue  # nothing has been pushed yet
        if student not in reports:
            yield ReportOutcome(student, remark="what was fetched is not graded yet")
            continue
        report = _report(reports[student])
        if state.reported == report.digest(state.commit):
            yield ReportOutcome(student)
            continue
        try:
            remark = _send(student, state, report, submissions, api, access, push_feedback)
        except (ApiError, GitError) as error:
            yield ReportOutcome(student, remark=str(error), failed=True)
            continue
        states[student] = replace(state, reported=report.digest(state.commit))
        write_states(submissions, states)
        yield ReportOutcome(student, sent=True, remark=remark)


def _is_graded(
    gradebook: Gradebook, student: str, by_week: Mapping[int, Sequence[Submission]]
) -> bool:
    """Whether the gradebook's results are of the student's present submissions."""
    any_graded = False
    for week, submissions in by_week.items():
        submission = next((s for s in submissions if s.student == student), None)
        if submission is None or submission.is_empty:
            continue
        receipt, job = gradebook.submission(student, week), gradebook.job(student, week)
        if receipt is None or job is None:
            continue  # a week that is not graded here, the final project say
        if receipt.fingerprint != submission.fingerprint or job.state != "finished":
            return False
        any_graded = True
    return any_graded


def _report(report: GradedReport) -> _Report:
    score = report.score
    description = points_in_words(score, final=True)
    state = "success"
    if report.refusals:
        state, description = "failure", f"Not taken: {report.refusals[0]}"
    elif score.pending:
        description += f" so far; up to {format_points(pending_points(score))} are still to come"
    files = {
        "feedback.md": feedback(report).encode(),
        "results.json": whole_results(report).encode(),
        "junit.xml": junit_xml(report),
    }
    return _Report(state, description[:MAX_DESCRIPTION_CHARACTERS], files)


def _send(
    student: str,
    state: RepositoryState,
    report: _Report,
    submissions: Path,
    api: Api,
    access: Access,
    push_feedback: bool,
) -> str:
    """Push the feedback, then post the status; return a remark on what was left out."""
    slug = StudentRepository(student, state.url).slug
    description, remark = report.description, ""
    if not api.is_private(slug):
        description = GRADED_ELSEWHERE
        remark = "its repository is public: no points were shown, and no feedback was pushed"
    elif push_feedback:
        repository = make_bare(submissions / REPOSITORIES / f"{student}.git")
        # The branch keeps its history: our commit comes on top.
        fetch(repository, state.url, BRANCH, BRANCH, access)
        repository.write(BRANCH, report.files, f"Feedback on {state.commit[:12]}")
        push(repository, state.url, BRANCH, access)
    status = {"state": report.state, "context": CONTEXT, "description": description}
    api.post_status(slug, state.commit, status)
    return remark


def summary(outcomes: Sequence[ReportOutcome]) -> str:
    """Return one line with the numbers of students told, without news, and failed."""
    sent = sum(outcome.sent for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    text = f"{sent} told, {len(outcomes) - sent - failed} without news"
    return f"{text}, {failed} could not be told." if failed else f"{text}."
