"""The outcome of a CI run: weeks run, weeks not begun, share of points, and remarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.course import Course
from autograder.course.lateness import judge_lateness
from autograder.course.scoring import score_student
from autograder.records import CheckResult, PlannedCheck, Verdict
from autograder.results.student import StudentReport
from autograder.students.ci.places import Place, Places
from autograder.students.public_run import Failure, ItemState, PublicRun
from autograder.text.display import many_lines

ERROR, NOTICE = "error", "notice"
NOT_CONFINED = "D (not confined)"
"""Confinement in results.json: the code ran on its author's own machine or in its own CI."""


@dataclass(frozen=True)
class Remark:
    """One thing to say at a place in the files; `level` is ERROR or NOTICE.

    `message` may quote what the student's code said. `key` names what it is about: the check, or
    the item. `place` is None where nothing says where it belongs.
    """

    level: str
    key: str
    title: str
    message: str
    place: Place | None


@dataclass(frozen=True)
class WeekOutcome:
    """One week's run, with the places of its failures."""

    run: PublicRun
    places: Places

    @property
    def remarks(self) -> list[Remark]:
        """What was not run, a remark for each reason to fail, and one for each item not done."""
        hidden = Remark(
            NOTICE,
            f"{self.run.week.id}.hidden_tests",
            f"{self.run.week.name}: this is not the grade",
            self.run.hidden,
            self.places.handout,
        )
        failures = [self._of(failure) for failure in self.run.failures]
        waiting = [one for one in self.run.items if Verdict.NOT_ATTEMPTED in one.verdicts]
        return [hidden, *failures, *map(self._open, waiting)]

    def _of(self, failure: Failure) -> Remark:
        parts = [many_lines(failure.message)]
        if failure.outcome.result.verdict is Verdict.INFRA:
            parts = ["This check could not be run, which is our fault and costs no points."]
        if failure.advice:
            parts.append(f"Probably: {failure.advice}")
        title = f"{failure.check.item}: {failure.check.title}"
        place = self.places.of_failure(failure)
        return Remark(ERROR, failure.check.id, title, "\n".join(parts), place)

    def _open(self, one: ItemState) -> Remark:
        title = f"{one.item.id}: {'a gap is still open' if one.attempted else 'not attempted'}"
        place = self.places.of_open(one)
        message = "Fill in this gap." if place else _first_message(one)
        return Remark(NOTICE, one.item.id, title, message, place)


@dataclass(frozen=True)
class CiOutcome:
    """All weeks that were run, the names of those that were not begun, and the threshold in %."""

    course: Course
    weeks: Sequence[WeekOutcome]
    not_begun: Sequence[str]
    threshold: float

    @property
    def points(self) -> tuple[int, int]:
        """Points earned in the public tests, and maximum points of the items that they test.

        Extra credit is left out, and so are items with a test that could not be run because of a
        fault of the grader.
        """
        counted = [
            one for one in self._items if not one.extra and Verdict.INFRA not in one.verdicts
        ]
        return sum(one.points for one in counted), sum(one.item.points for one in counted)

    @property
    def percent(self) -> float:
        """The share of these points, in percent; 100 where the maximum is 0."""
        points, most = self.points
        return 100 * points / most if most else 100.0

    @property
    def passed(self) -> bool:
        """Whether the share reaches the threshold."""
        points, most = self.points
        return 100 * points >= self.threshold * most

    @property
    def our_fault(self) -> bool:
        """Whether any test could not be run."""
        return any(Verdict.INFRA in one.verdicts for one in self._items)

    @property
    def hidden_tests(self) -> int:
        """How many hidden tests of these weeks were not run."""
        return sum(week.run.shipped.hidden_tests for week in self.weeks)

    @property
    def not_run(self) -> Mapping[str, int]:
        """How many hidden tests were not run, by the ids of the weeks."""
        return {week.run.week.id: week.run.shipped.hidden_tests for week in self.weeks}

    @property
    def _items(self) -> list[ItemState]:
        return [one for week in self.weeks for one in week.run.items]

    def summary(self) -> str:
        """Return the outcome in one sentence."""
        if not self.weeks:
            return "Nothing has been begun yet, so there was nothing to check."
        what = f"{self.percent:.3g} % of the points of the public tests"
        verdict = "reached" if self.passed else "not reached"
        return f"{what}; the threshold of {self.threshold:g} % is {verdict}."

    def report(self, student: str, commit: str | None) -> StudentReport:
        """Return it as a report like those of a grading, with the checks of the public suites."""
        planned: list[PlannedCheck] = []
        results: list[CheckResult] = []
        for run in (week.run for week in self.weeks):
            name = run.week.id
            planned += (replace(check, id=f"{name}/{check.id}") for check in run.plan)
            results += (replace(one, check=f"{name}/{one.check}") for one in run.results)
        numbers = [week.run.week.number for week in self.weeks]
        score = score_student(self.course, student, planned, results, open_weeks=numbers)
        return StudentReport(
            score,
            NOT_CONFINED,
            notices=tuple(notice for week in self.weeks for notice in week.run.files.notices),
            handed_in=tuple(judge_lateness(self.course, student, n, None, commit) for n in numbers),
        )


def outcome(
    course: Course,
    runs: Sequence[PublicRun],
    not_begun: Sequence[str],
    threshold: float,
    root: Path,
    base: Path,
) -> CiOutcome:
    """Return the outcome of these runs; `root` and `base` are as in `Places`."""
    weeks = [WeekOutcome(run, Places(run, root, base)) for run in runs]
    return CiOutcome(course, weeks, not_begun, threshold)


def _first_message(one: ItemState) -> str:
    messages = (check.result.message for check in one.checks if check.result)
    return next(filter(None, messages), "")
