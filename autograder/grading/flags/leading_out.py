"""Attributes that lead out of a program, to what runs or tests it, however they are spelled.

An attribute is named in the source, given to `getattr` or its like as a text, or put together there
from pieces, which is noticed too: nobody computes the name of an attribute letter by letter.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autograder.grading.rules import called, nodes_of

NAMES = frozenset(
    (
        *("tb_frame", "tb_next", "f_back", "f_globals", "f_locals", "f_builtins", "f_code"),
        *("gi_frame", "gi_code", "cr_frame", "cr_code", "ag_frame", "ag_code"),
        *("__globals__", "__code__", "__closure__", "__subclasses__", "__builtins__"),
        "cell_contents",
        *("co_code", "co_consts", "co_names", "co_varnames", "co_filename", "co_firstlineno"),
    )
)
"""`__mro__`, `__class__`, `__name__`, `__dict__`, `__init__` and `__traceback__` are ordinary."""

OF_MODULES = frozenset(
    (
        "_getframe",
        "_current_frames",
        "get_objects",
        "get_referrers",
        "get_referents",
        "currentframe",
    )
)
"""What modules have of the kind: named plainly, it is for the list `watched` of grading.toml."""

BARE = frozenset(("__builtins__", "__loader__", "__spec__"))
ASKED = NAMES | BARE | OF_MODULES
GETTERS = frozenset(("getattr", "setattr", "hasattr", "delattr", "attrgetter", "methodcaller"))
BY_NAME = frozenset(("__getattribute__", "__getattr__", "__getitem__", "get", "pop"))
PIECES = frozenset(
    ("chr", "decode", "fromhex", "translate", "unhexlify", "b64decode", "reversed", "replace")
)


def leading_out(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the line of each such attribute, and what it is."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Attribute) and node.attr in NAMES:
            yield node.lineno, node.attr
        elif isinstance(node, ast.Name) and node.id in BARE:
            yield node.lineno, node.id
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, a.name) for a in node.names if a.name in NAMES)
        elif isinstance(node, ast.MatchClass):
            yield from ((node.lineno, name) for name in node.kwd_attrs if name in NAMES)
        elif isinstance(node, ast.Call):
            yield from ((node.lineno, said) for said in _asked(node))
        elif isinstance(node, ast.Subscript):
            text = folded(node.slice)
            if text in ASKED:
                yield node.lineno, f"[{text!r}]"


def _asked(call: ast.Call) -> Iterator[str]:
    """Yield what a call asks for by a text that leads out, or by one that is made of pieces."""
    name = called(call)
    if name not in GETTERS | BY_NAME:
        return
    for argument in call.args:
        text = folded(argument)
        if text is not None and ASKED.intersection(text.split(".")):
            yield f"{name} of {text!r}"
        elif name in GETTERS and _in_pieces(argument):
            yield f"{name} of a name that is put together from pieces"


def _in_pieces(node: ast.expr) -> bool:
    """Whether a text is made letter by letter, or backwards: not by `+`, nor in an f-string."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and called(part) in PIECES:
            return True
        if isinstance(part, ast.Name) and part.id in PIECES:
            return True
        if isinstance(part, ast.Slice) and part.step is not None:
            return True
    return False


def folded(node: ast.expr) -> str | None:
    """Return the text that an expression of constant texts gives, None if it isn't that simple."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    parts: list[ast.expr]
    between = ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    elif isinstance(node, ast.JoinedStr):
        parts = [v.value if isinstance(v, ast.FormattedValue) else v for v in node.values]
    elif isinstance(node, ast.Call) and called(node) == "join" and len(node.args) == 1:
        of = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        between = folded(of) or ""
        [listed] = node.args
        parts = listed.elts if isinstance(listed, ast.List | ast.Tuple) else [listed]
    else:
        return None
    texts = [folded(part) for part in parts]
    return None if None in texts else between.join(text or "" for text in texts)
