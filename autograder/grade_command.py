"""`autograder grade`: which class, which data, which confinement; progress; and the reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import data
from autograder import course as courses
from autograder import grading
from autograder.course import Course, CourseError
from autograder.export import write_class as export_class
from autograder.gradebook import Gradebook, GradebookError
from autograder.intake import IntakeError, overlooked
from autograder.manual import ManualError
from autograder.misconceptions import MisconceptionError
from autograder.records import Verdict
from autograder.report import StudentReport, gather
from autograder.report.terminal import print_class
from autograder.sandbox.choose import NotConfinedError, choose
from autograder.scoring import class_statistics
from autograder.suite.session import SuiteError

STUDENTS = 12


class RefusedError(Exception):
    """Grading would have to run strangers' code without confinement."""


class OurFaultError(Exception):
    """Some checks could not be graded, which is the grader's fault."""


KNOWN_ERRORS = (
    CourseError,
    FileExistsError,
    GradebookError,
    IntakeError,
    ManualError,
    MisconceptionError,
    OurFaultError,
    RefusedError,
    SuiteError,
)


@dataclass(frozen=True)
class Options:
    """The options of the command; `simulated` is where a simulated class is written."""

    root: Path
    submissions: Path | None
    out: Path
    week: int
    jobs: int
    unconfined: bool
    manual: Path | None
    simulated: Path


def run(options: Options) -> None:
    """Grade a class from beginning to end and print the class's table."""
    console = Console(highlight=False)
    course = courses.load(options.root)
    week = course.week(options.week)
    ours = options.submissions is None
    submissions = options.submissions or _simulate(console, course, options)
    for name in overlooked(submissions):
        _say(console, f"Not a submission, so left alone: {name}")
    unconfined = options.unconfined or not _can_confine(console, ours, options.unconfined)
    if options.unconfined:
        _say(console, "UNCONFINED: student code can read and write all that you can.", "bold red")
    dataset = _dataset(console, week.data)
    options.out.mkdir(parents=True, exist_ok=True)
    with Gradebook.open(options.out / "gradebook.sqlite") as gradebook:
        setting = grading.Setting(options.root, week.number, dataset, unconfined)
        taken = _grade(console, course, setting, submissions, gradebook, options.jobs)
        if options.manual:
            count = gradebook.import_manual(options.manual, course)
            _say(console, f"{count} marks read from {options.manual}")
        reports = gather(course, gradebook, [submission.student for submission in taken])
    written = export_class(course, reports, options.out)
    files = {
        "Points of the class": written.gradebook,
        "Feedback and results": written.students,
        "Journal": options.out / "gradebook.sqlite",
    }
    statistics = class_statistics([report.score for report in reports])
    print_class(console, course, reports, statistics, files)
    ours = sum(_has_failed(report) for report in reports)
    if ours:
        raise OurFaultError(
            f"{ours} submission(s) could not be graded whole because the grader failed; no points "
            "are lost. The same command tries them again."
        )


def _has_failed(report: StudentReport) -> bool:
    """Tell whether any of a student's checks ended by a fault of the grader."""
    results = (check.result for item in report.score.items for check in item.checks)
    return any(result is None or result.verdict is Verdict.INFRA for result in results)


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style, markup=False, soft_wrap=True)


def _simulate(console: Console, course: Course, options: Options) -> Path:
    from autograder.simulate import manifest_path, write_class

    write_class(course, options.root, options.simulated, STUDENTS, seed=0, week=options.week)
    _say(
        console, f"No submissions given: a simulated class of {STUDENTS} is in {options.simulated}/"
    )
    _say(console, f"(what was planted in it: {manifest_path(options.simulated)})")
    return options.simulated


def _can_confine(console: Console, ours: bool, unconfined: bool) -> bool:
    """Tell whether student code will be confined; refuse to run strangers' code if it can't be."""
    if unconfined:
        return False
    try:
        choose()
    except NotConfinedError as error:
        if not ours:
            raise RefusedError(
                f"student code can't be confined on this machine: {error}. Mend that, or say "
                "--unconfined to run it without a sandbox (only code that you trust)."
            ) from error
        _say(console, f"This machine can't confine programs: {error}", "yellow")
        _say(console, "The simulated class is our own code, so it runs unconfined.", "yellow")
        return False
    return True


def _dataset(console: Console, name: str | None) -> str | None:
    """Return the data set to train on: the week's, or the embedded digits where it isn't cached."""
    if name is None or data.cached(name):
        return name
    folder, here = data.cache_folder(), Path.cwd()
    shown = folder.relative_to(here) if folder.is_relative_to(here) else folder
    _say(
        console,
        f"{name} is not in {shown}: training on the embedded digits (`make data` downloads it).",
    )
    return "digits"


def _grade(
    console: Console,
    course: Course,
    setting: grading.Setting,
    submissions: Path,
    gradebook: Gradebook,
    jobs: int,
) -> list:
    columns = (
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[student]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("grading", total=None, student="")

        def report(progress: grading.Progress) -> None:
            bar.update(
                task, total=progress.total, completed=progress.done, student=progress.student
            )

        return grading.grade_class(course, setting, submissions, gradebook, jobs, report)
