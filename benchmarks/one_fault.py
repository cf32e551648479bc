"""What one fault costs: points lost in its own items, in others, and to checks that are blocked.

    python -m benchmarks.one_fault [--week 1] [--fault NAME] [--checks] [--training]

Grades the reference with one fault in it, for each misconception of the catalogue and for those of
benchmarks/faults/<week>.toml (which say in `fails` whose fault it is), in this process. Prints for
each fault the points that it costs in its own items and in every other; `(b 0.3)` says how much of
that is blocked. Then: the checks that any fault blocks, with their points; and what an item has
lost at least and at most by a fault of its own, which shows checks that weigh too much or too
little. `--fault` takes those whose id holds this text, `--checks` lists the failed checks of each.
The project's network is trained only with `--training`. Code quality and students' own tests are
left out: no fault of another item costs them.
"""

from __future__ import annotations

import argparse
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder import course as courses
from autograder.course import Course, Week
from autograder.course.scoring import half_up
from autograder.grading.examiner import Examiner
from autograder.grading.setting import embedded_for
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from autograder.reference.misconceptions import Misconception, apply
from autograder.sandbox.choose import choose
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.session import Outcome
from tests.executed import Function, WatchedHost, altered

ROOT = Path(__file__).resolve().parents[1]
PROBES = Path(__file__).resolve().parent / "faults"
TINY = {"week": "3", "fault": "sgd-"}


@dataclass
class Cost:
    """What one fault costs: hundredths of points by item, and the checks that failed."""

    fault: Misconception
    lost: dict[str, int] = field(default_factory=dict)
    blocked: dict[str, int] = field(default_factory=dict)
    failed: list[CheckResult] = field(default_factory=list)

    @property
    def own(self) -> int:
        """The points lost in the items that the fault is in."""
        return sum(points for item, points in self.lost.items() if item in self.fault.fails)

    @property
    def elsewhere(self) -> dict[str, int]:
        """The points lost in other items."""
        return {item: lost for item, lost in self.lost.items() if item not in self.fault.fails}


class Grader:
    """Grades faults of one week in this process, running only the checks that can notice."""

    def __init__(self, course: Course, week: Week, training: bool):
        confinement = choose(packages=tuple(week.packages))
        self.examiner = Examiner(ROOT, week.number, confinement, embedded_for(week))
        self.course = course
        session = self.examiner.session
        self.checks = {check.id: check for check in session.plan}
        self._trains = training or not week.job
        self._host = WatchedHost(self.examiner.reference)
        self._executed: dict[str, set[Function]] = {}

        def note(outcome: Outcome) -> None:
            self._executed[outcome.result.check] = self._host.executed

        session.run(self._host, only=set(self.checks) - session.training, report=note)
        self.weights: defaultdict[str, int] = defaultdict(int)
        for check in self.examiner.plan:
            self.weights[check.item] += check.weight
        self.full = {
            item.id: item.points for item in course.items(week.number) if item.kind == "auto"
        }

    def points(self, check: str) -> float:
        """Return what a check is worth, in hundredths of points."""
        planned = self.checks[check]
        return planned.weight * self.full[planned.item] / self.weights[planned.item]

    def cost(self, fault: Misconception) -> Cost:
        """Grade the reference with a fault in it."""
        reference, file = self.examiner.reference, f"{fault.module}.py"
        files = apply(fault, reference)
        functions = altered(file, reference[file], files[file])
        only = {check for check, ran in self._executed.items() if ran & functions}
        host = LocalHost(files, like=self._host)
        failed = self._failed(host, only)
        if self._trains and (failed or only & self.examiner.session.training):
            # The training takes longest, and fails only where something below it does.
            failed = self._failed(
                host, {one.check for one in failed} | self.examiner.session.training
            )
        cost = Cost(fault, failed=failed)
        cost.lost = self._lost(cost.failed)
        cost.blocked = self._lost(one for one in cost.failed if one.verdict is Verdict.BLOCKED)
        return cost

    def _failed(self, host: LocalHost, only: set[str]) -> list[CheckResult]:
        outcomes = self.examiner.session.run(host, only=only)
        return [one.result for one in outcomes if one.result.credit < FULL_CREDIT]

    def _lost(self, failed: Iterable[CheckResult]) -> dict[str, int]:
        missing: defaultdict[str, int] = defaultdict(int)
        for result in failed:
            check = self.checks[result.check]
            missing[check.item] += check.weight * (FULL_CREDIT - result.credit)
        return {
            item: half_up(self.full[item] * lost, FULL_CREDIT * self.weights[item])
            for item, lost in missing.items()
        }


