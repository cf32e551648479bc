"""Single faults planted in right solutions by rules that know nothing of the catalogue.

Each rule edits one place in a gap that students fill in: an operator exchanged, another axis, a
sign, a constant, a term left out, another order, a dtype, a stale cache, work in place.
"""

from __future__ import annotations

import ast
import copy
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from autograder.course import Week
from autograder.reference.gaps import find_gaps

KINDS = (
    "operator", "axis", "sign", "constant", "missing", "order", "dtype", "stale", "in place",
)  # fmt: skip

EXCHANGED: Mapping[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Div,
}
COMPARED: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
SMOOTH = {"sum": "mean", "mean": "sum", "max": "min", "maximum": "minimum", "zeros": "ones"}
"""Calls that are exchanged for others."""


@dataclass(frozen=True)
class Planted:
    """One fault: the file with it, and where it is. `was` and `became` are the edited text."""

    week: int
    file: str
    where: str
    kind: str
    line: int
    was: str
    became: str
    source: str

    @property
    def name(self) -> str:
        """The fault in one line, by which a list may name it: it has no line number."""
        return f"{self.file} {self.where}: {_short(self.was)} -> {_short(self.became)}"


def _short(text: str) -> str:
    return " ".join(text.split())


def all_faults(week: Week, reference: Mapping[str, bytes]) -> list[Planted]:
    """Return every fault that the rules know for a week's modules, students' own tests apart."""
    found: list[Planted] = []
    for file, source in reference.items():
        if file != week.student_tests:
            found += _in_file(week, file, source.decode())
    return found


def drawn(faults: list[Planted], number: int, seed: int) -> list[Planted]:
    """Draw a number of faults, in turn from each definition and, within it, of other kinds."""
    rng = random.Random(seed)
    places: dict[tuple[str, str], list[Planted]] = defaultdict(list)
    for fault in rng.sample(faults, len(faults)):
        places[fault.file, fault.where].append(fault)
    turns = [_kinds_in_turn(ones) for ones in places.values()]
    rng.shuffle(turns)
    longest = max(map(len, turns), default=0)
    rows = [turn[i] for i in range(longest) for turn in turns if i < len(turn)]
    return rows[:number]


def _kinds_in_turn(faults: list[Planted]) -> list[Planted]:
    seen: dict[str, int] = defaultdict(int)
    turns: list[tuple[int, int]] = []
    for fault in faults:
        turns.append((seen[fault.kind], len(turns)))
        seen[fault.kind] += 1
    return [faults[number] for _, number in sorted(turns)]


def _in_file(week: Week, file: str, source: str) -> Iterator[Planted]:
    tree = ast.parse(source)
    gaps = [(gap.first, gap.until) for gap in find_gaps(source, file)]
    starts = [0]
    for line in source.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    seen = {ast.dump(tree)}
    for where, node, parents in _nodes(tree, ""):
        first, last = node.lineno, node.end_lineno or node.lineno
        if not any(above < first and last < below for above, below in gaps):
            continue
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[last - 1] + (node.end_col_offset or 0)
        was = source.encode()[begin:end].decode()
        for kind, became in _edits(node, was, parents):
            edited = (source.encode()[:begin] + became.encode() + source.encode()[end:]).decode()
            try:
                meaning = ast.dump(ast.parse(edited))
            except SyntaxError:
                continue
            if meaning not in seen:
                seen.add(meaning)
                yield Planted(week.number, file, where, kind, first, was, became, edited)


def _nodes(node: ast.AST, where: str) -> Iterator[tuple[str, ast.expr | ast.stmt, list[ast.AST]]]:
    """Yield the expressions and statements of all definitions, each with those around it."""
    yield from _below(node, where, [node])


def _below(
    node: ast.AST, where: str, parents: list[ast.AST]
) -> Iterator[tuple[str, ast.expr | ast.stmt, list[ast.AST]]]:
    for child in ast.iter_child_nodes(node):
        name = where
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            # A function within a function belongs to that one: students are told of definitions.
            inside = any(isinstance(one, ast.FunctionDef) for one in parents)
            name = where if inside else f"{where}.{child.name}".strip(".")
        if isinstance(child, ast.expr | ast.stmt):
            yield name or "<module>", child, parents
        if not isinstance(child, ast.Raise):  # the words of an exception are nobody's answer
            yield from _below(child, name, [*parents, child])


