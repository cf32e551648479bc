"""`autograder gradescope run`: grades one submission in Gradescope's container.

BASE (there: /autograder) holds submission/ and submission_metadata.json; results/results.json is
written at once, again after each check, and always whole: whatever ends this program, what stands
there is valid and counts. What is printed, the instructor alone sees.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder import course as courses
from autograder.course import Course, CourseError, Week
from autograder.course.lateness import judge_lateness
from autograder.course.scoring import score_student
from autograder.errors import CantExamineError, OutputError
from autograder.gradebook.flags import Flag
from autograder.gradebook.submission import Submission
from autograder.grading.operations import describe
from autograder.grading.pool import open_pool
from autograder.grading.setting import Setting, datasets_here
from autograder.grading.single import Checked, Ended, Planned, examine_one
from autograder.intake.class_entries import IntakeError, open_class
from autograder.intake.reading import read_student
from autograder.intake.starter import UNTOUCHED
from autograder.intake.students import StudentUpload, UploadPart, is_archive
from autograder.integrations.gradescope import results as shape
from autograder.integrations.gradescope.metadata import (
    Metadata,
    MetadataError,
    graded_on_that_day,
    read_metadata,
)
from autograder.integrations.gradescope.results import GradingStatus, Results, Visibility
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck
from autograder.report.gather import kept_shares
from autograder.report.lateness_words import in_words
from autograder.sandbox.runtime import installed
from autograder.text.display import many_lines, one_line
from autograder.text.files import write_bytes

OUR_FAULTS = (CantExamineError, CourseError)
SAID_ELSEWHERE = "The grader failed. What it printed, which instructors alone see, says why."
"""Stands in results.json, which is the student's file; so the cause does not."""


class NoFolderError(OutputError):
    """There is no place for results.json."""


@dataclass
class _Run:
    """One run: where it writes, and what it knows so far."""

    root: Path
    base: Path
    course: Course
    metadata: Metadata
    taken: Mapping[int, Submission]
    visibility: Visibility
    begun: float
    remarks: tuple[str, ...] = ()
    confinement: str = ""
    planned: dict[str, PlannedCheck] = field(default_factory=dict)
    results: dict[str, CheckResult] = field(default_factory=dict)
    kept: Mapping[int, int] = field(default_factory=dict)

    def write(self, running: bool) -> None:
        """Write results.json with what is known."""
        score = score_student(
            self.course,
            self.metadata.student,
            self.planned.values(),
            self.results.values(),
            open_weeks=self.taken.keys(),
            kept=self.kept,
        )
        standing = GradingStatus(
            self.taken.keys(),
            running,
            self.confinement,
            self.remarks,
            self.visibility,
        )
        write(self.base, shape.results_of(self.course, score, standing))


def write(base: Path, results: Results) -> None:
    """Put results.json in place, whole."""
    folder = base / "results"
    folder.mkdir(exist_ok=True)
    write_bytes(folder / "results.json", shape.as_json(results))


def run(
    root: Path,
    base: Path,
    *,
    week: int | None = None,
    visibility: Visibility = Visibility.VISIBLE,
    late: bool = False,
) -> None:
    """Grade what is in BASE. Raises NoFolderError where results.json can't be written.

    week: the only week, None for those of which anything is there; visibility: what students see.
    late: apply the course's rule for late work, which Gradescope may have one of its own for.
    """
    begun = time.monotonic()
    try:
        write(base, shape.started())
    except OSError as error:
        where = f"{base}/results can't be written: {error.strerror}"
        raise NoFolderError(f"{where}. Gradescope makes that folder; --base names it.") from error
    try:
        _grade(root, base, week, visibility, late, begun)
    except IntakeError as error:
        say(f"Nothing could be graded: {error}")
        write(base, shape.withheld(one_line(str(error), 1000)))
    except OUR_FAULTS as error:
        say(f"Nothing could be graded: {error}")
        write(base, shape.withheld(SAID_ELSEWHERE))
    except Exception:  # noqa: BLE001 - whatever it is: the student pays nothing for it
        say(f"The grader failed:\n{traceback.format_exc()}")
        write(base, shape.withheld(SAID_ELSEWHERE))


def prove(root: Path) -> None:
    """Prove the weeks that can be graded here, so that no submission waits for that.

    Raises CantExamineError for the first that may not be graded.
    """
    course = courses.load(root)
    weeks = [
        week for week in course.weeks if (root / "assignments" / week.folder / "hidden").is_dir()
    ]
    weeks = [week for week in weeks if all(map(installed, week.packages))]
    packages = tuple(sorted({name for week in weeks for name in week.packages}))
    with open_pool(Setting(root, datasets_here(weeks), packages=packages), 1) as pool:
        for week in weeks:
            pool.submit(describe, week.number).result()
            say(f"{week.name} is proven: its reference gets everything, its stubs get nothing.")


def say(text: str) -> None:
    """Print something for the instructor."""
    print(many_lines(text), flush=True)


