"""Grading students' own tests by what they tell apart: right programs from wrong ones.

The tests run against several right programs, all of which do the same and look different
(reference.disguise), and against each mutant, a right program with one catalogued mistake. The
programs can be read there, so only one bit per test comes back.

A test that fails on nearly all right programs is invalid and notices nothing, nor does one that
fails only on those which round otherwise than the others. A test that fails on some right programs
goes by something else than what they do: it stays, and each right program on which a test that
stayed fails takes away twice what a wrong one gives. The points for mistakes are

    (share of the wrong programs noticed - FALSE_ALARM x share of the right ones) / SHARE_FOR_FULL

times the share of the tests that are valid.

A test may be right for code of another form than the reference's: then it is held against the first
legal variant on which it passes, and that variant's mutants.
"""

from __future__ import annotations

import ast
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from autograder.channel.faults import Fault
from autograder.grading.worlds import Modules, World, Worlds
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.reference.legal_variants import LegalVariant
from autograder.reference.misconceptions import Misconception
from autograder.sandbox import Confinement, InfraError, Limits, Sandbox
from autograder.text.syntax import syntax_tree

SHARE_FOR_FULL = 0.9
"""Share of the mutants that the tests must notice for full points."""

MAX_TESTS = 60
"""Maximum number of a student's tests that are run; each reveals one bit of the reference."""

PLAIN, ROUNDED = (2, 4, 6, 8, 10, 12), (1, 3)
"""Disguises of the right programs among the mutants. Those of odd numbers round otherwise."""

FALSE_ALARM = 2.0
"""What a right program on which a test fails takes away, in wrong programs noticed: tests that go
by chance, as often wrong on one as right on the other, are left with nothing."""

FULL_VALIDITY_FROM = 0.5
"""Share of the mistakes from which on valid tests get all points for being valid."""

INVALID_FROM = 0.75
"""Share of the right programs from which on a test that fails on them is plainly wrong."""

SEED = 0
"""Seed of NumPy's global generator, so that student tests that use it are reproducible."""

HOOKS = {
    *("setup_module", "setup_function", "setup_class", "setUp", "setUpClass", "setUpModule"),
    *("teardown_module", "teardown_function", "teardown_class", "tearDown", "tearDownClass"),
}
IMPATIENT_SECONDS, IMPATIENT_FACTOR = 1.0, 5.0
"""Time limit of runs after a timeout: the larger of this and a multiple of the reference's time."""

