"""Proofs that a week's suites grade correctly: run on solution, stubs and catalogue.

Each proof returns a list of faults as sentences, empty if it holds. The solution, other correct
solutions and stubs run confined, like submissions. A misconception is an edit of the solution and
runs in this process, as it does when failures are explained.
"""

from __future__ import annotations

import ast
import threading
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from autograder.course import RUBRIC_FILE, Item, Week
from autograder.course.points import format_points
from autograder.course.scoring import score_student
from autograder.errors import AuthorError
from autograder.grading.examiner import Examiner
from autograder.grading.plan_check import PlanError
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.reference.misconceptions import Form, Misconception, apply, own_packages
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.session import Outcome, SuiteError, SuiteSession

OTHER_STYLES = "other_styles"
"""The subfolder of a solution with other correct solutions, one folder each."""

COURSES_OWN_STYLES = Path("tests/styles")
"""The folder of other correct solutions of this course's weeks, <style>/<week>/; the grader's tests
use them too."""

STYLE_FILE = "style.toml"
"""The file beside another solution that says what it lacks: `texts_alone`, `from_reference`."""

MOST_FAULTS = 8
"""Maximum number of faults listed per proof; the others are only counted."""

SHORTEST_DEADLINE_SECONDS = 60.0
DEADLINE_FACTOR = 20
"""Deadline for a misconception's checks, as a multiple of the time for the solution's."""

NOTHING = (Verdict.NOT_ATTEMPTED, Verdict.BLOCKED)
T = TypeVar("T")


class StuckError(AuthorError):
    """Code that runs in this process does not end; no further proofs are possible in it."""


@dataclass(frozen=True)
class Proof:
    """A claim about a week, its faults (none if it holds), and the time for proving it."""

    claim: str
    faults: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Share:
    """One check with its share of the item's points, 0..1, and its points in hundredths."""

    item: str
    check: PlannedCheck
    share: float
    points: float


@dataclass(frozen=True)
class OtherSolution:
    """Another correct solution; if `texts_alone`, without what items marked `beyond` ask for."""

    files: Mapping[str, bytes]
    texts_alone: bool = False


# The rubric and the files, without running anything.


def items_and_checks_apart(examiner: Examiner) -> list[str]:
    """Say which automatic items have no check, and which checks name an item that isn't there."""
    try:
        _ = examiner.plan
    except PlanError as error:
        return str(error).splitlines()
    return []


def automatic_items(examiner: Examiner) -> list[Item]:
    """Return the week's items that the suites give points for."""
    return [item for item in examiner.course.items(examiner.week.number) if item.kind == "auto"]


def shares(examiner: Examiner) -> list[Share]:
    """Return what each check is worth, by items in the rubric's order."""
    by_item = defaultdict(list)
    for check in examiner.plan:
        by_item[check.item].append(check)
    return [
        Share(item.id, check, share, share * item.points)
        for item in automatic_items(examiner)
        for check in by_item[item.id]
        for share in [check.weight / (sum(other.weight for other in by_item[item.id]) or 1)]
    ]


# Files that are run like submissions.


def other_solutions(
    root: Path, week: Week, reference: Mapping[str, bytes]
) -> dict[str, OtherSolution]:
    """Return the other right solutions of a week by their names.

    One that lacks a module has the reference's; one with a style.toml only where that names it.
    """
    own = sorted((root / COURSES_OWN_STYLES).glob("*"))
    folders = {path.name: path / week.folder for path in own}
    beside = root / "solutions" / week.folder / OTHER_STYLES
    folders |= {path.name: path for path in sorted(beside.glob("*")) if path.is_dir()}
    read = {name: _other_solution(folder, week, reference) for name, folder in folders.items()}
    return {name: solution for name, solution in read.items() if solution.files}


def _other_solution(folder: Path, week: Week, reference: Mapping[str, bytes]) -> OtherSolution:
    files = {
        module: (folder / module).read_bytes()
        for module in week.modules
        if (folder / module).is_file()
    } | own_packages(folder, week)
    if not (folder / STYLE_FILE).is_file():
        return OtherSolution({**reference, **files} if files else {})
    style = tomllib.loads((folder / STYLE_FILE).read_text("utf-8"))
    taken = {name: reference[name] for name in style.get("from_reference", [])}
    return OtherSolution({**taken, **files}, style.get("texts_alone", False))


