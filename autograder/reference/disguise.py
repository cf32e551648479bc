"""Programs that do what a given one does and look different: other names, order, rounding, extras.

Students' own tests are to tell right behaviour from wrong, not one program from another. So what
they run against is disguised anew for each program and course, right ones and wrong ones alike:
whatever a test reads from code (byte code, names, line numbers, attributes) differs between right
programs as it does between a right and a wrong one.

What changes: names of local variables, the order of methods, factors and of where quotients are
rounded, line numbers, texts; attributes and functions are added that nothing uses. What never
changes: names, parameters and results that a docstring promises, up to rounding.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Sequence
from itertools import count


def disguised(
    source: str, seed: str, decoys: Sequence[str] = (), *, rounded: bool = False
) -> ast.Module:
    """Return the syntax tree of a program that does what `source` does.

    With `rounded`, quotients are products with a reciprocal, which rounds otherwise.

    `seed` chooses the disguise; `decoys` are names that code which is never run may use, such as
    those in which wrong programs differ from right ones. Raises SyntaxError.
    """
    rng = random.Random(seed)
    tree = ast.parse("\n" * rng.randrange(1, 200) + source)
    return _Disguise(rng, sorted(set(decoys)), rounded).visit(tree)


class _Disguise(ast.NodeTransformer):
    """Changes a tree in place."""

    def __init__(self, rng: random.Random, decoys: Sequence[str], rounded: bool):
        self._rng, self._decoys, self._rounded = rng, decoys, rounded
        self._numbers = count(rng.randrange(100, 900))

    def visit_Module(self, node: ast.Module) -> ast.Module:
        self.generic_visit(node)
        node.body = _without_docstring(node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        node.body = _without_docstring(node.body)
        functions = [part for part in node.body if isinstance(part, ast.FunctionDef)]
        movable = [part for part in functions if not part.decorator_list]
        others = [part for part in node.body if part not in movable]
        if not {part.name for part in movable} & {name for part in others for name in _names(part)}:
            order = iter(self._rng.sample(movable, len(movable)))
            node.body = [next(order) if part in movable else part for part in node.body]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.body = _without_docstring(node.body)
        renamed = {name: f"{name}_{next(self._numbers)}" for name in _locals_of(node)}
        for part in node.body:
            _Rename(renamed).visit(part)
        first = node.args.args[0].arg if node.args.args else None
        if node.name == "__init__" and first and self._rng.random() < 0.8:
            node.body.append(_statement(f"{first}._note_{next(self._numbers)} = {self._number()}"))
        if self._rng.random() < 0.7:
            node.body.insert(0, self._never_run())
        return node

    def _never_run(self) -> ast.stmt:
        """Return a statement that binds a function which nobody calls."""
        used = self._rng.sample(self._decoys, min(len(self._decoys), self._rng.randrange(4)))
        body = "".join(f".{name}" for name in used)
        return _statement(f"_{next(self._numbers)} = lambda x: x{body} + {self._number()}")

    def _number(self) -> int:
        return self._rng.randrange(10_000)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult) and self._rng.random() < 0.5 and _is_quiet(node):
            node.left, node.right = node.right, node.left
        if isinstance(node.op, ast.Div) and self._rounded:
            one = ast.copy_location(ast.Constant(1.0), node)
            factor = ast.copy_location(ast.BinOp(one, ast.Div(), node.right), node)
            return ast.copy_location(ast.BinOp(node.left, ast.Mult(), factor), node)
        return node


class _Rename(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]):
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._names.get(node.id, node.id)
        return node


def _locals_of(function: ast.FunctionDef) -> list[str]:
    """Return the local variables of a function, none where a scope inside could see them.

    Neither parameters, which callers may name, nor what is bound otherwise than by assignment.
    """
    inside = [part for statement in function.body for part in ast.walk(statement)]
    scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    if any(isinstance(part, (*scopes, ast.Global, ast.Nonlocal, ast.Match)) for part in inside):
        return []
    given = function.args
    taken = {part.arg for part in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
    taken |= {part.arg for part in (given.vararg, given.kwarg) if part is not None}
    taken |= {part.name for part in inside if isinstance(part, ast.ExceptHandler) and part.name}
    bound = {
        part.id: None
        for part in inside
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    return [name for name in bound if name not in taken]


def _names(part: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}


def _is_quiet(node: ast.BinOp) -> bool:
    """Whether both factors only read: then their order can't be noticed."""
    calls = (ast.Call, ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)
    return not any(isinstance(part, calls) for part in ast.walk(node))


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    if is_text and isinstance(first.value.value, str):  # type: ignore[union-attr]
        return body[1:] or [ast.copy_location(ast.Pass(), first)]  # type: ignore[arg-type]
    return body


def _statement(source: str) -> ast.stmt:
    return ast.parse(source).body[0]
