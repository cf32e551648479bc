"""One run of a week's public suite on a student's own files: outcomes and explanations.

The student's code runs on the student's machine or in the CI of the student's repository, in a
separate process with limits of time, memory and output.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.course import Course, Item, Week
from autograder.course.scoring import CheckScore, item_points
from autograder.notebooks.functions import notebook_module
from autograder.records import CheckResult, PlannedCheck, Verdict
from autograder.students import own_quality, own_tests
from autograder.students.host import StudentHost
from autograder.students.in_process import InProcessHost
from autograder.students.inputs import Recorder
from autograder.students.selection import EVERYTHING, Selection
from autograder.suite.session import FIRST_MEND, Outcome, SuiteError, SuiteSession
from autograder.suite.signature import entry_of
from autograder.suite.week_worker import worker_of
from autograder.text.files import source_digest

QUIET = (Verdict.PASS, Verdict.NOT_ATTEMPTED, Verdict.BLOCKED)
"""Verdicts that are only counted; all others are shown as failures."""

IMPORT = re.compile(r"^[ \t]*(?:from|import)\b(?:[^\n(]|\([^)]*\))*", re.M)

Facts = Callable[[Week], Mapping[str, Any]]
"""Computes the content of a week's tests/diagnosis.json, which the students' tree has."""


@dataclass(frozen=True)
class Files:
    """A week's modules that were found, by name, with the helpers beside them, and remarks.

    The functions of a notebook form a module.
    """

    modules: dict[str, bytes]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shipped:
    """The content of a week's tests/diagnosis.json, which complements its public suite.

    `wrong_answers` maps items to explanations that their failures open (suite.signature), `gaps`
    items to the places (file, dotted name) of what is to be filled in, `stubs` modules to the
    digests of their stubs. `hidden_tests` is how many hidden tests there are, `python` the version
    that grades. Where the catalogue is at hand, `told` has the explanations of failed checks.
    """

    hidden_tests: int
    wrong_answers: Mapping[str, Mapping[str, str]]
    gaps: Mapping[str, list[list[str]]]
    stubs: Mapping[str, str]
    told: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    python: tuple[int, ...] = ()

    @property
    def is_older(self) -> bool:
        """Whether an older Python grades: it may not know syntax that this one does."""
        return () < self.python < sys.version_info[:2]


def reason(result: CheckResult) -> str:
    """Return what a check that builds on other items waits for."""
    return result.message.partition(":")[0]


@dataclass(frozen=True)
class ItemState:
    """One item so far, by the public tests alone: points in hundredths, and tests that pass."""

    item: Item
    points: int
    checks: tuple[CheckScore, ...]
    extra: bool

    @property
    def passed(self) -> int:
        """How many of its tests pass."""
        return self.verdicts.count(Verdict.PASS)

    @property
    def verdicts(self) -> list[Verdict]:
        """How its tests ended."""
        return [check.result.verdict for check in self.checks if check.result]

    @property
    def attempted(self) -> bool:
        """Whether any of its gaps was filled in."""
        return not set(self.verdicts) <= {Verdict.NOT_ATTEMPTED, Verdict.BLOCKED}

    @property
    def waits(self) -> str:
        """Why checks of it say nothing yet: what has to work first; an empty text if none does."""
        results = [check.result for check in self.checks if check.result]
        return next((reason(one) for one in results if one.verdict is Verdict.BLOCKED), "")

    @property
    def is_held_up(self) -> bool:
        """Whether it was filled in, and no check says anything of it before others are mended."""
        return not self.attempted and self.waits.startswith(FIRST_MEND)


@dataclass(frozen=True)
class Failure:
    """Checks that fail for one reason: shown once, with the first one's outcome.

    `entry` is the wrong answer of the catalogue that explains it, `printed` what the student's code
    printed, `others` how many more checks fail for this reason, `inputs` what the first check did
    with the code, as Python.
    """

    check: PlannedCheck
    outcome: Outcome
    entry: Mapping[str, Any] | None
    printed: str
    others: int = 0
    inputs: str = ""

    @property
    def message(self) -> str:
        """The message of the first check, which may quote the student's code."""
        return self.outcome.result.message

    @property
    def advice(self) -> str | None:
        """The explanation of the matching wrong answer, if there is one."""
        return self.entry["says"] if self.entry else None