def without_raises(stub: str, instead: str) -> str:
    """Replace each `raise NotImplementedError(...)` of a stub, over however many lines."""
    lines = stub.split("\n")
    raises = [node for node in ast.walk(ast.parse(stub)) if isinstance(node, ast.Raise)]
    for node in sorted(raises, key=lambda node: -node.lineno):
        if "NotImplementedError" in ast.unparse(node):
            lines[node.lineno - 1 : node.end_lineno] = [" " * node.col_offset + instead]
    return "\n".join(lines)


def points_lost(
    examiner: Examiner, files: Mapping[str, bytes], *, texts_alone: bool = False
) -> list[str]:
    """Return the faults of a correct solution: checks without full credit, and flags.

    With `texts_alone` the items beyond the texts don't count.
    """
    examined = examiner.examine(files, explain=False)
    asked = {item.id for item in automatic_items(examiner) if not (texts_alone and item.beyond)}
    item_of = {check.id: check.item for check in examiner.plan}
    faults = [
        f"{result.check}: {result.verdict}: {result.message}"
        for result in examined.results
        if result.credit < FULL_CREDIT and item_of[result.check] in asked
    ]
    scored = score_student(examiner.course, "someone", examiner.plan, examined.results)
    points = sum(line.points for line in scored.items if line.id in asked)
    full = sum(item.points for item in automatic_items(examiner) if item.id in asked)
    if points < full and not faults:
        problem = f"it gets {format_points(points)} of {format_points(full)} points"
        faults.append(f"{problem}: is an item without a check, or are all its weights 0?")
    faults += [f"flag {one.rule}: {one.place} {one.evidence}" for one in examined.flags]
    return faults


def full_points(examiner: Examiner) -> int:
    """Return the maximum points of the week's suites, in hundredths."""
    return sum(item.points for item in automatic_items(examiner))


def promised(examiner: Examiner, other: OtherSolution) -> str:
    """Say what another right solution gets: all points, or those of what the texts ask for."""
    if not other.texts_alone:
        return f"gets all {format_points(full_points(examiner))} points"
    asked = sum(item.points for item in automatic_items(examiner) if not item.beyond)
    return f"gets the {format_points(asked)} points that are not beyond the texts"


def score(examiner: Examiner, results: list[CheckResult]) -> int:
    """Return the points for the results of all the week's checks, in hundredths."""
    return score_student(examiner.course, "someone", examiner.plan, results).total


def points_given(
    examiner: Examiner, files: Mapping[str, bytes], verdicts: Sequence[Verdict] = tuple(Verdict)
) -> list[str]:
    """Return the faults of untouched work: checks with points, or with another verdict."""
    results = examiner.examine(files, explain=False).results
    faults = [f"{result.check} gets points" for result in results if result.credit]
    points = score(examiner, results)
    if points and not faults:
        faults.append(f"it gets {format_points(points)} points")
    return faults + [
        f"{result.check} ends as {result.verdict}, not as not-attempted: {result.message}"
        for result in results
        if not result.credit and result.verdict not in verdicts
    ]


# The public suite.


def public_outcomes(examiner: Examiner, files: Mapping[str, bytes]) -> list[Outcome]:
    """Run the public suite on files, confined. Raises SuiteError where there is none."""
    week = examiner.week
    folder = examiner.root / "assignments" / week.folder / "tests"
    if not any(folder.glob("test_*.py")):
        place = f"assignments/{week.folder}/tests"
        raise SuiteError(f"{place} has no public suite: write test_public_*.py there")
    session = SuiteSession(folder, salt="")
    automatic = {item.id for item in automatic_items(examiner)}
    strays = sorted({check.item for check in session.plan} - automatic)
    host = SandboxHost(examiner.confinement, files, examiner.limits, week.modules, week.packages)
    try:
        if strays:
            raise SuiteError(
                f"the public suite names {', '.join(strays)}: no automatic item of {RUBRIC_FILE}"
            )
        return session.run(host)
    finally:
        host.close()
        session.close()


def public_tests_failed(examiner: Examiner) -> list[str]:
    """Say which public tests the reference does not pass."""
    results = [outcome.result for outcome in public_outcomes(examiner, examiner.reference)]
    return [
        f"{result.check}: {result.verdict}: {result.message}"
        for result in results
        if result.verdict is not Verdict.PASS
    ]


def public_tests_attempted(examiner: Examiner, stubs: Mapping[str, bytes]) -> list[str]:
    """Say which public tests take the untouched stubs for an attempt."""
    results = [outcome.result for outcome in public_outcomes(examiner, stubs)]
    return [
        f"{result.check} ends as {result.verdict}, not as not-attempted: {result.message}"
        for result in results
        if result.verdict not in NOTHING
    ]


# The catalogue.


