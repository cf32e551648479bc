"""Code as HTML, with keywords, names, texts and comments in colours where it is Python."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape


def coloured(source: str, language: str) -> str:
    """Return source as HTML that holds nothing of it but escaped text."""
    if language not in ("python", "py"):
        return escape(source)
    return "".join(_html(name, text) for name, text in _pieces(source))


def coloured_lines(source: str) -> list[str]:
    """Return the lines of a Python source, each as HTML that is complete in itself."""
    lines = [""]
    for name, text in _pieces(source):
        first, *others = text.split("\n")
        lines[-1] += _html(name, first)
        lines += [_html(name, other) for other in others]
    return lines


def _html(name: str | None, text: str) -> str:
    return f'<span class="{name}">{escape(text)}</span>' if name and text else escape(text)


def _pieces(source: str) -> Iterator[tuple[str | None, str]]:
    """Yield pieces of a Python source, each with the class of its colour."""
    from pygments.lexers import PythonLexer
    from pygments.token import Comment, Keyword, Name, Operator, String, Token

    classes = {
        Comment: "c",
        Keyword: "k",
        Operator.Word: "k",
        String: "s",
        Name.Function: "n",
        Name.Class: "n",
        Name.Decorator: "n",
    }
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        while kind not in classes and kind is not Token:
            kind = kind.parent
        yield classes.get(kind), text
