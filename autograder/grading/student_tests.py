"""Grades students' own tests by what they notice: they pass on the reference, and not on mistakes.

The tests run in a sandbox of their own, against the reference and then against each catalogued
mistake. There the reference can be read, so what comes back is one bit for each test.
"""

from __future__ import annotations

import ast
import marshal
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autograder.channel.faults import Fault
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.reference.misconceptions import Misconception
from autograder.sandbox import Confinement, InfraError, Limits, Sandbox
from autograder.text.sandbox_text import clean
from autograder.text.syntax import syntax_tree

FOR_FULL = 0.9
"""Share of the mistakes that the tests must notice for full points."""

MOST_TESTS = 60
"""So many of a student's tests are run. Each tells one bit of what it runs against."""

SHOWN_FAILING = 6

REPEATS = 2
"""How often the reference comes again among the mistakes."""

SEED = 0
"""For NumPy's global generator: student tests that use it do the same each time."""

HOOKS = {
    *("setup_module", "setup_function", "setup_class", "setUp", "setUpClass", "setUpModule"),
    *("teardown_module", "teardown_function", "teardown_class", "tearDown", "tearDownClass"),
}
IMPATIENT_SECONDS, IMPATIENT_FACTOR = 1.0, 5.0
"""After a timeout a run gets that long, or so many times what the tests take on the reference."""

ENDED = {
    Verdict.TIMEOUT: "your tests took too long.",
    Verdict.MEMORY: "your tests needed too much memory.",
    Verdict.OUTPUT: "your tests printed too much.",
    Verdict.VIOLATION: "your tests broke the connection to the grader.",
}
NO_ANSWER = "your tests ended the process that they ran in."
"""How a run ended that gave no bits. More, an exit status say, could tell of the reference."""

FOLDER = "/submission"


class Mutation:
    """The checks of one assignment's student tests.

    reference: the solution's modules; catalogue: the mistakes that the tests should notice, each
    an edit of one module.
    """

    def __init__(
        self,
        item: str,
        test_file: str,
        reference: Mapping[str, bytes],
        catalogue: Sequence[Misconception],
    ):
        self.test_file = test_file
        self.plan = [
            PlannedCheck("student_tests::correct", item, "Your tests pass on a correct solution"),
            PlannedCheck("student_tests::mistakes", item, "Your tests notice wrong solutions", 3),
        ]
        self._reference = {
            name: _compiled(name, source) for name, source in reference.items() if name != test_file
        }
        self._mutants: list[tuple[Misconception, dict[str, np.ndarray]]] = []
        for mistake in catalogue:
            name = f"{mistake.module}.py"
            edited = mistake.apply(reference[name].decode(), verify=False).encode()
            self._mutants.append((mistake, {**self._reference, name: _compiled(name, edited)}))

    def examine(
        self, confinement: Confinement, files: Mapping[str, bytes], limits: Limits
    ) -> list[CheckResult]:
        """Run the student's tests and judge them. Raises InfraError when there is no sandbox."""
        source = files.get(self.test_file)
        if source is None:
            return self._both(Verdict.NOT_ATTEMPTED, f"There is no {self.test_file}.")
        tests = find_tests(source)
        if tests is None:
            return self._both(Verdict.RAISED, f"{self.test_file} is not valid Python.")
        if not tests.written:
            return self._both(Verdict.NOT_ATTEMPTED, "None of the tests is filled in yet.")
        runner = _Runner(
            lambda: Sandbox(
                confinement,
                {self.test_file: source},
                limits,
                tests=self.test_file,
                with_pytest=tests.needs_pytest,
            ),
            limits.request_seconds,
        )
        try:
            return self._judge(runner, tests)
        finally:
            runner.close()

    def _judge(self, runner: _Runner, tests: Tests) -> list[CheckResult]:
        """Find the tests that pass on the reference; count the mistakes that one of them notices.

        The reference comes again in between, at places that nobody can guess, and in another
        sandbox than the first time: a test that fails there goes by something else than the code.
        """
        bits = runner.run(self._reference, tests.written)
        if bits is None:
            verdict = runner.fault.verdict
            return self._both(verdict, f"On a correct solution: {ENDED.get(verdict, NO_ANSWER)}")
        valid = [name for name, bit in zip(tests.written, bits, strict=True) if bit]
        runner.restart()
        again = {secrets.randbelow(len(self._mutants)) for _ in range(REPEATS)}
        failures: list[set[str]] = []
        for number, (_, modules) in enumerate(self._mutants):
            failures.append(runner.failing(modules, valid))
            if number in again:
                unsteady = runner.failing(self._reference, valid)
                valid = [name for name in valid if name not in unsteady]
        failing = [name for name in tests.written if name not in valid]
        noticed: dict[str, list[bool]] = defaultdict(list)
        for (mistake, _), failed in zip(self._mutants, failures, strict=True):
            noticed[mistake.where.partition(".")[0]].append(not failed.isdisjoint(valid))
        caught = sum(sum(bits) for bits in noticed.values())
        if not caught and tests.unwritten:
            return self._both(Verdict.NOT_ATTEMPTED, "The tests asked for aren't filled in yet.")
        share = min(1.0, caught / len(self._mutants) / FOR_FULL)
        return [
            self._correct(len(valid) / len(tests.written), failing, caught),
            _mistakes(self.plan[1].id, share, caught, noticed, tests.left_out),
        ]

    def _correct(self, share: float, failing: list[str], caught: int) -> CheckResult:
        check = self.plan[0].id
        if not caught:
            message = "Counts once your tests notice at least one wrong solution."
            return CheckResult(check, Verdict.BLOCKED, message=message)
        if not failing:
            return CheckResult(check, Verdict.PASS, FULL_CREDIT)
        shown = ", ".join(clean(name, 60) for name in failing[:SHOWN_FAILING])
        shown += " ..." if len(failing) > SHOWN_FAILING else ""
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
        message += f" Only the first {MOST_TESTS} of your tests were run; {left_out} were not."
    verdict = Verdict.PASS if share == 1 else Verdict.WRONG
    return CheckResult(check, verdict, round(FULL_CREDIT * share), message)