class Mistakes:
    """The misconceptions of a week, each applied to the reference and run by the suite."""

    def __init__(self, examiner: Examiner):
        self._examiner = examiner
        self._used: dict[str, set[str]] = {}
        self._checks = {check.id: check for check in examiner.plan}

    @cached_property
    def _right(self) -> tuple[LocalHost, dict[str, Outcome], float]:
        """The reference, its outcome in each check, and the seconds that all of them took.

        Records the modules that each check uses.
        """
        host = LocalHost(self._examiner.reference)

        def note(outcome: Outcome) -> None:
            self._used[outcome.result.check] = host.loaded

        started = time.perf_counter()
        outcomes = self._examiner.session.run(host, report=note)
        seconds = time.perf_counter() - started
        return host, {outcome.result.check: outcome for outcome in outcomes}, seconds

    def _run(self, mistake: Misconception) -> list[Outcome]:
        """Return the suite's outcomes for the reference with one mistake in it.

        Only checks that use the edited module are run; the others keep the reference's outcome. In
        a week with a training job, checks that train (minutes) are only run for mistakes whose
        `fails` has their item.
        """
        right, outcomes, seconds = self._right
        session = self._examiner.session
        only = {check for check, modules in self._used.items() if mistake.module in modules}
        if self._examiner.week.job:
            only -= {c for c in session.training if self._checks[c].item not in mistake.fails}
        host = LocalHost(apply(mistake, self._examiner.reference), like=right)
        deadline = max(SHORTEST_DEADLINE_SECONDS, DEADLINE_FACTOR * seconds)
        ran = within(
            deadline,
            lambda: session.run(host, only=only),
            f"with misconception {mistake.key!r} the suite does not end within {deadline:.0f} "
            "seconds. Failures are explained by running the catalogue in the grader's own process: "
            "leave out what does not come to an end",
        )
        return list((outcomes | {outcome.result.check: outcome for outcome in ran}).values())

    def faults(self, mistake: Misconception) -> list[str]:
        """Say what is wrong: not noticed, noticed by another item, or not what the student is told.

        Checks of an item in the mistake's `misleads` may be blocked, or train and earn a share, but
        not fail otherwise. Raises StuckError if the suite does not end.
        """
        outcomes = self._run(mistake)
        failed = self._failed(mistake, [outcome.result for outcome in outcomes])
        faults = [f"no check of {item} notices it" for item in mistake.fails if item not in failed]
        for item, results in failed.items():
            # What else a variant does is its own affair: it draws otherwise, say.
            if item in mistake.fails or isinstance(mistake, Form):
                continue
            blocked = all(self._is_misled(result) for result in results)
            if item not in mistake.misleads or not blocked:
                noticed = ", ".join(f"{result.check} ({result.verdict})" for result in results)
                faults.append(f"{item} must not notice it, but does: {noticed}")
        told = self._told(outcomes)
        if mistake.says not in told.values():
            instead = ", ".join(sorted(told)) or "nothing"
            faults.append(f"the student is not told what `says` says; what is told is {instead}")
        return faults

    def _is_misled(self, result: CheckResult) -> bool:
        shared = bool(result.credit) and result.check in self._examiner.session.training
        return shared or result.verdict is Verdict.BLOCKED

    def _failed(
        self, mistake: Misconception, results: list[CheckResult]
    ) -> dict[str, list[CheckResult]]:
        """Return the checks without full credit by item, including those of code quality."""
        examiner = self._examiner
        files = apply(mistake, examiner.reference)
        measured = examiner.quality.measure(files, examiner.session.plan, results)
        failed = defaultdict(list)
        for result in [*results, *measured]:
            if result.credit < FULL_CREDIT:
                failed[self._checks[result.check].item].append(result)
        return failed

    def _told(self, outcomes: Sequence[Outcome]) -> dict[str, str]:
        """Return what is said of failed checks, by the misconceptions that explain them.

        Two that give the same answers say the same, by the name of one.
        """
        results = self._examiner.explained(outcomes)
        return {one.misconception or "the place alone": one.advice for one in results if one.advice}


def within(seconds: float, call: Callable[[], T], problem: str) -> T:
    """Return what `call` returns. Raises StuckError where it takes longer than `seconds`.

    The call then continues in its thread, since a thread can't be killed.
    """
    answers: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="proof")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise StuckError(problem)
    if errors:
        raise errors[0]
    return answers[0]


def listed(faults: Sequence[str]) -> list[str]:
    """Return the first faults, each once, and how many more there are."""
    different = list(Counter(faults))
    more = len(different) - MOST_FAULTS
    return [*different[:MOST_FAULTS], *([f"and {more} more"] if more > 0 else [])]
