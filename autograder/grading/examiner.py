"""Examines one submission of one assignment: suite, students' tests, quality, diagnosis.

One examiner serves one process for a whole class. The hidden suite, reference, catalogue and data
stay in this process; the submission is only handled as a mapping of file names to bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path

import data
from autograder import course as courses
from autograder.gradebook.flags import Examined, Flag
from autograder.gradebook.looked_up import data_file, training_setting
from autograder.grading import fingerprint
from autograder.grading.diagnosis import Diagnoser
from autograder.grading.flags import junk
from autograder.grading.flags.second_look import SecondLook
from autograder.grading.flags.source import run_time_flags, source_flags
from autograder.grading.flags.watched import watched_in, watched_names
from autograder.grading.plan_check import check_plan
from autograder.grading.quality import Quality
from autograder.grading.rules import Rules
from autograder.grading.stored_data import Stored, StoredData
from autograder.grading.student_tests import Mutation
from autograder.records import CheckResult, PlannedCheck, Verdict
from autograder.reference import legal_variants
from autograder.reference.gaps import find_gaps
from autograder.reference.misconceptions import catalogue_of, solution_files
from autograder.sandbox import Confinement, InfraError, Limits
from autograder.suite.hidden.disclosure import Disclosure
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.hidden.threshold import Training, credit_for
from autograder.suite.session import Outcome


class Examiner:
    """Everything that is needed to examine submissions of week `number`.

    root: the repository; confinement: for student code; dataset: the name of the data set of the
    training threshold. Raises SuiteError, CourseError or MisconceptionError for an error in the
    course's own files.
    """

    def __init__(self, root: Path, number: int, confinement: Confinement, dataset: str | None):
        self.root = root
        self.confinement = confinement
        self.course = courses.load(root)
        self.week = self.course.week(number)
        self._watched = watched_names(self.course)
        self.limits = sandbox_limits(self.week.limits)
        self.reference = solution_files(root, self.week)
        self.catalogue = catalogue_of(root, self.course, self.week)
        training = self._training(dataset) if dataset else None
        folder = root / "assignments" / self.week.folder / "hidden"
        disclosure = Disclosure(gap_texts(self.reference), self.course.salt)
        self.session = GradedSession(folder, self.course.salt, training, disclosure=disclosure)
        _ = self.session.worker.drivers  # raises now, not in each check, if they are invalid
        self._diagnoser = Diagnoser(self.session, self.reference, self.catalogue)

    def _training(self, dataset: str) -> Training:
        setting = training_setting(self.course, self.week, dataset)
        file = self.root / "assignments" / self.week.folder / dataset
        own = dataset == data_file(self.week)
        if own and not file.is_file():
            problem = f"there is no file assignments/{self.week.folder}/{dataset}"
            key, remedy = f"{self.week.id}.data", "Put it there or correct it"
            raise courses.CourseError(courses.COURSE_FILE, key, problem, remedy)
        return Training(
            name=dataset,
            load=lambda: data.load_file(file) if own else data.load(dataset),
            epochs=setting.epochs,
            batch_size=setting.batch_size,
            lr=setting.lr,
            credit=partial(credit_for, setting.curve),
            full_from=setting.curve[-1][0],
            any_from=setting.curve[0][0],
        )

    @cached_property
    def mutation(self) -> Mutation | None:
        """The checks of the students' own tests, where the assignment has such a file."""
        if self.week.student_tests is None:
            return None
        noticeable = [mistake for mistake in self.catalogue if mistake.kills]
        if not noticeable:
            problem = "there is no misconception that these tests could notice"
            remedy = f"Write one into solutions/{self.week.folder}/misconceptions.toml"
            key = f"{self.week.id}.student_tests"
            raise courses.CourseError(courses.COURSE_FILE, key, problem, remedy)
        item = self._item("student_tests")
        legal = legal_variants.load(self.root / "solutions" / self.week.folder)
        variants = [variant for variant in legal if variant.for_tests]
        file, homes = self.week.student_tests, self.week.homes
        salt = self.course.salt
        return Mutation(item, file, self.reference, noticeable, variants, homes, salt)

    @cached_property
    def quality(self) -> Quality:
        """The quality checks: one for each module in which students have to fill gaps.

        A module whose gaps are all extra credit or beyond the texts has no check, nor has a
        notebook. A week without an item for quality has no such checks.
        """
        item = f"{self.week.id}.quality"
        if item not in {item.id for item in self.course.items(self.week.number)}:
            return Quality(item, {})
        optional = {
            item.id
            for part in self.course.components
            for item in part.items
            if part.extra or item.beyond
        }
        items = {
            name: sorted(set(re.findall(r"# BEGIN SOLUTION ([\w.]+)", source.decode())))
            for name, source in self.reference.items()
            if name != self.week.student_tests and name in self.week.sources
        }
        counted = {name: sorted(set(found) - optional) for name, found in items.items()}
        required = {name: found for name, found in counted.items() if found}
        return Quality(item, required, self.week.homes, self.week.modules)

    @cached_property
    def rules(self) -> Rules:
        """The check that nothing forbidden is used; it belongs to the item of the quality."""
        return Rules(f"{self.week.id}.quality", self.week.forbidden)

    @cached_property
    def stored_data(self) -> StoredData:
        """The measure of the data in a submission's source."""
        return StoredData(self.reference)

    @cached_property
    def second_look(self) -> SecondLook:
        """The run of some passed checks with other inputs."""
        return SecondLook(
            self.session,
            self.course.salt,
            self.reference,
            junk.listed(self.root / "assignments" / self.week.folder / "hidden"),
        )

    def _item(self, name: str) -> str:
        return self.course.item(f"{self.week.id}.{name}").id

    @cached_property
    def plan(self) -> list[PlannedCheck]:
        """All checks of the assignment, in the order in which they run.

        Raises PlanError if they don't fit the rubric.
        """
        own = self.mutation.plan if self.mutation else []
        plan = [*self.session.plan, *own, *self.quality.plan, *self.rules.plan]
        check_plan(self.course, self.week, plan, self.session.watches, self.session.needs)
        return plan

    @cached_property
    def _expected(self) -> set[str]:
        """The files that the week asks for, and those in which their names may stand instead."""
        return {*self.week.modules, *(home for homes in self.week.homes.values() for home in homes)}

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all dependencies of this week's results except the submission."""
        name = self.session.context.name if self.session.context else None
        parts = fingerprint.parts_of_week(
            self.root, self.course, self.week, self.confinement.name, name
        )
        return fingerprint.digest(parts)

    def examine(
        self,
        files: Mapping[str, bytes],
        report: Callable[[CheckResult], None] | None = None,
        *,
        explain: bool = True,
        training: bool = True,
    ) -> Examined:
        """Return one result for each planned check, in the plan's order, and the flags.

        `report` gets each result as soon as it is known; a result of the suite twice: at the end of
        its test, and later with its final message and diagnosis. Without `explain` there is no
        diagnosis, which takes most of the time if nearly all checks fail. Without `training` the
        checks that train are left out. They are refused to source that stores too much data.
        """
        tell = report or (lambda result: None)
        if not self._expected & files.keys():
            nothing = not_attempted(self.plan)
            for result in nothing:
                tell(result)
            return Examined(nothing)
        trained = self.session.training
        stored = self.stored_data.measure(files)
        refused = training and stored.is_refused
        untrained = {check.id for check in self.session.plan} - trained
        only = None if training and not refused else untrained
        host = SandboxHost(
            self.confinement, files, self.limits, self.week.modules, self.week.packages
        )
        try:
            outcomes = self.session.run(host, only, lambda outcome: tell(outcome.result))
            flags = self._watch(host, outcomes)
            flags += self.second_look.look(host, files, outcomes)
        except BaseException:  # this process is to end, say, while the suite's thread waits
            host.abandon()
            raise
        host.close()
        suite = self.explained(outcomes) if explain else [one.result for one in outcomes]
        if refused:
            suite = self._with_refused(suite, stored)
        results: list[CheckResult] = []
        # Where the student's own tests run the reference can be read: so they run when nothing else
        # of the submission does any more that could be told of it, by whatever means.
        for find in (
            lambda: suite,
            lambda: self._own_tests(files),
            lambda: self._quality(files, suite),
        ):
            found = find()
            for result in found:
                tell(result)
            results += found
        watched = watched_in(self._watched, self.week)
        source = source_flags(files, watched, self.week.given, stored)
        flags += [*source, *run_time_flags(host.notes, watched, source)]
        return Examined(results, flags)

    def _with_refused(self, results: list[CheckResult], stored: Stored) -> list[CheckResult]:
        """Add the results of the checks that train, which are refused, in the plan's order."""
        said = stored.refusal()
        known = {result.check: result for result in results}
        return [
            known.get(check.id) or CheckResult(check.id, Verdict.VIOLATION, message=said)
            for check in self.session.plan
            if check.id in known or check.id in self.session.training
        ]

    def _own_tests(self, files: Mapping[str, bytes]) -> list[CheckResult]:
        """Return the results of the student's own tests; none where the week has no such file."""
        if not self.mutation:
            return []
        try:
            return self.mutation.examine(self.confinement, files, self.limits)
        except InfraError as error:
            return infra(self.mutation.plan, error)

    def _quality(self, files: Mapping[str, bytes], results: list[CheckResult]) -> list[CheckResult]:
        """Return the results of quality and rules; `results` are the suite's."""
        try:
            quality = self.quality.measure(files, self.session.plan, results)
        except InfraError as error:
            quality = infra(self.quality.plan, error)
        return [*quality, *self.rules.measure(files, results)]

    def _watch(self, host: SandboxHost, outcomes: Sequence[Outcome]) -> list[Flag]:
        """Return the flags of the suite's watching tests, for items with at least one passed check.

        Returns no flags if the sandbox fails.
        """
        items = {check.id: check.item for check in self.session.plan}
        passed = (o.result.check for o in outcomes if o.result.verdict is Verdict.PASS)
        try:
            return self.session.watch(host, {items[check] for check in passed})
        except InfraError:
            return []

    def explained(self, outcomes: Sequence[Outcome]) -> list[CheckResult]:
        """Return the results of the whole suite, with the diagnosis of those that failed."""
        told = self._diagnoser.explain(outcomes)
        return [
            replace(one.result, misconception=known.id, advice=known.says)
            if (known := told.get(one.result.check))
            else one.result
            for one in outcomes
        ]

    def close(self) -> None:
        """End the suite's session."""
        self.session.close()


