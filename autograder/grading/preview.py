"""A preview of a grading run: the submissions to run, the reasons, and the expected time.

A submission is run if the gradebook has no complete result for its files and for all other
dependencies of the result (grading.fingerprint). The gradebook stores these parts by name, so the
reason can name the changed files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import fmean

from autograder.course import Course, Week
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.grading import fingerprint
from autograder.grading.pace import duration
from autograder.text.display import one_line

NO_FILES = Submission("").fingerprint
NAMES_SHOWN = 5
FILES_SHOWN = 4


class Why(StrEnum):
    """Why a submission is run."""

    NEW = "new"
    CHANGED = "changed"
    UNFINISHED = "unfinished"
    AGAIN = "again"


@dataclass(frozen=True)
class Reason:
    """Why a submission is run; `changes` says what changed, where only that is the reason."""

    why: Why
    changes: str = ""


@dataclass(frozen=True)
class WeekPreview:
    """The submissions of a week that would be run, by reason, and the time for one of them.

    `with_files` is the number of those with files to examine; `seconds_each` is None if no
    submission of the week was ever examined.
    """

    week: Week
    submissions: int
    to_run: Mapping[Reason, Sequence[str]]
    with_files: int
    seconds_each: float | None

    @property
    def count(self) -> int:
        """Number of submissions that would be run."""
        return sum(map(len, self.to_run.values()))


def preview(
    root: Path,
    course: Course,
    datasets: Mapping[int, str | None],
    confinement: str,
    submissions: Mapping[int, Sequence[Submission]],
    gradebook: Gradebook,
) -> list[WeekPreview]:
    """Return what grading these submissions, by the week's number, would run.

    root: the course's repository; datasets: the data of a week's accuracy threshold, by the week's
    number; confinement: the name of what would confine them, as it is recorded with results.
    """
    previews = []
    for number, handed_in in sorted(submissions.items()):
        week = course.week(number)
        dataset = datasets.get(number)
        parts = fingerprint.parts_of_week(root, course, week, confinement, dataset)
        previews.append(_preview_week(week, handed_in, parts, gradebook))
    return previews


def _preview_week(
    week: Week, submissions: Sequence[Submission], parts: Mapping[str, str], gradebook: Gradebook
) -> WeekPreview:
    earlier: dict[str, list[GradingJob]] = defaultdict(list)
    for job in gradebook.jobs(week.number):
        earlier[job.student].append(job)
    depends = fingerprint.digest(parts)
    to_run: dict[Reason, list[str]] = defaultdict(list)
    with_files = 0
    for submission in submissions:
        key = fingerprint.job_key(submission, week.number, depends)
        reason = reason_to_run(key, submission, parts, earlier[submission.student], gradebook)
        if reason is not None:
            to_run[reason].append(submission.student)
            with_files += bool(submission.files)
    measured = [
        job.seconds
        for jobs in earlier.values()
        for job in jobs
        if job.state == "finished" and job.seconds > 0 and job.fingerprint != NO_FILES
    ]
    each = fmean(measured) if measured else None
    return WeekPreview(week, len(submissions), dict(to_run), with_files, each)


def reason_to_run(
    key: str,
    submission: Submission,
    parts: Mapping[str, str],
    earlier: Sequence[GradingJob],
    gradebook: Gradebook,
) -> Reason | None:
    """Return why a submission is run whose job has this key; None where it has its result.

    parts: what the result depends on; earlier: the student's jobs of this kind, the latest first.
    """
    own = next((job for job in earlier if job.key == key), None)
    if own is not None and own.state == "finished":
        return None
    finished = [job for job in earlier if job.state == "finished"]
    same_files = [job for job in finished if job.fingerprint == submission.fingerprint]
    if same_files and own is None:
        before = gradebook.dependencies(same_files[0].key)
        return Reason(Why.AGAIN, changes(before, parts))
    if own is not None or any(job.fingerprint == submission.fingerprint for job in earlier):
        return Reason(Why.UNFINISHED)
    handed_in = any(job.fingerprint != NO_FILES for job in earlier)
    return Reason(Why.CHANGED if handed_in else Why.NEW)


# What changed, in words.


def changes(before: Mapping[str, str] | None, now: Mapping[str, str]) -> str:
    """Return a text that names the changed parts, grouped by kind."""
    if before is None:
        return "what they depended on when they were graded is not known"
    differing: dict[str, list[str]] = defaultdict(list)
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            kind, _, what = name.partition(": ")
            if kind == fingerprint.CODE:
                room, _, what = what.rpartition("/")
                kind = f"the code in {room}/"
            differing[kind].append(_difference(kind, what, before.get(name), now.get(name)))
    said = []
    for kind, names in differing.items():
        shown = listed([name for name in names if name], FILES_SHOWN)
        said.append(f"{kind} changed ({shown})" if shown else f"{kind} changed")
    return "; ".join(said)


def _difference(kind: str, name: str, before: str | None, now: str | None) -> str:
    """Say what happened to one part: its name, and both values where they say something."""
    if kind == fingerprint.CONFINEMENT:
        return f"{before} before, {now} now"
    if kind == fingerprint.SALT:
        return ""
    if before is None:
        return f"{name}: new"
    if now is None:
        return f"{name}: gone"
    telling = kind in (fingerprint.VERSIONS, fingerprint.SETTINGS)
    if telling and len(before) < fingerprint.DIGEST_LENGTH > len(now):
        return f"{name}: {before} before, {now} now"
    return name


def listed(names: Sequence[str], most: int = NAMES_SHOWN) -> str:
    """Name the first of these, and say how many more there are."""
    rest = len(names) - most
    shown = ", ".join(one_line(name) for name in names[:most])
    return f"{shown} and {rest} more" if rest > 0 else shown


# What is said to whoever grades.


def lines(previews: Iterable[WeekPreview], jobs: int) -> list[str]:
    """Say what would run of each week, why, and about how long with so many jobs at once."""
    said, total, unknown = [], 0.0, False
    for one in previews:
        name = _capital(one.week.name)
        if not one.count:
            said.append(f"{name}: nothing would run, all {_counted(one.submissions)} have results.")
            continue
        said.append(
            f"{name}: {one.count} of {_counted(one.submissions)} would run, {_time(one, jobs)}."
        )
        said += [
            f"  {len(who)} {_in_words(reason)}: {listed(who, NAMES_SHOWN)}"
            for reason, who in one.to_run.items()
        ]
        unknown |= one.seconds_each is None
        total += _seconds(one, jobs)
    if unknown:
        said.append("In all: the time is not known before a submission of each week was graded.")
    elif total:
        said.append(f"In all about {duration(total)}.")
    return said


def graded_again(previews: Iterable[WeekPreview]) -> list[str]:
    """Say, for a run that begins, which submissions are graded again though they are the same."""
    return [
        f"{_counted(len(who))} of {one.week.name} {'is' if len(who) == 1 else 'are'} graded again: "
        f"{reason.changes}."
        for one in previews
        for reason, who in one.to_run.items()
        if reason.why is Why.AGAIN
    ]


def _in_words(reason: Reason) -> str:
    return {
        Why.NEW: "not graded before",
        Why.CHANGED: "handed in anew with other files",
        Why.UNFINISHED: "begun before, without a whole result",
        Why.AGAIN: f"again, since {reason.changes}",
    }[reason.why]


def _counted(number: int) -> str:
    return f"{number} submission{'' if number == 1 else 's'}"


def _seconds(one: WeekPreview, jobs: int) -> float:
    """Return the expected time of a week; submissions without files count as 0."""
    at_once = max(1, min(jobs, one.with_files))
    return (one.seconds_each or 0.0) * one.with_files / at_once


def _time(one: WeekPreview, jobs: int) -> str:
    if one.seconds_each is None:
        limit = f"{one.week.limits.training_seconds:g} s"
        return (
            "for an unknown time: none of this week was ever graded into this folder; one training "
            f"may take up to {limit} (training_seconds)"
        )
    if not one.with_files:
        return "in next to no time: they hold no files"
    return (
        f"in about {duration(_seconds(one, jobs))} ({one.seconds_each:.1f} s each before, "
        f"{min(jobs, one.with_files)} at once)"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
