"""`autograder grade`: which class, weeks, data and confinement; progress; and the reports."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import data
from autograder import course as courses
from autograder.course import Course, CourseError, Week
from autograder.gradebook.journal import Gradebook, GradebookError
from autograder.gradebook.manual_marks import ManualError
from autograder.grading import run as grading
from autograder.grading.setting import (
    KNOWN_INPUTS,
    SHIPPED_SALT,
    OurFaultError,
    RefusedError,
    datasets_here,
    why_not_here,
)
from autograder.intake.reading import IntakeError, read_class
from autograder.integrations.formgrader.marks import MarksError, collect_marks
from autograder.records import Submission, Verdict
from autograder.reference.misconceptions import MisconceptionError
from autograder.report.gather import GradedReport, gather
from autograder.report.terminal import say
from autograder.report.writing import write_reports
from autograder.sandbox import Confinement
from autograder.sandbox.choose import NotConfinedError, choose
from autograder.suite.session import SuiteError
from autograder.text.display import one_line

STUDENTS = 12
Taken = dict[int, list[Submission]]


KNOWN_ERRORS = (
    CourseError,
    FileExistsError,
    GradebookError,
    IntakeError,
    ManualError,
    MarksError,
    MisconceptionError,
    OurFaultError,
    RefusedError,
    SuiteError,
)


@dataclass(frozen=True)
class Options:
    """The options of the command; `simulated` is where a simulated class is written.

    `week` is the number of the only week to grade, None for all that the class handed in;
    `handed_in` a file that says when each student did.
    """

    root: Path
    submissions: Path | None
    out: Path
    week: int | None
    jobs: int
    unconfined: bool
    manual: Path | None
    simulated: Path
    handed_in: Path | None = None


def run(options: Options) -> None:
    """Grade a class from beginning to end and print the class's table."""
    console = Console(highlight=False)
    course = courses.load(options.root)
    ours = options.submissions is None
    if course.salt == SHIPPED_SALT and not ours:
        say(console, KNOWN_INPUTS, "yellow")
    submissions = options.submissions or _simulate(console, course, options)
    taken = _take_in(console, course, submissions, options)
    confinement = None if options.unconfined else _confinement(console, ours)
    unconfined = confinement is None
    if confinement is None:
        say(console, "UNCONFINED: student code can read and write all that you can.", "bold red")
    else:
        say(console, f"Student code is confined by rung {confinement.name}.")
    rung = confinement.rung if confinement else ""
    taken = _without_what_cannot_run(console, course, taken, options.week, rung)
    weeks = [course.week(number) for number in taken]
    packages = tuple(sorted({name for week in weeks for name in week.packages}))
    setting = grading.Setting(options.root, _datasets(console, weeks), unconfined, packages)
    options.out.mkdir(parents=True, exist_ok=True)
    with Gradebook.open(options.out / "gradebook.sqlite") as gradebook:
        students = {one.student for submissions in taken.values() for one in submissions}
        if options.week is None:
            _name_weeks_without_anything(console, course, taken, gradebook)
            taken = _without_what_is_graded_already(console, course, taken, gradebook)
        _grade(console, course, setting, taken, gradebook, options.jobs)
        collect_marks(console, course, gradebook, options.out)
        if options.manual:
            count = gradebook.import_manual(options.manual, course)
            say(console, f"{count} marks read from {options.manual}")
        reports = gather(course, gradebook, students)
    write_reports(console, course, reports, options.out)
    failed = sum(_has_failed(report, course, taken) for report in reports)
    if failed:
        raise OurFaultError(
            f"{failed} submission(s) could not be graded whole because the grader failed; no "
            "points are lost. The same command tries them again."
        )


def _take_in(console: Console, course: Course, submissions: Path, options: Options) -> Taken:
    """Read what a class handed in: of one week, or of all weeks of which it did anything.

    Says what it was read as, and what was left alone. Raises IntakeError where it did nothing of
    any week.
    """
    number = options.week
    weeks = [week for week in course.weeks if number in (None, week.number)]
    zone = course.handing_in.zone
    intake = read_class(submissions, weeks, course.weeks, zone, options.handed_in)
    for remark in intake.remarks:
        say(console, remark)
    taken = intake.submissions
    if number is not None:
        return taken
    there = {
        number: found
        for number, found in taken.items()
        if any(one.files or one.documents for one in found)
    }
    if not there:
        refusals = {one.refusal for found in taken.values() for one in found if one.refusal}
        problem = f"no submission in {submissions} holds a file of any week"
        remedy = "Are these the right submissions? --week N grades a week all the same"
        raise IntakeError(". ".join([problem, *sorted(refusals), remedy]) + ".")
    return there


