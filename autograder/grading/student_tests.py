"""Grading students' own tests by what they tell apart: right programs from wrong ones.

The tests run against several right programs, all of which do the same and look different
(reference.disguise), and against each mutant, a right program with one catalogued mistake. The
programs can be read there, so only one bit per test comes back; grading.told_apart says what these
bits tell. The points for mistakes are

    share of the mistakes that are told from right programs / SHARE_FOR_FULL

times the share of the tests that are valid.

Tests may be right for code of another form than the reference's: they are held against the legal
variant on which most of them pass, and that variant's mutants.
"""

from __future__ import annotations

import random
import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from autograder.channel.faults import Fault
from autograder.grading.told_apart import Runs, Told, kinds_of, may_go_by_pattern, told
from autograder.grading.worlds import RIGHT_ONES, Modules, Program, World, Worlds
from autograder.intake.imports import with_helpers
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.reference.disguise import SCRAMBLED as WAYS
from autograder.reference.legal_variants import LegalVariant
from autograder.reference.misconceptions import Misconception
from autograder.sandbox import Confinement, InfraError, Limits, Sandbox
from autograder.sandbox.own_time import MOST_STALLED, STALLED, OwnTime
from autograder.text.test_functions import MAX_TESTS, TestFunctions, find_tests

SHARE_FOR_FULL = 0.9
"""Share of the mutants that the tests must notice for full points."""

PROGRAMS = (
    *(Program(disguise=number) for number in range(1, RIGHT_ONES + 1)),
    *(Program(disguise=number, rounded=True) for number in range(5, 7)),
    *(Program(disguise=number, bent=True) for number in range(7, 11)),
)
"""What stands for right programs among the mutants, and their bent forms."""

BENT_IN, SCRAMBLED = range(31, 33), range(41, 46)
"""The disguises of programs bent in one function alone, and of those scrambled in each way."""

PLACES, BENT_MISTAKES = 4, 5
"""Of how many functions and mistakes there are bent programs: drawn for each file of tests, by the
course's salt, so that nobody knows which, and the same tests get the same twice."""

EVIDENCE = tuple(Program(disguise=number, bent=True) for number in range(15, 31))
"""Run too where another world was looked for: what goes by chance found one that it likes."""

FULL_VALIDITY_FROM = 0.5
"""Share of the mistakes from which on valid tests get all points for being valid."""

SEED = 0
"""Seed of NumPy's global generator, so that student tests that use it are reproducible."""

IMPATIENT_SECONDS, IMPATIENT_FACTOR = 1.0, 5.0
"""Time limit of runs after a timeout: the larger of this and a multiple of the reference's time."""

EXACT = "A test may demand no more than the docstrings promise: numbers up to rounding, for one."

BY_CHANCE = (
    "At least one of your tests passes on some correct solutions and fails on others, or goes by "
    "something else than whether numbers are right. Such tests count against the others, and how "
    "many notice what is not told. " + EXACT
)

FAILURE_MESSAGES = {
    Verdict.TIMEOUT: "your tests took too long.",
    Verdict.MEMORY: "your tests needed too much memory.",
    Verdict.OUTPUT: "your tests printed too much.",
    Verdict.VIOLATION: "your tests broke the connection to the grader.",
}
NO_ANSWER = "your tests ended the process that they ran in."
"""Message for any other run without an answer; an exit status could reveal the reference."""


