"""The reference's rnn.py with other methods in place of its own."""

from __future__ import annotations

import ast
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[3] / "solutions" / "week5_rnn" / "rnn.py"


SMALL = "if self._h[0].size < 200:"
"""True where a hidden test calls a layer's backward; not while the language model trains."""


def with_methods(methods: dict[str, str], head: str = "", *, only: str = "") -> dict[str, bytes]:
    """Return rnn.py with methods such as "RNN.backward" written anew, and `head` below its imports.

    A method's text begins at the margin and has no docstring; the reference's stays. `only` is a
    line such as `SMALL`: the new text is run where it says so, the reference's elsewhere. (What
    takes a thousand times as long would train until its time is over.)
    """
    lines = REFERENCE.read_text("utf-8").splitlines()
    tree = ast.parse("\n".join(lines))
    found = {
        f"{owner.name}.{node.name}": node
        for owner in tree.body
        if isinstance(owner, ast.ClassDef)
        for node in owner.body
        if isinstance(node, ast.FunctionDef)
    }
    for name, text in sorted(methods.items(), key=lambda one: -found[one[0]].lineno):
        body = found[name].body
        start, end = body[0].end_lineno, body[-1].end_lineno
        assert start is not None
        margin = " " * (12 if only else 8)
        new = [f"{margin}{line}".rstrip() for line in text.strip().splitlines()]
        lines[start : start if only else end] = [f"        {only}", *new] if only else new
    first = next(n for n, line in enumerate(lines) if line.startswith("FloatArray ="))
    lines[first:first] = [*head.strip().splitlines(), ""] if head else []
    return {"rnn.py": ("\n".join(lines) + "\n").encode()}
