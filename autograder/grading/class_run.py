"""The grading of a class: reading submissions, choosing gradable weeks, grading, reports."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import data
from autograder import course as courses
from autograder.course import Course, Week
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.manual_marks import demand_readable
from autograder.grading import run as grading
from autograder.grading.preview import graded_again, preview
from autograder.grading.preview import lines as preview_lines
from autograder.grading.setting import (
    KNOWN_INPUTS,
    SHIPPED_SALT,
    OurFaultError,
    RefusedError,
    datasets_here,
    why_not_here,
)
from autograder.intake.reading import IntakeError, read_class
from autograder.records import Submission, Verdict
from autograder.report.gather import GradedReport, gather
from autograder.report.terminal import say
from autograder.report.writing import write_reports
from autograder.sandbox import Confinement, Unconfined
from autograder.sandbox.choose import NotConfinedError, choose
from autograder.text.display import one_line

SubmissionsByWeek = dict[int, list[Submission]]
CollectMarks = Callable[[Console, Course, Gradebook, Path], object]


def grade_submissions(
    root: Path,
    submissions: Path,
    out: Path,
    *,
    week: int | None = None,
    jobs: int = 1,
    unconfined: bool = False,
    manual: Path | None = None,
    handed_in: Path | None = None,
    own_code: bool = False,
    dry_run: bool = False,
    collect_marks: CollectMarks | None = None,
) -> None:
    """Grade a class from beginning to end, write its reports into `out` and print its table.

    week: the number of the only week to grade, None for all weeks that were handed in.
    jobs: number of submissions examined at a time.
    manual: a CSV file with marks given by hand; handed_in: a CSV file with submission times.
    own_code: the submissions are the course's own, so they may run without confinement.
    dry_run: only print what would be graded, why, and the expected time; write nothing.
    collect_marks: imports marks given elsewhere, before the reports are written.

    Raises AutograderError; its subclass OurFaultError if the grader failed in some checks.
    """
    console = Console(highlight=False)
    course = courses.load(root)
    if course.salt == SHIPPED_SALT and not own_code:
        say(console, KNOWN_INPUTS, "yellow")
    if manual:
        demand_readable(manual)
    by_week = _read_submissions(console, course, submissions, week, handed_in)
    confinement = None if unconfined else _confinement(console, own_code)
    if confinement is None:
        say(console, "UNCONFINED: student code can read and write all that you can.", "bold red")
    else:
        say(console, f"Student code is confined by rung {confinement.name}.")
    rung = confinement.rung if confinement else ""
    by_week = _without_what_cannot_run(console, course, by_week, week, rung)
    weeks = [course.week(number) for number in by_week]
    packages = tuple(sorted({name for week in weeks for name in week.packages}))
    setting = grading.Setting(root, _datasets(console, weeks), confinement is None, packages)
    name = confinement.name if confinement else Unconfined.name
    if dry_run:
        with Gradebook.copy_of(out / "gradebook.sqlite") as gradebook:
            if week is None:
                by_week = _without_what_is_graded_already(console, course, by_week, gradebook)
            would_run = preview(root, course, setting.datasets, name, by_week, gradebook)
        for line in preview_lines(would_run, jobs):
            say(console, line)
        say(console, "A dry run: nothing was run, nothing written.")
        return
    with Gradebook.open(out / "gradebook.sqlite") as gradebook:
        students = {one.student for submissions in by_week.values() for one in submissions}
        if week is None:
            _name_weeks_without_anything(console, course, by_week, gradebook)
            by_week = _without_what_is_graded_already(console, course, by_week, gradebook)
        would_run = preview(root, course, setting.datasets, name, by_week, gradebook)
        for line in graded_again(would_run):
            say(console, line)
        _grade(console, course, setting, by_week, gradebook, jobs)
        if collect_marks:
            collect_marks(console, course, gradebook, out)
        if manual:
            count = gradebook.import_manual(manual, course)
            say(console, f"{count} marks read from {manual}")
        reports = gather(course, gradebook, students)
    write_reports(console, course, reports, out)
    failed = sum(_has_failed(report, course, by_week) for report in reports)
    if failed:
        raise OurFaultError(
            f"{failed} submission(s) could not be graded whole because the grader failed; no "
            "points are lost. The same command tries them again."
        )


def _read_submissions(
    console: Console, course: Course, folder: Path, number: int | None, handed_in: Path | None
) -> SubmissionsByWeek:
    """Read a class's submissions of one week, or of all weeks with any submission.

    Prints how they were read and what was ignored. Raises IntakeError if no submission has a file
    of any week.
    """
    weeks = [week for week in course.weeks if number in (None, week.number)]
    zone = course.handing_in.zone
    intake = read_class(folder, weeks, course.weeks, zone, handed_in)
    for remark in intake.remarks:
        say(console, remark)
    every = intake.submissions
    if number is not None:
        return every
    there = {
        number: submissions
        for number, submissions in every.items()
        if any(one.files or one.documents for one in submissions)
    }
    if not there:
        refusals = {one.refusal for each in every.values() for one in each if one.refusal}
        problem = f"no submission in {folder} holds a file of any week"
        remedy = "Are these the right submissions? --week N grades a week all the same"
        raise IntakeError(". ".join([problem, *sorted(refusals)]), remedy)
    return there


def _name_weeks_without_anything(
    console: Console, course: Course, by_week: SubmissionsByWeek, gradebook: Gradebook
) -> None:
    earlier = {week for student in gradebook.students() for week in gradebook.weeks(student)}
    for week in course.weeks:
        if week.number not in earlier | by_week.keys():
            say(console, f"{week.name}: nobody has handed in anything yet")


def _without_what_is_graded_already(
    console: Console, course: Course, by_week: SubmissionsByWeek, gradebook: Gradebook
) -> SubmissionsByWeek:
    """Leave out empty submissions of students whose earlier submission of the week is graded.

    A class may hand in each week into a separate folder; the earlier results are kept.
    """
    left = {}
    for week, submissions in by_week.items():
        left[week] = [
            one for one in submissions if not (one.is_empty and gradebook.has(one.student, week))
        ]
        count = len(submissions) - len(left[week])
        if count:
            name = course.week(week).name
            say(console, f"{name}: what {count} student(s) handed in earlier stays as it is")
    return left


def _without_what_cannot_run(
    console: Console, course: Course, by_week: SubmissionsByWeek, number: int | None, rung: str
) -> SubmissionsByWeek:
    """Leave out weeks whose packages aren't installed or can't be used on this rung.

    Raises RefusedError if the only week to grade is one of them.
    """
    left = {}
    for week in map(course.week, by_week):
        problem = why_not_here(week, rung)
        if not problem:
            left[week.number] = by_week[week.number]
            continue
        if number is not None or len(by_week) == 1:
            raise RefusedError(f"{problem}.")
        say(console, f"{problem}. It is left out.", "yellow")
    return left


def _has_failed(report: GradedReport, course: Course, weeks: Collection[int]) -> bool:
    """Tell whether a check of these weeks has no result because of a failure of the grader."""
    ours = {item.id for item in course.items() if item.week in weeks}
    items = (item for item in report.score.items if item.id in ours)
    results = (check.result for item in items for check in item.checks)
    return any(result is None or result.verdict is Verdict.INFRA for result in results)


def _confinement(console: Console, own_code: bool) -> Confinement | None:
    """Return the confinement on this machine. Raises RefusedError if there is none.

    Returns None instead for the simulated class, which is the course's own code.
    """
    try:
        return choose()
    except NotConfinedError as error:
        if not own_code:
            raise RefusedError(
                f"student code can't be confined on this machine: {error}. Mend that "
                "(`autograder doctor` says how), or say --unconfined to run it without a sandbox "
                "(only code that you trust)."
            ) from error
        say(console, f"This machine can't confine programs: {error}", "yellow")
        say(console, "The simulated class is our own code, so it runs unconfined.", "yellow")
        return None


def _datasets(console: Console, weeks: Sequence[Week]) -> dict[int, str | None]:
    """Return each week's data set by its number: its own, or the digits if it isn't cached."""
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
    by_week: Mapping[int, Sequence[Submission]],
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

        grading.grade_class(course, setting, by_week, gradebook, jobs, report)
