"""Effect of hostile submissions on others: a class graded alone and with as many attackers.

Half of the class is simulated, with plausible mistakes; the other half is the corpus of
tests/hostile, one attacker after each honest student. Graded as `make grade` does, week 1, on all
processors. The honest half must get exactly the same, the attackers nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder import course as courses
from autograder.author.simulate.class_folder import write_class
from autograder.gradebook.journal import Gradebook
from autograder.grading.run import Progress, grade_class
from autograder.grading.setting import Setting
from autograder.intake.reading import take_in
from autograder.reference.misconceptions import solution_files
from autograder.report.gather import GradedReport, gather
from autograder.sandbox.choose import choose
from tests.hostile.corpus import Case, load
from tests.hostile.runner import ATTACKED, Corpus
from tests.hostile.traps import Traps

ROOT = Path(__file__).resolve().parent.parent
HONEST = 25
TINY = {"honest": 1}
GOAL = 2.0


@dataclass
class Graded:
    """A class's reports by student, and the seconds that it took; of each submission too."""

    reports: dict[str, GradedReport]
    seconds: float
    each: dict[str, float]


def main(honest: int = HONEST) -> None:
    """Grade both classes and print what the attackers cost and gained."""
    course = courses.load(ROOT)
    cases = chosen(honest)
    slot = 60
    confinement = choose(slot)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone, mixed = folder / "alone", folder / "mixed"
        students = [one.student for one in write_class(course, ROOT, alone, honest, 0, only=1)]
        shutil.copytree(alone, mixed)
        traps = Traps([str(ROOT), sys.prefix], confinement.own_uid)
        try:
            attackers = write_attackers(mixed, students, cases, traps)
            first, second = (grade(course, one) for one in (alone, mixed))
            sprung, left = traps.sprung(), traps.left()
            learnt = learn(cases, confinement, traps)
        finally:
            traps.close()
    print_times(first, second, attackers)
    agree = [points(first.reports[one]) == points(second.reports[one]) for one in students]
    print(f"  honest students with exactly the same results: {sum(agree)} of {len(agree)}")
    gained = [name for name in attackers if attacker_points(second.reports[name])]
    numbers = {number for case in cases for number in case.attacks}
    print(f"  attackers: {len(cases)}, attacks of the list that they try: {len(numbers)}")
    print(f"  that gained a point: {gained or 'none'}; that reached anything: {sprung or 'none'}")
    print(f"  that found anything out: {learnt or 'none'}; processes left: {len(left)}")
    if not all(agree) or gained or sprung or left:
        raise SystemExit("the attackers made a difference")


def chosen(count: int) -> list[Case]:
    """Return so many attackers, chosen greedily to cover the most attacks."""
    left = [case for case in load().values() if case.kind == "hostile" and not case.harms]
    taken: list[Case] = []
    tried: set[int] = set()
    while len(taken) < count:
        best = max(left, key=lambda case: len(set(case.attacks) - tried))
        left.remove(best)
        taken.append(best)
        tried |= set(best.attacks)
    return taken


def write_attackers(
    folder: Path, students: Sequence[str], cases: Sequence[Case], traps: Traps
) -> dict[str, Case]:
    """Write the attackers into the class, so that one comes after each honest student."""
    reference = solution_files(ROOT, courses.load(ROOT).week(1))
    written = {}
    for student, case in zip(sorted(students), cases, strict=True):
        name = f"{student.partition('-')[0]}z-{case.name.replace('_', '-')}"
        (folder / name).mkdir()
        for file, content in reference.items():
            (folder / name / file).write_bytes(content)
        source = case.source(reference["neural_net.py"], traps.facts())
        (folder / name / "neural_net.py").write_bytes(source)
        written[name] = case
    return written


def grade(course: courses.Course, folder: Path) -> Graded:
    """Grade the class in `folder`."""
    started = time.perf_counter()
    with Gradebook.open(folder.with_suffix(".sqlite")) as gradebook:
        taken = take_in(folder, [course.week(1)])
        jobs = os.cpu_count() or 1
        grade_class(course, Setting(ROOT, {1: "digits"}), taken, gradebook, jobs, _quiet)
        seconds = time.perf_counter() - started
        reports = {one.score.student: one for one in gather(course, gradebook)}
    each = {
        name: sum(
            check.result.seconds
            for item in report.score.items
            for check in item.checks
            if check.result is not None
        )
        for name, report in reports.items()
    }
    return Graded(reports, seconds, each)


def _quiet(progress: Progress) -> None:
    """Ignore the progress of a grading."""


def points(report: GradedReport) -> list[tuple[str, int | None, list[str]]]:
    """Return the points and verdicts of each item, which must be equal in both classes."""
    return [
        (item.id, item.points, [str(check.result.verdict) for check in item.checks if check.result])
        for item in report.score.items
    ]


def attacker_points(report: GradedReport) -> int:
    """Return the points of the attacked items; an attacker's other files are the reference."""
    return sum(item.points or 0 for item in report.score.items if item.id in ATTACKED)


def learn(cases: Sequence[Case], confinement: object, traps: Traps) -> list[str]:
    """Return what the attackers that search for secrets have found, each run alone."""
    corpus = Corpus()
    try:
        return [
            f"{case.name}: {len(seen)}"
            for case in cases
            if case.learns and (seen := corpus.run(case, confinement, traps).learnt)
        ]
    finally:
        corpus.close()


def print_times(first: Graded, second: Graded, attackers: Mapping[str, Case]) -> None:
    """Print the seconds of both classes, per submission, and the slowest attackers."""
    honest = len(first.reports)
    alone, mixed = first.seconds / honest, second.seconds / len(second.reports)
    print(f"Class of {honest}, week 1 with digits, {os.cpu_count() or 1} processes")
    print(f"  alone {first.seconds:.1f} s, {alone:.2f} s per submission")
    print(f"  with {len(attackers)} attackers {second.seconds:.1f} s, {mixed:.2f} s per submission")
    print(f"  that is {mixed - alone:+.2f} s per submission (goal: at most {GOAL:+.0f})")
    slow = sorted(attackers, key=lambda name: -second.each[name])[:5]
    said = ", ".join(f"{attackers[name].name} {second.each[name]:.1f} s" for name in slow)
    print(f"  the slowest attackers' checks: {said}")


if __name__ == "__main__":
    main()
