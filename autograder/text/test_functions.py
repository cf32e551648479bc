"""The test functions in a file of tests, found without running it."""

from __future__ import annotations

import ast

from autograder.text.syntax import syntax_tree

MAX_TESTS = 60
"""Maximum number of a student's tests that are run; each reveals one bit of the reference."""

HOOKS = {
    *("setup_module", "setup_function", "setup_class", "setUp", "setUpClass", "setUpModule"),
    *("teardown_module", "teardown_function", "teardown_class", "tearDown", "tearDownClass"),
}


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
