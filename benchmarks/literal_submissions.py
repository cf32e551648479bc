"""What submissions get that hold what the assignment's texts ask for and nothing more.

    python -m benchmarks.literal_submissions [--salts 10] [--week 1]

Grades the other right solutions that say `texts_alone` (tests/styles/*/), confined like any
submission: once in full, then the suites with further salts, that is with other inputs. Prints the
points of the items that are not beyond the texts, the fewest that a salt gives, and the flags;
then the items beyond the texts. Exit status 1 if a point is missing anywhere, or for a flag.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder import course as courses
from autograder.author.prove import OtherSolution, other_solutions
from autograder.course import Course, Week
from autograder.course.points import format_points
from autograder.course.scoring import score_student
from autograder.grading.examiner import Examiner
from autograder.grading.setting import embedded_for
from autograder.records import FULL_CREDIT, CheckResult
from autograder.sandbox import Confinement
from autograder.sandbox.choose import choose
from autograder.suite.hidden.sandbox_host import SandboxHost

ROOT = Path(__file__).resolve().parents[1]
SALTS = 10
TINY = {"salts": 2, "week": "3"}


@dataclass(frozen=True)
class Graded:
    """What a submission gets: points in hundredths for each salt, of `full`, and its faults."""

    full: int
    points: tuple[int, ...]
    beyond: int
    faults: tuple[str, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """The faults that are flags."""
        return tuple(fault for fault in self.faults if fault.startswith("flag "))

    @property
    def is_right(self) -> bool:
        """Whether it gets everything with each salt, and no flag."""
        return not self.faults and set(self.points) == {self.full}


def grade(
    examiner: Examiner,
    files: Mapping[str, bytes],
    salts: int,
    *,
    texts_alone: bool = True,
    training: bool = True,
) -> Graded:
    """Grade a submission in full, then its suite with further salts.

    With `texts_alone` the items beyond the texts are not asked for; without `training` the runs
    of training are made with the first salt alone.
    """
    items = [item for item in examiner.course.items(examiner.week.number) if item.kind == "auto"]
    asked = {item.id for item in items if not (texts_alone and item.beyond)}
    examined = examiner.examine(files, explain=False)
    again = {check.id for check in examiner.session.plan}
    again -= set() if training else examiner.session.training
    rest = [result for result in examined.results if result.check not in again]
    faults = [f"flag {flag.rule}: {flag.place} {flag.evidence}" for flag in examined.flags]
    points, beyond = [], 0
    for number in range(salts):
        results = examined.results
        if number:
            results = [*run_suite(examiner, files, f"salt {number}", again), *rest]
        scored = score_student(examiner.course, "someone", examiner.plan, results)
        points.append(sum(line.points for line in scored.items if line.id in asked))
        beyond = beyond or sum(line.points for line in scored.items if line.id not in asked)
        lost = lost_checks(examiner, results, asked)
        faults += [f"salt {number}: {fault}" for fault in lost]
    return Graded(
        sum(item.points for item in items if item.id in asked), tuple(points), beyond, tuple(faults)
    )


def run_suite(
    examiner: Examiner, files: Mapping[str, bytes], salt: str, only: Collection[str]
) -> list[CheckResult]:
    """Run the named checks of the week's suite with another salt."""
    week = examiner.week
    host = SandboxHost(examiner.confinement, files, examiner.limits, week.modules, week.packages)
    try:
        return [outcome.result for outcome in examiner.session.run(host, only=only, salt=salt)]
    finally:
        host.close()


def lost_checks(examiner: Examiner, results: list[CheckResult], asked: set[str]) -> list[str]:
    """Name the checks of the items asked for that have not their full credit, and why."""
    item_of = {check.id: check.item for check in examiner.plan}
    return [
        f"{result.check}: {result.verdict}: {result.message}"
        for result in results
        if result.credit < FULL_CREDIT and item_of[result.check] in asked
    ]


def literal(week: Week, reference: Mapping[str, bytes]) -> dict[str, OtherSolution]:
    """Return the week's other right solutions that hold what the texts ask for alone."""
    others = other_solutions(ROOT, week, reference)
    return {name: other for name, other in others.items() if other.texts_alone}


def print_week(course: Course, week: Week, confinement: Confinement, salts: int) -> bool:
    """Grade a week's literal submissions and print a line for each; return whether all is right."""
    examiner = Examiner(ROOT, week.number, confinement, embedded_for(week))
    right = True
    for name, other in literal(week, examiner.reference).items():
        graded = grade(examiner, other.files, salts)
        full, fewest = format_points(graded.full), format_points(min(graded.points))
        first, beyond = format_points(graded.points[0]), format_points(graded.beyond)
        print(f"{week.id:8}  {name:9}  {first:>5} of {full:>5}  {fewest:>6}  {beyond:>6}")
        for fault in graded.faults:
            print(f"    {fault}")
        right &= graded.is_right
    examiner.close()
    return right


def print_beyond(course: Course) -> None:
    """Print the items beyond the texts, and their share of each component."""
    print("\nBeyond the texts:")
    for part in course.components:
        items = [item for item in part.items if item.beyond]
        total = sum(item.points for item in items)
        if items:
            of = f"{format_points(total)} of {format_points(part.points)}"
            print(f"{part.title}: {of} points ({total / part.points:.1%})")
        for item in items:
            print(f"    {format_points(item.points):>4}  {item.id:32} {item.title}")


def main(salts: int = SALTS, week: str = "") -> None:
    """Print the table, of one week where it is named. Raises SystemExit if a point is missing."""
    course = courses.load(ROOT)
    weeks = [course.week_called(week)] if week else course.weeks
    print(f"week      style      points asked for  fewest  beyond   ({salts} salts)")
    confinement = choose(packages=tuple(name for week in weeks for name in week.packages))
    right = [print_week(course, week, confinement, salts) for week in weeks]
    print_beyond(course)
    if not all(right):
        raise SystemExit("a literal submission has lost a point, or has a flag")


def command() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--salts", type=int, default=SALTS, help="how many sets of inputs")
    parser.add_argument("--week", default="", help="this week alone: its number or its id")
    options = parser.parse_args()
    if options.salts < 1:
        parser.error("--salts must be at least 1")
    main(**vars(options))


if __name__ == "__main__":
    command()