@dataclass(frozen=True)
class PublicRun:
    """The results of one week's public suite: an outcome for each check, in the plan's order.

    `printed` has what the student's code printed in each check, `inputs` what each did with it;
    `left_out` are the checks that were not asked for.
    """

    course: Course
    week: Week
    files: Files
    shipped: Shipped
    plan: list[PlannedCheck]
    outcomes: list[Outcome]
    printed: Mapping[str, str]
    inputs: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[PlannedCheck, ...] = ()

    @property
    def results(self) -> list[CheckResult]:
        """The records, with their explanations."""
        found = []
        for check, outcome in zip(self.plan, self.outcomes, strict=True):
            entry = self._entry(check, outcome)
            names = {"misconception": entry["id"], "advice": entry["says"]} if entry else {}
            found.append(replace(outcome.result, **names))
        return found

    @property
    def items(self) -> list[ItemState]:
        """The items that the suite tests, in the rubric's order."""
        results = {result.check: result for result in self.results}
        checks: dict[str, list[CheckScore]] = defaultdict(list)
        for check in self.plan:
            checks[check.item].append(CheckScore(check, results[check.id]))
        return [
            ItemState(
                item, item_points(item.points, checks[item.id]), tuple(checks[item.id]), extra
            )
            for extra, item in self._rubric()
            if item.id in checks
        ]

    @property
    def not_looked_at(self) -> list[str]:
        """The ids of the week's items that only hidden tests look at."""
        looked_at = {check.item for check in (*self.plan, *self.left_out)}
        found = (item for _, item in self._rubric() if item.kind == "auto")
        return [item.id for item in found if item.id not in looked_at]

    @property
    def failures(self) -> list[Failure]:
        """The failures, grouped by the wrong answer that explains them, or by message.

        In the order of the week's tasks: what others build on is mended first.
        """
        reasons: dict[str, Failure] = {}
        for check, outcome in zip(self.plan, self.outcomes, strict=True):
            if outcome.result.verdict in QUIET:
                continue
            entry = self._entry(check, outcome)
            key = entry["id"] if entry else outcome.result.message
            if key in reasons:
                known = reasons[key]
                reasons[key] = replace(known, others=known.others + 1)
            else:
                printed, inputs = self.printed.get(check.id, ""), self.inputs.get(check.id, "")
                reasons[key] = Failure(check, outcome, entry, printed, inputs=inputs)
        place = {item.id: number for number, (_, item) in enumerate(self._rubric())}
        return sorted(reasons.values(), key=lambda one: place.get(one.check.item, len(place)))

    @property
    def hidden(self) -> str:
        """The remark on hidden tests that were not run: the public tests are not the grade."""
        text = f"{self.shipped.hidden_tests} hidden tests were not run"
        rest = self.not_looked_at
        return f"{text}; not looked at here: {', '.join(rest)}." if rest else f"{text}."

    def _rubric(self) -> list[tuple[bool, Item]]:
        """Return the week's items, each with whether it is extra credit."""
        number = self.week.number
        parts = self.course.components
        return [(part.extra, item) for part in parts for item in part.items if item.week == number]

    def _entry(self, check: PlannedCheck, outcome: Outcome) -> Mapping[str, Any] | None:
        known = self.shipped.told.get(check.id) or self._opened.get(check.item)
        return known if outcome.fault else None

    @cached_property
    def _opened(self) -> dict[str, Mapping[str, Any] | None]:
        """The explanations that the failures of whole items open."""
        ends: dict[str, list[Outcome]] = defaultdict(list)
        for check, outcome in zip(self.plan, self.outcomes, strict=True):
            ends[check.item].append(outcome)
        sealed = self.shipped.wrong_answers
        return {item: entry_of(sealed.get(item, {}), ends[item]) for item in ends}


def read_files(root: Path, week: Week) -> Files:
    """Read the modules of a week that are there."""
    folder = root / "assignments" / week.folder
    modules = {
        name: (folder / name).read_bytes() for name in week.sources if (folder / name).is_file()
    }
    notices = [_missing(name, folder) for name in week.sources if name not in modules]
    for notebook in week.notebooks:
        if (folder / notebook.file).is_file():
            taken = notebook_module((folder / notebook.file).read_bytes(), notebook)
            modules[notebook.module] = taken.source.encode()
            notices += taken.notices
    return Files(modules | helpers_in(folder, modules), tuple(notices))


def _missing(name: str, folder: Path) -> str:
    """Say that a file is not there, and which one looks as if it were meant."""
    others = {path.name.lower(): path.name for path in folder.glob("*.py") if path.name != name}
    near = difflib.get_close_matches(name.lower(), others, n=1, cutoff=0.75)
    rename = f" Rename {others[near[0]]}, if that is it." if near else ""
    return f"{name} is not in {folder.name}: its tasks count as not attempted.{rename}"


def helpers_in(folder: Path, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the student's other modules in a week's folder that its files may import."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*.py")]
    found, words = dict(files), {"py", "__init__"}
    for file in (todo := [name for name in files if name.endswith(".py")]):
        for line in IMPORT.findall(found[file].decode(errors="replace")):
            words |= set(re.findall(r"\w+", line))
        for name in names:
            if name not in found and words.issuperset(re.findall(r"\w+", name)):
                found[name] = (folder / name).read_bytes()
                todo.append(name)
    return {name: data for name, data in found.items() if name not in files}