def probes(week: Week) -> list[Misconception]:
    """Return the further faults of a week, written as a catalogue's entries without advice."""
    file = PROBES / f"{week.id}.toml"
    entries = tomllib.loads(file.read_text("utf-8"))["fault"] if file.is_file() else []
    return [Misconception.model_validate({"says": "-", **entry}) for entry in entries]


def said(lost: Mapping[str, int], blocked: Mapping[str, int], full: Mapping[str, int]) -> str:
    """Return what each item lost, in words."""
    return ", ".join(
        f"{item.partition('.')[2]} {points / 100:.2f} of {full[item] / 100:g}"
        + (f" (b {blocked[item] / 100:.2f})" if blocked.get(item) else "")
        for item, points in lost.items()
        if points
    )


def print_week(course: Course, week: Week, name: str, checks: bool, training: bool) -> list[Cost]:
    """Grade and print a week's faults; return what they cost."""
    grader = Grader(course, week, training)
    costs = []
    for fault in [*grader.examiner.catalogue, *probes(week)]:
        if name not in fault.id:
            continue
        cost = grader.cost(fault)
        costs.append(cost)
        own = {item: cost.lost.get(item, 0) for item in fault.fails}
        beyond = said(cost.elsewhere, cost.blocked, grader.full) or "-"
        print(
            f"{week.id:8} {fault.id:50} {said(own, cost.blocked, grader.full) or 'nothing'}"
            f"  | beyond: {beyond}",
            flush=True,
        )
        for result in cost.failed if checks else ():
            worth = grader.points(result.check) / 100
            print(f"    {worth:.3f} {result.verdict} {result.check}: {result.message[:160]!r}")
    print_blocked(grader, costs)
    print_shares(grader, costs)
    grader.examiner.close()
    return costs


def print_blocked(grader: Grader, costs: Sequence[Cost]) -> None:
    """Print every check that a fault blocks, with its points."""
    blocked = sorted(
        {one.check for cost in costs for one in cost.failed if one.verdict is Verdict.BLOCKED}
    )
    print(f"\n{len(blocked)} checks of {grader.examiner.week.id} are blocked by a fault:")
    for check in blocked:
        print(f"    {grader.points(check) / 100:.3f}  {grader.checks[check].item}  {check}")


def print_shares(grader: Grader, costs: Sequence[Cost]) -> None:
    """Print the share of an item that the cheapest and the dearest of its own faults cost."""
    print("\nof an item's points, the cheapest and the dearest of its own faults:")
    for item, full in grader.full.items():
        found = sorted((cost.lost.get(item, 0), cost.fault.id) for cost in costs
                       if item in cost.fault.fails)  # fmt: skip
        if found:
            (least, cheap), (most, dear) = found[0], found[-1]
            print(f"    {item:32} {least / full:4.0%} {cheap:45} {most / full:4.0%} {dear}")


def main(
    week: str = "", fault: str = "", checks: bool = False, training: bool = False
) -> list[Cost]:
    """Print the tables, of one week where it is named, and how many faults cost another item."""
    course = courses.load(ROOT)
    weeks = [course.week_called(week)] if week else course.weeks
    costs = [cost for one in weeks for cost in print_week(course, one, fault, checks, training)]
    beyond = [cost for cost in costs if any(cost.elsewhere.values())]
    points = sum(sum(cost.elsewhere.values()) for cost in costs) / 100
    print(f"\n{len(beyond)} of {len(costs)} faults cost another item; {points:.2f} points in all")
    return costs


def command() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--week", default="", help="this week alone: its number or its id")
    parser.add_argument("--fault", default="", help="faults whose id holds this text")
    parser.add_argument("--checks", action="store_true", help="list the checks that failed")
    parser.add_argument("--training", action="store_true", help="train the project's network too")
    main(**vars(parser.parse_args()))


if __name__ == "__main__":
    command()