def gap_texts(reference: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Return the messages that the stubs of these modules raise in unfilled gaps, by item."""
    found: dict[str, list[str]] = {}
    for name, source in reference.items():
        for gap in find_gaps(source.decode(), name):
            found.setdefault(gap.task, []).append(f"{gap.task}: fill in {gap.where}")
    return found


def infra(plan: list[PlannedCheck], reason: object) -> list[CheckResult]:
    """Return INFRA results, for a failure of the grader; they cost and give no points."""
    message = f"The grader failed: {reason}"
    return [CheckResult(check.id, Verdict.INFRA, message=message) for check in plan]


def not_attempted(plan: list[PlannedCheck]) -> list[CheckResult]:
    """Return the results of a submission with none of the week's files: nothing is run for it."""
    message = "There is no file of this week in your submission."
    return [CheckResult(check.id, Verdict.NOT_ATTEMPTED, message=message) for check in plan]


def refused(plan: list[PlannedCheck], reason: str) -> list[CheckResult]:
    """Return the results of a submission that could not be read."""
    message = f"Your submission could not be read: {reason}"
    return [CheckResult(check.id, Verdict.NOT_ATTEMPTED, message=message) for check in plan]


def sandbox_limits(limits: courses.Limits) -> Limits:
    """Convert a week's limits in the course to those of the sandbox."""
    return Limits(**limits.model_dump())