def read_shipped(root: Path, week: Week, make: Facts | None = None) -> Shipped:
    """Return the content of a week's tests/diagnosis.json; without it, what `make` computes.

    Raises SuiteError for a file that is damaged or missing.
    """
    shipped = root / "assignments" / week.folder / "tests" / "diagnosis.json"
    if make is not None and not shipped.is_file():
        return _shipped(make(week))
    try:
        return _shipped(json.loads(shipped.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        state = "missing" if isinstance(error, FileNotFoundError) else "damaged"
        problem = f"{shipped} is {state} ({type(error).__name__})"
        raise SuiteError(f"{problem}. Take it from the course's files again.") from error


def _shipped(known: Mapping[str, Any]) -> Shipped:
    gaps, stubs = known.get("gaps", {}), known.get("stubs", {})
    python = tuple(known.get("python", ()))
    return Shipped(known["hidden_tests"], known["wrong_answers"], gaps, stubs, python=python)


def has_begun(files: Files, shipped: Shipped) -> bool:
    """Tell whether a module of a week is there that isn't a stub as it was shipped."""
    stubs, found = shipped.stubs, files.modules.items()
    return any(stubs.get(n) != source_digest(text) for n, text in found if n in stubs or not stubs)


def run_public(
    root: Path,
    course: Course,
    week: Week,
    files: Files,
    shipped: Shipped,
    selection: Selection = EVERYTHING,
    *,
    in_process: bool = False,
    own_work: bool = False,
) -> PublicRun:
    """Run the week's public suite, or a selection of it.

    in_process: without limits, in this process, so that a debugger stops in the student's files.
    own_work: also what is said of the student's own tests, and of code quality.
    Raises SuiteError where the suite itself is at fault, SelectionError where there is no such
    test.
    """
    kept = _Kept()
    own, folder = worker_of(root, week), root / "assignments" / week.folder
    more = own_plan(course, week, shipped) if own_work else []
    host: StudentHost | InProcessHost
    if in_process:
        host = InProcessHost(folder, files.modules, week.modules, own)
    else:
        host = StudentHost(files.modules, week.limits, week.modules, week.packages, own)
    try:
        session = SuiteSession(folder / "tests", salt="")
        try:
            plan = selection.of(course, week, [*session.plan, *more])
            chosen = {check.id for check in plan}
            public = chosen & {check.id for check in session.plan}
            outcomes = session.run(host, public, report=lambda one: kept.keep(one, host))
        finally:
            host.close()
            session.close()
    finally:
        host.close()
    plan_of_all = [*session.plan, *more]
    rest = tuple(check for check in plan_of_all if check.id not in chosen)
    asked = [check for check in more if check.id in chosen]
    outcomes += map(Outcome, own_results(folder, week, files, shipped, asked))
    printed, inputs = kept.printed, kept.inputs
    return PublicRun(course, week, files, shipped, plan, outcomes, printed, inputs, rest)


def own_plan(course: Course, week: Week, shipped: Shipped) -> list[PlannedCheck]:
    """Return the checks of code quality and of the student's own tests, as far as there are any."""
    plan = own_quality.plan(course, week, shipped.gaps)
    item = f"{week.id}.student_tests"
    if week.student_tests and item in {one.id for one in course.items(week.number)}:
        plan += own_tests.plan(item)
    return plan


def own_results(
    folder: Path, week: Week, files: Files, shipped: Shipped, asked: Sequence[PlannedCheck]
) -> list[CheckResult]:
    """Return what is said of the student's own tests and of code quality.

    A module that is still as it was shipped has not been begun.
    """
    modules = files.modules
    begun = {name: shipped.stubs.get(name) != source_digest(modules[name]) for name in modules}
    item = f"{week.id}.student_tests"
    results = own_quality.measure([c for c in asked if c.item != item], modules, begun)
    if any(check.item == item for check in asked):
        has_begun = begun.get(week.student_tests or "", False)
        tried = own_tests.try_tests(item, week, folder / "tests", modules, has_begun)
        results += [one for one in tried if one.check in {check.id for check in asked}]
    return results


@dataclass
class _Kept:
    """What is kept of each test that has ended, by its check's id."""

    printed: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)

    def keep(self, outcome: Outcome, host: StudentHost | InProcessHost) -> None:
        """Keep the output and the inputs of the test just finished, once."""
        check = outcome.result.check
        self.printed[check], host.printed = host.printed, ""
        self.inputs[check], host.recorder = host.recorder.text, Recorder()