EXACT = "A test may demand no more than the docstrings promise: numbers up to rounding, for one."

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
        runner = _Runner(
            partial(
                Sandbox,
                confinement,
                {**helpers, self.test_file: source},
                limits,
                tests=self.test_file,
                with_pytest=tests.needs_pytest,
            ),
            partial(self._worlds.modules, self._worlds.needed(source, helpers)),
            limits.request_seconds,
        )
        try:
            return self._judge(runner, tests, self._worlds.all(bool(helpers)))
        finally:
            runner.close()

    def _judge(
        self, runner: _Runner, tests: TestFunctions, worlds: Sequence[World]
    ) -> list[CheckResult]:
        """Find the tests that are valid, and what they notice."""
        first = runner.run(runner.modules(worlds[0]), tests.written)
        if first is None:
            verdict = runner.fault.verdict
            return self._both(
                verdict, f"On a correct solution: {FAILURE_MESSAGES.get(verdict, NO_ANSWER)}"
            )
        valid = self._valid(runner, first, tests.written, worlds)
        runner.restart()
        failures = self._failures(runner, valid)
        plain, rounded = ([failures[None, n] for n in numbers] for numbers in (PLAIN, ROUNDED))
        steady = {
            name for names in valid.values() for name in names if _is_steady(name, plain, rounded)
        }
        noticed: dict[str, list[bool]] = defaultdict(list)
        for number, mistake in enumerate(self._catalogue):
            found = not steady.isdisjoint(failures[number, 0])
            noticed[mistake.where.partition(".")[0]].append(found)
        if tests.unwritten and not any(map(any, noticed.values())):
            return self._both(Verdict.NOT_ATTEMPTED, "The tests asked for aren't filled in yet.")
        alarms = sum(not steady.isdisjoint(each) for each in plain) / len(plain)
        seen = _Seen(len(tests.written), len(steady), noticed, alarms, tests.left_out)
        correct, mistakes = (check.id for check in self.plan)
        return [seen.correct(correct), seen.mistakes(mistakes)]

    def _valid(
        self,
        runner: _Runner,
        first: Sequence[bool],
        written: Sequence[str],
        worlds: Sequence[World],
    ) -> dict[World, list[str]]:
        """Return the tests that pass on right programs, by their world.

        `first` says which tests pass on the first right program. A test's world is the first one
        with a right program on which it passes.
        """
        here = [name for name, passed in zip(written, first, strict=True) if passed]
        valid: dict[World, list[str]] = {}
        left = [name for name in written if name not in here]
        for world in worlds:
            names = here
            if world != worlds[0]:
                bits = runner.run(runner.modules(world), left) if left else None
                names = [name for name, bit in zip(left, bits or [], strict=False) if bit]
                left = [name for name in left if name not in names]
            if names:
                valid[world] = names
        return valid

    def _failures(
        self, runner: _Runner, valid: Mapping[World, list[str]]
    ) -> dict[tuple[int | None, int], set[str]]:
        """Return which of these tests fail on each program: (mistake or None, disguise).

        The programs come in an order of their own each time, so that a test which goes by the
        order, or by what earlier runs have left, is wrong about right ones too. On right programs a
        run without an answer is a failure of all tests; on mutants a crash notices nothing.
        """
        right = [(None, disguise) for disguise in (*PLAIN, *ROUNDED)]
        programs: list[tuple[int | None, int]] = [
            *right,
            *((number, 0) for number in range(len(self._catalogue))),
        ]
        secrets.SystemRandom().shuffle(programs)
        found: dict[tuple[int | None, int], set[str]] = {}
        for mistake, disguise in programs:
            failed: set[str] = set()
            for world, names in valid.items():
                bits = runner.run(runner.modules(world, mistake, disguise), names)
                if bits is None:
                    bits = [mistake is not None] * len(names)
                failed |= {name for name, bit in zip(names, bits, strict=True) if not bit}
            found[mistake, disguise] = failed
        return found

    def _both(self, verdict: Verdict, message: str) -> list[CheckResult]:
        return [CheckResult(check.id, verdict, message=message) for check in self.plan]


def _is_steady(
    name: str, plain: Sequence[Collection[str]], rounded: Sequence[Collection[str]]
) -> bool:
    """Whether a test stays; `plain` and `rounded` say which tests fail on each right program."""
    on_plain, on_rounded = (sum(name in failed for failed in each) for each in (plain, rounded))
    if not on_plain:
        return not on_rounded
    return on_plain + on_rounded < INVALID_FROM * (len(plain) + len(rounded))


@dataclass(frozen=True)
class _Seen:
    """What came of all runs: points and words.

    `noticed` says of each mistake, by its class or function, whether a valid test notices it;
    `false_alarms` is the share of the right programs on which one fails that stayed.
    """

    written: int
    valid: int
    noticed: Mapping[str, Sequence[bool]]
    false_alarms: float
    left_out: int

    @property
    def told(self) -> float:
        """The share of the mistakes that are told from right programs, 0..1."""
        every = [bit for bits in self.noticed.values() for bit in bits]
        return max(0.0, sum(every) / len(every) - FALSE_ALARM * self.false_alarms)

    def correct(self, check: str) -> CheckResult:
        """Return the result of the check that tests pass on correct solutions."""
        if not self.told:
            message = "Counts once your tests tell at least one wrong solution from right ones."
            return CheckResult(check, Verdict.BLOCKED, message=message)
        share = min(1.0, self.told / FULL_VALIDITY_FROM) * self.valid / self.written
        message = "All of them do. That counts in full once they notice half of the mistakes."
        if self.valid < self.written:
            message = f"{self._invalid}, so they don't count. {EXACT}"
        return _share(check, share, message if share < 1 else "")

    @property
    def _invalid(self) -> str:
        return f"{self.written - self.valid} of your {self.written} tests fail on correct solutions"

    def mistakes(self, check: str) -> CheckResult:
        """Return the result of the check that tests notice mistakes."""
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
        if self.false_alarms:
            percent = round(100 * self.false_alarms)
            said.append(
                f"They fail on {percent} % of the correct solutions too, which counts against "
                f"that. {EXACT}"
            )
        if self.left_out:
            said.append(
                f"Only the first {MAX_TESTS} of your tests were run; {self.left_out} were not."
            )
        share = min(1.0, self.told / SHARE_FOR_FULL) * self.valid / self.written
        return _share(check, share, " ".join(said))