def _name_weeks_without_anything(
    console: Console, course: Course, taken: Taken, gradebook: Gradebook
) -> None:
    earlier = {week for student in gradebook.students() for week in gradebook.weeks(student)}
    for week in course.weeks:
        if week.number not in earlier | taken.keys():
            say(console, f"{week.name}: nobody has handed in anything yet")


def _without_what_is_graded_already(
    console: Console, course: Course, taken: Taken, gradebook: Gradebook
) -> Taken:
    """Leave out the students who hand in nothing of a week now and did so earlier.

    A class may hand in week after week, each into a folder of its own: what was graded stays.
    """
    left = {}
    for week, found in taken.items():
        left[week] = [
            one for one in found if not (one.is_empty and gradebook.has(one.student, week))
        ]
        count = len(found) - len(left[week])
        if count:
            name = course.week(week).name
            say(console, f"{name}: what {count} student(s) handed in earlier stays as it is")
    return left


def _without_what_cannot_run(
    console: Console, course: Course, taken: Taken, number: int | None, rung: str
) -> Taken:
    """Leave out weeks that need packages which aren't installed, or can't be used on this rung.

    Raises RefusedError where the only week that was asked for is one of them.
    """
    left = {}
    for week in map(course.week, taken):
        problem = why_not_here(week, rung)
        if not problem:
            left[week.number] = taken[week.number]
            continue
        if number is not None or len(taken) == 1:
            raise RefusedError(f"{problem}.")
        say(console, f"{problem}. It is left out.", "yellow")
    return left


def _has_failed(report: GradedReport, course: Course, weeks: Collection[int]) -> bool:
    """Tell whether any of a student's checks of these weeks ended by a fault of the grader."""
    ours = {item.id for item in course.items() if item.week in weeks}
    items = (item for item in report.score.items if item.id in ours)
    results = (check.result for item in items for check in item.checks)
    return any(result is None or result.verdict is Verdict.INFRA for result in results)


def _simulate(console: Console, course: Course, options: Options) -> Path:
    from autograder.author.simulate.class_folder import manifest_path, write_class

    write_class(course, options.root, options.simulated, STUDENTS, seed=0, only=options.week)
    say(
        console, f"No submissions given: a simulated class of {STUDENTS} is in {options.simulated}/"
    )
    say(console, f"(what was planted in it: {manifest_path(options.simulated)})")
    return options.simulated


def _confinement(console: Console, ours: bool) -> Confinement | None:
    """Return what confines student code here; refuse to run strangers' code without it.

    None for the simulated class, which is our own code, where this machine can't confine.
    """
    try:
        return choose()
    except NotConfinedError as error:
        if not ours:
            raise RefusedError(
                f"student code can't be confined on this machine: {error}. Mend that "
                "(`autograder doctor` says how), or say --unconfined to run it without a sandbox "
                "(only code that you trust)."
            ) from error
        say(console, f"This machine can't confine programs: {error}", "yellow")
        say(console, "The simulated class is our own code, so it runs unconfined.", "yellow")
        return None


def _datasets(console: Console, weeks: Sequence[Week]) -> dict[int, str | None]:
    """Return the data to train on: each week's, or the embedded digits where it isn't cached."""
    folder, here = data.cache_folder(), Path.cwd()
    shown = folder.relative_to(here) if folder.is_relative_to(here) else folder
    chosen = datasets_here(weeks)
    missing = {week.data for week in weeks if week.data and week.data != chosen[week.number]}
    for name in sorted(missing):
        say(
            console,
            f"{name} is not in {shown}: training on the embedded digits "
            "(`make data` downloads it).",
        )
    return chosen


def _grade(
    console: Console,
    course: Course,
    setting: grading.Setting,
    taken: Mapping[int, Sequence[Submission]],
    gradebook: Gradebook,
    jobs: int,
) -> None:
    columns = (
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[last]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("grading", total=None, last="")

        def report(progress: grading.Progress) -> None:
            week = course.week(progress.week).name if progress.week else ""
            last = f"{one_line(progress.student)}, {week}" if progress.student else ""
            bar.update(task, total=progress.total, completed=progress.done, last=last)

        grading.grade_class(course, setting, taken, gradebook, jobs, report)
