"""The grading of a class: reading submissions, choosing gradable weeks, grading, reports."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console

import data
from autograder import course as courses
from autograder.course import Course, Week
from autograder.gradebook.author import author_here
from autograder.gradebook.called import Called
from autograder.gradebook.graded_files import keep_folder
from autograder.gradebook.heartbeat import RunningJob
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.manual_marks import demand_readable
from autograder.gradebook.override_lines import OverrideReader
from autograder.gradebook.overrides import Override
from autograder.gradebook.people import (
    KnownPeople,
    Loss,
    adopt_ids,
    keep_people,
    known_people,
    losses,
    names_before,
    rename_keys,
)
from autograder.gradebook.private import PRIVATE, make_private
from autograder.gradebook.roster import FILE as ROSTER
from autograder.gradebook.roster import Roster, roster_of
from autograder.gradebook.submission import Submission
from autograder.grading import run as grading
from autograder.grading.choice import EVERYTHING, Choice, among, chosen
from autograder.grading.cluster.opening import open_nodes
from autograder.grading.cluster.pool import ClusterPool
from autograder.grading.cluster.setting import ClusterError, ClusterSetting
from autograder.grading.fork_server import running_server
from autograder.grading.inputs import Inputs, read_inputs
from autograder.grading.lock import only_grading
from autograder.grading.operations import describe
from autograder.grading.places import Place, demand_apart
from autograder.grading.pool import ExaminerPool, open_pool
from autograder.grading.preview import WeekPreview, graded_again, listed, preview
from autograder.grading.preview import lines as preview_lines
from autograder.grading.progress import Display, console_of_run
from autograder.grading.renamed import keys_for
from autograder.grading.setting import (
    KNOWN_INPUTS,
    SHIPPED_SALT,
    OurFaultError,
    RefusedError,
    datasets_here,
    why_not_here,
)
from autograder.intake.reading import Intake, IntakeError, read_class
from autograder.report.gather import gather
from autograder.report.losses import NOTICES, notices_csv, print_losses
from autograder.report.publishing import keep_as_found
from autograder.report.terminal import say
from autograder.report.writing import write_reports
from autograder.sandbox import Confinement, Unconfined
from autograder.sandbox.choose import NotConfinedError, choose
from autograder.text.files import write_bytes, write_text

SubmissionsByWeek = dict[int, list[Submission]]
CollectMarks = Callable[[Console, Course, Gradebook, Path], object]
GRADEBOOK = "gradebook.sqlite"
STOPPED = "Stopped. The reports hold what is finished; who was not reached keeps the last results."


def grade_submissions(
    root: Path,
    submissions: Path,
    out: Path,
    *,
    week: int | None = None,
    jobs: int = 1,
    unconfined: bool = False,
    manual: Path | None = None,
    overrides: Path | None = None,
    handed_in: Path | None = None,
    roster: Path | None = None,
    own_code: bool = False,
    dry_run: bool = False,
    collect_marks: CollectMarks | None = None,
    choice: Choice = EVERYTHING,
    cluster: ClusterSetting | None = None,
) -> None:
    """Grade a class from beginning to end, write its reports into `out` and print its table.

    The reports cover everybody whom the gradebook or these submissions know, whatever is graded.

    week: the number of the only week to grade, None for all weeks that were handed in.
    jobs: number of submissions examined at a time.
    manual: a CSV file with marks given by hand; handed_in: a CSV file with submission times.
    roster: a CSV file that says who is in the class; without it the one kept in `out`, if any.
    overrides: a CSV file with what a person changes; it is checked, and kept, before grading.
    own_code: the submissions are the course's own, so they may run without confinement.
    dry_run: only print what would be graded, why, and the expected time; write nothing.
    collect_marks: imports marks given elsewhere, before the reports are written.
    choice: which of the submissions to grade.
    cluster: the nodes to grade on, None for this machine.

    Raises AutograderError; its subclass OurFaultError if the grader failed in some checks. On
    KeyboardInterrupt the reports are written with what the gradebook has.
    """
    if not (dry_run or cluster):
        running_server()  # it loads its modules in parallel with the next steps
    demand_apart(submissions, out)
    console = console_of_run()
    course = courses.load(root)
    if course.salt == SHIPPED_SALT and not own_code:
        say(console, KNOWN_INPUTS, "yellow")
    if manual:
        demand_readable(manual)
    given = roster_of(course.weeks, roster) if roster else None
    known = known_people(out, course.weeks)
    by_week, intake = _read_submissions(
        *(console, root, course, submissions, week, handed_in, given, known)
    )
    if not by_week:
        say(console, "Nobody has handed in anything yet: there is nothing to grade.")
        return
    everybody = {one.student for each in by_week.values() for one in each}
    everybody |= set(intake.roster.people if intake.roster else ())
    inputs = read_inputs(
        *(course, out / GRADEBOOK, by_week, manual, own_code, everybody, intake.roster)
    )
    for remark in inputs.remarks:
        say(console, remark, "yellow")
    choice = among(choice, everybody, intake.roster)
    if dry_run and cluster:
        say(console, "A dry run asks no node: it goes by this machine's confinement.")
        cluster = None
    confinement = None if unconfined or cluster else _confinement(console, own_code)
    if unconfined or not (confinement or cluster):
        say(console, "UNCONFINED: student code can read and write all that you can.", "bold red")
    elif confinement:
        say(console, f"Student code is confined by rung {confinement.name}.")
    rung = confinement.rung if confinement else ""
    by_week = _without_what_cannot_run(console, course, by_week, week, rung)
    weeks = [course.week(number) for number in by_week]
    packages = tuple(sorted({name for week in weeks for name in week.packages}))
    plain = confinement is None and not cluster
    setting = grading.Setting(root, _datasets(console, weeks), unconfined or plain, packages)
    name = confinement.name if confinement else Unconfined.name
    here = (console, course, setting, name, by_week, everybody, week is None, choice)
    run = _ClassRun(*here, intake=intake, source=str(submissions.absolute()))
    if dry_run:
        with Gradebook.copy_of(out / GRADEBOOK) as gradebook:
            run.read_overrides(gradebook, overrides)
            run.preview(gradebook, jobs)
        return
    with Gradebook.open(out / GRADEBOOK) as gradebook, only_grading(out):
        make_private(out)
        run = replace(run, overrides=run.read_overrides(gradebook, overrides))
        keep_folder(out / GRADEBOOK, submissions)
        if intake.roster and intake.roster is not known.roster:
            write_bytes(out / ROSTER, intake.roster.content, PRIVATE)
        if cluster is None:
            run.grade(gradebook, out, jobs, inputs, collect_marks)
            return
        with open_nodes(course, setting, cluster, lambda line: say(console, line)) as pool:
            run = replace(run, confinement=pool.confinement, pool=pool)
            run.grade(gradebook, out, pool.places, inputs, collect_marks)


@dataclass(frozen=True)
class _ClassRun:
    """The grading of submissions that were read: by week, and the ids of all students.

    `confinement` is the name of what confines them; `all_weeks` says that no week was asked for;
    `pool` are the nodes that examine them, None for this machine. `intake` is what was read at the
    place `source`; `overrides` are what a person changes.
    """

    console: Console
    course: Course
    setting: grading.Setting
    confinement: str
    by_week: SubmissionsByWeek
    everybody: Collection[str]
    all_weeks: bool
    choice: Choice
    pool: ClusterPool | None = None
    intake: Intake = field(default_factory=lambda: Intake({}))
    source: str = ""
    overrides: Sequence[Override] = ()

    def read_overrides(self, gradebook: Gradebook, file: Path | None) -> list[Override]:
        """Return what a file changes and the gradebook does not have yet."""
        if file is None:
            return []
        known = {*gradebook.students(), *self.everybody}
        names = Called(known, self.intake.roster, names_before(gradebook))
        reader = OverrideReader(self.course, gradebook, names)
        new = reader.read_file(file, author_here())
        say(self.console, f"{file}: {len(new)} new changes by a person")
        return new

    def preview(self, gradebook: Gradebook, jobs: int) -> None:
        """Say what would run."""
        for line in preview_lines(self._previews(self._to_grade(gradebook), gradebook), jobs):
            say(self.console, line)
        say(self.console, "A dry run: nothing was run, nothing written.")

    def grade(
        self,
        gradebook: Gradebook,
        out: Path,
        jobs: int,
        inputs: Inputs,
        collect_marks: CollectMarks | None,
    ) -> None:
        """Grade, write the reports, and say what took longest."""
        place = Place(out / GRADEBOOK)
        if self.all_weeks:
            _name_weeks_without_anything(self.console, self.course, self.by_week, gradebook)
        found, new_ids = self._adopted(gradebook, out)
        keep_people(gradebook, self.source, self.intake.identities, [*self.intake.losses, *found])
        keep_as_found(self.course, gradebook)
        gradebook.add_overrides(
            replace(one, student=new_ids.get(one.student, one.student)) for one in self.overrides
        )
        to_grade = self._to_grade(gradebook)
        stopped: KeyboardInterrupt | ClusterError | None = None
        display: Display | None = None
        try:
            # Leaving it ends what examines, also on nodes, before anything else is done.
            with self._examiners(to_grade, jobs) as pool:
                previews = self._previews(to_grade, gradebook)
                for line in graded_again(previews):
                    say(self.console, line)
                each = {one.week.number: one.seconds_each for one in previews}
                display = Display(self.console, self.course, each, jobs)
                if pool is not None:
                    self._run(to_grade, gradebook, pool, jobs, display)
            if collect_marks:
                collect_marks(self.console, self.course, gradebook, out)
            if inputs.marks:
                gradebook.take_marks(inputs.marks.renamed(new_ids), self.course)
                count = len(inputs.marks.marks)
                say(self.console, f"{count} marks read from {inputs.manual}")
        except (KeyboardInterrupt, ClusterError) as error:
            stopped = error
            say(self.console, STOPPED, "yellow")
        for line in display.longest() if display else ():
            say(self.console, line)
        place.demand_there()
        self._report(gradebook, out)
        if stopped is None:
            gradebook.tidy()
        if stopped is not None:
            raise stopped
        _demand_whole_results(to_grade, gradebook)

    def _adopted(self, gradebook: Gradebook, out: Path) -> tuple[list[Loss], dict[str, str]]:
        """Give students who were graded before there was a roster the ids that it has for them.

        Returns what is to be told of that, and the new ids by the old ones.
        """
        if self.intake.roster is None:
            return [], {}
        ids, found = adopt_ids(gradebook, self.intake.roster)
        for old, new in ids.items():
            rename_keys(gradebook, keys_for(gradebook, new))
            folder = out / "students" / old
            if folder.is_dir() and not folder.with_name(new).exists():
                folder.rename(folder.with_name(new))
        for one in found:
            say(self.console, one.text)
        return found, ids

    def _examiners(
        self, to_grade: SubmissionsByWeek, jobs: int
    ) -> ClusterPool | ExaminerPool | AbstractContextManager[None]:
        """Return what examines: the nodes, or examiners here, which begin to plan at once.

        Nothing where there is nothing to grade.
        """
        weeks = [week for week, submissions in to_grade.items() if submissions]
        if not weeks:
            return nullcontext()
        if self.pool is not None:
            return self.pool
        pool = open_pool(self.setting, jobs)
        try:
            for week in weeks:
                pool.submit(describe, week)  # whoever asks next gets this plan, or its failure
        except BaseException:
            pool.give_up()
            raise
        return pool

    def _to_grade(self, gradebook: Gradebook) -> SubmissionsByWeek:
        """Return what is chosen, without what is graded already."""
        console, course = self.console, self.course
        left = _without_absent_known_before(self.by_week, self.intake.absent, gradebook)
        left = _without_what_is_graded_already(console, course, left, gradebook)
        if self.choice.is_everything:
            return left
        picked = chosen(left, self.choice, gradebook)
        number, total = (sum(map(len, each.values())) for each in (picked, left))
        say(self.console, f"Only {number} of {total} submissions: those {self.choice}.")
        return picked

    def _previews(self, to_grade: SubmissionsByWeek, gradebook: Gradebook) -> list[WeekPreview]:
        root, datasets = self.setting.root, self.setting.datasets
        return preview(root, self.course, datasets, self.confinement, to_grade, gradebook)

    def _run(
        self,
        to_grade: SubmissionsByWeek,
        gradebook: Gradebook,
        pool: ClusterPool | ExaminerPool,
        jobs: int,
        display: Display,
    ) -> None:
        """Grade, with a heartbeat in the gradebook."""

        def report(progress: grading.Progress) -> None:
            if not progress.student:
                gradebook.beat(jobs)
            display.report(progress)

        def watch(running: Sequence[RunningJob]) -> None:
            gradebook.beat(pool.places if isinstance(pool, ClusterPool) else jobs, running)
            display.watch(running)

        left_out = self._left_out(to_grade, gradebook)
        with display.shown():
            grading.grade_class(
                self.course, self.setting, to_grade, gradebook, jobs, report, pool, watch, left_out
            )

    def _left_out(self, to_grade: SubmissionsByWeek, gradebook: Gradebook) -> SubmissionsByWeek:
        """Return what is not to be graded now, of those of whose week nothing is known yet."""
        left_out = {}
        for week, submissions in to_grade.items():
            known = {one.student for one in submissions}
            others = [one for one in self.by_week[week] if one.student not in known]
            left_out[week] = [
                one
                for one in others
                if not (one.is_empty or gradebook.submission(one.student, week))
            ]
        return left_out

    def _report(self, gradebook: Gradebook, out: Path) -> None:
        """Write the reports of everybody in the gradebook or in these submissions."""
        known = set(gradebook.students())
        others = sorted(known - set(self.everybody))
        if others:
            say(
                self.console,
                f"In the reports with their last results, and not among these submissions: "
                f"{listed(others)}. Another class belongs into another folder (--out).",
            )
        reports = gather(self.course, gradebook, known | set(self.everybody))
        if reports:
            here = (self.console, self.course, gradebook, reports, out, "grade")
            write_reports(*here, section=self.choice.section)
            _report_losses(self.console, gradebook, self.intake, out)


def _report_losses(console: Console, gradebook: Gradebook, intake: Intake, out: Path) -> None:
    """Write notices.csv, and print what was lost at the intake of this run."""
    write_text(out / NOTICES, notices_csv(losses(gradebook)), PRIVATE)
    never = [one for one in sorted(intake.absent) if not _has_anything(one, gradebook)]
    print_losses(console, intake.losses, never, out / NOTICES)


def _has_anything(student: str, gradebook: Gradebook) -> bool:
    """Whether anything of a student's was ever taken."""
    return any(gradebook.has(student, week) for week in gradebook.weeks(student))


