"""The public suite on what was pushed, confined: it runs in a process of the service's pool."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from autograder import course as courses
from autograder.course import Course, Week
from autograder.grading.diagnosis import Diagnoser
from autograder.grading.operations import confinement_here, operation, setting_here
from autograder.grading.public_suite import run_session
from autograder.grading.sealing import entry
from autograder.reference.misconceptions import catalogue_of, solution_files
from autograder.students.check import print_run
from autograder.students.public_run import Files, PublicRun, Shipped
from autograder.students.screen import Screen
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import Outcome, SuiteSession


@operation("text")
def answer(number: int, files: Mapping[str, bytes]) -> str:
    """Run a week's public suite and return what `autograder check` would print.

    Empty where the week has no public suite.
    """
    root = setting_here().root
    if not (root / "assignments" / _course(root).week(number).folder / "tests").is_dir():
        return ""
    suite = _suite(root, number)
    outcomes, printed = run_session(suite.session, confinement_here(), suite.week, files)
    shipped = Shipped(suite.hidden_tests, {}, {}, {}, suite.explain(outcomes))
    done = PublicRun(
        suite.course, suite.week, Files(dict(files)), shipped, suite.session.plan, outcomes, printed
    )
    text = io.StringIO()
    print_run(Screen(text), done)
    return text.getvalue()


@dataclass
class _Suite:
    """The objects cached in this process for one week."""

    course: Course
    week: Week
    session: SuiteSession
    hidden_tests: int
    diagnoser: Diagnoser

    def explain(self, outcomes: list[Outcome]) -> dict[str, dict]:
        """Return the explanations of those checks that fail.

        Wrong answers are computed on demand, since running all of them beforehand takes too long.
        """
        told = self.diagnoser.explain(outcomes)
        return {check: entry(explanation) for check, explanation in told.items()}


@lru_cache(maxsize=1)
def _course(root: Path) -> Course:
    return courses.load(root)


@lru_cache
def _suite(root: Path, number: int) -> _Suite:
    course = _course(root)
    week = course.week(number)
    folder = root / "assignments" / week.folder
    session = GradedSession(folder / "tests", salt="")
    hidden = GradedSession(folder / "hidden", salt="")
    count = len(hidden.plan)
    hidden.close()
    diagnoser = Diagnoser(session, solution_files(root, week), catalogue_of(root, course, week))
    return _Suite(course, week, session, count, diagnoser)