class Tests:
    """The test functions of a file: their names, those filled in, and who has to run them.

    `written` are those that are run, `left_out` says how many more there are.
    """

    def __init__(self, written: list[str], unwritten: list[str], needs_pytest: bool):
        self.written = written[:MOST_TESTS]
        self.left_out = len(written) - len(self.written)
        self.unwritten = unwritten
        self.needs_pytest = needs_pytest


def find_tests(source: bytes) -> Tests | None:
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
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            functions += [
                (f"{node.name}::{part.name}", part)
                for part in node.body
                if isinstance(part, ast.FunctionDef) and part.name.startswith("test")
            ]
    written = [name for name, function in functions if not _is_gap(function)]
    unwritten = [name for name, function in functions if _is_gap(function)]
    return Tests(written, unwritten, _needs_pytest(tree, [function for _, function in functions]))


def _needs_pytest(tree: ast.Module, functions: list[ast.FunctionDef]) -> bool:
    """Tell whether the tests use what only pytest gives: its import, fixtures, set-up functions."""
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


def _compiled(name: str, source: bytes) -> np.ndarray:
    """Compile a module of ours once, in the form in which it goes to the workers."""
    code = compile(source, f"{FOLDER}/{name}", "exec", dont_inherit=True)
    return np.frombuffer(marshal.dumps(code), np.uint8)


class _Runner:
    """Runs sets of tests, each in a fresh worker of one sandbox.

    `fault` is what the last run ended with that gave no answer. Raises InfraError when the sandbox
    that `open_sandbox` gives doesn't work although nothing of the student's has run in it.
    """

    def __init__(self, open_sandbox: Callable[[], Sandbox], seconds: float):
        self._open_sandbox = open_sandbox
        self._seconds = seconds
        self._usual = 0.0
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
        """Go on in another sandbox."""
        self.close()
        self._sandbox = self._open()

    def close(self) -> None:
        """End the sandbox."""
        self._sandbox.close()

    def run(self, modules: Mapping[str, np.ndarray], names: list[str]) -> list[bool] | None:
        """Return for each name whether that test passes with `modules` in place.

        None when there is no answer: then nothing is known of any of them.
        """
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
                patience = max(IMPATIENT_SECONDS, IMPATIENT_FACTOR * self._usual)
                self._seconds = min(self._seconds, patience)
            return None
        self._usual = self._usual or time.monotonic() - started
        self._sandbox.end_worker(wait=False)
        return bits

    def failing(self, modules: Mapping[str, np.ndarray], names: list[str]) -> set[str]:
        """Return the names of the tests that said that they fail; without an answer none did.

        Otherwise tests could "notice" everything by bringing down their sandbox.
        """
        bits = self.run(modules, names) if names else None
        return {name for name, bit in zip(names, bits or [], strict=False) if not bit}