def _share(check: str, share: float, message: str) -> CheckResult:
    verdict = Verdict.PASS if share == 1 else Verdict.WRONG
    return CheckResult(check, verdict, round(FULL_CREDIT * share), message)


class TestFunctions:
    """The test functions of a file, and whether they need pytest.

    `written` are the names of those that are run, `left_out` is the number of those beyond
    MAX_TESTS, `unwritten` are the names of those not filled in.
    """

    def __init__(self, written: list[str], unwritten: list[str], needs_pytest: bool):
        self.written = written[:MAX_TESTS]
        self.left_out = len(written) - len(self.written)
        self.unwritten = unwritten
        self.needs_pytest = needs_pytest


def find_tests(source: bytes) -> TestFunctions | None:
    """Find the test functions and methods in a test file without running it.

    A function that raises NotImplementedError as a statement of its own is a gap not filled in.
    Returns None for what isn't Python.
    """
    tree = syntax_tree(source)
    if tree is None:
        return None
    functions: list[tuple[str, ast.FunctionDef]] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            functions.append((node.name, node))
        if isinstance(node, ast.ClassDef) and _holds_tests(node):
            functions += [
                (f"{node.name}::{part.name}", part)
                for part in node.body
                if isinstance(part, ast.FunctionDef) and part.name.startswith("test")
            ]
    written = [name for name, function in functions if not _is_gap(function)]
    unwritten = [name for name, function in functions if _is_gap(function)]
    return TestFunctions(
        written, unwritten, _needs_pytest(tree, [function for _, function in functions])
    )


def _holds_tests(node: ast.ClassDef) -> bool:
    """Whether pytest looks for tests in a class: one called Test..., or a unittest.TestCase."""
    bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
    return node.name.startswith("Test") or "TestCase" in bases


def _needs_pytest(tree: ast.Module, functions: list[ast.FunctionDef]) -> bool:
    """Whether the tests need pytest: they import it, use fixtures or set-up functions."""
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        (node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return (
        not imported.isdisjoint({"pytest", "unittest"})
        or not defined.isdisjoint(HOOKS)
        or any([a.arg for a in function.args.args] not in ([], ["self"]) for function in functions)
    )


def _is_gap(function: ast.FunctionDef) -> bool:
    for node in function.body:
        if isinstance(node, ast.Raise):
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return False


class _Runner:
    """Runs sets of tests against modules, each in a fresh worker.

    `modules` makes them: of a world, with a mistake, in a disguise. `fault` is that of the last run
    without an answer. Raises InfraError when a new sandbox fails before any of the student's code
    has run in it.
    """

    def __init__(
        self, open_sandbox: Callable[[], Sandbox], modules: Callable[..., Modules], seconds: float
    ):
        self._open_sandbox, self.modules = open_sandbox, modules
        self._seconds = seconds
        self._first_seconds = 0.0
        self.fault = Fault(Verdict.CRASH, "Your tests brought down all processes of their sandbox.")
        self._sandbox = self._open()

    def _open(self) -> Sandbox:
        self._used = False
        sandbox = self._open_sandbox()
        if sandbox.import_modules(SEED):
            return sandbox
        sandbox.close()
        return self._open_sandbox()

    def restart(self) -> None:
        """Continue in another sandbox."""
        self.close()
        self._sandbox = self._open()

    def close(self) -> None:
        """Close the sandbox."""
        self._sandbox.close()

    def run(self, modules: Modules, names: Sequence[str]) -> list[bool] | None:
        """Return for each name whether that test passes on `modules`; None without an answer."""
        try:
            channel = self._sandbox.fresh(SEED)
        except InfraError:
            if not self._used:
                raise
            return None
        self._used = True
        started = time.monotonic()
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
        self._first_seconds = self._first_seconds or time.monotonic() - started
        self._sandbox.end_worker(wait=False)
        return bits
