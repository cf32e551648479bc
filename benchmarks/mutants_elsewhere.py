"""Mistakes that tests of other courses let pass: each has to be noticed by our hidden tests.

    python -m benchmarks.mutants_elsewhere [--week week4] [--most 5]

Each file of benchmarks/elsewhere/ lists the mutants of one week: an entry of the week's catalogue,
or an edit of its own. Each is planted in the solution, and the week's hidden suite is run on it,
without training. Prints which entry it is and how many checks notice it. Exit status 1 if one is
not noticed.
"""

from __future__ import annotations

import argparse
import tomllib
from dataclasses import dataclass
from pathlib import Path

from autograder import course as courses
from autograder.course import Course, Week
from autograder.grading.examiner import Examiner
from autograder.records import FULL_CREDIT
from autograder.reference.misconceptions import Misconception, apply, catalogue_of
from autograder.sandbox import Unconfined
from autograder.suite.hidden.local_host import LocalHost

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "benchmarks" / "elsewhere"
TINY = {"most": 2}
EDIT = ("module", "where", "replace", "by")


@dataclass(frozen=True)
class Mutant:
    """One mistake: `entry` is the catalogue's name of it, "" if the edit is the list's own."""

    name: str
    seen: str
    entry: str
    mistake: Misconception


def mutants_of(course: Course, week: Week) -> list[Mutant]:
    """Return a week's mutants. Raises ValueError for an entry that the catalogue lacks."""
    known = {one.id: one for one in catalogue_of(ROOT, course, week)}
    item = course.items(week.number)[0].id  # an own edit names no items; the field wants one
    found = []
    for told in tomllib.loads((FOLDER / f"{week.id}.toml").read_text("utf-8"))["mutant"]:
        entry = told.get("entry", "")
        if entry and entry not in known:
            raise ValueError(f"{week.id}.toml: there is no entry {entry!r} in the catalogue")
        edit = {key: told[key] for key in EDIT} if not entry else {}
        own = Misconception(id="own-edit", fails=[item], says="-", **edit) if edit else known[entry]
        found.append(Mutant(told["name"], told["seen"], entry, own))
    return found


def print_week(course: Course, week: Week, most: int | None) -> list[str]:
    """Run a week's mutants and print a line for each; return those that nothing notices."""
    examiner = Examiner(ROOT, week.number, Unconfined(), None)
    only = {check.id for check in examiner.session.plan} - examiner.session.training
    missed = []
    try:
        for mutant in mutants_of(course, week)[:most]:
            host = LocalHost(apply(mutant.mistake, examiner.reference))
            outcomes = examiner.session.run(host, only=only)
            noticed = sum(one.result.credit < FULL_CREDIT for one in outcomes)
            called = mutant.entry or "(an edit of its own)"
            print(f"{week.id:8}  {noticed:>7}  {called:38}  {mutant.name}", flush=True)
            missed += [] if noticed else [mutant.name]
    finally:
        examiner.close()
    return missed


def main(week: str = "", most: int | None = None) -> None:
    """Print the table, of one week where it is named. SystemExit if a mutant is not noticed."""
    course = courses.load(ROOT)
    listed = sorted(path.stem for path in FOLDER.glob("*.toml"))
    weeks = [one for one in course.weeks if one.id in listed and week in ("", one.id)]
    print("week      checks   entry of the catalogue                  mutant")
    missed, count = [], 0
    for one in weeks:
        count += len(mutants_of(course, one)[:most])
        missed += print_week(course, one, most)
    print(f"{count - len(missed)} of {count} mutants are noticed")
    if missed:
        raise SystemExit(f"not noticed: {'; '.join(missed)}")


def command() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--week", default="", help="the id of one week, such as week4")
    parser.add_argument("--most", type=int, help="so many mutants of each week (default: all)")
    main(**vars(parser.parse_args()))


if __name__ == "__main__":
    command()
