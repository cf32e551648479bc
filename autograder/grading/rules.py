"""The check for forbidden modules and functions, in the syntax trees of a submission."""

from __future__ import annotations

import ast
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.text.syntax import syntax_tree

CHECK = "rules::forbidden"
WORKING_SHARE = 0.25
MAX_CONSTANT_CHARACTERS = 2_000
MAX_CONSTANT_ENTRIES = 500
"""Larger constants may be stored weights or answers; a project's source doesn't need them."""

LONGEST_PROSE_WORD = 16
"""Characters for each word, on average, up to which a text is prose."""


@dataclass(frozen=True)
class Rules:
    """The check that a submission uses nothing that students must write themselves.

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
        """Grade a submission; `results` are its suite's. An empty submission earns nothing."""
        if not self.forbidden:
            return []
        passed = sum(result.verdict is Verdict.PASS for result in results)
        least = math.ceil(WORKING_SHARE * len(results))
        if passed < least:
            message = f"Counts once {least} of the {len(results)} other checks pass; {passed} do."
            return [CheckResult(CHECK, Verdict.BLOCKED, message=message)]
        violations = uses(files, self.forbidden)
        if violations:
            message = f"Not to be used in this assignment: {'; '.join(violations[:8])}."
            return [CheckResult(CHECK, Verdict.VIOLATION, message=message)]
        return [CheckResult(CHECK, Verdict.PASS, FULL_CREDIT)]


def uses(files: Mapping[str, bytes], forbidden: Sequence[str]) -> list[str]:
    """Return all uses of forbidden names, as "train.py, line 7: torch.optim"."""
    places = []
    for file, source in sorted(files.items()):
        tree = syntax_tree(source) if file.endswith(".py") else None
        used = uses_in(tree, forbidden) if tree else set()
        places += [f"{file}, line {line}: {rule}" for line, rule in sorted(used)]
    return places


def uses_in(
    tree: ast.Module, rules: Collection[str], every_text: bool = True
) -> set[tuple[int, str]]:
    """Return the line of each use of a name that falls under a rule, and that rule."""
    wanted = frozenset(rules)
    names = names_in(tree, every_text)
    return {(line, rule) for name, line in names for rule in wanted.intersection(_outwards(name))}


def falls_under(name: str, rule: str) -> bool:
    """Whether a full name equals the rule's name or is inside that module or class."""
    return name == rule or name.startswith(f"{rule}.")


def _outwards(name: str) -> Iterator[str]:
    """Yield a full name and those of all that it is inside of: "a.b.c", "a.b", "a"."""
    while name:
        yield name
        name = name.rpartition(".")[0]


IMPORTERS = ("import_module", "__import__")


def names_in(tree: ast.Module, every_text: bool = True) -> Iterator[tuple[str, int]]:
    """Yield the full name and line of every import and of attributes of imported names.

    String arguments of calls are yielded too, since `importlib.import_module` takes them: of all
    calls if `every_text`, otherwise only of calls of IMPORTERS.
    """
    known: dict[str, str] = {}
    nodes = nodes_of(tree)
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


@lru_cache(maxsize=16)
def nodes_of(tree: ast.Module) -> tuple[ast.AST, ...]:
    """Return all nodes of a tree, as ast.walk yields them; nobody may change them."""
    return tuple(ast.walk(tree))


def called(node: ast.Call) -> str:
    """Return the last part of the name of the called function; "" where it has none."""
    function = node.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _dotted(node: ast.AST, known: Mapping[str, str]) -> str | None:
    """Return the full name of a chain of attributes that begins at an imported name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in known:
        return None
    return ".".join([known[node.id], *reversed(parts)])


def stored_answers(files: Mapping[str, bytes]) -> list[str]:
    """Return the constants that are large enough to hide weights or answers, with their places."""
    places = []
    for file, source in sorted(files.items()):
        tree = syntax_tree(source) if file.endswith(".py") else None
        for node in nodes_of(tree) if tree else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                size, what = 0 if _is_prose(node.value) else len(node.value), "characters"
                limit = MAX_CONSTANT_CHARACTERS
            elif isinstance(node, ast.Constant) and isinstance(node.value, int):
                size, what = node.value.bit_length() // 4, "hexadecimal digits"
                limit = MAX_CONSTANT_CHARACTERS
            elif isinstance(node, ast.List | ast.Tuple | ast.Set):
                size, what, limit = len(node.elts), "entries", MAX_CONSTANT_ENTRIES
            elif isinstance(node, ast.Dict):
                size, what, limit = len(node.keys), "entries", MAX_CONSTANT_ENTRIES
            else:
                continue
            if size > limit:
                places.append(f"{file}, line {node.lineno}: a constant of {size:,} {what}")
    return places


def _is_prose(text: str | bytes) -> bool:
    """Whether a text is made of words, such as a long docstring; what they are is no matter here,
    since `stored_data` looks at all texts of all files together."""
    words = text.split()
    return 0 < len(text) < LONGEST_PROSE_WORD * len(words)