def _without_absent_known_before(
    by_week: SubmissionsByWeek, absent: Collection[str], gradebook: Gradebook
) -> SubmissionsByWeek:
    """Leave out those of whom there is nothing now and was something before."""

    def is_new(student: str, week: int) -> bool:
        before = gradebook.submission(student, week)
        return before is None or not (gradebook.has(student, week) or before.refusal)

    return {
        week: [one for one in each if one.student not in absent or is_new(one.student, week)]
        for week, each in by_week.items()
    }


def _read_submissions(
    console: Console,
    root: Path,
    course: Course,
    folder: Path,
    number: int | None,
    handed_in: Path | None,
    roster: Roster | None,
    known: KnownPeople,
) -> tuple[SubmissionsByWeek, Intake]:
    """Read a class's submissions of one week, or of all weeks with any submission.

    Prints how they were read and what was ignored. Raises IntakeError if no submission has a file
    of any week; nothing is returned where all have only what was handed out.
    """
    weeks = [week for week in course.weeks if number in (None, week.number)]
    zone = course.handing_in.zone
    intake = read_class(
        folder, weeks, course.weeks, zone, handed_in, roster=roster, known=known, root=root
    )
    for remark in intake.remarks:
        say(console, remark)
    every = intake.submissions
    if number is not None:
        return every, intake
    there = {
        number: submissions
        for number, submissions in every.items()
        if any(one.files or one.documents for one in submissions)
    }
    if not there:
        refusals = {one.refusal for each in every.values() for one in each if one.refusal}
        if intake.untouched and not refusals:
            return {}, intake  # as at the beginning of a term
        problem = f"no submission in {folder} holds a file of any week"
        remedy = "Are these the right submissions? --week N grades a week all the same"
        raise IntakeError(". ".join([problem, *sorted(refusals)]), remedy)
    return there, intake


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


def _demand_whole_results(graded: SubmissionsByWeek, gradebook: Gradebook) -> None:
    """Raise OurFaultError if a submission of this run has no whole results."""
    jobs = (gradebook.job(one.student, week) for week, each in graded.items() for one in each)
    failed = sum(job is None or job.state != "finished" for job in jobs)
    if failed:
        raise OurFaultError(
            f"{failed} submission(s) could not be graded whole because the grader failed; no "
            "points are lost. The same command tries them again, and `--only infra` these alone."
        )


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
