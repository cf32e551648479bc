"""Code as HTML, with keywords, names, texts and comments in colours where it is Python."""

from __future__ import annotations

from html import escape


def coloured(source: str, language: str) -> str:
    """Return source as HTML that holds nothing of it but escaped text."""
    if language not in ("python", "py"):
        return escape(source)
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
    pieces = []
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(source):
        while kind not in classes and kind is not Token:
            kind = kind.parent
        name = classes.get(kind)
        pieces.append(f'<span class="{name}">{escape(text)}</span>' if name else escape(text))
    return "".join(pieces)
