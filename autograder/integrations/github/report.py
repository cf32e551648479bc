"""`autograder class report`: each student is told of what was graded, once, on their own commit.

A commit status says that it is graded; in a private repository also the points, and the branch
`feedback` gets the feedback. Nobody is told of results that are not those of what was fetched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.course import Course
from autograder.course.points import format_points
from autograder.errors import RemoteError
from autograder.gradebook.journal import Gradebook
from autograder.intake.reading import take_in
from autograder.integrations.git import GitError
from autograder.integrations.github.api import Api, ApiError
from autograder.integrations.github.fetch import REPOSITORIES
from autograder.integrations.github.remote_git import Access, fetch, make_bare, push
from autograder.integrations.github.roster_file import Remote
from autograder.integrations.github.state import RepositoryState, read_states, write_states
from autograder.records import Submission
from autograder.report.feedback import feedback
from autograder.report.gather import GradedReport, gather
from autograder.results.junit import junit_xml
from autograder.results.results_json import results_json

CONTEXT = "autograder"
BRANCH = "refs/heads/feedback"
LONGEST_DESCRIPTION = 140
GRADED_ELSEWHERE = "Graded. This repository is public, so the result is not shown here."


class ReportError(RemoteError):
    """Nothing could be reported; the message says why and what to do."""


@dataclass(frozen=True)
class Reported:
    """What came of one student: whether anything was sent, and what went wrong or was left out."""

    student: str
    sent: bool = False
    remark: str = ""
    failed: bool = False


@dataclass(frozen=True)
class _Message:
    """What a student is told: the status of a commit, and the files of the branch `feedback`."""

    state: str
    description: str
    files: Mapping[str, bytes]

    def digest(self, commit: str) -> str:
        """Return what tells this message from any other."""
        parts = (commit.encode(), self.state.encode(), self.description.encode())
        files = (part for name in sorted(self.files) for part in (name.encode(), self.files[name]))
        return hashlib.sha256(b"\0".join((*parts, *files))).hexdigest()


def report_class(
    course: Course, submissions: Path, out: Path, api: Api, access: Access, push_feedback: bool
) -> Iterator[Reported]:
    """Tell every student whose results are new; yield what came of each.

    What has been told is remembered student by student. Raises ReportError where nothing was
    fetched or graded yet.
    """
    states = read_states(submissions)
    book = out / "gradebook.sqlite"
    if not states:
        raise ReportError(f"{submissions} holds nothing that `autograder class fetch` fetched.")
    if not book.is_file():
        raise ReportError(f"there is no gradebook in {out}; run `autograder grade` first.")
    taken = take_in(submissions, course.weeks)
    with Gradebook.read(book) as gradebook:
        known = set(gradebook.students()) & states.keys()
        ready = {student for student in known if _is_graded(gradebook, student, taken)}
        reports = {report.score.student: report for report in gather(course, gradebook, ready)}
    for student, state in sorted(states.items()):
        if student not in reports:
            yield Reported(student, remark="what was fetched is not graded yet")
            continue
        message = _message(reports[student])
        if state.reported == message.digest(state.commit):
            yield Reported(student)
            continue
        try:
            remark = _tell(student, state, message, submissions, api, access, push_feedback)
        except (ApiError, GitError) as error:
            yield Reported(student, remark=str(error), failed=True)
            continue
        states[student] = replace(state, reported=message.digest(state.commit))
        write_states(submissions, states)
        yield Reported(student, sent=True, remark=remark)


def _is_graded(
    gradebook: Gradebook, student: str, taken: Mapping[int, Sequence[Submission]]
) -> bool:
    """Tell whether the gradebook's results are of just what is among the submissions."""
    found = False
    for week, submissions in taken.items():
        mine = next((one for one in submissions if one.student == student), None)
        if mine is None or mine.is_empty:
            continue
        receipt, job = gradebook.submission(student, week), gradebook.job(student, week)
        if receipt is None or job is None:
            continue  # a week that is not graded here, the final project say
        if receipt.fingerprint != mine.fingerprint or job.state != "finished":
            return False
        found = True
    return found


def _message(report: GradedReport) -> _Message:
    score = report.score
    description = f"{format_points(score.final)} of {format_points(score.max_total)} points"
    state = "success"
    if report.refusals:
        state, description = "failure", f"Not taken: {report.refusals[0]}"
    elif score.pending:
        description += f" so far; up to {format_points(score.pending_points)} are still to come"
    files = {
        "feedback.md": feedback(report).encode(),
        "results.json": results_json(report).encode(),
        "junit.xml": junit_xml(report),
    }
    return _Message(state, description[:LONGEST_DESCRIPTION], files)


def _tell(
    student: str,
    state: RepositoryState,
    message: _Message,
    submissions: Path,
    api: Api,
    access: Access,
    push_feedback: bool,
) -> str:
    """Push the feedback, then post the status; return what was left out. Raises what they raise."""
    slug = Remote(student, state.url).slug
    description, remark = message.description, ""
    if not api.is_private(slug):
        description = GRADED_ELSEWHERE
        remark = "its repository is public: no points were shown, and no feedback was pushed"
    elif push_feedback:
        repository = make_bare(submissions / REPOSITORIES / f"{student}.git")
        # Whatever is on the branch stays in its history: ours comes on top.
        fetch(repository, state.url, BRANCH, BRANCH, access)
        repository.write(BRANCH, message.files, f"Feedback on {state.commit[:12]}")
        push(repository, state.url, BRANCH, access)
    status = {"state": message.state, "context": CONTEXT, "description": description}
    api.post_status(slug, state.commit, status)
    return remark


def summary(done: Iterable[Reported]) -> str:
    """Say in one line how many were told, had nothing new, or could not be told."""
    every = list(done)
    sent = sum(one.sent for one in every)
    failed = sum(one.failed for one in every)
    text = f"{sent} told, {len(every) - sent - failed} without news"
    return f"{text}, {failed} could not be told." if failed else f"{text}."
