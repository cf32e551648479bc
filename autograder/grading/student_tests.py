"""Grading students' own tests by mutation: they pass on the reference and fail on mutants.

The tests run in a sandbox of their own, against the reference and then against each mutant, the
reference with one catalogued mistake. The reference can be read there, so only one bit per test
comes back.

A test may be right for code of another form than the reference's: then it is held against the first
legal variant on which it passes, and that variant's mutants.
"""

from __future__ import annotations

import ast
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autograder.channel.faults import Fault
from autograder.grading.worlds import World, Worlds
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.reference.legal_variants import LegalVariant
from autograder.reference.misconceptions import Misconception
from autograder.sandbox import Confinement, InfraError, Limits, Sandbox
from autograder.text.sandbox_text import clean
from autograder.text.syntax import syntax_tree

SHARE_FOR_FULL = 0.9
"""Share of the mutants that the tests must notice for full points."""

MAX_TESTS = 60
"""Maximum number of a student's tests that are run; each reveals one bit of the reference."""

MAX_SHOWN_FAILING = 6

REFERENCE_REPEATS = 2
"""Number of runs of the reference among the mutants."""

SEED = 0
"""Seed of NumPy's global generator, so that student tests that use it are reproducible."""

HOOKS = {
    *("setup_module", "setup_function", "setup_class", "setUp", "setUpClass", "setUpModule"),
    *("teardown_module", "teardown_function", "teardown_class", "tearDown", "tearDownClass"),
}
IMPATIENT_SECONDS, IMPATIENT_FACTOR = 1.0, 5.0
"""Time limit of runs after a timeout: the larger of this and a multiple of the reference's time."""

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
    module's names may stand.
    """

    def __init__(
        self,
        item: str,
        test_file: str,
        reference: Mapping[str, bytes],
        catalogue: Sequence[Misconception],
        variants: Sequence[LegalVariant] = (),
        homes: Mapping[str, Sequence[str]] | None = None,
    ):
        self.test_file = test_file
        self.plan = [
            PlannedCheck("student_tests::correct", item, "Your tests pass on a correct solution"),
            PlannedCheck("student_tests::mistakes", item, "Your tests notice wrong solutions", 3),
        ]
        self._catalogue = catalogue
        sources = {name: text.decode() for name, text in reference.items() if name != test_file}
        self._worlds = Worlds(sources, catalogue, variants, homes or {}, test_file)
        for number in (None, *range(len(catalogue))):
            self._worlds.modules(World(), number)

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
            lambda: Sandbox(
                confinement,
                {**helpers, self.test_file: source},
                limits,
                tests=self.test_file,
                with_pytest=tests.needs_pytest,
            ),
            limits.request_seconds,
        )
        try:
            return self._judge(runner, tests, self._worlds.all(bool(helpers)))
        finally:
            runner.close()

    def _judge(
        self, runner: _Runner, tests: TestFunctions, worlds: Sequence[World]
    ) -> list[CheckResult]:
        """Find the tests that are right; count the mutants that one of them notices."""
        bits = runner.run(self._worlds.modules(worlds[0]), tests.written)
        if bits is None:
            verdict = runner.fault.verdict
            return self._both(
                verdict, f"On a correct solution: {FAILURE_MESSAGES.get(verdict, NO_ANSWER)}"
            )
        passing = [name for name, bit in zip(tests.written, bits, strict=True) if bit]
        valid = {worlds[0]: passing, **self._elsewhere(runner, tests, worlds[1:], passing)}
        runner.restart()
        failures = self._failures(runner, valid)
        right = {name for names in valid.values() for name in names}
        failing = [name for name in tests.written if name not in right]
        noticed: dict[str, list[bool]] = defaultdict(list)
        for mistake, failed in zip(self._catalogue, failures, strict=True):
            noticed[mistake.where.partition(".")[0]].append(not failed.isdisjoint(right))
        caught = sum(sum(bits) for bits in noticed.values())
        if not caught and tests.unwritten:
            return self._both(Verdict.NOT_ATTEMPTED, "The tests asked for aren't filled in yet.")
        share = min(1.0, caught / len(self._catalogue) / SHARE_FOR_FULL)
        return [
            self._correct(len(right) / len(tests.written), failing, caught),
            _mistakes(self.plan[1].id, share, caught, noticed, tests.left_out),
        ]

    def _elsewhere(
        self,
        runner: _Runner,
        tests: TestFunctions,
        worlds: Sequence[World],
        passing: Sequence[str],
    ) -> dict[World, list[str]]:
        """Return the tests that are right in other worlds alone, by the first such world."""
        left = [name for name in tests.written if name not in passing]
        found: dict[World, list[str]] = {}
        for world in worlds:
            bits = runner.run(self._worlds.modules(world), left) if left else None
            right = [name for name, bit in zip(left, bits or [], strict=False) if bit]
            if right:
                found[world] = right
                left = [name for name in left if name not in right]
        return found

    def _failures(self, runner: _Runner, valid: dict[World, list[str]]) -> list[set[str]]:
        """Return for each mistake the tests that fail where it is made, each in its world.

        The reference of each world is run again among the mutants, at random positions and in
        another sandbox than the first time: a test that fails there depends on something other than
        the code, and is removed from `valid`.
        """
        repeated_at = {secrets.randbelow(len(self._catalogue)) for _ in range(REFERENCE_REPEATS)}
        failures: list[set[str]] = []
        for number in range(len(self._catalogue)):
            failed: set[str] = set()
            for world, names in valid.items():
                failed |= runner.failing(self._worlds.modules(world, number), names)
                if number in repeated_at:
                    unsteady = runner.failing(self._worlds.modules(world), names)
                    valid[world] = [name for name in names if name not in unsteady]
            failures.append(failed)
        return failures

    def _correct(self, share: float, failing: list[str], caught: int) -> CheckResult:
        check = self.plan[0].id
        if not caught:
            message = "Counts once your tests notice at least one wrong solution."
            return CheckResult(check, Verdict.BLOCKED, message=message)
        if not failing:
            return CheckResult(check, Verdict.PASS, FULL_CREDIT)
        shown = ", ".join(clean(name, 60) for name in failing[:MAX_SHOWN_FAILING])
        shown += " ..." if len(failing) > MAX_SHOWN_FAILING else ""
        message = f"These of your tests fail on a correct solution, so they don't count: {shown}."
        return CheckResult(check, Verdict.WRONG, round(FULL_CREDIT * share), message)

    def _both(self, verdict: Verdict, message: str) -> list[CheckResult]:
        return [CheckResult(check.id, verdict, message=message) for check in self.plan]


def _mistakes(
    check: str, share: float, caught: int, noticed: Mapping[str, list[bool]], left_out: int
) -> CheckResult:
    total = sum(len(bits) for bits in noticed.values())
    missed = [
        f"{where} ({len(bits) - sum(bits)} of {len(bits)} not noticed)"
        for where, bits in noticed.items()
        if not all(bits)
    ]
    message = f"Your tests notice {caught} of {total} wrong solutions."
    if missed:
        message += f" Look again at {', '.join(missed)}."
    if left_out:
        message += f" Only the first {MAX_TESTS} of your tests were run; {left_out} were not."
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
    """Runs sets of tests, each in a fresh worker of one sandbox.

    `fault` is that of the last run without an answer. Raises InfraError when a new sandbox fails
    before any of the student's code has run in it.
    """

    def __init__(self, open_sandbox: Callable[[], Sandbox], seconds: float):
        self._open_sandbox = open_sandbox
        self._seconds = seconds
        self._reference_seconds = 0.0
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

    def run(self, modules: Mapping[str, np.ndarray], names: list[str]) -> list[bool] | None:
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
            _, bits = channel.request("run", dict(modules), names, seconds=self._seconds)
            if type(bits) is not list or [type(bit) for bit in bits] != [bool] * len(names):
                raise Fault(Verdict.VIOLATION, "An answer that isn't one bit for each test.")
        except Fault as fault:
            self.fault = fault
            self._sandbox.end_worker()
            if fault.verdict is Verdict.TIMEOUT:
                limit = max(IMPATIENT_SECONDS, IMPATIENT_FACTOR * self._reference_seconds)
                self._seconds = min(self._seconds, limit)
            return None
        self._reference_seconds = self._reference_seconds or time.monotonic() - started
        self._sandbox.end_worker(wait=False)
        return bits

    def failing(self, modules: Mapping[str, np.ndarray], names: list[str]) -> set[str]:
        """Return the names of the tests that reported a failure; none without an answer.

        A crash does not count as noticing a mutant.
        """
        bits = self.run(modules, names) if names else None
        return {name for name, bit in zip(names, bits or [], strict=False) if not bit}