def _grade(
    root: Path, base: Path, only: int | None, visibility: Visibility, late: bool, begun: float
) -> None:
    course = courses.load(root)
    try:
        metadata = read_metadata(base / "submission_metadata.json")
    except MetadataError as error:
        say(f"{error}: there are no times, so neither lateness nor the daily limit is looked at.")
        metadata = Metadata()
    say(f"{metadata.student}, handed in at {metadata.received or 'an unknown time'}")
    over = _over_the_limit(course, metadata)
    if over is not None:
        write(base, over)
        return
    taken = _take_in(root, base, only, course, metadata)
    if isinstance(taken, str):
        write(base, shape.refused(taken))
        return
    run = _Run(root, base, course, metadata, taken, visibility, begun)
    _examine(run, late)


def _over_the_limit(course: Course, metadata: Metadata) -> Results | None:
    """Return the last graded results where the day's gradings are used up; otherwise None."""
    limit = course.handing_in.gradings_per_day
    if limit is None or metadata.received is None:
        return None
    if graded_on_that_day(metadata, course.handing_in.zone) < limit:
        return None
    counted = (one for one in metadata.earlier if one.counted and one.received <= metadata.received)
    *_, last = counted
    since = last.received.isoformat(" ", "seconds")
    said = (
        f"This submission was not graded: {limit} gradings a day are allowed, and all of this "
        f"day's are used (days of {course.handing_in.time_zone}). What follows is the result of "
        f"the submission of {since}. Hand in again tomorrow; `make check` runs the public "
        "tests as often as you like."
    )
    say(said)
    return shape.repeated(last.results, last.score, one_line(said, 1000), since)


def _take_in(
    root: Path, base: Path, only: int | None, course: Course, metadata: Metadata
) -> dict[int, Submission] | str:
    """Return what was handed in, by the week's number, or why it was not taken.

    Raises CantExamineError where what it needs isn't here.
    """
    wanted = [week for week in course.weeks if only in (None, week.number)]
    student = StudentUpload(metadata.student, _pieces(base), received=metadata.received)
    taken = read_student(student, wanted, root, course.weeks)
    refusals = [one.refusal for one in taken.values() if one.refusal]
    if refusals:
        return refusals[0]
    there = {number: one for number, one in taken.items() if not one.is_empty}
    if not there:
        if any(notice.startswith(UNTOUCHED) for one in taken.values() for notice in one.notices):
            return "all files in it are as they were handed out."
        names = ", ".join(name for week in wanted for name in week.modules[:3])
        return f"it holds none of the files that are asked for ({names} ...)."
    for week in map(course.week, there):
        missing = [name for name in week.packages if not installed(name)]
        if missing:
            raise CantExamineError(f"{week.name} needs {', '.join(missing)}, which isn't installed")
    return there


def _pieces(base: Path) -> tuple[UploadPart, ...]:
    """Return what was handed in; an archive alone is all of the submission."""
    with open_class(base / "submission") as (entries, _):
        if len(entries) == 1 and is_archive(entries[0].name):
            return (UploadPart(entries[0]),)
    with open_class(base) as (entries, _):
        return tuple(UploadPart(entry) for entry in entries if entry.name == "submission")


def _examine(run: _Run, late: bool) -> None:
    """Examine the submission, and write results.json each time that more is known."""
    course, taken = run.course, run.taken
    weeks = [course.week(number) for number in taken]
    run.remarks = tuple(dict.fromkeys(note for one in taken.values() for note in one.notices))
    if late:
        _judge_lateness(run, weeks)
    packages = tuple(sorted({name for week in weeks for name in week.packages}))
    setting = Setting(run.root, datasets_here(weeks), packages=packages)
    weeks_left = set(taken)
    for told in examine_one(setting, taken):
        prefix = f"{course.week(told.week).id}/"
        if isinstance(told, Planned):
            run.confinement = told.confinement
            checks = (replace(check, id=prefix + check.id) for check in told.checks)
            run.planned |= {check.id: check for check in checks}
            weeks_left.discard(told.week)
            if weeks_left:
                continue
            say(f"{len(run.planned)} checks; student code is confined by {run.confinement}")
        elif isinstance(told, Checked):
            result = replace(told.result, check=prefix + told.result.check)
            run.results[result.check] = result
        else:
            _print_flags(prefix, told)
        run.write(running=True)
    run.write(running=False)
    say(f"graded in {time.monotonic() - run.begun:.1f} s")


def _judge_lateness(run: _Run, weeks: list[Week]) -> None:
    """Find what each week keeps of its points: due when Gradescope says, or else the course."""
    course, metadata = run.course, run.metadata
    if metadata.due is not None:
        # It holds the student's extension there, if there is one.
        due = {"due": metadata.due}
        own = tuple(week.model_copy(update=due) if week in weeks else week for week in course.weeks)
        course = course.model_copy(update={"weeks": own, "extensions": ()})
    judged = [
        judge_lateness(course, metadata.student, week.number, metadata.received) for week in weeks
    ]
    run.kept = kept_shares(judged, course)
    run.remarks += tuple(
        f"{one.week} was handed in {in_words(one.late)} late: "
        f"{100 * one.kept / FULL_CREDIT:.3g} % of its points count."
        for one in judged
        if one.late
    )


def _print_flags(prefix: str, ended: Ended) -> None:
    for flag in ended.flags:
        say(f"To be looked at: {prefix}{_told(flag)}")


def _told(flag: Flag) -> str:
    parts = (flag.rule, flag.item or "", flag.place, flag.evidence)
    return ": ".join(one_line(part, 500) for part in parts if part)
