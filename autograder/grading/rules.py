"""What an assignment forbids, looked for in the syntax trees of a submission."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.text.syntax import syntax_tree

CHECK = "rules::forbidden"
WORKING_SHARE = 0.25
LONGEST_TEXT = 2_000
MOST_ENTRIES = 500
"""What a project's source has no use for, and trained weights or lists of answers would need."""


@dataclass(frozen=True)
class Rules:
    """The check that a submission uses nothing that the assignment has students write themselves.

    `forbidden` names modules, and functions or classes in them, by their full names.
    """

    item: str
    forbidden: Sequence[str]

    @property
    def plan(self) -> list[PlannedCheck]:
        if not self.forbidden:
            return []
        return [PlannedCheck(CHECK, self.item, "Nothing is used that you are to write yourself", 2)]

    def measure(
        self, files: Mapping[str, bytes], results: Sequence[CheckResult]
    ) -> list[CheckResult]:
        """Judge a submission; `results` are its suite's. Doing nothing keeps no rule."""
        if not self.forbidden:
            return []
        passed = sum(result.verdict is Verdict.PASS for result in results)
        if passed < WORKING_SHARE * len(results):
            message = "Counts once a quarter of the other checks pass."
            return [CheckResult(CHECK, Verdict.BLOCKED, message=message)]
        found = uses(files, self.forbidden)
        if found:
            message = f"Not to be used in this assignment: {'; '.join(found[:8])}."
            return [CheckResult(CHECK, Verdict.VIOLATION, message=message)]
        return [CheckResult(CHECK, Verdict.PASS, FULL_CREDIT)]


def uses(files: Mapping[str, bytes], forbidden: Sequence[str]) -> list[str]:
    """Say where files use what is forbidden: "train.py, line 7: torch.optim"."""
    found = []
    for file, source in sorted(files.items()):
        tree = syntax_tree(source) if file.endswith(".py") else None
        names = names_in(tree) if tree else ()
        broken = {(at, rule) for name, at in names for rule in forbidden if falls_under(name, rule)}
        found += [f"{file}, line {line}: {rule}" for line, rule in sorted(broken)]
    return found


def falls_under(name: str, rule: str) -> bool:
    """Whether a full name is a rule's, or of something in it."""
    return name == rule or name.startswith(f"{rule}.")


IMPORTERS = ("import_module", "__import__")


def names_in(tree: ast.Module, every_text: bool = True) -> Iterator[tuple[str, int]]:
    """Yield the full name and line of all that is imported or reached through what is imported.

    Also of texts in calls, which `importlib.import_module` may get; only in calls of that and its
    like, unless `every_text`.
    """
    known: dict[str, str] = {}
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                known[alias.asname or alias.name] = name
                yield name, node.lineno
    for node in nodes:
        if isinstance(node, ast.Attribute):
            full_name = _dotted(node, known)
            if full_name:
                yield full_name, node.lineno
        elif isinstance(node, ast.Call) and (every_text or called(node) in IMPORTERS):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value, node.lineno


def called(node: ast.Call) -> str:
    """Return the last part of the name of what is called; nothing where it has none."""
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _dotted(node: ast.AST, known: Mapping[str, str]) -> str | None:
    """Return the full name of a chain of attributes that begins at something imported."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in known:
        return None
    return ".".join([known[node.id], *reversed(parts)])


def stored_answers(files: Mapping[str, bytes]) -> list[str]:
    """Say where files hold so much data that weights or answers could be hidden in it."""
    found = []
    for file, source in sorted(files.items()):
        tree = syntax_tree(source) if file.endswith(".py") else None
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                size, what = len(node.value), "characters"
                most = LONGEST_TEXT
            elif isinstance(node, ast.Constant) and isinstance(node.value, int):
                size, what = node.value.bit_length() // 4, "hexadecimal digits"
                most = LONGEST_TEXT
            elif isinstance(node, ast.List | ast.Tuple | ast.Set):
                size, what, most = len(node.elts), "entries", MOST_ENTRIES
            elif isinstance(node, ast.Dict):
                size, what, most = len(node.keys), "entries", MOST_ENTRIES
            else:
                continue
            if size > most:
                found.append(f"{file}, line {node.lineno}: a constant of {size:,} {what}")
    return found
