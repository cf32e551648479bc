"""Grades students' own tests by what they notice: they pass on the reference, and not on mistakes.

The tests run in a sandbox of their own, against the reference and then against each catalogued
mistake. There the reference can be read, so what comes back is one bit for each test.
"""

from __future__ import annotations

import ast
import marshal
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from autograder.channel.faults import Fault
from autograder.misconceptions import Misconception
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.sandbox import Confinement, Limits, Sandbox

FOR_FULL = 0.9
"""Share of the mistakes that the tests must notice for full points."""

IMPATIENT_SECONDS = 1.0
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
            edited = mistake.apply(reference[name].decode()).encode()
            self._mutants.append((mistake, {**self._reference, name: _compiled(name, edited)}))

    def examine(
        self, confinement: Confinement, files: Mapping[str, bytes], limits: Limits
    ) -> list[CheckResult]:
        """Run the student's tests and judge them. Raises InfraError when there is no sandbox."""
        source = files.get(self.test_file)
        if source is None:
            return self._both(Verdict.NOT_ATTEMPTED, f"There is no {self.test_file}.")
        try:
            tests = find_tests(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return self._both(Verdict.RAISED, f"{self.test_file} is not valid Python.")
        if not tests.written:
            return self._both(Verdict.NOT_ATTEMPTED, "None of the tests is filled in yet.")
        sandbox = Sandbox(
            confinement,
            {self.test_file: source},
            limits,
            tests=self.test_file,
            with_pytest=tests.needs_pytest,
        )
        try:
            return self._judge(_Runner(sandbox, limits.request_seconds), tests)
        finally:
            sandbox.close()

    def _judge(self, runner: _Runner, tests: Tests) -> list[CheckResult]:
        passed = runner.run(self._reference, tests.written)
        valid = [name for name, bit in zip(tests.written, passed, strict=True) if bit]
        failing = [name for name in tests.written if name not in valid]
        noticed: dict[str, list[bool]] = defaultdict(list)
        for mistake, modules in self._mutants:
            survived = not valid or all(runner.run(modules, valid))
            noticed[mistake.where.partition(".")[0]].append(not survived)
        caught = sum(sum(bits) for bits in noticed.values())
        share = min(1.0, caught / len(self._mutants) / FOR_FULL)
        return [
            self._correct(len(valid) / len(tests.written), failing, caught, runner),
            _mistakes(self.plan[1].id, share, caught, noticed),
        ]

    def _correct(
        self, share: float, failing: list[str], caught: int, runner: _Runner
    ) -> CheckResult:
        check = self.plan[0].id
        if not caught:
            message = "Counts once your tests notice at least one wrong solution."
            return CheckResult(check, Verdict.BLOCKED, message=message)
        if not failing:
            return CheckResult(check, Verdict.PASS, FULL_CREDIT)
        shown = ", ".join(failing[:6]) + (" ..." if len(failing) > 6 else "")
        verdict = runner.fault.verdict if runner.fault and not share else Verdict.WRONG
        message = f"These of your tests fail on a correct solution, so they don't count: {shown}."
        return CheckResult(check, verdict, round(FULL_CREDIT * share), message)

    def _both(self, verdict: Verdict, message: str) -> list[CheckResult]:
        return [CheckResult(check.id, verdict, message=message) for check in self.plan]


def _mistakes(
    check: str, share: float, caught: int, noticed: Mapping[str, list[bool]]
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
    verdict = Verdict.PASS if share == 1 else Verdict.WRONG
    return CheckResult(check, verdict, round(FULL_CREDIT * share), message)


class Tests:
    """The test functions of a file: their names, those filled in, and who has to run them."""

    def __init__(self, written: list[str], unwritten: list[str], needs_pytest: bool):
        self.written = written
        self.unwritten = unwritten
        self.needs_pytest = needs_pytest


def find_tests(source: bytes) -> Tests:
    """Find the test functions and methods in a test file without running it.

    A function that raises NotImplementedError as a statement of its own is a gap not filled in.
    Raises SyntaxError or ValueError for what isn't Python.
    """
    tree = ast.parse(source)
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
    return Tests(written, unwritten, "pytest" in imported)


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
    """Runs sets of tests, each in a fresh worker; a fault counts as "none of them passed"."""

    def __init__(self, sandbox: Sandbox, seconds: float):
        self._sandbox = sandbox
        self._seconds = seconds
        self.fault: Fault | None = None

    def run(self, modules: Mapping[str, np.ndarray], names: list[str]) -> list[bool]:
        """Return for each name whether that test passes with `modules` in place."""
        if self._sandbox.broken:
            return [False] * len(names)
        channel = self._sandbox.fresh(secrets.randbits(32))
        try:
            _, bits = channel.request("run", dict(modules), names, seconds=self._seconds)
        except Fault as fault:
            self.fault = fault
            self._sandbox.end_worker()
            if fault.verdict is Verdict.TIMEOUT:
                self._seconds = min(self._seconds, IMPATIENT_SECONDS)
            return [False] * len(names)
        self._sandbox.end_worker(wait=False)
        if type(bits) is not list or len(bits) != len(names) or set(map(type, bits)) - {bool}:
            self.fault = Fault(Verdict.VIOLATION, "An answer that isn't one bit for each test.")
            return [False] * len(names)
        return bits
