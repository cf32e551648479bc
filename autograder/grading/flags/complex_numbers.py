"""Complex numbers in a submission's layers: a step along them is finite differences in disguise.

f(x + ih) has the derivative in its imaginary part, right to the last digit, so that its error gives
nothing away. No task needs complex numbers. Where gradients are checked they are nobody's
business: students' own tests, and what no other file imports, may compare with a complex step.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping

from autograder.grading.rules import called, nodes_of
from autograder.worker.modules import module_name

CHECKS = ("check", "numerical", "test_")
"""Parts of the names of functions and files that check gradients."""

NAMES = frozenset(
    (
        *("complex", "complex64", "complex128", "complex192", "complex256", "cdouble", "csingle"),
        *("clongdouble", "cfloat", "singlecomplex", "longcomplex", "complexfloating", "cmath"),
        *("emath", "scimath", "imag"),
    )
)
DTYPES = frozenset(("c8", "c16", "c32", "D", "F", "G", "cfloat", "<c16", "=c16", ">c16", "<c8"))
TAKES_DTYPE = frozenset(
    ("astype", "view", "dtype", "array", "asarray", "zeros", "ones", "empty", "full", "asfarray")
)

TYPES = (ast.Name, ast.Attribute, ast.Tuple, ast.BinOp, ast.BitOr, ast.Load, ast.Constant)
"""What the types that `isinstance` is asked about are written with."""


def complex_numbers(trees: Mapping[str, ast.Module | None]) -> list[tuple[str, int, str]]:
    """Return file, line and form of each use outside of what checks gradients."""
    layers = (tree for file, tree in trees.items() if tree and not _is_check(file))
    imported = {name for tree in layers for name in _imports(tree)}
    asked = _asked_for([tree for tree in trees.values() if tree])
    found = []
    for file, tree in trees.items():
        alone = module_name(file) not in imported
        if tree is None or (alone and _is_check(file)):
            continue
        checking = _lines_of_checks(tree) if alone else set()
        found += [(file, line, said) for line, said in _uses(tree, asked) if line not in checking]
    return sorted(set(found))


def _is_check(name: str) -> bool:
    return any(part in name for part in CHECKS)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module or ''}.{alias.name}".lstrip(".") for alias in node.names)


def _lines_of_checks(tree: ast.Module) -> set[int]:
    """Return the lines of functions that check gradients, by their names, and are called by none
    of the file's others."""
    functions = [n for n in nodes_of(tree) if isinstance(n, ast.FunctionDef)]
    checks = [f for f in functions if _is_check(f.name)]
    inside = {line for f in checks for line in range(f.lineno, (f.end_lineno or f.lineno) + 1)}
    named = {
        getattr(node, "id", getattr(node, "attr", ""))
        for node in nodes_of(tree)
        if isinstance(node, ast.Name | ast.Attribute) and node.lineno not in inside
    }
    free = (f for f in checks if f.name not in named)
    return {line for f in free for line in range(f.lineno, (f.end_lineno or f.lineno) + 1)}


def _questions(tree: ast.Module) -> Iterator[ast.Call]:
    for node in nodes_of(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
            yield node


def _asked_for(trees: Collection[ast.Module]) -> set[ast.AST]:
    """Return the nodes of types in `isinstance(x, (float, complex))`, which makes no number.

    Python's own power of a negative number is complex, so who refuses it has to ask. Where the name
    `isinstance` stands for anything but that, it may have another meaning.
    """
    calls = [call for tree in trees for call in _questions(tree)]
    asking = {call.func for call in calls}
    for node in (node for tree in trees for node in nodes_of(tree) if node not in asking):
        if any(value == "isinstance" for _, value in ast.iter_fields(node)):
            return set()
    kinds = [{part for types in call.args[1:] for part in ast.walk(types)} for call in calls]
    return {part for k in kinds if all(isinstance(part, TYPES) for part in k) for part in k}


def _uses(tree: ast.Module, asked: Collection[ast.AST]) -> Iterator[tuple[int, str]]:
    for node in nodes_of(tree):
        if node in asked:
            continue
        if isinstance(node, ast.Constant) and type(node.value) is complex:
            yield node.lineno, f"the number {node.value!r}"
        elif isinstance(node, ast.Attribute) and node.attr in NAMES:
            yield node.lineno, f".{node.attr}"
        elif isinstance(node, ast.Name) and node.id in NAMES and isinstance(node.ctx, ast.Load):
            yield node.lineno, node.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names: Collection[str] = {part for a in node.names for part in a.name.split(".")}
            yield from ((node.lineno, name) for name in sorted(NAMES.intersection(names)))
        elif isinstance(node, ast.Call):
            yield from ((node.lineno, said) for said in _texts(node))


def _texts(call: ast.Call) -> Iterator[str]:
    """Yield the texts by which a call asks for complex numbers, or for their imaginary part."""
    plain = [*call.args, *(word.value for word in call.keywords if word.arg != "order")]
    texts = [a.value for a in plain if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    for text in texts:
        is_dtype = called(call) in TAKES_DTYPE and (text in DTYPES or text.startswith("complex"))
        if is_dtype or (text in NAMES and called(call) in ("getattr", "attrgetter")):
            yield f"{called(call)} with {text!r}"
