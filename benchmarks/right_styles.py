"""What right solutions in many styles get: nothing may be missing, whatever inputs are drawn.

    python -m benchmarks.right_styles [--salts 10] [--week 1] [--style slots] [--training]

Grades the reference and all other right solutions (tests/styles/*/), confined like any submission:
once in full, then the suites with further salts, that is with other inputs. Prints the points with
the first salt, of how many, and the fewest that a salt gives; then what was lost, and the flags.
Training is run with the first salt alone unless `--training` is given. Who does what the texts ask
for and no more is asked for those items alone. Exit status 1 if a point is missing anywhere, or for
a flag.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from autograder import course as courses
from autograder.author.prove import OtherSolution, other_solutions
from autograder.course import Week
from autograder.course.points import format_points
from autograder.grading.examiner import Examiner
from autograder.grading.setting import embedded_for
from autograder.sandbox import Confinement
from autograder.sandbox.choose import choose
from benchmarks.literal_submissions import grade

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = "reference"
SALTS = 10
TINY = {"salts": 2, "week": "3", "style": "slots"}


def print_week(
    week: Week, confinement: Confinement, salts: int, style: str, training: bool
) -> bool:
    """Grade a week's right solutions, print a line for each; return whether all is right."""
    examiner = Examiner(ROOT, week.number, confinement, embedded_for(week))
    reference = {REFERENCE: OtherSolution(examiner.reference)}
    right = True
    for name, other in (reference | other_solutions(ROOT, week, examiner.reference)).items():
        if style not in ("", name):
            continue
        graded = grade(
            examiner, other.files, salts, texts_alone=other.texts_alone, training=training
        )
        first, full = format_points(graded.points[0]), format_points(graded.full)
        fewest, flags = format_points(min(graded.points)), len(graded.flags)
        print(
            f"{week.id:8}  {name:11}  {first:>5} of {full:>5}  {fewest:>6}  {flags:>5}", flush=True
        )
        for fault in graded.faults:
            print(f"    {fault}")
        right &= graded.is_right
    examiner.close()
    return right


def main(salts: int = SALTS, week: str = "", style: str = "", training: bool = False) -> None:
    """Print the table, of one week or style where it is named. SystemExit if a point is missing."""
    course = courses.load(ROOT)
    weeks = [course.week_called(week)] if week else course.weeks
    print(f"week      style        points         fewest  flags   ({salts} salts)")
    confinement = choose(packages=tuple(name for week in weeks for name in week.packages))
    right = [print_week(week, confinement, salts, style, training) for week in weeks]
    if not all(right):
        raise SystemExit("a right solution has lost a point, or has a flag")


def command() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--salts", type=int, default=SALTS, help="how many sets of inputs")
    parser.add_argument("--week", default="", help="this week alone: its number or its id")
    parser.add_argument("--style", default="", help="this style alone")
    parser.add_argument("--training", action="store_true", help="train with every salt")
    options = parser.parse_args()
    if options.salts < 1:
        parser.error("--salts must be at least 1")
    main(**vars(options))


if __name__ == "__main__":
    command()