def _edits(node: ast.AST, was: str, parents: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield the kinds and texts that may stand in place of a node."""
    if isinstance(node, ast.BinOp):
        yield from _of_operation(node)
    elif isinstance(node, ast.AugAssign) and type(node.op) in EXCHANGED:
        other = copy.deepcopy(node)
        other.op = EXCHANGED[type(node.op)]()
        yield "operator", ast.unparse(other)
        target, value = ast.unparse(node.target), ast.unparse(node.value)
        yield "in place", f"{target} = {target} {_sign(node.op)} ({value})"
        yield "missing", "pass"
        yield "missing", f"{target} = {value}"
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARED:
        compared = copy.deepcopy(node)
        compared.ops[0] = COMPARED[type(node.ops[0])]()
        yield "operator", f"({ast.unparse(compared)})"
    elif isinstance(node, ast.BoolOp) and len(node.values) > 1:
        yield "missing", f"({ast.unparse(node.values[0])})"
        yield "missing", f"({ast.unparse(node.values[-1])})"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield "sign", f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "order", ast.unparse(node.value)
    elif isinstance(node, ast.Constant) and not isinstance(parents[-1], ast.keyword):
        yield from _of_constant(node)
    elif isinstance(node, ast.Return) and node.value is not None and _is_number(node.value):
        value = ast.unparse(node.value)
        yield "sign", f"return -({value})"
        yield "dtype", f"return {_single(value, parents[0])}"
    elif isinstance(node, ast.Assign):
        yield from _of_assignment(node, parents)
    elif _may_be_left_out(node):
        yield "missing", "pass"


def _may_be_left_out(node: ast.AST) -> bool:
    """Whether a statement is a call, or a refusal of wrong arguments."""
    if isinstance(node, ast.If):
        return not node.orelse and isinstance(node.body[-1], ast.Raise)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def _of_operation(node: ast.BinOp) -> Iterator[tuple[str, str]]:
    left, right = ast.unparse(node.left), ast.unparse(node.right)
    if type(node.op) in EXCHANGED:
        other = copy.deepcopy(node)
        other.op = EXCHANGED[type(node.op)]()
        yield "operator", f"({ast.unparse(other)})"
    if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Pow):
        yield "missing", f"({left})"
    if isinstance(node.op, ast.Add | ast.Mult):
        yield "missing", f"({right})"
    if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow):
        yield "order", f"(({right}) {_sign(node.op)} ({left}))"


def _of_call(node: ast.Call) -> Iterator[tuple[str, str]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    for number, keyword in enumerate(node.keywords):
        for value in _other_axes(keyword):
            other = copy.deepcopy(node)
            other.keywords[number].value = ast.Constant(value)
            yield "axis", ast.unparse(other)
    if name in SMOOTH:
        other = copy.deepcopy(node)
        assert isinstance(other.func, ast.Attribute)
        other.func.attr = SMOOTH[name]
        yield "operator", ast.unparse(other)
    if name == "copy" and isinstance(node.func, ast.Attribute) and not node.args:
        yield "in place", ast.unparse(node.func.value)
    if len(node.args) == 2 and not any(isinstance(one, ast.Starred) for one in node.args):
        other = copy.deepcopy(node)
        other.args.reverse()
        yield "order", ast.unparse(other)
    if name in ("sqrt", "exp", "log", "abs", "square") and node.args:
        yield "missing", f"({ast.unparse(node.args[0])})"


def _other_axes(keyword: ast.keyword) -> Iterator[int | bool | None]:
    value = keyword.value
    if keyword.arg == "axis" and isinstance(value, ast.Constant):
        if isinstance(value.value, int) and value.value in (0, 1):
            yield 1 - value.value
    elif keyword.arg == "axis" and isinstance(value, ast.UnaryOp):
        yield 0
    elif keyword.arg == "keepdims" and isinstance(value, ast.Constant):
        yield not value.value
    elif keyword.arg == "ddof":
        yield 0


def _of_constant(node: ast.Constant) -> Iterator[tuple[str, str]]:
    value = node.value
    if type(value) is bool:
        yield "constant", str(not value)
    elif type(value) is int:
        yield "constant", str(value + 1)
    elif type(value) is float:
        yield "constant", repr(2 * value if value else 1.0)


def _of_assignment(node: ast.Assign, parents: list[ast.AST]) -> Iterator[tuple[str, str]]:
    target, value = node.targets[0], ast.unparse(node.value)
    text = ast.unparse(target)
    if isinstance(target, ast.Attribute | ast.Subscript | ast.Name) and _is_number(node.value):
        yield "sign", f"{text} = -({value})"
        if isinstance(node.value, ast.BinOp | ast.Call):
            yield "dtype", f"{text} = {_single(value, parents[0])}"
    if isinstance(target, ast.Attribute | ast.Subscript):
        yield "missing", "pass"
    function = next((one for one in reversed(parents) if isinstance(one, ast.FunctionDef)), None)
    outside = function is not None and function.name != "__init__"
    if isinstance(target, ast.Attribute) and outside:
        held = ast.unparse(target.value)
        yield "stale", f"{text} = {held}.__dict__.get({target.attr!r}, {value})"
    binary = node.value
    if isinstance(binary, ast.BinOp) and ast.unparse(binary.left) == text:
        yield "in place", f"{text} {_sign(binary.op)}= {ast.unparse(binary.right)}"


def _is_number(node: ast.expr) -> bool:
    """Whether an expression may well be a number: no text, list, lambda, name of a function."""
    other = ast.List | ast.ListComp | ast.Dict | ast.Tuple | ast.Lambda | ast.JoinedStr | ast.Set
    text = isinstance(node, ast.Constant) and not isinstance(node.value, int | float)
    hidden = isinstance(node, ast.Name) and node.id.startswith("_")
    return not isinstance(node, other) and not text and not hidden


def _single(value: str, module: ast.AST) -> str:
    """Return an expression in single precision: NumPy's, or in a module without it torch's."""
    names = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    return f"np.float32({value})" if "np" in names else f"({value}).float()"


_SIGNS: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}


def _sign(operator: ast.operator) -> str:
    return _SIGNS.get(type(operator), "+")