class Mutation:
    """The checks of one assignment's student tests.

    `reference` are the solution's modules, `catalogue` the mistakes that the tests should notice,
    each an edit of one module, `variants` other right forms, `homes` the other modules in which a
    module's names may stand. The course's `salt` chooses the disguises of the programs.
    """

    def __init__(
        self,
        item: str,
        test_file: str,
        reference: Mapping[str, bytes],
        catalogue: Sequence[Misconception],
        variants: Sequence[LegalVariant] = (),
        homes: Mapping[str, Sequence[str]] | None = None,
        salt: str = "",
    ):
        self.test_file = test_file
        self.plan = [
            PlannedCheck("student_tests::correct", item, "Your tests pass on a correct solution"),
            PlannedCheck("student_tests::mistakes", item, "Your tests notice wrong solutions", 3),
        ]
        self._catalogue = catalogue
        sources = {name: text.decode() for name, text in reference.items() if name != test_file}
        self._worlds = Worlds(sources, catalogue, variants, homes or {}, test_file, salt)
        self._salt = salt
        for number in range(len(catalogue)):  # raises now, not for a submission, if one is invalid
            catalogue[number].apply(sources[f"{catalogue[number].module}.py"], verify=False)

    def examine(
        self, confinement: Confinement, files: Mapping[str, bytes], limits: Limits
    ) -> list[CheckResult]:
        """Run the student's tests and grade them. Raises InfraError when there is no sandbox."""
        source = files.get(self.test_file)
        if source is None:
            return self._both(Verdict.NOT_ATTEMPTED, f"There is no {self.test_file}.")
        tests = find_tests(source)
        if tests is None:
            return self._both(Verdict.RAISED, f"{self.test_file} is not valid Python.")
        if not tests.written:
            return self._both(Verdict.NOT_ATTEMPTED, "None of the tests is filled in yet.")
        helpers = {name: files[name] for name in self._worlds.helpers if name in files}
        own = self._own_modules(source, files)
        needed = (self._worlds.needed(text, helpers) for text in own.values())
        runner = _Runner(
            partial(
                Sandbox,
                confinement,
                {**helpers, **own},
                limits,
                tests=self.test_file,
                with_pytest=tests.needs_pytest,
            ),
            partial(self._worlds.modules, frozenset().union(*needed)),
            limits.request_seconds,
        )
        try:
            draw = random.Random(self._salt.encode() + b"\0" + source)
            return self._judge(runner, tests, self._worlds.all(bool(helpers)), draw)
        finally:
            runner.close()

    def _own_modules(self, source: bytes, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the test file, and the student's helper modules that it imports."""
        beside = {name: data for name, data in files.items() if not self._worlds.has(name)}
        return with_helpers({self.test_file: source}, lambda _, file: beside.get(file))

    def _judge(
        self,
        runner: _Runner,
        tests: TestFunctions,
        worlds: Sequence[World],
        draw: random.Random,
    ) -> list[CheckResult]:
        """Find the tests that are valid, and what they notice."""
        written = tests.written
        first = runner.run(runner.modules(worlds[0]), written)
        if first is None:
            verdict = runner.fault.verdict
            return self._both(
                verdict, f"On a correct solution: {FAILURE_MESSAGES.get(verdict, NO_ANSWER)}"
            )
        world = _world(runner, written, worlds, first)
        runner.restart()
        more = EVIDENCE if world != worlds[0] else ()
        runs = self._runs(runner, world, written, (*PROGRAMS, *more), draw)
        doubtful = may_go_by_pattern(written, runs)
        if doubtful:
            runner.restart()
            runs = replace(runs, scrambled=self._scrambled(runner, world, doubtful))
        kinds = kinds_of(written, runs)
        seen = told(written, kinds, runs)
        if tests.unwritten and not any(seen.plain):
            return self._both(Verdict.NOT_ATTEMPTED, "The tests asked for aren't filled in yet.")
        by_place: dict[str, list[bool]] = defaultdict(list)
        for mistake, found in zip(self._catalogue, seen.noticed, strict=True):
            by_place[mistake.where.partition(".")[0]].append(found)
        said = _Said(len(written), len(kinds.steady), by_place, seen, tests.left_out)
        correct, mistakes = (check.id for check in self.plan)
        return [said.correct(correct), said.mistakes(mistakes)]

    def _runs(
        self,
        runner: _Runner,
        world: World,
        names: Sequence[str],
        known: Sequence[Program],
        draw: random.Random,
    ) -> Runs:
        """Run these tests on a world's wrong programs, and on those `known` to be right or bent."""
        numbers = range(len(self._catalogue))
        bent = set(draw.sample(numbers, min(BENT_MISTAKES, len(numbers))))
        mutants = [
            (Program(n), Program(n, disguise=1, bent=True) if n in bent else Program(n))
            for n in numbers
        ]
        places = self._worlds.places
        bent_in = [
            [Program(disguise=number, bent=True, place=place) for number in BENT_IN]
            for place in draw.sample(places, min(PLACES, len(places)))
        ]
        failed = _failed(runner, world, names, [*known, *chain(*mutants, *bent_in)])
        return Runs(
            right=[failed[p] for p in known if not (p.rounded or p.bent)],
            rounded=[failed[p] for p in known if p.rounded],
            bent=[failed[p] for p in known if p.bent],
            wrong=[(failed[plain], failed[bent]) for plain, bent in mutants],
            bent_in=[[failed[program] for program in group] for group in bent_in],
        )

    def _scrambled(
        self, runner: _Runner, world: World, names: Sequence[str]
    ) -> list[list[set[str]]]:
        """Run tests on programs whose numbers are scrambled, in a sandbox of their own."""
        groups = [[Program(disguise=n, scrambled=way) for n in SCRAMBLED] for way in WAYS]
        failed = _failed(runner, world, names, list(chain(*groups)))
        return [[failed[program] for program in group] for group in groups]

    def _both(self, verdict: Verdict, message: str) -> list[CheckResult]:
        return [CheckResult(check.id, verdict, message=message) for check in self.plan]


@dataclass(frozen=True)
class _Said:
    """What came of all runs: points and words.

    `noticed` says of each mistake, by its class or function, whether the tests notice it.
    """

    written: int
    valid: int
    noticed: Mapping[str, Sequence[bool]]
    told: Told
    left_out: int

    def correct(self, check: str) -> CheckResult:
        """Return the result of the check that tests pass on correct solutions."""
        if not self.told.share:
            message = "Counts once your tests tell at least one wrong solution from right ones."
            return CheckResult(check, Verdict.BLOCKED, message=message)
        share = min(1.0, self.told.share / FULL_VALIDITY_FROM) * self.valid / self.written
        message = "All of them do. That counts in full once they notice half of the mistakes."
        if self.valid < self.written:
            message = f"{self._invalid}, so they don't count. {EXACT}"
        if self.told.by_chance:
            message = BY_CHANCE
        return _share(check, share, message if share < 1 else "")

    @property
    def _invalid(self) -> str:
        return f"{self.written - self.valid} of your {self.written} tests fail on correct solutions"

    def mistakes(self, check: str) -> CheckResult:
        """Return the result of the check that tests notice mistakes.

        Tests by chance could read what is hidden out of numbers, so that none is told then.
        """
        share = min(1.0, self.told.share / SHARE_FOR_FULL) * self.valid / self.written
        said = [BY_CHANCE] if self.told.by_chance else self._numbers()
        if self.left_out:
            said.append(
                f"Only the first {MAX_TESTS} of your tests were run; {self.left_out} were not."
            )
        return _share(check, share, " ".join(said))

    def _numbers(self) -> list[str]:
        """Say how many wrong solutions are noticed, and where to look again."""
        total, caught = (sum(map(count, self.noticed.values())) for count in (len, sum))
        said = [f"Your tests notice {caught} of {total} wrong solutions."]
        missed = [
            f"{where} ({len(bits) - sum(bits)} of {len(bits)} not noticed)"
            for where, bits in self.noticed.items()
            if not all(bits)
        ]
        if missed:
            said.append(f"Look again at {', '.join(missed)}.")
        if self.valid < self.written:
            said.append(f"{self._invalid}, and these points go by the share of those that don't.")
        return said


def _failed(
    runner: _Runner, world: World, names: Sequence[str], programs: Sequence[Program]
) -> dict[Program, set[str]]:
    """Return which tests fail on each of these programs.

    The programs come in an order of their own each time, so that a test which goes by the order, or
    by what earlier runs have left, is wrong about right ones too. On right programs a run without
    an answer is a failure of all tests; on mutants a crash notices nothing.
    """
    order = list(dict.fromkeys(programs))
    secrets.SystemRandom().shuffle(order)
    failed: dict[Program, set[str]] = {}
    for program in order:
        bits = runner.run(runner.modules(world, program), names)
        if bits is None:
            bits = [program.mistake is not None] * len(names)
        failed[program] = {name for name, bit in zip(names, bits, strict=True) if not bit}
    return failed


def _world(
    runner: _Runner, names: Sequence[str], worlds: Sequence[World], first: Sequence[bool]
) -> World:
    """Return the world on whose right program the most tests pass; `first`: in the first one."""
    best, most = worlds[0], sum(first)
    for world in worlds[1:]:
        if most == len(names):
            break
        passed = sum(runner.run(runner.modules(world), names) or [])
        if passed > most:
            best, most = world, passed
    return best


def _share(check: str, share: float, message: str) -> CheckResult:
    verdict = Verdict.PASS if share == 1 else Verdict.WRONG
    return CheckResult(check, verdict, round(FULL_CREDIT * share), message)


class _Runner:
    """Runs sets of tests against modules, each in a fresh worker.

    `modules` makes them: of a world's programs. `fault` is that of the last run
    without an answer. Raises InfraError when a new sandbox fails before any of the student's code
    has run in it.
    """

    def __init__(
        self, open_sandbox: Callable[..., Sandbox], modules: Callable[..., Modules], seconds: float
    ):
        self._open_sandbox, self.modules = open_sandbox, modules
        self._seconds = seconds
        self._first_seconds = 0.0
        self._clock = OwnTime()
        self.fault = Fault(Verdict.CRASH, "Your tests brought down all processes of their sandbox.")
        self._sandbox = self._open()

    def _open(self) -> Sandbox:
        self._used = False
        sandbox = self._open_sandbox(clock=self._clock)
        if sandbox.import_modules(SEED):
            return sandbox
        sandbox.close()
        return self._open_sandbox(clock=self._clock)

    def restart(self) -> None:
        """Continue in another sandbox."""
        self.close()
        self._sandbox = self._open()

    def close(self) -> None:
        """Close the sandbox."""
        self._sandbox.close()

    def run(self, modules: Modules, names: Sequence[str]) -> list[bool] | None:
        """Return for each name whether that test passes on `modules`; None without an answer.

        Runs them again where that came to nothing while this process was stopped. Raises InfraError
        if that is so MOST_STALLED times.
        """
        for _ in range(MOST_STALLED):
            before, seconds = self._clock.stalls, self._seconds
            bits = self._run(modules, names)
            if bits is not None or self._clock.stalls == before:
                return bits
            self._seconds = seconds
            self.restart()
        raise InfraError(STALLED)

    def _run(self, modules: Modules, names: Sequence[str]) -> list[bool] | None:
        try:
            channel = self._sandbox.fresh(SEED)
        except InfraError:
            if not self._used:
                raise
            return None
        self._used = True
        started = self._clock.begin()
        try:
            _, bits = channel.request("run", dict(modules), list(names), seconds=self._seconds)
            if type(bits) is not list or [type(bit) for bit in bits] != [bool] * len(names):
                raise Fault(Verdict.VIOLATION, "An answer that isn't one bit for each test.")
        except Fault as fault:
            self.fault = fault
            self._sandbox.end_worker()
            if fault.verdict is Verdict.TIMEOUT:
                limit = max(IMPATIENT_SECONDS, IMPATIENT_FACTOR * self._first_seconds)
                self._seconds = min(self._seconds, limit)
            return None
        self._first_seconds = self._first_seconds or self._clock.now() - started
        self._sandbox.end_worker(wait=False)
        return bits
