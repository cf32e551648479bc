"""Programs that do what a given one does and look different: other names, order, rounding, extras.

Students' own tests are to tell right behaviour from wrong, not one program from another. So what
they run against is disguised anew for each program and course, right ones and wrong ones alike:
whatever a test reads from code (byte code, names, line numbers, attributes) differs between right
programs as it does between a right and a wrong one.

A bent program is none that does the same: what its functions return, and the numbers that they set,
are changed a little by a smooth function, other for each seed. Tests that know what is right fail
on each of these or, where they ask for signs or an order, on none; tests that sort programs by a
checksum of results fail on some of them.

What changes: names of local variables, the order of methods, factors and of where quotients are
rounded, line numbers, texts; attributes and functions are added that nothing uses. What never
changes: names, parameters and results that a docstring promises, up to rounding.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import count


def disguised(
    source: str,
    seed: str,
    decoys: Sequence[str] = (),
    *,
    rounded: bool = False,
    bent: Bent | None = None,
    scrambled: str = "",
    places: Collection[str] | None = None,
) -> ast.Module:
    """Return the syntax tree of a program that does what `source` does.

    With `rounded`, quotients are products with a reciprocal, which rounds otherwise. With `bent`
    a number v that a function returns or sets as a public attribute is sign(v) k |v|^p (1 + r |v| /
    (1 + |v|)), with k and p drawn from these ranges for each such place; the program is no right
    one then. `scrambled`, "order", "signs" or "shapes", changes that of arrays instead. Only the
    functions called by the dotted names `places` are bent or scrambled; without, all are.

    `seed` chooses the disguise; `decoys` are names that code which is never run may use, such as
    those in which wrong programs differ from right ones. Raises SyntaxError.
    """
    rng = random.Random(seed)
    tree = ast.parse("\n" * rng.randrange(1, 200) + source)
    change = partial(_scrambled, scrambled) if scrambled else partial(_bend, bent)
    _Disguise(rng, sorted(set(decoys)), rounded, change, places).module(tree)
    return tree


Bent = tuple[tuple[float, float], tuple[float, float]]
"""The ranges of k and p of a bent program."""

SMALLER: Bent = ((0.5, 0.65), (0.85, 0.97))
"""What was at most 1 stays at most 1: a test that only asks for such bounds fails on none."""

LARGER: Bent = ((1.5, 2.0), (1.03, 1.15))
"""What was above 1 stays above 1: a test that finds a wrong program by that still does."""

BEND = (
    "lambda {v}: ({w} := {k!r} * {v}.__abs__() ** {p!r} * (1 + {r!r} * {v}.__abs__() / "
    "(1 + {v}.__abs__()))) - 2 * {w} * ({v} < 0) if not {k!r} == {p!r} == 1 and "
    "({v}.__class__.__name__[:5] == 'float' or {v}.__class__.__name__ == 'ndarray' and "
    "{v}.dtype.kind == 'f') else {v}"
)
"""It stands where it is used and asks for no name: nothing of it can be called or replaced."""

SCRAMBLED = {
    "order": "{v}.ravel().take(({v}.ravel().argsort() * {a} + {b}) % {v}.size).reshape({v}.shape)",
    "signs": "{v} * (1.0 - 2 * (({v}.ravel().argsort() * {a} + {b}) % 7 % 2).reshape({v}.shape))",
    "shapes": "{v}.reshape({before} + {v}.shape + {after})",
}
"""Programs that are wrong in what tests by order, signs or shapes alone look at."""

SCRAMBLE = (
    "lambda {v}: " + "({new} if {v}.size else {v})"
    " if {v}.__class__.__name__ == 'ndarray' and {v}.dtype.kind == 'f' else {v}"
)

Numbers = Iterator[int]


def _bend(bent: Bent | None, rng: random.Random, numbers: Numbers) -> str:
    k, p = (rng.uniform(*ends) for ends in bent) if bent else (1.0, 1.0)
    v, w = (f"_{next(numbers)}" for _ in range(2))
    return BEND.format(v=v, w=w, k=k, p=p, r=rng.uniform(0.1, 0.4))


def _scrambled(what: str, rng: random.Random, numbers: Numbers) -> str:
    v, ones = f"_{next(numbers)}", rng.randrange(1, 4)
    drawn = {"a": rng.randrange(3, 40), "b": rng.randrange(1, 40)}
    shape = {"before": (1,) * ones, "after": (1,) * (rng.randrange(4 - ones))}
    return SCRAMBLE.format(v=v, new=SCRAMBLED[what].format(v=v, **drawn, **shape))


class _Disguise:
    """Changes a tree in place."""

    def __init__(
        self,
        rng: random.Random,
        decoys: Sequence[str],
        rounded: bool,
        change: Callable[[random.Random, Numbers], str],
        places: Collection[str] | None,
    ):
        self._rng, self._decoys, self._rounded = rng, decoys, rounded
        self._change, self._places = change, places
        self._numbers = count(rng.randrange(100, 900))

    def module(self, tree: ast.Module) -> None:
        """Disguise a module."""
        for node in _walked(tree):
            if isinstance(node, ast.BinOp):
                self._operation(node)
        self._body(tree, "")

    def _body(self, node: ast.Module | ast.ClassDef | ast.FunctionDef, where: str) -> None:
        """Disguise the classes and functions in a body, those inside others first."""
        for part in _statements(node):
            if isinstance(part, ast.ClassDef | ast.FunctionDef):
                self._body(part, f"{where}.{part.name}" if where else part.name)
        node.body = _without_docstring(node.body)
        if isinstance(node, ast.ClassDef):
            self._class(node)
        elif isinstance(node, ast.FunctionDef):
            self._function(node, where)

    def _bent_value(self, value: ast.expr, where: str) -> ast.expr:
        """Return a bent value; in a program that isn't bent, the same value by the same way.

        Each place has numbers of its own: what is given, and so known to be right, doesn't tell
        how the rest is bent.
        """
        is_place = self._places is None or where in self._places
        change = self._change if is_place else partial(_bend, None)
        function = ast.parse(change(self._rng, self._numbers), mode="eval").body
        return ast.copy_location(ast.Call(function, [value], []), value)

    def _class(self, node: ast.ClassDef) -> None:
        functions = [part for part in node.body if isinstance(part, ast.FunctionDef)]
        movable = [part for part in functions if not part.decorator_list]
        others = [part for part in node.body if part not in movable]
        if not {part.name for part in movable} & {name for part in others for name in _names(part)}:
            order = iter(self._rng.sample(movable, len(movable)))
            node.body = [next(order) if part in movable else part for part in node.body]

    def _function(self, node: ast.FunctionDef, where: str) -> None:
        inside = [part for statement in node.body for part in _walked(statement)]
        renamed = {name: f"{name}_{next(self._numbers)}" for name in _locals_of(node, inside)}
        for part in inside if renamed else ():
            if isinstance(part, ast.Name):
                part.id = renamed.get(part.id, part.id)
        first = node.args.args[0].arg if node.args.args else None
        if node.name == "__init__" and first and self._rng.random() < 0.8:
            node.body.append(_statement(f"{first}._note_{next(self._numbers)} = {self._number()}"))
        if self._rng.random() < 0.7:
            node.body.insert(0, self._never_run())
        for statement in _statements(node):
            self._bend(statement, where, node.name != "__init__")

    def _bend(self, statement: ast.stmt, where: str, attributes: bool) -> None:
        """Bend what a function returns or, with `attributes`, sets publicly on an object."""
        if isinstance(statement, ast.Return) and statement.value is not None:
            statement.value = self._bent_value(statement.value, where)
        elif isinstance(statement, ast.Assign) and attributes and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Attribute) and not target.attr.startswith("_"):
                statement.value = self._bent_value(statement.value, where)

    def _never_run(self) -> ast.stmt:
        """Return a statement that binds a function which nobody calls."""
        used = self._rng.sample(self._decoys, min(len(self._decoys), self._rng.randrange(4)))
        body = "".join(f".{name}" for name in used)
        ends = LARGER if self._rng.random() < 0.5 else SMALLER
        other = _bend(ends, self._rng, self._numbers)
        name = f"_{next(self._numbers)}"
        return _statement(f"{name} = (lambda x: x{body} + {self._number()}, {other})")

    def _number(self) -> int:
        return self._rng.randrange(10_000)

    def _operation(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Mult) and self._rng.random() < 0.5 and _is_quiet(node):
            node.left, node.right = node.right, node.left
        if isinstance(node.op, ast.Div) and self._rounded:
            one = ast.copy_location(ast.Constant(1.0), node)
            node.op = ast.Mult()
            node.right = ast.copy_location(ast.BinOp(one, ast.Div(), node.right), node)


def _walked(node: ast.AST) -> list[ast.AST]:
    """Return a node and all below it, as ast.walk does, which takes three times as long."""
    found = [node]
    for part in found:
        for name in part._fields:
            below = getattr(part, name, None)
            if isinstance(below, ast.AST):
                found.append(below)
            elif isinstance(below, list):
                found += [one for one in below if isinstance(one, ast.AST)]
    return found


def _statements(node: ast.AST) -> list[ast.stmt]:
    """Return the statements in a body, in blocks inside it too, but in no function or class."""
    found: list[ast.stmt] = []
    todo = [node]
    while todo:
        holder = todo.pop()
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            for part in getattr(holder, block, ()):
                if isinstance(part, ast.stmt):
                    found.append(part)
                if not isinstance(part, ast.ClassDef | ast.FunctionDef):
                    todo.append(part)
    return found


def _locals_of(function: ast.FunctionDef, inside: Sequence[ast.AST]) -> list[str]:
    """Return the local variables of a function, none where a scope inside could see them.

    `inside` are the nodes of its body. Neither parameters, which callers may name, nor what is
    bound otherwise than by assignment.
    """
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
    return {node.id for node in _walked(part) if isinstance(node, ast.Name)}


def _is_quiet(node: ast.BinOp) -> bool:
    """Whether both factors only read: then their order can't be noticed."""
    calls = (ast.Call, ast.Await, ast.NamedExpr, ast.Yield, ast.YieldFrom)
    return not any(isinstance(part, calls) for part in _walked(node))


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    if is_text and isinstance(first.value.value, str):  # type: ignore[union-attr]
        return body[1:] or [ast.copy_location(ast.Pass(), first)]  # type: ignore[arg-type]
    return body


def _statement(source: str) -> ast.stmt:
    return ast.parse(source).body[0]
